"""Retry policies of steps: which failures are retried, after how long, and how often.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html. What counts as which exception type on
this machine is in docs/executions.md.
"""

import time
from collections.abc import Sequence
from typing import Any

from local_sagemaker.errors import ServiceError

SERVICE_FAULT = "Step.SERVICE_FAULT"
THROTTLING = "Step.THROTTLING"
JOB_INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"
CAPACITY_ERROR = "SageMaker.CAPACITY_ERROR"
RESOURCE_LIMIT = "SageMaker.RESOURCE_LIMIT"
STEP_TYPES = ("Processing", "Training", "Tuning", "AutoML", "Model", "RegisterModel", "Transform")
RETRYING_JOBS = ("Tuning", "AutoML")  # their jobs retry internal errors themselves
# The service retries these two by itself; a policy that names them takes the place of this one.
BY_DEFAULT = {"ExceptionType": [SERVICE_FAULT, THROTTLING]}
INTERNAL_SERVER_ERROR = 500
THROTTLING_CODES = ("ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded")
FAILURE_REASONS = {
    "InternalServerError": JOB_INTERNAL_ERROR,
    "CapacityError": CAPACITY_ERROR,
    "InsufficientCapacity": CAPACITY_ERROR,
    "ResourceLimitExceeded": RESOURCE_LIMIT,
}


def of_refusal(error: ServiceError) -> str | None:
    """The exception type of a request that an operation refused; None where a retry cannot help."""
    if error.code in THROTTLING_CODES:
        return THROTTLING
    if error.code == "ResourceLimitExceeded":
        return RESOURCE_LIMIT
    if "Capacity" in error.code:
        return CAPACITY_ERROR
    return SERVICE_FAULT if error.status >= INTERNAL_SERVER_ERROR else None


def of_failed_job(reason: str) -> str | None:
    """The exception type of a job that failed for this reason; None where a retry cannot help."""
    return next((kind for start, kind in FAILURE_REASONS.items() if reason.startswith(start)), None)


class Retries:
    """The retries of one step in one execution: the first policy that names the exception type decides."""

    def __init__(self, policies: Sequence[dict[str, Any]], step_type: str) -> None:
        self._policies = [*(policies if step_type in STEP_TYPES else []), BY_DEFAULT]
        self._within = step_type in RETRYING_JOBS
        self._used = [0] * len(self._policies)
        self._started = time.monotonic()

    def delay(self, exception_type: str) -> tuple[float | None, str]:
        """Seconds to wait before the next attempt and why, or None and why there is none."""
        if self._within and exception_type == JOB_INTERNAL_ERROR:
            return None, f"The job has done its own retries for the exception type {_spelled(exception_type)}."
        for index, policy in enumerate(self._policies):
            if exception_type not in policy["ExceptionType"]:
                continue
            if "ExpireAfterMin" in policy:
                if time.monotonic() - self._started >= 60 * policy["ExpireAfterMin"]:
                    return None, f"The retry policy for the exception type {_spelled(exception_type)} has expired."
            elif self._used[index] >= policy.get("MaxAttempts", 5):
                return None, f"The retry attempts for the exception type {_spelled(exception_type)} are used up."
            seconds = policy.get("IntervalSeconds", 1) * policy.get("BackoffRate", 2.0) ** self._used[index]
            self._used[index] += 1
            return seconds, f"Retry for the exception type {_spelled(exception_type)}."
        return None, f"No retry policy configured for the exception type {_spelled(exception_type)}."


def _spelled(exception_type: str) -> str:
    """As the service spells it in failure reasons: SAGEMAKER_RESOURCE_LIMIT."""
    return exception_type.upper().replace(".", "_")
