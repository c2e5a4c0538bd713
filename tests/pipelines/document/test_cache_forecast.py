"""What the plan says of the cache is what the service does."""

from typing import Any

import pytest

from local_sagemaker.engine import cache as engine
from pipelines.document.cache_forecast import ALWAYS_RUNS, REUSED, RUNS_AGAIN, forecast
from pipelines.document.cache_keys import KEY_ATTRIBUTES

CACHE = {"Enabled": True}


def definition(kind: str, arguments: dict[str, Any], **beside: Any) -> dict[str, Any]:
    step = {"Name": "A", "Type": kind, "Arguments": arguments, "CacheConfig": CACHE, **beside}
    return {"Version": "2020-12-01", "Steps": [step]}


def outcome(old: dict[str, Any], new: dict[str, Any]) -> str:
    [found] = forecast(old, new)
    return found.outcome


def test_the_forecast_and_the_engine_count_the_same() -> None:
    assert KEY_ATTRIBUTES == engine.KEY_ATTRIBUTES


@pytest.mark.parametrize("kind", ["Lambda", "Callback"])
def test_a_function_or_a_callback_is_reused_for_the_same_arguments(kind: str) -> None:
    where = {"FunctionArn": "arn:f"} if kind == "Lambda" else {"SqsQueueUrl": "https://q"}
    before = definition(kind, {"a": 1}, **where)
    assert outcome(before, before) == REUSED
    assert outcome(before, definition(kind, {"a": 2}, **where)) == RUNS_AGAIN
    assert (
        outcome(before, definition(kind, {"a": 1}, **{name: f"{text}2" for name, text in where.items()})) == RUNS_AGAIN
    )


@pytest.mark.parametrize("kind", ["Condition", "Fail", "Model", "RegisterModel", "Endpoint"])
def test_a_type_that_has_no_cache_always_runs(kind: str) -> None:
    assert outcome(definition(kind, {}), definition(kind, {})) == ALWAYS_RUNS


def test_a_tuning_job_is_reused_whatever_its_instances() -> None:
    def tuning(instances: int, ranges: int) -> dict[str, Any]:
        trained = {"ResourceConfig": {"InstanceCount": instances}, "HyperParameterRanges": {"n": ranges}}
        return definition("Tuning", {"HyperParameterTuningJobConfig": {}, "TrainingJobDefinition": trained})

    assert outcome(tuning(1, 1), tuning(2, 1)) == REUSED
    assert outcome(tuning(1, 1), tuning(1, 2)) == RUNS_AGAIN


def test_without_a_cache_it_always_runs() -> None:
    off = definition("Processing", {"AppSpecification": {}})
    off["Steps"][0]["CacheConfig"] = {"Enabled": False}
    assert outcome(off, off) == ALWAYS_RUNS
