"""Settings that cannot work are refused with one sentence that names the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from steps.failure import JobError
from steps.settings import JobSettings, load, normalise

YAML = Path(__file__).parents[2] / "pipelines" / "house_prices.yaml"


def change(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split("/")
    for key in parents:
        document = document[key]
    document[last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("data/target", "rnet", "data.target: rnet is not a column; did you mean rent"),
        ("data/target", "district", "must be an integer or number"),
        ("data/identity", ["flt"], "data.identity: flt is not a column; did you mean flat"),
        ("data/personal", ["flt"], "data.personal: flt is not a column; did you mean flat"),
        ("data/personal", ["flat", "area"], "data.personal: area is needed for a prediction"),
        ("data/personal", ["signed"], "data.personal: signed is needed for a prediction"),
        ("data/format", {"separator": ";;"}, "separator is ';;': it must be one character"),
        ("data/format", {"encoding": "latin-99"}, "encoding is 'latin-99': it must be one of Python's"),
        ("data/format", {"encoding": "base64"}, "encoding is 'base64'"),
        ("data/format", {"decimal": ",", "thousands": ","}, "thousands and decimal are both ','"),
        ("data/format", {"decimal": ";"}, "decimal is ';'"),
        ("data/format", {"units": {"$": 0}}, r"units: '\$' is worth 0"),
        ("data/format", {"dates": ["d.m.Y"]}, "'d.m.Y' is not a form such as"),
        ("data/columns/lift/decimal", ",", "only an integer or number has decimal, not a boolean"),
        ("data/columns/area/dates", ["%d.%m.%Y"], "only a date has dates, not a number"),
        ("data/columns/lift", {"type": "boolean", "yes_words": ["Ja"], "no_words": ["ja"]}, "'ja' is in yes_words and"),
        (
            "data/columns/district",
            {"type": "category", "levels": ["a", "NA"], "missing": ["NA"]},
            "'NA' is one of the levels and missing",
        ),
        (
            "validation/rows",
            [{"expectation": "expect_column_values_to_not_be_null", "arguments": {"column": "area"}, "keep": "first"}],
            "has no keep: only expect_column_values_to_be_unique and expect_compound",
        ),
        ("data/date", "area", "must have the type date"),
        ("data/derived/bad", "aera * 2", "data.derived.bad: .*aera.*did you mean area"),
        ("data/derived/bad", "rent / area", "may not use the target rent"),
        ("data/derived/area", "rooms", "has that name already"),
        ("data/learned/area", {"kind": "neighbours", "of": ["rooms"]}, "data.learned.area: .*has that name already"),
        ("data/learned/bad", {"kind": "neighbour", "of": ["rooms"]}, "it must be target_encoding or neighbours"),
        ("data/learned/bad", {"kind": "neighbours", "of": []}, "of is empty"),
        ("data/learned/bad", {"kind": "neighbours", "of": ["rent"]}, "of may not name the target rent"),
        ("data/learned/bad", {"kind": "neighbours", "of": ["aera"]}, "aera is not a column; did you mean area"),
        ("data/learned/bad", {"kind": "neighbours", "of": ["district"]}, "district is of type category: .*a number"),
        ("data/learned/bad", {"kind": "target_encoding", "of": ["area"]}, "needs a category or text"),
        ("data/learned/bad", {"kind": "target_encoding", "of": ["district"], "count": 3}, "count is not an option of"),
        ("data/learned/bad", {"kind": "neighbours", "of": ["area"], "scale": [1, 2]}, "one number above 0 for each"),
        ("data/learned/bad", {"kind": "neighbours", "of": ["area"], "count": 0}, "at least one neighbour"),
        ("data/learned/bad", {"kind": "neighbours", "of": ["area"], "value": "rnt"}, "did you mean rent"),
        ("data/feature_groups", {"size": ["aera"]}, "feature_groups.size: aera is not a feature; did you mean area"),
        ("data/columns/area/range", [10, 5], "starts above its end"),
        ("data/columns/lift/range", [0, 1], "only an integer or number has a range"),
        ("data/columns/area/typ", "number", "typ"),
        ("split", {"test": 0.7, "validation": 0.3}, "no rows are left for training"),
        ("split", {"test": 1.5}, "split.test is 1.5"),
        ("validation/max_rejected_share", 3, "max_rejected_share is 3"),
        ("validation/rows", [{"expectation": "be_good"}], "be_good is not an expectation"),
        (
            "validation/rows",
            [{"expectation": "expect_column_values_to_not_be_null", "arguments": {"column": "aera"}}],
            "aera is not a column; did you mean area",
        ),
    ],
)
def test_refuses(document: dict[str, Any], path: str, value: Any, message: str) -> None:
    change(document, path, value)
    with pytest.raises(JobError, match=message):
        JobSettings.from_json(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [("data/colour", 1), ("data/columns/area/unti", "m2"), ("data/rows", "many"), ("split", {"by": "hsh"})],
)
def test_pydantic_is_strict_about_the_same_classes(document: dict[str, Any], path: str, value: Any) -> None:
    adapter = TypeAdapter(JobSettings)
    text = json.dumps(normalise(document))
    assert adapter.validate_json(text) == JobSettings.from_json(document)
    change(document, path, value)
    with pytest.raises(ValidationError, match=path.rsplit("/", 1)[-1]):
        adapter.validate_json(json.dumps(normalise(document)))


def test_time_split_needs_a_date(document: dict[str, Any]) -> None:
    document["data"].pop("date")
    with pytest.raises(JobError, match=r"split: time needs data\.date"):
        JobSettings.from_json({**document, "split": "time"})


def test_bare_word_is_a_split(document: dict[str, Any]) -> None:
    assert normalise({**document, "split": "time"})["split"] == {"by": "time"}
    assert JobSettings.from_json({**document, "split": "time"}).split.by == "time"


def test_features_and_inputs(settings: JobSettings) -> None:
    columns, derived = ("area", "rooms", "lift", "district"), ("area_per_room", "month")
    assert settings.data.features == (*columns, *derived, "level_of_district", "rent_of_similar")
    assert list(settings.data.inputs) == ["signed", "area", "rooms", "lift", "district"]


def test_json_round_trip(settings: JobSettings, settings_file: Path) -> None:
    assert load(settings_file) == settings


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"none\.json do not exist"):
        load(tmp_path / "none.json")


@pytest.mark.e2e
def test_the_house_prices_are_settings_and_never_use_the_price() -> None:
    document = yaml.safe_load(YAML.read_text(encoding="utf-8"))
    settings = JobSettings.from_json({key: document[key] for key in ("data", "validation", "split")})
    assert settings.data.split_keys == ("id",)
    assert "price" not in settings.data.inputs
    assert "id" not in settings.data.inputs


def test_what_the_file_says_holds_for_the_columns_that_it_is_about_and_a_column_may_say_otherwise(
    document: dict[str, Any],
) -> None:
    document["data"]["format"] = {"decimal": ",", "missing": ["NA", "-"], "dates": ["%d.%m.%Y"], "yes_words": ["ja"]}
    document["data"]["columns"]["rooms"]["missing"] = ["?"]
    document["data"]["columns"]["district"]["levels"] = ["NA", "north"]
    columns = JobSettings.from_json(document).data.columns
    assert columns["area"].decimal == ","
    assert columns["district"].decimal is None
    assert columns["signed"].dates == ("%d.%m.%Y",)
    assert columns["lift"].yes_words == ("ja",)
    assert columns["area"].missing == ("NA", "-")
    assert columns["rooms"].missing == ("?",)
    assert columns["district"].missing == ("-",)  # a level that is declared is not missing
    assert JobSettings.from_json(JobSettings.from_json(document).to_json()).data.columns == columns


def test_without_an_identity_equal_rows_are_taken_for_one(document: dict[str, Any]) -> None:
    del document["data"]["identity"], document["data"]["group"]
    data = JobSettings.from_json(document).data
    assert data.split_keys == tuple(data.columns)
