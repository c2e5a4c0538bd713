"""Which versions may be deployed."""

import pytest

from deployment.errors import DeploymentError
from deployment.packages import latest_approved_package, named_package
from tests.aws_stub import arn
from tests.deployment.conftest import GROUP, Hosting

APPROVE = "run_pipeline.py approve"


def test_an_approved_version_is_found_by_arn_and_by_number(hosting: Hosting) -> None:
    first, second = hosting.register(), hosting.register()
    assert named_package(hosting.sagemaker, GROUP, first, APPROVE).version == 1
    package = named_package(hosting.sagemaker, GROUP, "2", APPROVE)
    assert (package.arn, package.git_commit) == (second, "0123456789abcdef")


def test_the_commit_is_read_from_the_tags_where_the_metadata_has_none(hosting: Hosting) -> None:
    hosting.tags[hosting.register(commit=None)] = {"git-commit": "feed"}
    assert named_package(hosting.sagemaker, GROUP, "1", APPROVE).git_commit == "feed"


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_a_version_that_is_not_approved_is_refused_with_the_command_that_approves_it(
    hosting: Hosting, status: str
) -> None:
    package = hosting.register(status)
    with pytest.raises(DeploymentError, match=f"Version 1 of {GROUP} is {status}.*`{APPROVE} 1`"):
        named_package(hosting.sagemaker, GROUP, package, APPROVE)


@pytest.mark.parametrize("name", ["7", arn(f"model-package/{GROUP}/7")])
def test_a_version_that_does_not_exist_is_refused_with_those_that_do(hosting: Hosting, name: str) -> None:
    hosting.register()
    with pytest.raises(DeploymentError, match=r"7.*it has 1 \(Approved\)"):
        named_package(hosting.sagemaker, GROUP, name, APPROVE)


def test_a_version_of_another_group_is_refused(hosting: Hosting) -> None:
    package = hosting.register()
    hosting.packages[0]["ModelPackageGroupName"] = "car-prices"
    with pytest.raises(DeploymentError, match="belongs to group car-prices: only house-prices"):
        named_package(hosting.sagemaker, GROUP, package, APPROVE)


def test_the_latest_approved_version_is_not_the_newest_pending_one(hosting: Hosting) -> None:
    for status in ("Approved", "Approved", "PendingManualApproval"):
        hosting.register(status)
    assert latest_approved_package(hosting.sagemaker, GROUP, APPROVE).version == 2


def test_with_none_approved_the_newest_pending_version_is_named_with_the_command(hosting: Hosting) -> None:
    for status in ("PendingManualApproval", "PendingManualApproval", "Rejected"):
        hosting.register(status)
    with pytest.raises(DeploymentError, match=f"version 2 is waiting: approve it with `{APPROVE} 2`"):
        latest_approved_package(hosting.sagemaker, GROUP, APPROVE)


def test_with_no_version_at_all_the_pipeline_is_to_be_run(hosting: Hosting) -> None:
    with pytest.raises(DeploymentError, match="run the pipeline first"):
        latest_approved_package(hosting.sagemaker, GROUP, APPROVE)
    with pytest.raises(DeploymentError, match="no version yet"):
        named_package(hosting.sagemaker, GROUP, "1", APPROVE)
