"""Get, Join, JsonGet and the paths that they walk."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_sagemaker.definition.expressions import ExpressionError, as_text, evaluate, references, tokens, walk

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

    def experiment(self, field: str) -> Any:
        return {"TrialName": "trial"}[field]

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
        ({"Get": "PipelineExperimentConfig.TrialName"}, "trial"),
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


class OfItem(FixedScope):
    """The scope of one iteration of a ForEach step."""

    def __init__(self, item: Any) -> None:
        self._item = item

    def item(self) -> Any:
        return self._item


@pytest.mark.parametrize(
    ("item", "path", "value"),
    [
        ("plain text", "ForEach.CurrentItem", "plain text"),
        ({"name": "a"}, "ForEach.CurrentItem", {"name": "a"}),
        ({"name": "a"}, "ForEach.CurrentItem.name", "a"),
        ('{"name": "b"}', "ForEach.CurrentItem.name", "b"),
    ],
)
def test_the_current_item_is_as_it_is_and_its_fields_are_those_of_an_object_or_json(
    item: Any, path: str, value: Any
) -> None:
    assert evaluate({"Get": path}, OfItem(item)) == value


def test_an_item_that_is_not_json_has_no_fields() -> None:
    with pytest.raises(ExpressionError, match="the item 'plain text' is not JSON"):
        evaluate({"Get": "ForEach.CurrentItem.name"}, OfItem("plain text"))


def test_references_are_found_however_deep() -> None:
    value = {"a": [{"Std:Join": {"On": "", "Values": [{"Get": "Steps.A.x"}, {"b": {"Get": "Parameters.P"}}]}}]}
    assert list(references(value)) == ["Steps.A.x", "Parameters.P"]


@pytest.mark.e2e
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


class Everything:
    """A scope that holds values by the path of the Get that asks for them, and the texts of objects."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.texts: dict[str, str] = {}

    def parameter(self, name: str) -> Any:
        return self.values[f"Parameters.{name}"]

    def variable(self, name: str) -> Any:
        return self.values[f"Execution.{name}"]

    def experiment(self, field: str) -> Any:
        raise AssertionError("no definition is around this")

    def properties(self, step: str) -> dict[str, Any]:
        return dict(self.values[f"Steps.{step}"])

    def property_file(self, step: str, name: str) -> str:
        return self.texts[f"{step}/{name}"]

    def object(self, uri: str) -> str:
        return self.texts[uri]

    def item(self) -> Any:
        raise AssertionError("no ForEach step is around this")


NAMES = st.text("abcXYZ019_-", min_size=1, max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)


def written(path: list[str | int]) -> str:
    """A path in the notation of the SDK: names after dots, indices in brackets."""
    return "".join(f"[{part}]" if isinstance(part, int) else f"['{part}']" for part in path)


@st.composite
def known_expressions(draw: st.DrawFn, scope: Everything, depth: int = 3) -> tuple[Any, Any]:
    """An expression with the value that it must have, made from the inside out; fills the scope as it goes."""
    kind = draw(st.integers(0, 5 if depth else 2))
    name = f"n{len(scope.values) + len(scope.texts)}"
    value = draw(DOCUMENTS)
    if kind == 0:
        return draw(SCALARS.map(lambda scalar: (scalar, scalar)))
    if kind == 1:
        path = f"{draw(st.sampled_from(['Parameters', 'Execution']))}.{name}"
        scope.values[path] = value
        return {"Get": path}, value
    if kind == 2:
        return draw(known_paths(scope, name, value))
    inner = draw(st.lists(known_expressions(scope, depth - 1), max_size=3))
    if kind == 3:
        on = draw(st.text(max_size=2))
        joined = {"On": on, "Values": [expression for expression, _ in inner]}
        return {"Std:Join": joined}, on.join(as_text(result) for _, result in inner)
    if kind == 4:
        return [expression for expression, _ in inner], [result for _, result in inner]
    named = list(zip(["a", "b", "c"], inner, strict=False))
    return {key: pair[0] for key, pair in named}, {key: pair[1] for key, pair in named}


@st.composite
def known_paths(draw: st.DrawFn, scope: Everything, name: str, value: Any) -> tuple[Any, Any]:
    """A value deep in the properties of a step, in a property file, or in an object, and the expression for it."""
    path: list[str | int] = draw(st.lists(NAMES | st.integers(0, 2), max_size=3))
    document = value
    for part in reversed(path):
        document = [*[None] * part, document] if isinstance(part, int) else {part: document}
    text = json.dumps({"top": document})
    source = draw(st.sampled_from(["properties", "file", "object"]))
    if source == "properties":
        scope.values[f"Steps.{name}"] = {"top": document}
        return {"Get": f"Steps.{name}.top{written(path)}"}, value
    if source == "file":
        scope.texts[f"{name}/report"] = text
        file = {"Get": f"Steps.{name}.PropertyFiles.report"}
        return {"Std:JsonGet": {"PropertyFile": file, "Path": f"top{written(path)}"}}, value
    scope.texts[f"s3://bucket/{name}"] = text
    uri = {"Std:Join": {"On": "/", "Values": ["s3:/", "bucket", name]}}
    return {"Std:JsonGet": {"S3Uri": uri, "Path": f"top{written(path)}"}}, value


@given(st.data())
def test_an_expression_has_the_value_it_was_made_from_however_it_is_nested(data: st.DataObject) -> None:
    scope = Everything()
    expression, value = data.draw(known_expressions(scope))
    assert evaluate(expression, scope) == value
    assert evaluate(json.loads(json.dumps(expression)), scope) == value  # as it comes out of a definition
    assert all(path.startswith(("Parameters.", "Execution.", "Steps.")) for path in references(expression))


@given(st.data(), st.text(max_size=20))
def test_whatever_path_is_asked_for_is_there_or_an_expression_error(data: st.DataObject, path: str) -> None:
    scope = Everything()
    scope.values["Steps.A"] = scope.values["Parameters.P"] = {"x": [1, {"y": "text"}]}
    scope.texts["s3://b/k"] = data.draw(st.sampled_from(['{"x": [1]}', "[", "", "null", "[" * 100_000]))
    for expression in (
        {"Get": f"Steps.A.{path}"},
        {"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": path}},
    ):
        with contextlib.suppress(ExpressionError):
            evaluate(expression, scope)
