"""Where the versions of the model are: read from an endpoint, written into the registry, approved by two people."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from command_line.session import Session

BUILD = "CODEBUILD_BUILD_ID"


def require_four_eyes(session: "Session", package: Any) -> None:
    """An approval by another way than `approve` does not go around what the settings ask for."""
    from botocore.exceptions import ClientError

    from deployment.errors import DeploymentError
    from pipelines.aws_errors import explain
    from pipelines.versions import four_eyes

    if not session.settings.approval.four_eyes:
        return
    sagemaker = session.client("sagemaker")
    described = sagemaker.describe_model_package(ModelPackageName=package.arn)
    try:
        four_eyes.require_four_eyes(sagemaker, described)
    except ClientError as error:
        registry = package.arn.split(":")[4]
        if registry == session.environment.role_arn.split(":")[4]:
            raise
        raise DeploymentError(
            f"approval.four_eyes asks who made version {package.version}, and the account {registry} does not tell: "
            f"let it share its pipelines with this one (docs/aws.md, More than one account). {explain(error)}"
        ) from None


def require_second_person(session: "Session", stage: str, package: Any) -> None:
    """Who approved a version does not bring it to a stage whose settings ask for two people; nor does a build."""
    from command_line.identity import who_am_i
    from deployment.errors import DeploymentError
    from pipelines.versions import four_eyes

    if not session.settings.stages[stage].second_person:
        return
    if BUILD in os.environ:
        raise DeploymentError(
            f"A build is not a person, and stages.{stage}.second_person of the settings asks for one: run it yourself."
        )
    described = session.client("sagemaker").describe_model_package(ModelPackageName=package.arn)
    four_eyes.require_second_person(who_am_i(session.client("sts")), described, stage)


def versions_of(session: "Session", endpoint: str) -> set[str]:
    """The ARNs of the versions that an endpoint serves."""
    from deployment.endpoint import describe_endpoint
    from deployment.serving import packages_of_config

    sagemaker = session.client("sagemaker")
    found = describe_endpoint(sagemaker, endpoint)
    config = found.get("EndpointConfigName") if found else None
    return set(packages_of_config(sagemaker, config)) if config else set()


def enter(session: "Session", stage: str, packages: Iterable[str], status: str, why: str) -> None:
    """Write into the registry where versions are now, but for deleted ones; who decided over them stays known."""
    from deployment import life_cycle
    from deployment.packages import describe_package

    sagemaker = session.client("sagemaker")
    account = session.environment.role_arn.split(":")[4]
    for arn in packages:
        if arn.split(":")[4] != account and not session.local:
            continue  # another account's registry, which this one may only read
        if describe_package(sagemaker, arn) is None:
            continue
        life_cycle.enter(sagemaker, arn, stage, status, why, noted(session, arn))


def noted(session: "Session", package_arn: str) -> dict[str, str]:
    """What a change of a version says beside what it changes: who made it, and who decided over the version before."""
    from command_line.identity import who_am_i
    from pipelines.versions.four_eyes import CHANGED_BY, DECIDED_BY, decider

    decided = decider(session.client("sagemaker").describe_model_package(ModelPackageName=package_arn))
    kept = {DECIDED_BY: decided} if decided else {}
    return {**kept, CHANGED_BY: who_am_i(session.client("sts"))}
