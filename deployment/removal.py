"""An endpoint that removes itself: a schedule of EventBridge Scheduler that deletes it once.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from deployment.errors import DeploymentError

ONCE = "at(%Y-%m-%dT%H:%M:%S)"  # in UTC
MISSING = "ResourceNotFoundException"


@dataclass(frozen=True)
class Removal:
    """When an endpoint is to go: `after` the last deployment, by a role of Scheduler's; None where it stays.

    `time_scale` is how many times faster the schedule's wait passes: more than 1 on local SageMaker only.
    """

    scheduler: Any
    endpoint: str
    after: timedelta | None
    role_arn: str | None = None
    time_scale: float = 1.0

    def request(self, when: datetime) -> dict[str, Any]:
        """The request of CreateSchedule and UpdateSchedule; the schedule goes when it has been called."""
        partition = str(self.role_arn).split(":")[1]
        return {
            "Name": self.endpoint,
            "Description": f"Deletes the endpoint {self.endpoint}, as remove_after of its stage asks for.",
            "ScheduleExpression": when.astimezone(timezone.utc).strftime(ONCE),
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": f"arn:{partition}:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
                "RoleArn": self.role_arn,
                "Input": json.dumps({"EndpointName": self.endpoint}),
            },
        }

    def set(self) -> datetime | None:
        """Count from now on and return when the endpoint goes; where it is to stay, no schedule is left."""
        if self.after is None:
            self.cancel()
            return None
        if self.role_arn is None:
            raise DeploymentError(
                f"Set SAGEMAKER_REMOVAL_ROLE_ARN to the role by which {self.endpoint} is removed (the output "
                "RemovalRoleArn of the roles' stack), or take remove_after out of the YAML."
            )
        when = datetime.now(timezone.utc).replace(microsecond=0) + self.after
        request = self.request(when)
        if self._schedule() is None:
            self.scheduler.create_schedule(**request)
        else:
            self.scheduler.update_schedule(**request)
        return self.when()

    def when(self) -> datetime | None:
        """When the endpoint goes; None where nothing removes it."""
        found = self._schedule()
        if found is None or found.get("State") == "DISABLED":
            return None
        try:
            due = datetime.strptime(found["ScheduleExpression"], ONCE).replace(tzinfo=timezone.utc)
        except ValueError:  # somebody has made another schedule of this name
            return None
        changed: datetime = found.get("LastModificationDate", due)
        return changed + (due - changed) / self.time_scale

    def cancel(self) -> None:
        """Remove the schedule, where there is one."""
        if self._schedule() is not None:
            self._unless_missing(self.scheduler.delete_schedule)

    def _schedule(self) -> dict[str, Any] | None:
        return self._unless_missing(self.scheduler.get_schedule)

    def _unless_missing(self, call: Any) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        try:
            found: dict[str, Any] = call(Name=self.endpoint)
        except ClientError as error:
            if error.response["Error"]["Code"] != MISSING:
                raise
            return None
        return found
