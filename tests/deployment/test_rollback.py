"""Back to what served before."""

import pytest

from deployment.endpoint import Waiting
from deployment.errors import DeploymentError
from deployment.rollback import Rollback, RolledBack
from tests.deployment.conftest import Hosting
from tests.deployment.test_deploy import ENDPOINT, deploy

pytestmark = pytest.mark.e2e


def roll_back(hosting: Hosting) -> RolledBack:
    moving = Rollback(hosting.sagemaker, ENDPOINT, Waiting(0.001), list[str]().append, "log")
    return moving.run(moving.target())


def test_it_returns_to_the_version_before_and_tags_the_endpoint_with_it(hosting: Hosting) -> None:
    first = deploy(hosting, hosting.register())
    second = deploy(hosting, hosting.register())
    outcome = roll_back(hosting)
    assert outcome == RolledBack(ENDPOINT, second.config, first.config, (1,))
    assert hosting.endpoints[ENDPOINT]["EndpointConfigName"] == first.config
    assert hosting.tags[first.endpoint_arn]["model-package-version"] == "1"


def test_a_second_rollback_goes_further_back_and_never_to_and_fro(hosting: Hosting) -> None:
    for _ in range(3):
        deploy(hosting, hosting.register())
    assert roll_back(hosting).versions == (2,)
    assert roll_back(hosting).versions == (1,)
    with pytest.raises(DeploymentError, match="no earlier configuration"):
        roll_back(hosting)


def test_what_was_deployed_again_counts_from_then(hosting: Hosting) -> None:
    first, second = hosting.register(), hosting.register()
    for package in (first, second, first):
        deploy(hosting, package)
    assert roll_back(hosting).versions == (2,)


def test_a_version_that_was_rolled_back_from_is_not_returned_to(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    deploy(hosting, hosting.register())
    roll_back(hosting)
    deploy(hosting, hosting.register())
    assert roll_back(hosting).versions == (1,)


def test_a_version_that_is_not_approved_any_more_is_passed_over(hosting: Hosting) -> None:
    for _ in range(3):
        deploy(hosting, hosting.register())
    hosting.set_approval(2, "Rejected")
    assert roll_back(hosting).versions == (1,)


def test_with_only_rejected_versions_to_return_to_it_says_so_and_changes_nothing(hosting: Hosting) -> None:
    first = deploy(hosting, hosting.register())
    second = deploy(hosting, hosting.register())
    hosting.set_approval(1, "Rejected")
    with pytest.raises(DeploymentError, match=rf"{first.config}: its model package is no longer Approved"):
        roll_back(hosting)
    assert hosting.endpoints[ENDPOINT]["EndpointConfigName"] == second.config


def test_configurations_of_another_endpoint_are_left_alone(hosting: Hosting) -> None:
    outcome = deploy(hosting, hosting.register())
    foreign = {**hosting.configs[outcome.config], "EndpointConfigName": f"{ENDPOINT}-v9-00000000"}
    foreign.update(EndpointConfigArn="arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/other", CreationTime=1.0)
    hosting.configs[f"{ENDPOINT}-v9-00000000"] = foreign
    with pytest.raises(DeploymentError, match="no earlier configuration"):
        roll_back(hosting)


def test_a_rollback_that_fails_says_why_and_what_serves_on(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    second = deploy(hosting, hosting.register())
    hosting.fail_next = "No capacity."
    with pytest.raises(DeploymentError, match=rf"{second.config} keeps serving\): No capacity"):
        roll_back(hosting)


def test_without_an_endpoint_there_is_nothing_to_roll_back(hosting: Hosting) -> None:
    with pytest.raises(DeploymentError, match=f"{ENDPOINT} does not exist"):
        roll_back(hosting)
