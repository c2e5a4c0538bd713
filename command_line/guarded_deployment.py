"""From the settings of a stage to what a deployment needs: machines, capture, guard, golden rows."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deployment.alarms import AlarmClients
    from deployment.golden import Ask, GoldenRows
    from deployment.guard import Guard
    from deployment.guarded_update import Guarding
    from deployment.scaling import Scaled
    from deployment.specification import Hosting
    from pipelines.settings.environment import Environment
    from pipelines.settings.settings import Settings

LOCAL_PERIOD = 1  # seconds: local SageMaker keeps tenths of a second
PERIOD = 60
NO_ANSWER = ("ServiceUnavailable", "InternalFailure", "InternalDependencyException", "ModelNotReadyException")
UNAVAILABLE = 503
INCIDENTS = Path("reports") / "incidents"


def hosting_of(settings: "Settings", stage: str, environment: "Environment", local: bool) -> "Hosting":
    """The machines of a stage; DeploymentError where the environment lacks what AWS needs."""
    from deployment.errors import DeploymentError
    from deployment.specification import Capture, Hosting, Serverless

    wanted, role = settings.stages[stage], serving_role(environment, local)
    capture = None
    if wanted.capture is not False and wanted.serverless is None:
        if "SAGEMAKER_BUCKET" in environment.placeholders and not local:
            raise DeploymentError(
                "Set SAGEMAKER_BUCKET to the bucket of the captured data, or stages."
                f"{stage}.capture to false in the YAML."
            )
        uri = f"s3://{environment.bucket}/{settings.name}/capture/{stage}"
        capture = Capture(uri, wanted.capture.sampling_percent)
    serverless = wanted.serverless
    return Hosting(
        wanted.instance_type or "",
        wanted.instance_count,
        role,
        environment.kms_key,
        environment.subnets,
        environment.security_group_ids,
        capture,
        Serverless(serverless.memory_mb, serverless.max_concurrency) if serverless is not None else None,
        settings.data.personal,
    )


def serving_role(environment: "Environment", local: bool) -> str:
    """The role of the model's containers; DeploymentError where the environment does not say it."""
    from deployment.errors import DeploymentError

    if not local and not environment.serving_role_arn and "SAGEMAKER_ROLE_ARN" in environment.placeholders:
        raise DeploymentError("Set SAGEMAKER_SERVING_ROLE_ARN to the role of the model's containers, or use --local.")
    return environment.serving_role_arn or environment.role_arn


def scaled_of(settings: "Settings", stage: str, endpoint: str, client: Callable[[str], Any]) -> "Scaled":
    """The scaling of a stage's endpoint, and what the YAML wants of it."""
    from deployment.scaling import Autoscaling, Scaled, VariantScaling

    variant = VariantScaling(client("application-autoscaling"), client("sagemaker"), endpoint)
    asked = settings.stages[stage].autoscaling
    return Scaled(variant, Autoscaling(**asked.model_dump()) if asked is not None else None)


def guard_of(settings: "Settings", stage: str) -> "Guard":
    """How an update of a stage is guarded."""
    from deployment.guard import AlarmLimits, Guard

    wanted = settings.stages[stage].deployment
    size: Any = None
    if wanted.size_instances is not None:
        size = ("INSTANCE_COUNT", wanted.size_instances)
    elif wanted.size_percent is not None:
        size = ("CAPACITY_PERCENT", wanted.size_percent)
    alarms = wanted.alarms
    return Guard(
        wanted.strategy,
        size,
        wanted.wait_seconds,
        wanted.termination_wait_seconds,
        wanted.limit_seconds,
        wanted.min_requests,
        AlarmLimits(
            alarms.max_error_rate,
            alarms.max_latency_ms,
            alarms.period_seconds,
            alarms.evaluation_periods,
            alarms.max_invalid_predictions,
        )
        if alarms is not None
        else None,
    )


def golden_of(client: Callable[[str], Any], package_arn: str) -> "GoldenRows | None":
    """The golden rows that Evaluate has kept beside the version's evaluation; None where there are none."""
    from botocore.exceptions import ClientError

    from deployment.golden import GoldenRows
    from pipelines.clients import split_uri
    from pipelines.versions.evaluation_report import statistics_uri

    package = client("sagemaker").describe_model_package(ModelPackageName=package_arn)
    uri = statistics_uri(package)
    if uri is None:
        return None
    bucket, key = split_uri(f"{uri.rpartition('/')[0]}/golden.json")
    try:
        return GoldenRows.from_json(client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket", "404"):
            return None  # of a version that is older than golden rows
        raise


def asking(runtime: Any, endpoint: str, variant: str | None = None) -> "Ask":
    """What sends a JSON body to an endpoint, or to one variant of it: status and text of the answer."""
    from botocore.exceptions import ClientError

    named = {"EndpointName": endpoint} | ({"TargetVariant": variant} if variant else {})

    def ask(body: bytes) -> tuple[int, str]:
        try:
            answer = runtime.invoke_endpoint(
                **named, Body=body, ContentType="application/json", Accept="application/json"
            )
        except ClientError as error:
            fault = error.response["Error"]
            if fault["Code"] in NO_ANSWER:
                return UNAVAILABLE, fault.get("Message", "")
            if fault["Code"] != "ModelError":
                raise
            return error.response.get("OriginalStatusCode") or 500, error.response.get("OriginalMessage", "")
        return 200, answer["Body"].read().decode(errors="replace")

    return ask


def guarding_of(
    settings: "Settings", stage: str, endpoint: str, package_arn: str, client: Callable[[str], Any], local: bool
) -> "Guarding":
    """Everything that an update of a stage is watched with."""
    from deployment.golden import GoldenCheck
    from deployment.guarded_update import Guarding
    from deployment.weighted import CANDIDATE

    golden, runtime = golden_of(client, package_arn), client("sagemaker-runtime")
    check = GoldenCheck(golden, asking(runtime, endpoint)) if golden is not None else None
    candidate = GoldenCheck(golden, asking(runtime, endpoint, CANDIDATE)) if golden is not None else None
    period = LOCAL_PERIOD if local else PERIOD
    return Guarding(guard_of(settings, stage), alarm_clients(client), check, candidate, INCIDENTS, period)


def alarm_clients(client: Callable[[str], Any]) -> "AlarmClients":
    """What the alarms of a deployment are made with."""
    from deployment.alarms import AlarmClients

    return AlarmClients(client("cloudwatch"), client("logs"))
