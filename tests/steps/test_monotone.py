"""A rule on an input becomes one on each feature that moves with it, or is refused with the feature's name."""

from __future__ import annotations

from typing import Any

import pytest

from steps.expressions import parse
from steps.failure import JobError
from steps.monotone import Motion, feature_signs, motion
from steps.settings import JobSettings

TYPES = {"x": "number", "y": "number", "b": "boolean", "c": "category", "d": "date"}
RISES, FALLS, STAYS = 1, -1, 0


@pytest.mark.parametrize(
    ("expression", "direction"),
    [
        ("x + y", RISES),
        ("y - x", FALLS),
        ("x * y", RISES),
        ("x / y", RISES),
        ("y / x", FALLS),
        ("x // 2", RISES),
        ("-x ** 2", FALLS),
        ("1 / (x + 1)", FALLS),
        ("sqrt(x) + log1p(x) + log(x) + exp(x) + floor(x)", RISES),
        ("log(x) * log(y)", RISES),
        ("abs(-x)", RISES),
        ("abs(x - 20)", FALLS),
        ("abs(x - 5)", None),
        ("min(x, y)", RISES),
        ("max(-x, y)", FALLS),
        ("x - 2 * x", None),
        ("x % 2", None),
        ("sin(x)", None),
        ("km(x, 1, 2, 3)", None),
        ("km(1, y, 2, 3)", STAYS),
        ("x > 3", RISES),
        ("x <= 3", FALLS),
        ("3 < x", RISES),
        ("x == 3", None),
        ("x > 3 and y", RISES),
        ("x > 3 and x < 5", None),
        ("not x", FALLS),
        ("where(b, x, 2 * x)", RISES),
        ("where(b, x, -x)", None),
        ("where(x > 3, 1, 0)", None),
        ("where(c == 'a', x, 0)", RISES),
        ("is_missing(x)", STAYS),
        ("year(d) - y", STAYS),
    ],
)
def test_direction_of_an_expression(expression: str, direction: int | None) -> None:
    """x grows from 0 to 10, y lies from 1 to 5."""
    known = {"x": Motion(1, 0, 10), "y": Motion(0, 1, 5), "b": Motion(0, 0, 1)}
    assert motion(parse(expression, TYPES), known).direction == direction


@pytest.mark.parametrize(("low", "direction"), [(0.0, RISES), (-0.1, None), (None, None)])
def test_the_sign_of_the_other_factor_comes_from_its_range(low: float | None, direction: int | None) -> None:
    known = {"x": Motion(1), "y": Motion(0, *([] if low is None else [low]))}
    assert motion(parse("x * y", TYPES), known).direction == direction
    assert motion(parse("x / y", TYPES), known).direction == direction


def test_a_rule_reaches_features_that_are_made_of_features() -> None:
    signs = feature_signs(
        {"x": "decreasing"},
        TYPES,
        {"x": (0, None), "y": (1, 5)},
        {"share": "x / y", "rest": "1 - share", "other": "y + 1"},
        {"level": ("c",)},
        ("x", "y", "share", "rest", "other", "level"),
    )
    assert signs == {"x": -1, "share": -1, "rest": 1}


@pytest.mark.parametrize(
    ("rules", "derived", "learned", "sentence"),
    [
        ({"z": "increasing"}, {}, {}, "data.monotone: z is not a column that predictions see"),
        ({"c": "increasing"}, {}, {}, "data.monotone.c: a category cannot have a rule"),
        ({"x": "up"}, {}, {}, "data.monotone.x is 'up': it must be increasing or decreasing"),
        ({"x": "increasing"}, {"wave": "sin(x)"}, {}, "whether the derived feature wave rises or falls with it"),
        ({"x": "increasing"}, {}, {"near": ("x", "y")}, "the learned feature near looks for rows that are alike in it"),
        (
            {"x": "increasing", "y": "increasing"},
            {"share": "x / y"},
            {},
            "the derived feature share moves against one of the rules on x and y",
        ),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused(
    rules: dict[str, Any], derived: dict[str, str], learned: dict[str, Any], sentence: str
) -> None:
    ranges = {"x": (0.0, None), "y": (1.0, None)}
    with pytest.raises(ValueError, match=sentence):
        feature_signs(rules, TYPES, ranges, derived, learned, ("x", "y", *derived, *learned))


def test_a_rule_on_what_no_feature_is_computed_from_is_refused() -> None:
    with pytest.raises(ValueError, match="no feature is computed from it"):
        feature_signs({"x": "increasing"}, TYPES, {}, {}, {}, ("y",))


def test_the_settings_refuse_such_a_rule_when_they_are_read(document: dict[str, Any]) -> None:
    document["data"]["monotone"] = {"area": "increasing"}
    with pytest.raises(JobError, match=r"data\.monotone\.area: the learned feature rent_of_similar"):
        JobSettings.from_json(document)
    document["data"]["learned"].pop("rent_of_similar")
    with pytest.raises(JobError, match=r"whether the derived feature area_per_room rises or falls"):
        JobSettings.from_json(document)
    document["data"]["columns"]["rooms"]["range"] = [1, 20]
    assert JobSettings.from_json(document).data.signs() == {"area": 1, "area_per_room": 1}
