"""What a target of a rule is given of an event."""

import json
from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.moto_services.event_targets import check_targets, input_of

EVENT = {
    "id": "1",
    "time": 1764306910.7,
    "ingestion-time": 1764306911.0,
    "detail-type": "Changed",
    "detail": {"Name": 'a "quoted" name', "Count": 2, "Tags": ["x"]},
}
BUILD = "arn:aws:codebuild:us-east-1:000000000000:project/deploy"


def test_without_a_transformer_it_is_the_event_with_its_time_as_the_service_writes_it() -> None:
    given = input_of({}, EVENT)
    assert given["time"] == "2025-11-28T05:15:10Z"
    assert "ingestion-time" not in given
    assert given["detail"] == EVENT["detail"]


def test_input_and_input_path_take_the_place_of_the_event() -> None:
    assert input_of({"Input": '{"a": 1}'}, EVENT) == {"a": 1}
    assert input_of({"InputPath": "$.detail.Count"}, EVENT) == 2
    with pytest.raises(ValueError, match="not supported"):
        input_of({"InputPath": "$.detail.Tags[0]"}, EVENT)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"name": <name>}', {"name": 'a "quoted" name'}),
        ('{"count": <count>, "tags": <tags>}', {"count": 2, "tags": ["x"]}),
        ('{"count": "<count>"}', {"count": "2"}),
        ('{"gone": <gone>}', {"gone": ""}),
    ],
)
def test_a_template_is_filled_with_what_stands_at_the_paths(template: str, expected: Any) -> None:
    paths = {"name": "$.detail.Name", "count": "$.detail.Count", "tags": "$.detail.Tags", "gone": "$.detail.No"}
    assert input_of({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}, EVENT) == expected


def test_a_build_without_a_role_is_refused_as_the_service_does_it() -> None:
    check_targets(json.dumps({"Targets": [{"Arn": BUILD, "RoleArn": "arn:aws:iam::000000000000:role/r"}]}).encode())
    check_targets(json.dumps({"Targets": [{"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f"}]}).encode())
    with pytest.raises(ServiceError, match=f"RoleArn is required for target {BUILD}"):
        check_targets(json.dumps({"Targets": [{"Arn": BUILD}]}).encode())
    with pytest.raises(ServiceError, match="Only one of Input, InputPath, or InputTransformer"):
        check_targets(json.dumps({"Targets": [{"Arn": "a", "Input": "1", "InputPath": "$.a"}]}).encode())
