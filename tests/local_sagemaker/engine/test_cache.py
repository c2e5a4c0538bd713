"""The step cache: what counts as the same step, and for how long."""

import time
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.definition.definition import Definition, Step
from local_sagemaker.engine.cache import StepCache, lifetime
from local_sagemaker.engine.scope import ExecutionScope
from local_sagemaker.errors import ServiceError
from local_sagemaker.state.database import Database
from local_sagemaker.state.records import Records

ARGUMENTS = {
    "AppSpecification": {"ImageUri": "image"},
    "ProcessingInputs": [{"InputName": "code"}],
    "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.xlarge"}},
    "ProcessingOutputConfig": {"Outputs": [{"S3Output": {"S3Uri": "s3://b/execution-1"}}]},
}
SCOPE = ExecutionScope({"ParameterValues": {"Image": "i"}}, Definition({}, {}), objects=None)  # type: ignore[arg-type]


def processing(expire_after: str | None = "P30D", enabled: bool = True) -> Step:
    cache = {"Enabled": enabled} | ({"ExpireAfter": expire_after} if expire_after else {})
    return Step("Prep", "Processing", {}, frozenset(), None, {"Name": "Prep", "CacheConfig": cache})


@pytest.fixture
def records(tmp_path: Path) -> Records:
    records = Records(Database(tmp_path / "state.db"))
    records.put("execution-step", "old", {"StepName": "Prep", "Properties": {"a": 1}})
    return records


def key(records: Records, step: Step, arguments: dict[str, Any], pipeline: str = "arn:p") -> str | None:
    return StepCache(records).key(pipeline, step, arguments, SCOPE)


def found(records: Records, step: Step, arguments: dict[str, Any], pipeline: str = "arn:p") -> bool:
    return StepCache(records).find(step, key(records, step, arguments, pipeline)) is not None


def remember(records: Records, step: Step, arguments: dict[str, Any]) -> None:
    name = key(records, step, arguments)
    assert name is not None
    StepCache(records).remember(name, "old")


def test_equal_arguments_are_found_whatever_the_outputs_and_the_instances(records: Records) -> None:
    remember(records, processing(), ARGUMENTS)
    other = {**ARGUMENTS, "ProcessingOutputConfig": {}, "ProcessingResources": {}}
    assert found(records, processing(), other)


@pytest.mark.parametrize(
    "changed",
    [{"AppSpecification": {"ImageUri": "other"}}, {"ProcessingInputs": []}, {"Environment": {"A": "1"}}],
)
def test_another_image_input_or_environment_is_another_step(records: Records, changed: dict[str, Any]) -> None:
    remember(records, processing(), ARGUMENTS)
    assert not found(records, processing(), {**ARGUMENTS, **changed})


def test_steps_of_another_pipeline_or_without_the_cache_are_not_reused(records: Records) -> None:
    remember(records, processing(), ARGUMENTS)
    assert not found(records, processing(), ARGUMENTS, pipeline="arn:q")
    assert not found(records, processing(enabled=False), ARGUMENTS)


def test_a_result_is_reused_up_to_the_end_of_its_time(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    remember(records, processing("T16M"), ARGUMENTS)
    monkeypatch.setattr(time, "time", lambda: 1000.0 + 16 * 60)
    assert found(records, processing("T16M"), ARGUMENTS)
    monkeypatch.setattr(time, "time", lambda: 1000.5 + 16 * 60)
    assert not found(records, processing("T16M"), ARGUMENTS)
    assert found(records, processing(None), ARGUMENTS)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("P30D", 30 * 86400),
        ("30d", 30 * 86400),
        ("T16m", 960),
        ("30dT5h", 30 * 86400 + 5 * 3600),
        ("5y", 5 * 365 * 86400),
    ],
)
def test_durations_are_read_in_both_of_the_services_notations(text: str, seconds: int) -> None:
    assert lifetime(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "soon", "30"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="is not a duration"):
        lifetime(text)


def kept(records: Records, kind: str, first: dict[str, Any], then: dict[str, Any], **fields: Any) -> bool:
    """Whether a step of this type with these arguments has the same key with the others."""
    one = Step("Do", kind, {}, frozenset(), None, {"Name": "Do", **fields})
    return key(records, one, first) == key(records, one, {**first, **then}) is not None


JOB = {"AlgorithmSpecification": {"TrainingImage": "i"}, "StaticHyperParameters": {"depth": "6"}}


@pytest.mark.parametrize(
    ("kind", "same", "other"),
    [
        ("Transform", {"TransformOutput": {}, "MaxPayloadInMB": 6}, {"ModelName": "other"}),
        (
            "Tuning",
            {"TrainingJobDefinition": {**JOB, "OutputDataConfig": {"S3OutputPath": "s3://b/execution-1"}}},
            {"TrainingJobDefinition": {**JOB, "StaticHyperParameters": {"depth": "7"}}},
        ),
        ("Training", {"OutputDataConfig": {}, "ResourceConfig": {}}, {"HyperParameters": {"depth": "7"}}),
        ("Lambda", {}, {"event": "other"}),
        ("Callback", {}, {"question": "other"}),
        ("EMR", {"Else": 1}, {"StepConfig": {"HadoopJarStep": {}}}),
    ],
)
def test_each_type_has_its_own_attributes_that_count(
    records: Records, kind: str, same: dict[str, Any], other: dict[str, Any]
) -> None:
    first = {"ModelName": "m", "TrainingJobDefinition": JOB, "StepConfig": {}, "HyperParameters": {}}
    first = {} if kind in ("Lambda", "Callback") else first
    assert kept(records, kind, first, same)
    assert not kept(records, kind, first, other)


def test_the_fields_beside_the_arguments_of_a_check_count_with_their_values(records: Records) -> None:
    def of(skip: Any) -> str | None:
        raw = {"Name": "Check", "SkipCheck": skip, "FailOnViolation": skip}
        return key(records, Step("Check", "QualityCheck", {}, frozenset(), None, raw), {"CheckJobConfig": {}})

    assert of({"Get": "Parameters.Image"}) == of("i") != of("j")


@pytest.mark.parametrize("kind", ["Model", "RegisterModel", "Condition", "Fail", "ForEach"])
def test_other_types_have_no_cache(records: Records, kind: str) -> None:
    assert key(records, Step("Do", kind, {}, frozenset(), None, {}), {}) is None


def test_the_order_of_the_fields_does_not_count(records: Records) -> None:
    application = {"ImageUri": "image", "ContainerEntrypoint": ["python3"]}
    remember(records, processing(), {"AppSpecification": application})
    assert found(records, processing(), {"AppSpecification": dict(reversed(application.items()))})
