"""A definition is compiled once for the same inputs, and again when one of them changes."""

from pathlib import Path

import pytest

from pipelines.definition import definition_cache
from pipelines.definition.compilation import Compiled, compile_pipeline
from pipelines.definition.definition_cache import compile_or_recall, define_or_recall
from pipelines.definition.job_code import JobCode, job_code
from pipelines.images.image import image
from pipelines.settings.environment import Environment
from pipelines.settings.settings import ROOT, PipelineName, Settings, default_config, load_settings

pytestmark = pytest.mark.e2e

SETTINGS, ENVIRONMENT = load_settings(default_config()), Environment.from_env({})


def test_what_is_recalled_is_what_was_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = compile_or_recall(SETTINGS, ENVIRONMENT, tmp_path)

    def not_again(*arguments: object) -> Compiled:
        raise AssertionError("compiled again")

    monkeypatch.setattr(definition_cache, "compile_pipeline", not_again)
    assert compile_or_recall(SETTINGS, ENVIRONMENT, tmp_path) == compiled
    assert len(list(tmp_path.iterdir())) == 1


def test_other_settings_or_another_environment_are_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Settings, Environment]] = []

    def noted(settings: Settings, environment: Environment, root: Path, pipeline: PipelineName) -> Compiled:
        asked.append((settings, environment))
        return Compiled.of(settings, "{}", job_code(root, settings, pipeline), "commit", pipeline)

    monkeypatch.setattr(definition_cache, "compile_pipeline", noted)
    other_gate = SETTINGS.model_copy(update={"gates": SETTINGS.gates.model_copy(update={"min_r2": 0.5})})
    other_bucket = Environment.from_env({"SAGEMAKER_BUCKET": "other"})
    for settings, environment in ((SETTINGS, ENVIRONMENT), (other_gate, ENVIRONMENT), (SETTINGS, other_bucket)) * 2:
        compile_or_recall(settings, environment, tmp_path)
    assert asked == [(SETTINGS, ENVIRONMENT), (other_gate, ENVIRONMENT), (SETTINGS, other_bucket)]


def test_the_definition_of_this_commit_is_the_pure_one(tmp_path: Path) -> None:
    recalled = compile_or_recall(SETTINGS, ENVIRONMENT, tmp_path)
    assert recalled.definition == compile_pipeline(SETTINGS, ENVIRONMENT, ROOT).definition


@pytest.mark.parametrize("package", ["pipelines", "steps", "evaluation", "monitoring"])
def test_changed_code_is_compiled_again(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []

    def noted(settings: Settings, environment: Environment, root: Path, pipeline: PipelineName) -> Compiled:
        compiled.append(package)
        return Compiled.of(settings, "{}", JobCode("p", {}, image("3.2-0")), "commit", pipeline)

    monkeypatch.setattr(definition_cache, "compile_pipeline", noted)
    monkeypatch.setattr(definition_cache, "git_commit", lambda root: "commit")
    module = tmp_path / package / "inner" / "module.py"
    module.parent.mkdir(parents=True)
    for text in ("a = 1", "a = 1", "a = 2"):
        module.write_text(text)
        define_or_recall(SETTINGS, ENVIRONMENT, tmp_path / "definitions", tmp_path)
    assert len(compiled) == 2
