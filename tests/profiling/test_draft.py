"""init: the YAML of a file that nobody has described passes check, and says what is strange and what may leak."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.settings.settings import Settings, default_config, load_settings
from profiling.columns import range_of
from profiling.data_faults import check_file
from profiling.draft import draft
from profiling.errors import DataError
from profiling.yaml_text import IMAGE_VERSION, slug, yaml_of

pytestmark = pytest.mark.e2e

ROWS = 400


def homes() -> pd.DataFrame:
    """Flats as a portal in Germany exports them, with what is wrong with such files."""
    random = np.random.default_rng(3)
    size = random.uniform(30, 160, ROWS).round(1)
    town = random.choice(["Köln", "Bonn", "NA"], ROWS)
    price = (size * (3000 + 900 * (town == "Köln")) * random.lognormal(0, 0.1, ROWS)).round()
    day = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 500, ROWS), unit="D")
    table = pd.DataFrame(
        {
            "Obj. Nr": [f"{number:05d}" for number in range(ROWS)],
            "Größe [m²]": [f"{value:.1f}".replace(".", ",") + " m²" for value in size],
            "Ort": town,
            "Zimmer": np.maximum(1, size // 25).astype(int).astype(str),
            "Balkon": random.choice(["Ja", "Nein"], ROWS),
            "verkauft am": day.strftime("%d.%m.%Y"),
            "Preis": [f"{value:,.0f} €".replace(",", ".") for value in price],
            "Preis je m²": [f"{value:.2f}".replace(".", ",") for value in price / size],
            "Preisklasse": pd.qcut(price, 8, labels=list("abcdefgh")).astype(str),
            "Währung": "EUR",
        }
    )
    table.loc[3, "Zimmer"] = "99"
    table.loc[4, "Zimmer"] = "siehe Plan"
    table.loc[5, "Größe [m²]"] = "-"
    table.loc[6, "Preis"] = "0 €"
    return table


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("homes") / "Wohnungen 2023.csv"
    homes().to_csv(path, index=False, sep=";", encoding="cp1252")
    return path


@pytest.fixture(scope="module")
def text(file: Path) -> str:
    return yaml_of(draft(file, "Preis"), "Wohnungen 2023")


@pytest.fixture
def settings(text: str, tmp_path: Path) -> Settings:
    config = tmp_path / "homes.yaml"
    config.write_text(text, encoding="utf-8")
    return load_settings(config)


def test_the_yaml_says_how_the_file_is_written(settings: Settings) -> None:
    data, columns = settings.data, settings.data.columns
    assert (settings.name, data.target, data.target_scale) == ("wohnungen-2023", "Preis", "linear")
    assert (data.format.separator, data.format.encoding) == (";", "cp1252")
    assert data.identity == ("Obj. Nr",)
    assert columns["Obj. Nr"].width == 5
    assert columns["Größe [m²]"].units == {"m²": 1.0}
    assert columns["Größe [m²]"].decimal == ","
    assert columns["Größe [m²]"].missing == ("-",)
    assert columns["Größe [m²]"].optional
    assert columns["Ort"].type == "category"
    assert columns["Balkon"].yes_words == ("ja",)
    assert columns["verkauft am"].dates == ("%d.%m.%Y",)
    assert columns["Preis"].thousands == "."
    assert not columns["Währung"].feature
    assert data.derived["day_of_verkauft_am"] == "days(`verkauft am`)"


def test_what_is_strange_and_what_may_leak_is_said_and_left_out(settings: Settings, text: str) -> None:
    columns = settings.data.columns
    assert not columns["Preisklasse"].feature
    assert not columns["Preis je m²"].feature
    for words in ("LOOKS LIKE A LEAK", "'NA' (", "is treated as a level", "the same in all rows", "99 (robust z"):
        assert words in text
    assert "1 row has the value 0 where the rest are positive" in text


def test_the_file_passes_the_check_of_its_own_yaml(settings: Settings, file: Path) -> None:
    checked = check_file(file, settings.for_jobs(), settings.interval.coverage)
    assert [fault for fault in checked.faults if not fault.warning] == []
    assert (checked.rows, checked.rejected) == (ROWS, 3)
    places = {fault.path for fault in checked.faults}
    assert {"data.columns.Zimmer", "data.columns.Preis"} <= places


def test_every_fault_of_a_file_is_named_at_once(settings: Settings, tmp_path: Path) -> None:
    table = homes()
    table["Zimmer"] = "drei"
    table["Größe [m²]"] = "12.5 m²"
    table.to_csv(tmp_path / "b.csv", index=False, sep=";", encoding="cp1252")
    faults = check_file(tmp_path / "b.csv", settings.for_jobs(), 0.9).faults
    messages = [f"{fault.path}: {fault.message}" for fault in faults if not fault.warning]
    assert any(text.startswith("data.columns.Zimmer: 400 rows, first row 1: Zimmer must be") for text in messages)
    assert any(text.startswith("data.columns.Größe [m²]: 400 rows") and "12.5 m²" in text for text in messages)
    assert any("400 of 400 rows are rejected" in text for text in messages)
    table.drop(columns="Ort").rename(columns={"Balkon": "Balkone"}).to_csv(
        tmp_path / "c.csv", index=False, sep=";", encoding="cp1252"
    )
    faults = check_file(tmp_path / "c.csv", settings.for_jobs(), 0.9).faults
    texts = [fault.message for fault in faults]
    assert texts[:2] == ["c.csv lacks Ort and Balkon", "c.csv has the unexpected Balkone (did you mean Balkon?)"]
    assert any("400 rows of Zimmer are not an integer with a decimal comma, such as 'drei'" in text for text in texts)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("Pries", "There is no column Pries; did you mean Preis"),
        ("Ort", "Ort is a category, not a number"),
    ],
)
def test_a_target_that_cannot_be_one_is_refused(file: Path, target: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        draft(file, target)


def test_a_table_without_numbers_has_no_target(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n" + "x,y\nz,y\n" * 40)
    with pytest.raises(DataError, match="No column holds numbers"):
        draft(tmp_path / "x.csv", None)


@pytest.mark.parametrize(
    ("values", "inside", "outside"),
    [
        ([*np.random.default_rng(0).integers(1, 6, 3000), 33], [1, 6], [33, 0]),
        (np.random.default_rng(0).lognormal(10, 1, 3000), [50, 3_000_000], [1e9]),
        ([0] * 2000 + [*range(100, 1100)], [0, 1100], [-1]),
        (np.random.default_rng(0).normal(0, 1, 3000), [-5, 5], [-50, 50]),
    ],
)
def test_a_range_leaves_room_and_keeps_slips_out(values: Any, inside: list[float], outside: list[float]) -> None:
    limits, _ = range_of(pd.Series(values, dtype=float))
    assert limits is not None
    assert all(limits[0] <= value <= limits[1] for value in inside)
    assert not any(limits[0] <= value <= limits[1] for value in outside)


def test_a_tail_is_no_slip() -> None:
    values = pd.Series([*range(1, 1001), *[10**6] * 20], dtype=float)
    limits, notes = range_of(values)
    assert limits is not None
    assert limits[1] >= 10**6
    assert notes == []


@pytest.mark.parametrize(("text", "name"), [("Wohnungen 2023", "wohnungen-2023"), ("__", "table"), ("a--b", "a-b")])
def test_a_name_is_one_that_sagemaker_takes(text: str, name: str) -> None:
    assert slug(text) == name


def test_the_image_is_that_of_the_pipeline_of_house_prices() -> None:
    assert load_settings(default_config()).jobs.image_version == IMAGE_VERSION


def test_how_the_model_is_watched_follows_from_the_dates(file: Path, settings: Settings, tmp_path: Path) -> None:
    assert "monitoring" in settings.pipelines
    assert settings.monitoring.window_days == 365  # 399 rows in 500 days
    undated = homes().drop(columns="verkauft am")
    undated.to_csv(tmp_path / "undated.csv", index=False, sep=";", encoding="cp1252")
    assert "# (!) no column dates the rows" in yaml_of(draft(tmp_path / "undated.csv", "Preis"), "undated")
