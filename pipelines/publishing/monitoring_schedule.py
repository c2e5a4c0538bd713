"""The monitoring's schedule on local SageMaker: the one that infrastructure/monitoring.yaml makes on AWS."""

from typing import Any

from pipelines.settings.environment import Environment
from pipelines.settings.settings import Settings

RETRIES = {"MaximumRetryAttempts": 8, "MaximumEventAgeInSeconds": 3600}


def schedule_name(settings: Settings, stage: str) -> str:
    """Such as house-prices-production-monitoring."""
    return f"{settings.name}-{stage}-monitoring"


def schedule_request(
    settings: Settings, environment: Environment, pipeline_arn: str, stage: str, data: str | None
) -> dict[str, Any]:
    """The request that creates or updates it: at once, and then once for each window; `data` has the new sales."""
    days = settings.monitoring.window_days
    given = {"Stage": stage, **({"InputDataUri": data} if data else {})}
    return {
        "Name": schedule_name(settings, stage),
        "Description": "Looks at the last whole window of what was sold and served.",
        "ScheduleExpression": f"rate({days} {'day' if days == 1 else 'days'})",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": pipeline_arn,
            "RoleArn": environment.role_arn,
            "SageMakerPipelineParameters": {
                "PipelineParameterList": [{"Name": name, "Value": value} for name, value in given.items()]
            },
            "RetryPolicy": RETRIES,
        },
    }


def put_schedule(scheduler: Any, request: dict[str, Any]) -> bool:
    """Create the schedule, or bring the one of its name to this; whether it is new."""
    try:
        scheduler.create_schedule(**request)
    except scheduler.exceptions.ConflictException:
        scheduler.update_schedule(**request)
        return False
    return True


def delete_schedule(scheduler: Any, name: str) -> bool:
    """Delete the schedule; False where there is none."""
    try:
        scheduler.delete_schedule(Name=name)
    except scheduler.exceptions.ResourceNotFoundException:
        return False
    return True
