"""The types of the documents: they have what REQUIRED wants, and botocore's names or those listed here."""

import json
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from local_sagemaker.state import record_kinds
from local_sagemaker.state.database import Database
from local_sagemaker.state.record_kinds import EXECUTION, REQUIRED
from local_sagemaker.state.record_types import (
    AsyncRequestRecord,
    CallbackRecord,
    EndpointRecord,
    ExecutionRecord,
    GroupPolicyRecord,
    PipelineRecord,
    PipelineVersionRecord,
    StepCacheRecord,
    StepRecord,
    TagsRecord,
    TargetRunRecord,
    VersionCounterRecord,
)
from local_sagemaker.state.records import Kind, Records
from local_sagemaker.wire.model import service_model

TYPES: dict[str, type] = {
    record_kinds.PIPELINE: PipelineRecord,
    record_kinds.PIPELINE_VERSION: PipelineVersionRecord,
    record_kinds.EXECUTION: ExecutionRecord,
    record_kinds.EXECUTION_STEP: StepRecord,
    record_kinds.STEP_CACHE: StepCacheRecord,
    record_kinds.CALLBACK: CallbackRecord,
    record_kinds.TAGS: TagsRecord,
    record_kinds.TARGET_RUN: TargetRunRecord,
    record_kinds.MODEL_PACKAGE_COUNTER: VersionCounterRecord,
    record_kinds.MODEL_PACKAGE_GROUP_POLICY: GroupPolicyRecord,
    record_kinds.ENDPOINT: EndpointRecord,
    record_kinds.ASYNC_REQUEST: AsyncRequestRecord,
}
JSON_TYPES = {str: "text", float: "real", int: "integer", list: "array", dict: "object", bool: "true"}
# The shape of the answer that each document becomes, and the fields that are our own.
SHAPES = {
    PipelineRecord: ("DescribePipelineResponse", {"PipelineVersionId"}),
    PipelineVersionRecord: ("PipelineVersionSummary", {"PipelineDefinition", "LastModifiedTime"}),
    ExecutionRecord: (
        "DescribePipelineExecutionResponse",
        {"PipelineName", "PipelineDefinition", "ExecutionId", "ParameterValues"},
    ),
    StepRecord: ("PipelineExecutionStep", {"StepType", "PipelineExecutionArn", "Properties", "Outcome"}),
    EndpointRecord: ("DescribeEndpointOutput", {"DeploymentConfig", "Serving", "Pending", "Tags"}),
}


def fields_of(record: type) -> dict[str, Any]:
    return get_type_hints(record)


@pytest.mark.parametrize("kind", TYPES)
def test_a_document_has_a_type_for_each_field_that_it_must_have(kind: str) -> None:
    fields = fields_of(TYPES[kind])
    for name, allowed in REQUIRED[kind].items():
        assert JSON_TYPES[get_origin(fields[name]) or fields[name]] in allowed, name


@pytest.mark.parametrize("record", SHAPES)
def test_the_names_of_a_document_are_those_of_the_answer_or_our_own(record: type) -> None:
    shape, own = SHAPES[record]
    assert set(fields_of(record)) - set(service_model().shape_for(shape).members) == own


def test_each_kind_whose_documents_are_typed_is_compared_here() -> None:
    kinds = {name: kind for name, kind in vars(record_kinds).items() if isinstance(kind, Kind)}
    typed = {kind for kind in kinds.values() if get_args(kind.__orig_class__)[0] is not record_kinds.Document}  # type: ignore[attr-defined]
    assert {kind: get_args(kind.__orig_class__)[0] for kind in typed} == TYPES  # type: ignore[attr-defined]
    assert set(REQUIRED) == set(kinds.values()) - {record_kinds.REQUEST_TOKEN}


def test_a_kind_is_its_name_in_the_database(tmp_path: Path) -> None:
    records = Records(Database(tmp_path / "state.db"))
    records.put(EXECUTION, "a", ExecutionRecord(FailureReason=None, ParameterValues={}))
    assert records.get(Kind("execution"), "a") == {"FailureReason": None, "ParameterValues": {}}
    assert (f"{EXECUTION}", json.dumps(EXECUTION)) == ("execution", '"execution"')
