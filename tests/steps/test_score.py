"""Parquet files get the endpoint's answers, row by row, however they are cut into files, batches and hosts."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from steps import score as scoring
from steps import serve
from steps.data_set import parts_of
from steps.failure import JobError
from steps.hosts import Hosts
from steps.model import Model, load
from steps.score import INVALID, Scored, main, score

ADDED = [f"predicted_rent{suffix}" for suffix in scoring.SUFFIXES]


@pytest.fixture
def model(model_folder: Path) -> Model:
    return load(model_folder)


@pytest.fixture
def folder(rents: pd.DataFrame, tmp_path: Path) -> Path:
    """The rents as three files, one of them in a folder, one without rows."""
    folder = tmp_path / "rows"
    (folder / "later").mkdir(parents=True)
    for name, rows in (("a", slice(0, 250)), ("b", slice(0, 0)), ("later/c", slice(250, 600))):
        rents[rows].to_parquet(folder / f"{name}.parquet", index=False)
    (folder / "_SUCCESS").touch()
    return folder


def scored(model: Model, folder: Path, output: Path) -> tuple[pd.DataFrame, Scored]:
    found = score(model, parts_of(folder), output)
    return pd.concat([pd.read_parquet(part.path) for part in parts_of(output)], ignore_index=True), found


def test_the_predictions_and_bounds_are_those_of_the_endpoint_to_the_last_bit(
    model: Model, rents: pd.DataFrame, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = rents.drop(columns=["flat", "rent"]).assign(signed=rents["signed"].dt.strftime("%Y-%m-%d"))
    body = given.to_json(orient="records", double_precision=15)
    answer = serve.predict_fn((body, "application/json"), model)
    assert isinstance(answer, serve.Prediction)
    for rows in (1 << 16, 101):
        monkeypatch.setattr(scoring, "ROWS", rows)
        table, found = scored(model, folder, tmp_path / f"by-{rows}")
        for name, wanted in zip(ADDED, (answer.score, answer.lower, answer.upper), strict=False):
            assert table[name].tolist() == wanted.tolist()
        assert [row for row, told in enumerate(table["predicted_rent_warnings"]) if told] == sorted(answer.warnings)
        assert (found.parts, found.rows, found.unpredicted, found.coverage) == (3, 600, 0, 0.9)


def test_each_file_gives_one_of_its_name_with_all_that_it_had(
    model: Model, rents: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    odd = pa.table({**{name: rents[name] for name in rents}, "tags": [["x"]] * 600}).replace_schema_metadata(
        {"by": "us"}
    )
    pyarrow.parquet.write_table(odd, folder / "a.parquet")
    score(model, parts_of(folder), tmp_path / "out")
    names = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert names == ["a.parquet", "b.parquet", "later/c.parquet"]
    written = pyarrow.parquet.read_table(tmp_path / "out" / "a.parquet")
    assert written.select(odd.column_names).equals(odd)
    assert written.column_names == [*odd.column_names, *ADDED]
    assert written.schema.metadata == {b"by": b"us", b"model": model.identity.encode(), b"coverage": b"0.9"}
    assert pyarrow.parquet.read_table(tmp_path / "out" / "b.parquet").num_rows == 0
    index = pd.read_parquet(folder / "later" / "c.parquet").set_index("flat")
    index.to_parquet(folder / "later" / "c.parquet")
    score(model, parts_of(folder), tmp_path / "again")
    assert pd.read_parquet(tmp_path / "again" / "later" / "c.parquet").index.equals(index.index)


def test_a_row_that_the_endpoint_refuses_has_no_prediction_and_its_fault_beside_it(
    model: Model, rents: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    whole, _ = scored(model, folder, tmp_path / "whole")
    area = rents["area"].astype(object)
    area[[3, 5]] = "large", None
    rents.assign(area=area.map(lambda value: None if value is None else str(value))).to_parquet(folder / "a.parquet")
    rents[:0].to_parquet(folder / "later" / "c.parquet")
    table, found = scored(model, folder, tmp_path / "out")
    faults = {3: "field area: 'large' is not a number", 5: "field area: the value is missing"}
    assert table["predicted_rent_fault"].dropna().to_dict() == faults
    for name in ADDED[:3]:
        assert table[name].isna().to_numpy().nonzero()[0].tolist() == [3, 5]
        others = ~table[name].isna()
        assert table[name][others].tolist() == whole[name][others].tolist()
    assert (found.rows, found.unpredicted) == (600, 2)
    assert found.first_fault == "a.parquet, row 4, field area: 'large' is not a number"


def test_a_prediction_that_is_not_a_number_is_a_fault(
    model: Model, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(self: Model, columns: Any, rows: int) -> tuple[np.ndarray, ...]:
        return np.ones(rows), np.ones(rows), np.where(np.arange(rows) == 1, np.nan, 1.0)

    monkeypatch.setattr(Model, "answer", answer)
    table, found = scored(model, folder, tmp_path / "out")
    assert table["predicted_rent_fault"].dropna().to_dict() == {1: INVALID, 251: INVALID}
    assert table["predicted_rent"].isna().sum() == found.unpredicted == 2


def test_a_row_unlike_the_training_rows_is_warned_of(
    model: Model, rents: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    rents.assign(district="west").to_parquet(folder / "b.parquet")
    table, found = scored(model, folder, tmp_path / "out")
    warned = table["predicted_rent_warnings"].dropna()
    assert found.warned == len(warned) == 600
    assert set(warned) == {"district 'west' is a level that no training row had"}
    assert table["predicted_rent"].notna().all()


def test_what_folders_tell_of_is_a_column_and_an_optional_one_may_be_absent(
    model: Model, rents: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    whole, _ = scored(model, folder, tmp_path / "whole")
    told = tmp_path / "told"
    for name, rows in rents.groupby("district"):
        (told / f"district={name}").mkdir(parents=True)
        rows.drop(columns=["district"]).to_parquet(told / f"district={name}" / "x.parquet")
    table, found = scored(model, told, tmp_path / "out")
    assert table.set_index("flat")["predicted_rent"].sort_index().tolist() == whole["predicted_rent"].tolist()
    assert not found.absent
    rents.drop(columns=["rooms"]).to_parquet(folder / "b.parquet")
    assert scored(model, folder, tmp_path / "absent")[1].absent == {"rooms": 1}


FAULTS: dict[str, tuple[Callable[[pd.DataFrame, Path], object], str]] = {
    "other columns": (
        lambda rents, path: rents.rename(columns={"area": "aera"}).to_parquet(path),
        r"later/x\.parquet lacks area, which the model needs; is it aera\?",
    ),
    "a prediction's column": (
        lambda rents, path: rents.assign(predicted_rent=1).to_parquet(path),
        r"later/x\.parquet has a column predicted_rent, which is that of the predictions: rename it\.",
    ),
    "no Parquet": (
        lambda rents, path: rents.to_csv(path),
        r"later/x\.parquet cannot be read as Parquet \(Parquet magic bytes not found in footer.+\): write it again\.",
    ),
    "nothing": (
        lambda rents, path: path.touch(),
        r"later/x\.parquet cannot be read as Parquet \(.+\): write it again\.",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_part_that_cannot_be_scored_is_named_before_any_is_scored(
    fault: str, model: Model, rents: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    write, sentence = FAULTS[fault]
    write(rents, folder / "later" / "x.parquet")
    with pytest.raises(JobError, match=f"^{sentence}$"):
        score(model, parts_of(folder), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_part_that_is_damaged_within_is_named_and_leaves_no_file(model: Model, folder: Path, tmp_path: Path) -> None:
    path = folder / "a.parquet"
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)  # the first pages; the footer is whole
    path.write_bytes(content)
    with pytest.raises(JobError, match=r"^a\.parquet cannot be read as Parquet \(.+\): write it again\.$"):
        score(model, parts_of(folder), tmp_path / "out")
    assert list((tmp_path / "out").rglob("*.parquet")) == []


def test_each_host_tells_what_it_has_scored_and_one_may_have_no_file(
    model_folder: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(model_folder, ".")
    words = ["--model", str(tmp_path), "--predictions", str(tmp_path / "out"), "--summary", str(tmp_path / "told")]
    for host, rows in (("algo-1", folder), ("algo-2", tmp_path / "none")):
        monkeypatch.setattr(scoring, "hosts_of", lambda _, host=host: Hosts(("algo-1", "algo-2"), host))
        main([*words, "--rows", str(rows)])
    told = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "told").iterdir()}
    assert {host: each["rows"] for host, each in told.items()} == {"algo-1": 600, "algo-2": 0}
    assert told["algo-2"] == vars(Scored(coverage=0.9))
    monkeypatch.setattr(scoring, "hosts_of", lambda _: Hosts())
    with pytest.raises(JobError, match="There is no data"):
        main([*words, "--rows", str(tmp_path / "none")])
