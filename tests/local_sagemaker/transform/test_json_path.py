"""The JSONPath of batch transform's filters, as SageMaker documents it."""

from typing import Any

import pytest

from local_sagemaker.transform.json_path import InvalidPath, JSONPath, NotThere

RECORD = {"id": 7, "features": [1, 2, 3], "deep": {"a": 1, "b c": {"d": [4, 5]}}}


@pytest.mark.parametrize(
    ("path", "value", "selected"),
    [
        ("$", RECORD, RECORD),
        ("$.features", RECORD, [1, 2, 3]),
        ("$['features'][0]", RECORD, 1),
        ("$.features[-1]", RECORD, 3),
        ("$.deep['b c'].d[1]", RECORD, 5),
        ("$['id','features']", RECORD, {"id": 7, "features": [1, 2, 3]}),
        ("$.deep.['a','b c']", RECORD, RECORD["deep"]),
        ('$["id"]', RECORD, 7),
        ("$.features[*]", RECORD, [1, 2, 3]),
        ("$.deep.*", RECORD, [1, {"d": [4, 5]}]),
        ("$[1:]", ["a", "b", "c"], ["b", "c"]),
        ("$[:-1]", ["a", "b", "c"], ["a", "b"]),
        ("$[0,2:]", ["a", "b", "c", "d"], ["a", "c", "d"]),
        ("$[0, -1]", ["a", "b", "c"], ["a", "c"]),
        ("$[5:]", ["a"], []),
    ],
)
def test_a_path_selects(path: str, value: Any, selected: Any) -> None:
    assert JSONPath.parse(path).select(value) == selected


@pytest.mark.parametrize(
    "path", ["", "features", "$..a", "$[?(@.a>1)]", "$[(1)]", "$['a'", "$[1:2:3]", "$.", "$['a' 'b']", "$[a]"]
)
def test_other_operators_are_refused(path: str) -> None:
    with pytest.raises(InvalidPath, match="JSONPath"):
        JSONPath.parse(path)


@pytest.mark.parametrize(
    ("path", "value"), [("$.x", RECORD), ("$.features[3]", RECORD), ("$[0]", RECORD), ("$['id','x']", RECORD)]
)
def test_what_is_not_there_is_a_fault(path: str, value: Any) -> None:
    with pytest.raises(NotThere):
        JSONPath.parse(path).select(value)
