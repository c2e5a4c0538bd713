"""What is said about the endpoints."""

from deployment.serving import NOT_DEPLOYED, _instances, stage_status
from tests.deployment.conftest import Hosting
from tests.deployment.test_deploy import ENDPOINT, deploy


def test_a_stage_without_an_endpoint_is_not_deployed(hosting: Hosting) -> None:
    status = stage_status(hosting.sagemaker, "staging", ENDPOINT)
    assert (status.status, status.versions_text, status.since) == (NOT_DEPLOYED, "-", None)


def test_a_stage_shows_version_commit_machines_and_since_when(hosting: Hosting) -> None:
    deploy(hosting, hosting.register(), instance_count=2)
    status = stage_status(hosting.sagemaker, "staging", ENDPOINT)
    assert (status.status, status.versions_text, status.instances) == ("InService", "1 (012345678)", "2 x ml.m5.large")
    assert status.since is not None


def test_the_machines_are_those_that_scaling_has_chosen() -> None:
    variants = [{"VariantName": "all", "InitialInstanceCount": 2, "InstanceType": "ml.m5.large"}]
    assert _instances(variants, [{"VariantName": "all", "CurrentInstanceCount": 4}]) == "4 x ml.m5.large"
    assert _instances(variants, [{"VariantName": "all"}]) == "2 x ml.m5.large"  # while it is created


def test_a_version_that_was_rejected_while_it_serves_is_pointed_out(hosting: Hosting) -> None:
    deploy(hosting, hosting.register(commit=None))
    hosting.set_approval(1, "Rejected")
    assert stage_status(hosting.sagemaker, "staging", ENDPOINT).versions_text == "1 (Rejected!)"


def test_a_version_that_was_deleted_while_it_serves_is_pointed_out(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    hosting.packages.clear()
    assert stage_status(hosting.sagemaker, "staging", ENDPOINT).versions_text == "1 (deleted!)"


def test_a_configuration_that_someone_deleted_does_not_hide_the_endpoint(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    hosting.configs.clear()
    assert stage_status(hosting.sagemaker, "staging", ENDPOINT).status == "InService"
