"""The language of derived features takes what it promises, and nothing that could do harm."""

from __future__ import annotations

import pytest

from steps.expressions import ExpressionError, names, parse, written

TYPES = {"area": "number", "rooms": "integer", "signed": "date", "district": "category", "flat": "text"}
QUOTED = {"Gr Liv (Area)": "number", "max": "number", "Yr Sold": "date", "kind [a]": "category"}


@pytest.mark.parametrize(
    "text",
    [
        "area / max(rooms, 1)",
        "days(signed) - days('2024-01-01')",
        "where(district == 'north' and area > 20, 1, 0)",
        "-(area ** 0.5) // 2 % 3",
        "1 < rooms <= 3",
        "not is_missing(rooms)",
        "area * 10 ** 300",
        "area * (2 ** 0.5) / -3 % 7 // 2",
        "+".join(["area"] * 100),
    ],
)
def test_accepts(text: str) -> None:
    parse(text, TYPES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("area * rums", "rums, which is not a column"),
        ("area * roms", "did you mean rooms"),
        ("signed + 1", "signed is a date: use year"),
        ("district + 1", "compare it with a text"),
        ("year(area)", "takes one column of type date"),
        ("days('soon')", "not a date"),
        ("squrt(area)", "did you mean sqrt"),
        ("10**10**10", r"10 \*\* 10 \*\* 10 is too large, or not a number"),
        ("area * (10**10**10)", "is too large, or not a number"),
        ("area + 1e400", "a number in it is too large, or not a number"),
        ("area / " + "9" * 400, "a number in it is too large, or not a number"),
        ("area + 1 / 0", "1 / 0 is too large, or not a number"),
        ("rooms + (-8) ** 0.5", "is too large, or not a number"),
        ("-" * 990 + "area", "more than 100 parts within parts"),
        ("+".join(["area"] * 200), "more than 100 parts within parts"),
        ("(" * 300 + "area" + ")" * 300, "not an expression"),
        ("where(area, 1)", "takes 3"),
        ("area +", "not an expression"),
        ("'text'", "not a number"),
        ("__import__('os').system('true')", "is not a function"),
        ("area.__class__", "not part of the language"),
        ("[area for area in rooms]", "not part of the language"),
        ("(lambda: 1)()", "is not a function"),
        ("max(*rooms)", "plain arguments"),
        ("area" + " + 1" * 500, "longer than"),
    ],
)
def test_refuses_by_name(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        parse(text, TYPES)


def test_names_are_columns_and_not_functions() -> None:
    assert names("max(area, year(signed))") == {"area", "signed"}


def test_names_that_are_not_words_stand_in_backticks() -> None:
    for text in ("`Gr Liv (Area)` / `max`", "year(`Yr Sold`)", "`kind [a]` == 'a `b` c'", "max(`max`, 1)"):
        parse(text, QUOTED)
    assert names("max(`Gr Liv (Area)`, year(`Yr Sold`)) + (`kind [a]` == 'x `y`')") == {
        "Gr Liv (Area)",
        "Yr Sold",
        "kind [a]",
    }
    with pytest.raises(ExpressionError, match=r"it refers to Gr Liv Area, .*did you mean Gr Liv \(Area\)"):
        parse("`Gr Liv Area` + 1", QUOTED)
    assert [written(name) for name in ("area", "Gr Liv", "max", "class", "1stFlr")] == [
        "area",
        "`Gr Liv`",
        "`max`",
        "`class`",
        "`1stFlr`",
    ]
