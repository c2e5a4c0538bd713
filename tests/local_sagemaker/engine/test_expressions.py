"""Get, Join, JsonGet and the paths that they walk."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_sagemaker.engine.expressions import ExpressionError, as_text, evaluate, references, tokens, walk

JOB = {
    "ProcessingOutputConfig": {
        "Outputs": [
            {"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}},
            {"OutputName": "test", "S3Output": {"S3Uri": "s3://b/test"}},
        ]
    },
    "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
}


class FixedScope:
    """A scope whose references are known beforehand."""

    def parameter(self, name: str) -> Any:
        return {"Depth": 6, "Rate": 0.05, "Uri": "s3://b/data"}[name]

    def variable(self, name: str) -> Any:
        return {"PipelineExecutionId": "abc123"}[name]

    def properties(self, step: str) -> dict[str, Any]:
        return {"Prep": JOB}[step]

    def property_file(self, step: str, name: str) -> str:
        return '{"metrics": {"r2": {"value": 0.9}}, "list": [{"a.b": 1}]}'

    def object(self, uri: str) -> str:
        return f'{{"uri": "{uri}"}}'


SCOPE = FixedScope()


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Get": "Parameters.Depth"}, 6),
        ({"Get": "Execution.PipelineExecutionId"}, "abc123"),
        ({"Get": "Steps.Prep.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"}, "s3://b/test"),
        ({"Get": 'Steps.Prep.ProcessingOutputConfig.Outputs["test"].S3Output.S3Uri'}, "s3://b/test"),
        ({"Get": "Steps.Prep.ProcessingOutputConfig.Outputs[0].OutputName"}, "train"),
        ({"Std:Join": {"On": "/", "Values": ["a", {"Get": "Parameters.Depth"}, 1.5, True]}}, "a/6/1.5/true"),
        (
            {"Std:Join": {"On": "", "Values": [{"Std:Join": {"On": "-", "Values": ["a", "b"]}}, "c"]}},
            "a-bc",
        ),
        (
            {
                "Std:JsonGet": {
                    "PropertyFile": {"Get": "Steps.Prep.PropertyFiles.R"},
                    "Path": "metrics.r2.value",
                }
            },
            0.9,
        ),
        ({"Std:JsonGet": {"S3Uri": {"Get": "Parameters.Uri"}, "Path": "uri"}}, "s3://b/data"),
        ({"a": [{"Get": "Parameters.Rate"}, "plain"]}, {"a": [0.05, "plain"]}),
    ],
)
def test_an_expression_has_the_value_that_the_service_gives_it(expression: Any, value: Any) -> None:
    assert evaluate(expression, SCOPE) == value


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ({"Get": "Steps.Prep.ModelArtifacts.Nope"}, "no property 'Nope'"),
        ({"Get": "Nonsense.X"}, "must start with Parameters, Execution or Steps"),
        (
            {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Prep.PropertyFiles.R"}, "Path": "metrics.mape"}},
            "property file R of step Prep has no 'mape'",
        ),
    ],
)
def test_an_expression_without_a_value_says_which_part_is_missing(expression: Any, words: str) -> None:
    with pytest.raises(ExpressionError, match=words):
        evaluate(expression, SCOPE)


def test_references_are_found_however_deep() -> None:
    value = {"a": [{"Std:Join": {"On": "", "Values": [{"Get": "Steps.A.x"}, {"b": {"Get": "Parameters.P"}}]}}]}
    assert list(references(value)) == ["Steps.A.x", "Parameters.P"]


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=20)
)
def test_what_holds_no_expression_stays_as_it_is(value: Any) -> None:
    assert evaluate({"value": value}, SCOPE) == {"value": value}


@given(st.lists(st.one_of(st.integers(0, 99), st.text(st.characters(exclude_characters="'\"[].\n"), min_size=1))))
def test_a_path_written_in_brackets_is_read_back(parts: list[str | int]) -> None:
    path = "".join(f"[{part}]" if isinstance(part, int) else f"['{part}']" for part in parts)
    assert tokens(path) == parts


@given(st.dictionaries(st.text(st.characters(exclude_characters="'\"[].\n"), min_size=1), st.integers(), min_size=1))
def test_every_key_of_a_map_can_be_reached(document: dict[str, int]) -> None:
    for key, value in document.items():
        assert walk({"outer": document}, f"outer['{key}']") == value


def test_a_path_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="is not a path"):
        tokens("a[")


def test_numbers_join_as_json_writes_them() -> None:
    assert [as_text(value) for value in (1, 0.1, True, None, "x")] == ["1", "0.1", "true", "null", "x"]
