"""Waiting for an endpoint, and where its log is."""

from pathlib import Path

import pytest

from deployment.endpoint import Waiting, endpoint_log, require_serving, wait_until_settled
from deployment.errors import DeploymentError
from tests.deployment.conftest import Hosting
from tests.deployment.test_deploy import ENDPOINT, deploy


def test_an_endpoint_that_rests_is_returned_at_once_without_a_word(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    lines: list[str] = []
    description = wait_until_settled(hosting.sagemaker, ENDPOINT, Waiting(10), lines.append)
    assert description is not None
    assert (description["EndpointStatus"], lines) == ("InService", [])


def test_an_endpoint_that_is_not_there_is_none(hosting: Hosting) -> None:
    assert wait_until_settled(hosting.sagemaker, ENDPOINT, Waiting(10), list[str]().append) is None


def test_each_status_is_announced_once_with_the_seconds_so_far(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    endpoint = hosting.endpoints[ENDPOINT]
    endpoint.update(EndpointStatus="Updating", change={"polls": 4, "result": {"EndpointStatus": "InService"}})
    lines: list[str] = []
    wait_until_settled(hosting.sagemaker, ENDPOINT, Waiting(0.001), lines.append)
    assert [line.split()[1:] for line in lines] == [["s", "Updating"], ["s", "InService"]]


def test_an_endpoint_that_someone_deletes_meanwhile_is_named() -> None:
    with pytest.raises(DeploymentError, match=f"{ENDPOINT} was deleted by someone else"):
        require_serving(None, ENDPOINT, "config", "log")


def test_the_log_is_a_folder_here_and_a_log_group_on_aws() -> None:
    assert endpoint_log("staging", Path("/state/endpoints")) == "/state/endpoints/staging"
    assert endpoint_log("staging", None) == "CloudWatch log group /aws/sagemaker/Endpoints/staging"
