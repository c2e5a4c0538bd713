"""Retry policies: what is retried, how often, after how long, and what is wrong with a policy."""

import time
from typing import Any

import pytest

from local_sagemaker.engine.retries import Retries, of_failed_job, of_refusal
from local_sagemaker.errors import ServiceError, invalid


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ServiceError("ThrottlingException", "Rate exceeded"), "Step.THROTTLING"),
        (ServiceError("InternalFailure", "disk", 507), "Step.SERVICE_FAULT"),
        (ServiceError("InternalFailure", "a fault", 500), "Step.SERVICE_FAULT"),
        (ServiceError("Conflict", "not a fault of the service", 499), None),
        (ServiceError("ServiceUnavailable", "later", 503), "Step.SERVICE_FAULT"),
        (ServiceError("ResourceLimitExceeded", "quota"), "SageMaker.RESOURCE_LIMIT"),
        (ServiceError("CapacityError", "none left"), "SageMaker.CAPACITY_ERROR"),
        (invalid("no such role"), None),
    ],
)
def test_a_refusal_is_an_exception_type_or_final(error: ServiceError, kind: str | None) -> None:
    assert of_refusal(error) == kind


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("InternalServerError: the job runtime failed", "SageMaker.JOB_INTERNAL_ERROR"),
        ("CapacityError: no instance", "SageMaker.CAPACITY_ERROR"),
        ("ResourceLimitExceeded: quota", "SageMaker.RESOURCE_LIMIT"),
        ("AlgorithmError: InternalServerError said the script, exit code: 1", None),
        ("ClientError: no such object", None),
    ],
)
def test_a_failed_job_is_an_exception_type_by_the_start_of_its_reason(reason: str, kind: str | None) -> None:
    assert of_failed_job(reason) == kind


def policy(*types: str, **fields: Any) -> dict[str, Any]:
    return {"ExceptionType": list(types), **fields}


def test_the_wait_grows_with_each_attempt_until_the_attempts_are_used_up() -> None:
    retries = Retries(
        [policy("SageMaker.RESOURCE_LIMIT", IntervalSeconds=3, BackoffRate=2.0, MaxAttempts=3)], "Training"
    )
    waits = [retries.delay("SageMaker.RESOURCE_LIMIT") for _ in range(4)]
    assert [seconds for seconds, _ in waits] == [3, 6, 12, None]
    assert waits[-1][1] == "The retry attempts for the exception type SAGEMAKER_RESOURCE_LIMIT are used up."


def test_what_no_policy_names_is_not_retried_and_the_reason_is_the_services() -> None:
    seconds, why = Retries([policy("SageMaker.CAPACITY_ERROR")], "Training").delay("SageMaker.RESOURCE_LIMIT")
    assert seconds is None
    assert why == "No retry policy configured for the exception type SAGEMAKER_RESOURCE_LIMIT."


def test_faults_and_throttling_are_retried_without_a_policy_which_a_policy_overrides() -> None:
    assert Retries([], "Training").delay("Step.SERVICE_FAULT")[0] == 1
    assert Retries([], "Training").delay("Step.THROTTLING")[0] == 1
    assert Retries([policy("Step.THROTTLING", MaxAttempts=0)], "Training").delay("Step.THROTTLING")[0] is None


def test_a_policy_that_says_no_more_has_five_attempts_each_after_twice_the_wait() -> None:
    retries = Retries([policy("SageMaker.CAPACITY_ERROR")], "Training")
    assert [retries.delay("SageMaker.CAPACITY_ERROR")[0] for _ in range(6)] == [1, 2, 4, 8, 16, None]


def test_each_policy_counts_its_own_attempts() -> None:
    one = policy("SageMaker.CAPACITY_ERROR", MaxAttempts=1)
    other = policy("SageMaker.RESOURCE_LIMIT", MaxAttempts=1)
    retries = Retries([one, other], "Training")
    assert retries.delay("SageMaker.CAPACITY_ERROR")[0] == 1
    assert retries.delay("SageMaker.RESOURCE_LIMIT")[0] == 1
    assert retries.delay("SageMaker.CAPACITY_ERROR")[0] is None


def test_a_policy_expires_when_its_minutes_are_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    retries = Retries([policy("Step.THROTTLING", IntervalSeconds=7, ExpireAfterMin=2)], "Training")
    monkeypatch.setattr(time, "monotonic", lambda: 1119.875)
    assert retries.delay("Step.THROTTLING")[0] == 7
    monkeypatch.setattr(time, "monotonic", lambda: 1120.0)
    assert retries.delay("Step.THROTTLING")[0] is None


def test_policies_are_for_the_types_of_steps_that_have_them_and_tuning_jobs_retry_themselves() -> None:
    policies = [policy("SageMaker.RESOURCE_LIMIT", "SageMaker.JOB_INTERNAL_ERROR")]
    assert Retries(policies, "Callback").delay("SageMaker.RESOURCE_LIMIT")[0] is None
    assert Retries(policies, "Tuning").delay("SageMaker.RESOURCE_LIMIT")[0] == 1
    assert Retries(policies, "Tuning").delay("SageMaker.JOB_INTERNAL_ERROR")[0] is None
