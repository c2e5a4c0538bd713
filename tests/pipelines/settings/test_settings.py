"""The YAML: strict, and every fault named with its place."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.errors import PipelineError
from pipelines.settings.settings import default_config, load_settings


def changed(tmp_path: Path, **paths: Any) -> Path:
    """A copy of the project's YAML with some values replaced; the keys are paths with __ for dots."""
    document = yaml.safe_load(default_config().read_text())
    for path, value in paths.items():
        *parents, key = path.split("__")
        section = document
        for parent in parents:
            section = section[parent]
        section[key] = value
    file = tmp_path / "settings.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def test_the_projects_own_yaml_is_read() -> None:
    settings = load_settings(default_config())
    assert settings.pipeline_name("training") == "house-prices-training"
    assert settings.data.target == "price"
    assert settings.stages["staging"].instance_type == "ml.m5.large"


def test_settings_do_not_change_after_reading() -> None:
    settings = load_settings(default_config())
    with pytest.raises(ValueError, match="frozen"):
        settings.gates.min_r2 = 0.1  # type: ignore[misc]


@pytest.mark.parametrize("split", ["time", "hash", {"by": "time", "test": 0.3}])
def test_the_split_may_be_a_word_or_a_mapping(tmp_path: Path, split: Any) -> None:
    settings = load_settings(changed(tmp_path, split=split))
    assert settings.split.by == (split if isinstance(split, str) else "time")


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gats": {}}, "gats is not a setting; did you mean gates"),
        ({"candidates__xgboost__max_dept": 3}, r"candidates.xgboost.max_dept is not a setting; did you mean max_depth"),
        ({"data__columns__price__rnge": [1, 2]}, "data.columns.price.rnge is not a setting; did you mean range"),
        (
            {"stages__staging__instance_typ": "x"},
            "stages.staging.instance_typ is not a setting; did you mean instance_type",
        ),
        ({"candidates__xgboost__max_depth": "deep"}, "candidates.xgboost.max_depth: .*integer, not 'deep'"),
        ({"candidates__xgboost__max_depth": 0}, "candidates.xgboost.max_depth: .*greater than or equal to 1, not 0"),
        (
            {"candidates__forest": {"estimator": "sklearn.ensemble.RandomForestRegresor"}},
            "candidates: forest: .*is not a regressor of scikit-learn; did you mean .*RandomForestRegressor",
        ),
        (
            {"candidates__forest": {"estimatr": "sklearn.linear_model.Ridge"}},
            "candidates.forest.estimatr is not a setting; did you mean estimator",
        ),
        (
            {"candidates__lgbm": {"estimator": "lightgbm.LGBMRegressor"}},
            "would be served as a pickle, which no model may be: write candidates.lightgbm with",
        ),
        (
            {"candidates__lightgbm": {"max_depth": 3}},
            "candidates.lightgbm.max_depth is not a setting; known are learning_rate, num_leaves",
        ),
        ({"candidates__catboost": {"depth": 17}}, "candidates.catboost.depth: .*less than or equal to 16, not 17"),
        (
            {
                "candidates__catboost": {},
                "tuning": {"max_jobs": 2, "objective": "validation:rmse", "ranges": {"max_depth": {"values": [4]}}},
            },
            "tuning: only XGBoost can be tuned, and candidates names catboost: leave out one of the two",
        ),
        (
            {
                "jobs__training": {"instance_type": "ml.m5.xlarge", "checkpoint_rounds": 50},
                "tuning": {"max_jobs": 2, "objective": "validation:rmse", "ranges": {"max_depth": {"values": [4]}}},
            },
            "jobs.training.checkpoint_rounds: the short jobs of a tuning keep no checkpoints",
        ),
        ({"jobs__training": {"instance_type": "ml.m5.xlarge", "checkpoint_rounds": -1}}, "checkpoint_rounds"),
        ({"jobs__processing": {"instance_type": "ml.m5.xlarge", "checkpoint_rounds": 5}}, "checkpoint_rounds"),
        ({"jobs__processing": {"instance_type": "ml.m5.xlarge", "external_memory": True}}, "external_memory"),
        ({"jobs__training": {"instance_type": "ml.m5.xlarge", "external_memory": 1}}, "external_memory"),
        (
            {"candidates__Forest!": {"estimator": "sklearn.linear_model.Ridge"}},
            "Forest! is not a valid name for a candidate",
        ),
        (
            {"data__columns__waterfront": {"type": "category", "levels": [True]}},
            "waterfront.levels.0: .*string, not True; put it in quotes, for YAML reads yes",
        ),
        (
            {"validation__rows": [{"expectation": "expect_column_values_to_be_betwen"}]},
            "validation.rows.0: .*did you mean expect_column_values_to_be_between",
        ),
        ({"gates__min_r2": True}, "gates.min_r2: .*number, not True"),
        ({"query": {"sql": "SELECT 1"}}, "query.database is missing"),
        ({"query": {"sql": "x" * 4097, "database": "d"}}, "query.sql: .*at most 4096 characters"),
        ({"query": {"sql": "x", "database": "d", "tabels": {}}}, "query.tabels is not a setting; did you mean tables"),
        (
            {"query": {"sql": "x", "database": "d", "reads": ["lake/sales"]}},
            "query.reads: 'lake/sales' is no prefix in S3, such as s3://",
        ),
        ({"query": {"sql": "x", "database": "d", "tables": {"a b": "c"}}}, "query.tables.a b"),
        ({"jobs__processing__instance_type": "m5.large"}, "jobs.processing.instance_type"),
        ({"data__target": "prize"}, "prize is not a column; did you mean price"),
        ({"data__derived__twice": "price * 2"}, "a feature may not use the target price"),
        (
            {"data__learned__price_nearby__of": ["late", "long"]},
            "data.learned.price_nearby: late is not a column; did you mean lat",
        ),
        (
            {"data__learned__price_nearby__cuont": 3},
            "data.learned.price_nearby.cuont is not a setting; did you mean count",
        ),
        ({"interval": {"coverage": 1.5}}, "interval.coverage: .*less than or equal to 0.999, not 1.5"),
        ({"split": {"by": "time", "test": 0.8, "validation": 0.3}}, "no rows are left for training"),
        ({"split": "sometimes"}, "split.by"),
        ({"evaluation__segments": {"prise": {"quantiles": 4}}}, "prise is neither a column nor a derived .*mean price"),
        ({"evaluation__segments": {"age": {"edge": [1]}}}, "segments.age.edge is not a setting; did you mean edges"),
        ({"evaluation__segments": {"waterfront": {"quantiles": 2}}}, "a boolean has no quantiles"),
        ({"evaluation__segments": {"price": {"prefix": 2}}}, "only a category or text has a prefix"),
        ({"evaluation__segments": {"age": {"edges": [3.0, 1.0]}}}, "edges must rise"),
        ({"evaluation__segments": {"age": {"edges": [3.0], "quantiles": 4}}}, "give one of quantiles, edges"),
    ],
)
def test_a_fault_is_named_with_its_place_and_the_way_out(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(PipelineError, match=words) as caught:
        load_settings(changed(tmp_path, **change))
    assert "settings.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("  target: price", "  target: prize", "line {}: data.target: prize is not a column; did you mean price?"),
        ("  target: price", "  traget: price", "line {}: data.traget is not a setting; did you mean target?"),
        (
            "candidates:",
            "candidates:\n  lightgmb: {}",
            "line {}: candidates.lightgmb.estimator is missing; did you mean candidates.lightgbm?",
        ),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    text, file = default_config().read_text(), tmp_path / "settings.yaml"
    assert text.count(f"{old}\n") == 1
    file.write_text(text.replace(f"{old}\n", f"{new}\n"))
    line = file.read_text().splitlines().index(new.splitlines()[-1]) + 1
    with pytest.raises(PipelineError) as caught:
        load_settings(file)
    assert words.format(line) in str(caught.value)
    assert not str(caught.value).endswith("?.")


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("name: x\n")
    with pytest.raises(PipelineError, match="data is missing"):
        load_settings(file)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: " + "[" * 5000 + "]" * 5000, "is nested too deeply to be settings"),
        ("a: " + "9" * 5000, "has a value that cannot be read: Exceeds the limit"),
        ("a: 2026-13-45", "has a value that cannot be read: month must be in"),
        ("a: [", r"is not YAML: line \d, column \d: "),
        ("a: 1\nb\nc: 2\n", r"is not YAML: line \d, column \d: could not find expected ':'\.$"),
        ("name: a\nname: b\n", r"settings.yaml: name is given twice \(lines 1 and 2\): remove one\.$"),
        (
            "a: 1\nb:\n  c: 1\n  d: {e: 1, e: 2}\nb: 2\n",
            r"b.d.e is given twice \(lines 4 and 4\): remove one; b is given",
        ),
        ("- a\n", "must be a mapping with the keys name"),
        ("", "must be a mapping"),
    ],
)
def test_a_file_that_is_no_settings_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    with pytest.raises(PipelineError, match=words):
        load_settings(file)


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"nowhere.yaml cannot be read: No such file"):
        load_settings(tmp_path / "nowhere.yaml")


def test_gates_and_machines_do_not_travel_with_the_jobs() -> None:
    sections = {"data", "validation", "split", "evaluation", "estimators", "monitoring"}
    assert set(load_settings(default_config()).for_jobs()) == sections


@pytest.mark.parametrize(("deploys_to", "possible"), [("staging", True), ("production", False), ("false", True)])
def test_an_approval_alone_does_not_deploy_where_a_second_person_is_needed(
    tmp_path: Path, deploys_to: str, possible: bool
) -> None:
    text = default_config().read_text().replace("    promote_from: staging\n", "    second_person: true\n")
    config = tmp_path / "two_people.yaml"
    config.write_text(text.replace("approval: {four_eyes: false}", f"approval: {{deploys_to: {deploys_to}}}"))
    if possible:
        assert load_settings(config).stages["production"].second_person
    else:
        with pytest.raises(PipelineError, match=r"stages\.production\.second_person: an approval alone"):
            load_settings(config)


@pytest.mark.parametrize(("minutes", "possible"), [(479, True), (480, False)])
def test_a_stage_must_stay_long_enough_to_be_promoted(tmp_path: Path, minutes: int, possible: bool) -> None:
    text = (
        default_config()
        .read_text()
        .replace("    promote_from: staging\n", f"    promote_from: dev\n    promote_after_minutes: {minutes}\n")
    )
    config = tmp_path / "short.yaml"
    config.write_text(
        text.replace("stages:\n", "stages:\n  dev: {instance_type: ml.m5.large, remove_after: 8 hours}\n", 1)
    )
    if possible:
        assert load_settings(config).stages["dev"].stay is not None
    else:
        with pytest.raises(PipelineError, match="dev removes itself after 8 hours: nothing could be promoted"):
            load_settings(config)


@pytest.mark.parametrize("promoted", [True, False])
def test_a_reserve_needs_a_stage_that_is_promoted_to(tmp_path: Path, promoted: bool) -> None:
    text = default_config().read_text().replace("\nsplit: hash\n", "\nsplit: {by: hash, reserve: 0.1}\n")
    config = tmp_path / "kept.yaml"
    config.write_text(text if promoted else text.replace("    promote_from: staging\n", ""))
    if promoted:
        assert load_settings(config).split.reserve == 0.1
    else:
        with pytest.raises(PipelineError, match=r"split\.reserve: only a promotion scores the reserve"):
            load_settings(config)
