"""Trees of LightGBM and CatBoost: kept as text, the same after loading, honest about what is missing or unseen."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steps.failure import JobError
from steps.features import Features
from steps.model import FORMAT_OF_OTHERS, load
from steps.other_libraries import LIBRARIES
from steps.other_trees import OtherTrees, fitted, hash_of, loaded, refitted
from steps.part_files import read_parts
from steps.settings import Column
from steps.shard import Shard
from steps.starting_point import Part, rows_of
from steps.train import main
from steps.wheels import LIST
from tests.steps.conftest import channels

pytestmark = pytest.mark.e2e

LEVELS = ("a", "b", "c")
ROWS = 600


def features(signs: dict[str, int] | None = None) -> Features:
    return Features(
        names=("size [m²]", "place", "age"),
        inputs={"size [m²]": Column(type="number"), "place": Column(type="category"), "age": Column(type="number")},
        derived={},
        levels={"place": LEVELS},
        fill={"size [m²]": 0.5, "age": 0.5},
        target="y",
        target_unit="",
        target_scale="linear",
        target_range=(-1e9, 1e9),
        gaps=("age",),
        signs=signs or {},
    )


def part(seed: int, rows: int = ROWS) -> Part:
    """The place is worth what no order of its codes says; every fifth age is missing, and each row starts elsewhere."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "size [m²]": random.uniform(0, 1, rows),
            "place": random.integers(-1, 3, rows).astype(float),
            "age": np.where(np.arange(rows) % 5 == 0, np.nan, random.uniform(0, 1, rows)),
        }
    )
    start = random.normal(0, 3, rows)
    worth = np.array([0.0, 2.0, 0.0, -1.0])[table["place"].to_numpy(dtype=int)]
    target = start + 2 * table["size [m²]"].to_numpy() + worth + np.where(table["age"].isna(), 1.0, 0.0)
    return Part(table, target + random.normal(0, 0.05, rows), start, Shard.whole(rows))


def learned(library: str, signs: dict[str, int] | None = None) -> tuple[OtherTrees, float]:
    defaults = {name: each.default for name, each in LIBRARIES[library].hyperparameters.items()}
    return fitted(library, defaults, (300, 20), (part(1), part(2)), features(signs), seed=0, threads=1)


@pytest.fixture(scope="module", params=sorted(LIBRARIES))
def trees(request: pytest.FixtureRequest) -> OtherTrees:
    return learned(request.param)[0]


def test_what_is_learned_is_added_to_what_boosting_starts_from(trees: OtherTrees) -> None:
    new = part(3)
    predicted = trees.predict(rows_of(new, features()), new.start, 1)
    assert np.sqrt(np.mean((predicted - new.target) ** 2)) < 0.25
    assert np.sqrt(np.mean((new.start - new.target) ** 2)) > 1


def test_the_text_gives_the_same_trees_back(trees: OtherTrees, tmp_path: Path) -> None:
    text = trees.text()
    (tmp_path / LIBRARIES[trees.library].file).write_text(text, encoding="utf-8")
    again, new = loaded(tmp_path, trees.library), part(3)
    values = rows_of(new, features())
    np.testing.assert_array_equal(again.predict(values, new.start), trees.predict(values, new.start))
    assert (again.rounds, again.text()) == (trees.rounds, text)
    (tmp_path / LIBRARIES[trees.library].file).write_text(text[: len(text) // 2], encoding="utf-8")
    with pytest.raises(JobError, match=f"cannot be loaded by {trees.library}"):
        loaded(tmp_path, trees.library)
    (tmp_path / LIBRARIES[trees.library].file).unlink()
    with pytest.raises(JobError, match="lacks"):
        loaded(tmp_path, trees.library)


def test_contributions_add_up_to_the_prediction_and_are_those_of_the_features(trees: OtherTrees) -> None:
    new = part(3)
    values = rows_of(new, features())
    found = trees.contributions(values, new.start)
    np.testing.assert_allclose(found.sum(axis=1), trees.predict(values, new.start), atol=1e-4)
    np.testing.assert_allclose(found[:, -1] - new.start, (found[:, -1] - new.start)[0], atol=1e-6)
    for place, name in enumerate(("size [m²]", "place")):
        known = new.table[name].to_numpy()
        of_highest = found[known == known.max(), place] if name == "place" else found[known > 0.9, place]
        assert (of_highest.mean() > 0.3) == (name == "size [m²]")


def test_a_level_that_nobody_has_seen_is_one_that_is_missing(trees: OtherTrees) -> None:
    values = rows_of(part(3), features())
    values[:, 1] = np.nan
    alone = trees.predict(values, np.zeros(ROWS))
    assert np.isfinite(alone).all()
    # 2 x size, and what the rows of unseen levels were worth
    assert alone[~np.isnan(values[:, 2])].mean() == pytest.approx(1.0 - 1.0, abs=0.3)


def test_rules_are_kept() -> None:
    for library in LIBRARIES:
        trees, _ = learned(library, {"size [m²]": -1})
        values = rows_of(part(3), features())
        low, high = values.copy(), values.copy()
        low[:, 0], high[:, 0] = 0.1, 0.9
        assert (trees.predict(high, np.zeros(ROWS)) <= trees.predict(low, np.zeros(ROWS)) + 1e-9).all()


def test_the_error_is_that_of_the_validation_rows_and_the_last_trees_learn_from_them(trees: OtherTrees) -> None:
    again, error = learned(trees.library)
    predicted = again.predict(rows_of(part(2), features()), part(2).start)
    assert error == pytest.approx(float(np.sqrt(np.mean((predicted - part(2).target) ** 2))))
    defaults = {name: each.default for name, each in LIBRARIES[trees.library].hyperparameters.items()}
    final = refitted(trees, defaults, (part(1), part(2)), features(), seed=0, threads=1)
    assert final.rounds == trees.rounds
    closer = final.predict(rows_of(part(2), features()), part(2).start)
    assert np.abs(closer - part(2).target).mean() < np.abs(predicted - part(2).target).mean()


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, library in LIBRARIES.items():
        monkeypatch.setitem(LIBRARIES, name, library._replace(package="no_such_library"))
        (tmp_path / library.file).write_text("")
        with pytest.raises(JobError, match=f"The candidate {name} needs no_such_library, which cannot be imported"):
            loaded(tmp_path, name)


@pytest.fixture(params=sorted(LIBRARIES))
def trained(request: pytest.FixtureRequest, preprocessed: Path, tmp_path: Path) -> Path:
    """A model directory in which XGBoost, whose trees may not split, has lost."""
    folder = tmp_path / request.param
    folder.mkdir()
    wheels = folder / "wheels"
    wheels.mkdir()
    version = importlib.metadata.version(LIBRARIES[request.param].package)
    (wheels / LIST).write_text(f"# why\n{LIBRARIES[request.param].package}=={version} --hash=sha256:{'0' * 64}\n")
    options = ["--wheels", str(wheels), "--model_dir", str(folder / "model"), "--rounds", "200", "--start", "mean"]
    options += ["--min_child_weight", "1000000", f"--{request.param}", '{"learning_rate": 0.1}']
    main([*channels(preprocessed), *options])
    return folder / "model"


def test_the_library_that_is_best_on_the_validation_part_predicts(trained: Path, preprocessed: Path) -> None:
    metadata: dict[str, Any] = json.loads((trained / "model.json").read_text())
    library = metadata["library"]
    assert (trained / LIBRARIES[library].file).is_file()
    assert metadata["format"] == FORMAT_OF_OTHERS
    code = trained / "code"
    assert (code / "requirements.txt").read_text().startswith(f"{library}==")  # no wheels came: no folder to look in
    assert (code / "wheels" / LIST).read_text().startswith("# why")
    assert metadata["libraries"][library] < metadata["libraries"]["xgboost"]
    model = load(trained)
    assert model.candidates == (library, "xgboost", "linear")
    table = read_parts(preprocessed / "validation")[list(model.features.names)]
    predicted = model.predict_features(table)
    assert not np.array_equal(predicted, model.predict_features(table, "xgboost"))
    lower, upper = model.interval_features(table, predicted)
    assert (lower <= predicted).all()
    assert (predicted <= upper).all()
    values, start = model.contributions(table)
    np.testing.assert_allclose(
        model.features.unscaled(values.sum(axis=1)), predicted, rtol=1e-4, err_msg="contributions do not add up"
    )
    assert start.shape == (len(table),)


@pytest.mark.parametrize("damage", ["leaf_value=", "split_feature=", "left_child="])
def test_a_damaged_text_is_found_before_a_library_reads_it(damage: str, tmp_path: Path) -> None:
    """LightGBM would end the process: only a hash tells that a number is not the one that was written."""
    settings = {name: each.default for name, each in LIBRARIES["lightgbm"].hyperparameters.items()}
    trees, _ = fitted("lightgbm", settings, (5, 5), (part(1), part(2)), features(), seed=0, threads=1)
    text = trees.text()
    assert damage in text
    path = tmp_path / LIBRARIES["lightgbm"].file
    path.write_text(text.replace(damage, f"{damage}999999 ", 1), encoding="utf-8")
    with pytest.raises(JobError, match=r"lightgbm\.txt is damaged: its SHA-256 is not that of model\.json"):
        loaded(tmp_path, "lightgbm", hash_of(text))
    path.write_text(text, encoding="utf-8")
    assert loaded(tmp_path, "lightgbm", hash_of(text)).text() == text


def test_a_model_keeps_the_hash_of_its_trees(trained: Path) -> None:
    library = json.loads((trained / "model.json").read_text())["library"]
    file = trained / LIBRARIES[library].file
    file.write_text(file.read_text().replace("0", "1", 1))
    with pytest.raises(JobError, match=f"{file.name} is damaged"):
        load(trained)
