"""Where a version of the model is, in the registry: its life cycle, as Studio shows it."""

from collections.abc import Mapping

from deployment.packages import SageMakerClient

IN_SERVICE, REPLACED, ROLLED_BACK = "InService", "Replaced", "RolledBack"


def enter(
    sagemaker: SageMakerClient, package_arn: str, stage: str, status: str, why: str, properties: Mapping[str, str]
) -> None:
    """Say where a version is now: the stage that it came to last, and how it stands there.

    `properties` are kept with it. This changes nobody's approval, and the deploy role may not: its request must not
    hold a ModelApprovalStatus.
    """
    sagemaker.update_model_package(
        ModelPackageArn=package_arn,
        ModelLifeCycle={"Stage": stage, "StageStatus": status, "StageDescription": why},
        CustomerMetadataProperties=dict(properties),
    )
