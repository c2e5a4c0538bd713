"""Four eyes where the versions are of another account."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from command_line.life_cycles import require_four_eyes
from deployment.errors import DeploymentError
from pipelines.errors import PipelineError

OWN, OTHER = "222233334444", "111122223333"
DENIED = (
    "User: arn:aws:sts::222233334444:assumed-role/house-prices-production-deploy/eve is not authorized to perform: "
)
DENIED += "sagemaker:DescribePipelineExecution on resource: arn:x because no resource-based policy allows it"


class Registry:
    """A SageMaker with one version, whose execution is told by `starter`, or refused."""

    def __init__(self, account: str, starter: str | None) -> None:
        self._account, self._starter = account, starter

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:
        execution = f"arn:aws:sagemaker:eu-west-1:{self._account}:pipeline/house-prices-training/execution/e"
        return {
            "ModelPackageArn": ModelPackageName,
            "ModelPackageVersion": 3,
            "ModelApprovalStatus": "Approved",
            "LastModifiedBy": by("bob"),
            "MetadataProperties": {"GeneratedBy": execution},
        }

    def describe_pipeline_execution(self, PipelineExecutionArn: str) -> dict[str, Any]:
        if self._starter is None:
            fault = {"Error": {"Code": "AccessDeniedException", "Message": DENIED}}
            raise ClientError(fault, "DescribePipelineExecution")  # type: ignore[arg-type]
        return {"CreatedBy": by(self._starter)}


def by(name: str) -> dict[str, Any]:
    return {"IamIdentity": {"Arn": f"arn:aws:sts::{OTHER}:assumed-role/anyone/{name}"}}


def require(account: str, starter: str | None, four_eyes: bool = True) -> None:
    registry = Registry(account, starter)
    session = SimpleNamespace(
        settings=SimpleNamespace(approval=SimpleNamespace(four_eyes=four_eyes)),
        environment=SimpleNamespace(role_arn=f"arn:aws:iam::{OWN}:role/house-prices-production-execution"),
        client=lambda _: registry,
    )
    package = SimpleNamespace(arn=f"arn:aws:sagemaker:eu-west-1:{account}:model-package/house-prices/3", version=3)
    require_four_eyes(session, package)  # type: ignore[arg-type]


def test_a_version_of_another_account_that_shares_its_pipelines_needs_four_eyes_too() -> None:
    require(OTHER, "ada")
    with pytest.raises(PipelineError, match="bob made version 3"):
        require(OTHER, "bob")


def test_another_account_that_shares_no_pipeline_is_named_with_what_to_do() -> None:
    with pytest.raises(DeploymentError) as caught:
        require(OTHER, None)
    said = str(caught.value)
    assert said.startswith(
        "approval.four_eyes asks who made version 3, and the account 111122223333 does not tell: let"
    )
    assert "may not call sagemaker:DescribePipelineExecution" in said


def test_in_ones_own_account_the_denial_is_ones_own_and_without_four_eyes_nothing_is_asked() -> None:
    with pytest.raises(ClientError):
        require(OWN, None)
    require(OTHER, None, four_eyes=False)
