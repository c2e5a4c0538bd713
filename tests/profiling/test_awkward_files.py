"""init reads the files of the rest of the world, and what it cannot read it says in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.settings.settings import Settings, load_settings
from profiling.data_faults import check_file
from profiling.draft import Drafted, draft
from profiling.errors import DataError
from profiling.yaml_text import yaml_of

pytestmark = pytest.mark.e2e

ROWS = 300


def flats(rows: int = ROWS) -> pd.DataFrame:
    random = np.random.default_rng(5)
    size = random.uniform(30, 160, rows).round(1)
    rooms = np.maximum(1, size // 25).astype(int)
    town = random.choice(["A", "B", "C"], rows)
    price = (size * (3000 + 900 * (town == "A")) * random.lognormal(0, 0.1, rows)).round()
    return pd.DataFrame({"size": size, "rooms": rooms, "town": town, "price": price})


def begun(path: Path, target: str | None = None, encoding: str | None = None) -> tuple[Drafted, Settings]:
    """What init writes of a file; its own check finds no fault in the file."""
    drafted = draft(path, target, encoding)
    config = path.with_name("config.yaml")
    config.write_text(yaml_of(drafted, path.stem), encoding="utf-8")
    settings = load_settings(config)
    faults = check_file(path, settings.for_jobs(), settings.interval.coverage).faults
    assert [fault for fault in faults if not fault.warning] == []
    return drafted, settings


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1251", ["Площадь", "Комнат", "Город", "Цена"]),
        ("cp932", ["面積", "部屋数", "地区", "取引価格"]),
        ("utf-16", ["面積", "部屋数", "地区", "取引価格"]),
        ("cp1252", ["Größe", "Räume", "Städtchen", "Kaufpreis"]),
    ],
)
def test_a_file_in_the_encoding_of_another_country_keeps_its_names(
    tmp_path: Path, encoding: str, names: list[str]
) -> None:
    table = flats().set_axis(names, axis="columns")
    table[names[2]] = table[names[2]].map({"A": names[0], "B": names[1], "C": names[2]})
    table.to_csv(tmp_path / "flats.csv", index=False, sep=";", encoding=encoding)
    drafted, settings = begun(tmp_path / "flats.csv")
    assert list(settings.data.columns) == names
    assert settings.data.target == names[3]
    told = [note for note in drafted.notes if "--encoding" in note]
    assert len(told) == (encoding != "utf-16")
    assert list(begun(tmp_path / "flats.csv", None, encoding)[1].data.columns) == names


def test_an_encoding_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    flats().to_csv(tmp_path / "flats.csv", index=False)
    with pytest.raises(DataError, match="cp9999 is not an encoding that Python knows"):
        draft(tmp_path / "flats.csv", None, "cp9999")


def test_a_total_below_the_table_makes_no_column_optional(tmp_path: Path) -> None:
    text = flats().to_csv(index=False) + "Total: 300 flats\n"
    (tmp_path / "flats.csv").write_text(text)
    drafted, settings = begun(tmp_path / "flats.csv")
    assert not any(column.optional for column in settings.data.columns.values())
    assert "1 row has hardly any value and will be rejected, such as row 301 (Total: 300 flats)" in drafted.notes
    assert check_file(tmp_path / "flats.csv", settings.for_jobs(), 0.9).rejected == 1


def test_titles_above_the_table_are_named_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "flats.csv").write_text("Sales of 2023\nSource: the town\n\n" + flats().to_csv(index=False, sep=";"))
    with pytest.raises(DataError, match=r"delete the lines above the names of the columns, lines 1 to 2\."):
        draft(tmp_path / "flats.csv", None)


def test_a_file_without_names_is_refused_and_years_are_names(tmp_path: Path) -> None:
    flats().to_csv(tmp_path / "flats.csv", index=False, header=False)
    with pytest.raises(DataError, match=r"The first line of flats.csv holds values \(.*\) where the names"):
        draft(tmp_path / "flats.csv", None)
    flats()[["size", "rooms", "price"]].set_axis(["2020", "2021", "2022"], axis="columns").to_csv(
        tmp_path / "years.csv", index=False
    )
    assert begun(tmp_path / "years.csv", "2022")[1].data.target == "2022"


def test_names_that_mean_something_in_yaml_are_names(tmp_path: Path) -> None:
    table = flats().rename(columns={"rooms": "a: b #c", "town": "yes", "price": "SALE\nPRICE"})
    table.to_csv(tmp_path / "flats.csv")  # with a column that has no name
    settings = begun(tmp_path / "flats.csv", "SALE\nPRICE")[1]
    assert list(settings.data.columns) == ["Unnamed: 0", "size", "a: b #c", "yes", "SALE\nPRICE"]
    assert settings.data.identity == ("Unnamed: 0",)


def test_codes_leaks_and_what_was_known_later_are_left_out(tmp_path: Path) -> None:
    table = flats()
    table["per_m2"] = (table["price"] / table["size"]).round(2)
    table["agent"] = [f"ag{number % 40}" for number in range(ROWS)]
    sold = pd.Timestamp("2022-01-05") + pd.to_timedelta(np.arange(ROWS) % 200, unit="D")
    table = table.assign(sold=sold, registered=sold + pd.Timedelta(days=9), id=table["price"].rank().astype(int))
    table = table.drop_duplicates("id").assign(id=lambda known: known["id"] + 1000)
    table.to_csv(tmp_path / "flats.csv", index=False)
    drafted, settings = begun(tmp_path / "flats.csv", "price")
    data = settings.data
    assert (data.columns["size"].is_feature, data.columns["per_m2"].is_feature) == (True, False)
    assert data.columns["agent"].type == "category"
    assert not any("registered" in text for text in data.derived.values())
    assert "id orders price: whoever knows it knows price" in drafted.notes
    assert "registered is after sold in 100.0% of the rows: no feature is made of it" in drafted.notes


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"a": 1}]', "is JSON: give a CSV or Parquet file"),
        ('{"a": 1}\n{"a": 2}', "is JSON"),
        ("<!DOCTYPE html><html></html>", "is a page in HTML"),
        ("a  b  price\n1  2  3\n", "seem to be separated by blanks \\(a, b and price\\)"),
        ("a,b,price\n", "has columns but no rows"),
        ("price\n" + "1\n2\n3\n" * 30, "no column besides price from which it could be predicted\\."),
        (
            "twice,price\n" + "".join(f"{n * 2},{n}\n" for n in range(7, 907, 9)),
            "could be predicted once what looks like a leak is left out \\(twice\\): give other columns",
        ),
    ],
)
def test_what_is_no_table_is_said_to_be_what_it_is(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "flats.csv").write_text(content)
    with pytest.raises(DataError, match=words):
        draft(tmp_path / "flats.csv", None)


def test_lines_that_end_as_an_old_macintosh_ends_them_are_lines(tmp_path: Path) -> None:
    (tmp_path / "flats.csv").write_bytes(flats().to_csv(index=False).replace("\n", "\r").encode())
    assert list(begun(tmp_path / "flats.csv")[1].data.columns) == ["size", "rooms", "town", "price"]


def test_a_small_table_gets_a_larger_validation_part(tmp_path: Path) -> None:
    flats(120).to_csv(tmp_path / "flats.csv", index=False)
    split = begun(tmp_path / "flats.csv")[1].split
    assert (split.test, split.validation) == (0.2, 0.3)
    flats(600).to_csv(tmp_path / "flats.csv", index=False)
    assert begun(tmp_path / "flats.csv")[1].split.validation == 0.1


@pytest.mark.parametrize("target", [None, "price"])
def test_a_target_that_is_mostly_numbers_is_one(tmp_path: Path, target: str | None) -> None:
    table = flats().assign(price=lambda known: known["price"].map("${:,.0f}".format))
    table.loc[::10, "price"] = "POA"
    table.to_csv(tmp_path / "flats.csv", index=False)
    drafted, settings = begun(tmp_path / "flats.csv", target)
    assert (settings.data.target, settings.data.columns["price"].units) == ("price", {"$": 1.0})
    assert drafted.rejected == pytest.approx(0.1)
    assert any(
        "30 rows have a value that cannot be read, and will be rejected: 'POA'" in n for n in drafted.target.notes
    )
    table.loc[: ROWS * 0.6, "price"] = "POA"
    table.to_csv(tmp_path / "flats.csv", index=False)
    with pytest.raises(DataError, match="price is a text, not a number"):
        draft(tmp_path / "flats.csv", "price")


def test_a_target_that_is_always_the_same_is_refused(tmp_path: Path) -> None:
    flats().assign(price=5).to_csv(tmp_path / "flats.csv", index=False)
    for target in (None, "price"):
        with pytest.raises(DataError, match="price has the same value in all rows that have one"):
            draft(tmp_path / "flats.csv", target)


def test_many_zeros_in_a_target_are_told_and_kept(tmp_path: Path) -> None:
    table = flats()
    table.loc[::4, "price"] = 0
    table.to_csv(tmp_path / "flats.csv", index=False)
    drafted, _ = begun(tmp_path / "flats.csv", "price")
    assert drafted.rejected == 0
    assert any("75 rows have the value 0; if that means none, say missing" in note for note in drafted.notes)


def test_a_target_around_zero_is_judged_by_no_error_in_per_cent(tmp_path: Path) -> None:
    flats().assign(price=lambda t: t["price"] - 300_000).to_csv(tmp_path / "flats.csv", index=False)
    settings = begun(tmp_path / "flats.csv", "price")[1]
    assert (settings.data.target_scale, settings.gates.max_mape, settings.gates.max_segment_mape) == (
        "linear",
        1e6,
        1e6,
    )
    flats().assign(price=lambda t: -t["price"]).to_csv(tmp_path / "flats.csv", index=False)  # all below 0
    drafted, _ = begun(tmp_path / "flats.csv", "price")
    assert drafted.rejected < 0.02


def test_few_rows_widen_the_gates_to_what_chance_makes_of_them(tmp_path: Path) -> None:
    limits = {}
    for rows in (60, 300, 1200):
        flats(rows).to_csv(tmp_path / "flats.csv", index=False)
        drafted, settings = begun(tmp_path / "flats.csv", "price")
        limits[rows] = settings.gates.max_rmse_ratio
        assert ("as wide as chance makes them" in yaml_of(drafted, "flats")) is (rows < 1000)
    assert limits[60] > limits[300] > limits[1200] == 1.1


def test_columns_that_say_nothing_are_told_and_no_such_model_is_accepted(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    pd.DataFrame({"a": random.normal(size=300), "price": random.lognormal(12, 0.5, 300)}).to_csv(
        tmp_path / "flats.csv", index=False
    )
    drafted, settings = begun(tmp_path / "flats.csv", "price")
    assert any("a quick model explains hardly anything of price" in note for note in drafted.notes)
    assert settings.gates.min_r2 == 0.05


def test_a_mark_in_some_rows_is_a_feature_and_the_same_in_all_is_none(tmp_path: Path) -> None:
    table = flats().assign(lift=np.where(np.arange(ROWS) % 3, "x", ""), country="DE")
    table.to_csv(tmp_path / "flats.csv", index=False)
    columns = begun(tmp_path / "flats.csv", "price")[1].data.columns
    assert columns["lift"].is_feature
    assert columns["lift"].optional
    assert not columns["country"].is_feature


def test_rules_and_comparables_are_suggested_that_hold_where_a_person_takes_their_sign_away(tmp_path: Path) -> None:
    table = flats().assign(number=range(ROWS), noise=np.random.default_rng(0).normal(0, 1, ROWS).round(3))
    table["wear"] = (200 - table["size"] + 20 * table["noise"]).round(1)  # falls with the size, and says no more
    table.to_csv(tmp_path / "flats.csv", index=False)
    drafted, settings = begun(tmp_path / "flats.csv", "price")
    assert [(rule.column, rule.rule) for rule in drafted.rules] == [("size", "increasing")]
    assert (settings.data.monotone, settings.data.comparables) == ({}, None)
    config = tmp_path / "config.yaml"
    text = config.read_text().replace("  # monotone:", "  monotone:").replace("  # comparables:", "  comparables:")
    config.write_text(text)
    data = load_settings(config).data
    assert data.monotone == {"size": "increasing"}
    assert data.comparables is not None
    assert data.comparables.show == ("number",)
