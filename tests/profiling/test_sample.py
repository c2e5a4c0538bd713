"""A request is made of rows of the file, and the model's own reader takes it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from profiling.errors import DataError
from profiling.sample import request_of
from steps.prediction_request import read_request
from steps.settings import Column, DataSettings, JobSettings

SETTINGS = JobSettings(
    data=DataSettings(
        file="x.csv",
        target="Preis",
        identity=("Nr",),
        columns={
            "Nr": Column(type="text", feature=False),
            "Preis": Column(type="number", decimal=","),
            "Balkon": Column(type="boolean", yes_words=("Ja",), no_words=("Nein",)),
            "Zimmer": Column(type="integer", optional=True),
            "am": Column(type="date", dates=("%d.%m.%Y",)),
            "Ort": Column(type="category", width=3),
        },
        derived={"Monat": "month(am)"},
    )
)
ROWS = [
    ["a", "3,5", "Ja", "2", "31.12.2023", "7"],
    ["b", "1,5", "Nein", "", "01.02.2023", "8"],
    ["c", "2,5", "Ja", "4", "03.02.2023", "9"],
    ["d", "", "Ja", "4", "03.02.2023", "9"],
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.csv"
    pd.DataFrame(ROWS, columns=list(SETTINGS.data.columns)).to_csv(path, index=False)
    return path


def test_the_values_are_those_of_the_row_as_json_has_them(file: Path) -> None:
    text = request_of(file, SETTINGS.to_json(), 1)
    assert json.loads(text) == {"Balkon": True, "Zimmer": 4, "am": "2023-02-03", "Ort": "009"}
    assert read_request(text, "application/json", SETTINGS.data.inputs)[1] == 1


def test_several_rows_are_instances(file: Path) -> None:
    text = request_of(file, SETTINGS.to_json(), 2)
    assert [record["Ort"] for record in json.loads(text)["instances"]] == ["009", "007"]
    assert read_request(text, "application/json", SETTINGS.data.inputs)[1] == 2


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"do not fit the settings: y\.csv lacks Nr"):
        request_of(tmp_path / "y.csv", SETTINGS.to_json(), 1)
