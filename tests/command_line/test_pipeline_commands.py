"""The commands of run_pipeline.py that need no job."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.publishing.deployed import read_tags
from pipelines.settings.environment import Environment
from pipelines.settings.settings import ROOT

pytestmark = pytest.mark.e2e


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(warm: str) -> Run:
    """Runs run_pipeline.py with nothing in its environment but what a test gives it."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [warm, str(ROOT / "run_pipeline.py"), *arguments]
        variables = {"PATH": os.environ["PATH"], **environment}
        return subprocess.run(command, env=variables, capture_output=True, text=True, cwd=ROOT)

    return run


def test_publishing_to_aws_without_a_role_and_a_bucket_is_refused_before_any_call(run: Run) -> None:
    for command in (["plan"], ["upsert"], ["run"]):
        done = run(*command)
        assert done.returncode == 1
        assert done.stderr.endswith(
            "error: Set SAGEMAKER_ROLE_ARN and SAGEMAKER_BUCKET to the role and the bucket of the jobs, "
            "or run with --local.\n"
        )


def test_a_rehearsal_without_data_is_refused_before_anything_is_published(run: Run) -> None:
    done = run("run", "--rehearse", "1%")
    assert done.returncode == 1
    assert done.stderr.endswith("error: --rehearse takes rows of the data that --data names: give both.\n")


def test_a_definition_is_written_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    done = run("definition", "--output", str(tmp_path / "nowhere" / "definition.json"))
    assert done.returncode == 1
    assert "definition.json cannot be written: No such file or directory" in done.stderr
    assert run("definition", "--output", str(tmp_path / "definition.json")).returncode == 0
    assert json.loads((tmp_path / "definition.json").read_text())["Version"] == "2020-12-01"


@pytest.mark.parametrize("arguments", [["nonsense"], ["reproduce"], ["run", "--dat", "x", "y"], []])
def test_wrong_arguments_are_exit_code_2(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "usage: run_pipeline.py" in done.stderr


def test_the_help_names_the_placeholders_and_the_exit_codes(run: Run) -> None:
    text = run("--help").stdout
    for words in ("SAGEMAKER_ROLE_ARN", "000000000000", "us-east-1", "exit codes", "--local"):
        assert words in text


def test_a_faulty_settings_file_is_one_sentence(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("nme: x\n")
    done = run("--config", str(config), "definition")
    assert done.returncode == 1
    assert "nme is not a setting; did you mean name" in done.stderr


@pytest.mark.parametrize("options", [["--local"], []])
def test_what_init_proposes_next_says_each_option_once(run: Run, tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "flats.csv").write_text(
        "size,price\n" + "".join(f"{n * 7 % 23 + 40},{n * 1000 + 9000}\n" for n in range(70))
    )
    output = str(tmp_path / "flats.yaml")
    done = run(*options, "init", str(tmp_path / "flats.csv"), "--output", output, "--target", "price")
    check, registered = done.stdout.split("Next:\n")[1].splitlines()
    said = " ".join([*options, "--config", output, "check", "--data"])
    assert f"run_pipeline.py {said} " in check
    assert f"run_pipeline.py --local --config {output} run --data " in registered


def test_another_name_in_the_yaml_is_another_pipeline(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    text = (ROOT / "pipelines" / "house_prices.yaml").read_text()
    config.write_text(text.replace("name: house-prices", "name: other-prices", 1))
    definition = run("definition", "--config", str(config)).stdout
    assert "other-prices/executions" in definition
    assert "house-prices/" not in definition


def test_the_help_of_definition_names_the_placeholders(run: Run) -> None:
    text, stand_ins = run("definition", "--help").stdout, Environment.from_env({})
    for value in (stand_ins.role_arn, stand_ins.bucket, stand_ins.region):
        assert value in text


def test_a_role_or_a_bucket_that_cannot_be_one_is_refused(run: Run) -> None:
    done = run("check", SAGEMAKER_ROLE_ARN="pipelines")
    assert done.stderr.splitlines()[-1].startswith(
        "error: SAGEMAKER_ROLE_ARN is 'pipelines': set it to the ARN of a role"
    )
    done = run("definition", SAGEMAKER_BUCKET="s3://mine")
    assert done.stderr.endswith(
        "error: SAGEMAKER_BUCKET is 's3://mine': set it to the name of a bucket alone, without s3://.\n"
    )


def test_an_unclean_checkout_is_said_and_tagged(run: Run, server: Any, tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(copy)], check=True)
    with (copy / "steps" / "serve.py").open("a") as stream:
        stream.write("# changed\n")
    chosen = {name: server.environment[name] for name in ("SAGEMAKER_LOCAL_PORT", "SAGEMAKER_LOCAL_STATE")}
    unclean = {"GIT_DIR": str(copy / ".git"), "GIT_WORK_TREE": str(copy)}  # git looks there, wherever it is called
    config = tmp_path / "mine.yaml"
    text = (ROOT / "pipelines" / "house_prices.yaml").read_text()
    config.write_text(text.replace("name: house-prices", "name: unclean", 1))
    done = run("--local", "--config", str(config), "upsert", **chosen, **unclean)
    assert done.returncode == 0, done.stderr
    assert "note: the checkout has changes that no commit holds; the deployment is tagged dirty." in done.stderr
    sagemaker = server.client("sagemaker")
    arn = sagemaker.describe_pipeline(PipelineName="unclean-training")["PipelineArn"]
    tags = read_tags(sagemaker, arn)
    assert tags["git-dirty"] == "true"
    assert tags["git-commit"].endswith("-dirty")
