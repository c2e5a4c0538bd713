"""Each job has what it imports and reads, and no more: what a change reruns follows from that."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.definition.job_code import MODULES, job_code
from pipelines.settings.settings import ROOT, Settings, default_config, load_settings

SETTINGS = load_settings(default_config())


def digests(settings: Settings, root: Path = ROOT) -> dict[str, str]:
    return {module: bundle.digest for module, bundle in job_code(root, settings, "training").bundles.items()}


def changed_by(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> set[str]:
    """The jobs whose archives differ after a change of the YAML."""
    document = yaml.safe_load(default_config().read_text())
    change(document)
    file = tmp_path / "other.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    before, after = digests(SETTINGS), digests(load_settings(file))
    return {module for module in before if before[module] != after[module]}


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("change", "jobs"),
    [
        (lambda d: d["candidates"]["xgboost"].update(max_depth=4), set()),
        (lambda d: d["gates"].update(min_r2=0.5), set()),
        (lambda d: d["data"].update(feature_groups={}), set()),
        (lambda d: d["evaluation"]["card"].update(purpose="Another one."), {"evaluation.evaluate"}),
        (lambda d: d["validation"].update(max_rejected_share=0.02), {"steps.validate"}),
        (lambda d: d.update(split="time"), {"steps.preprocess", "evaluation.evaluate"}),
        (lambda d: d["data"]["derived"].update(more="bedrooms * 2"), {"steps.preprocess", "evaluation.evaluate"}),
        (
            lambda d: d["data"]["columns"]["grade"].update(range=[1, 12]),
            {"steps.validate", "steps.preprocess", "evaluation.evaluate"},
        ),
    ],
)
def test_a_setting_is_in_the_archives_of_the_jobs_that_read_it(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], jobs: set[str]
) -> None:
    assert changed_by(tmp_path, change) == jobs


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("file", "jobs"),
    [
        ("evaluation/report.py", {"evaluation.evaluate"}),
        ("evaluation/card.py", {"evaluation.evaluate"}),
        # what sets the report, the card and the monitoring
        ("steps/evaluation_settings.py", {"evaluation.evaluate"}),
        ("steps/estimators.py", {"evaluation.evaluate"}),
        ("steps/monitoring_settings.py", set()),
        ("monitoring/decision.py", set()),
        ("steps/validate.py", {"steps.validate"}),
        ("steps/train.py", {"steps.train"}),
        ("steps/serve.py", {"steps.train", "evaluation.evaluate"}),  # the model carries it; golden rows are its answers
        ("steps/failure.py", set(MODULES["training"])),
    ],
)
def test_a_file_is_in_the_archives_of_the_jobs_that_import_it(tmp_path: Path, file: str, jobs: set[str]) -> None:
    for package in ("steps", "evaluation", "monitoring"):
        shutil.copytree(ROOT / package, tmp_path / package)
    before = digests(SETTINGS, tmp_path)
    with (tmp_path / file).open("a") as code:
        code.write("\n# a comment\n")
    after = digests(SETTINGS, tmp_path)
    assert {module for module in before if before[module] != after[module]} == jobs


@pytest.mark.e2e
@pytest.mark.parametrize("module", MODULES["training"])
def test_a_job_starts_from_its_archive_alone(tmp_path: Path, module: str) -> None:
    for path, content in job_code(ROOT, SETTINGS, "training").bundles[module].files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    command = [sys.executable, "-m", module, "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    place, kind = "data_settings", "PreparationSettings"
    if module == "evaluation.evaluate":
        place, kind = "evaluated_settings", "EvaluatedSettings"
    program = f"from steps.{place} import {kind}; from steps.data_settings import DEFAULT_PATH, load_as; "
    program = f"{program}load_as({kind}, DEFAULT_PATH)" if (tmp_path / "settings.json").exists() else ""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_columns_stay_in_the_order_of_the_yaml_which_is_that_of_csv_requests_without_a_header() -> None:
    files = job_code(ROOT, SETTINGS, "training").bundles["steps.preprocess"].files
    assert list(json.loads(files["settings.json"])["data"]["columns"]) == list(SETTINGS.data.columns)


def test_validation_gets_the_derived_features_only_where_there_is_no_other(tmp_path: Path) -> None:
    def keys(settings: Settings) -> set[str]:
        files = job_code(ROOT, settings, "validation").bundles["steps.validate"].files
        return set(json.loads(files["settings.json"])["data"])

    assert keys(SETTINGS) == {"file", "format", "target", "identity", "columns"}
    document = yaml.safe_load(default_config().read_text())
    for column in document["data"]["columns"].values():
        column["feature"] = False
    document["data"].pop("feature_groups")
    file = tmp_path / "derived.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    assert keys(load_settings(file)) == {"file", "format", "target", "identity", "columns", "derived", "learned"}
