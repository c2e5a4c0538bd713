"""What the reserve says of a version before it is promoted: scored once, kept with the version, and judged."""

from typing import TYPE_CHECKING

from command_line.life_cycles import noted

if TYPE_CHECKING:
    from command_line.session import Session
    from deployment.packages import Package


def require_reserve(session: "Session", package: "Package") -> None:
    """DeploymentError where a version misses a gate on the rows that were kept back; without split.reserve none are.

    Only in the account that registered it can a version be scored; others read the score.
    """
    from deployment.errors import DeploymentError
    from deployment.reserve import PROPERTY, ReserveRun, Score
    from pipelines.versions.four_eyes import execution_of

    sagemaker = session.client("sagemaker")
    described = sagemaker.describe_model_package(ModelPackageName=package.arn)
    properties = described.get("CustomerMetadataProperties", {})
    if PROPERTY not in properties:
        return
    score = Score.of_version(properties)
    if score is None:
        account, execution = package.arn.split(":")[4], execution_of(described)
        if account != session.environment.role_arn.split(":")[4] and not session.local:
            raise DeploymentError(
                f"Version {package.version} was not scored on its reserve yet, and only the account {account} can do "
                "that: promote it to a stage there first."
            )
        run = ReserveRun(
            sagemaker, session.client("s3"), session.waiting, session.console.line, session.log_of("processing")
        )
        score = run.score(package, properties[PROPERTY], execution or "")
        sagemaker.update_model_package(
            ModelPackageArn=package.arn, CustomerMetadataProperties={**noted(session, package.arn), **score.properties}
        )
    session.console.line(f"Reserve of version {package.version}, {score.sentence}")
    if score.missed:
        raise DeploymentError(
            f"Version {package.version} misses {' and '.join(score.missed)} (gates in the YAML) on its reserve, "
            f"{score.sentence}. It is not promoted: what its test part said was luck, or the data have changed. Train "
            "another version."
        )
