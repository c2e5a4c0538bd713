"""Environments for images: what their tags ask for, made by pip from wheels of this machine, used and removed."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.__main__ import main
from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.processes.image_environments import ImageEnvironments, requirements_of
from local_sagemaker.processes.images import ImageMap, UnknownImage
from tests.conftest import LocalServer, running
from tests.local_sagemaker.conftest import processing

REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
IMAGE = f"{REGISTRY}/chainer-training:7.8.1-cpu-py3"


def put_wheel(folder: Path, name: str, version: str) -> None:
    """A wheel of a module that says its version."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"__version__ = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture(name="index")
def index_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip finds two wheels, and no network."""
    for name, version in (("chainer", "7.8.1"), ("numpy", "1.0")):
        put_wheel(tmp_path, name, version)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))


@pytest.mark.parametrize(
    ("image", "packages", "expected"),
    [
        ("pytorch-training:2.1.0-cpu-py310", [], ["torch==2.1.0", "numpy<2"]),
        ("pytorch-training:2.1.0-cpu-py310", ["numpy==2.2", "einops"], ["torch==2.1.0", "numpy==2.2", "einops"]),
        ("pytorch-training:latest", ["torch==2.5.1"], ["torch==2.5.1"]),
        ("sagemaker-scikit-learn:1.2-1-cpu-py3", [], ["scikit-learn==1.2.*", "numpy<2"]),
        ("sagemaker-xgboost:1.7-1", [], ["xgboost==1.7.*", "numpy<2", "pandas", "scipy"]),
        (
            "huggingface-pytorch-inference:2.1.0-transformers4.37.0-cpu-py310",
            [],
            ["transformers==4.37.0", "torch==2.1.0", "numpy<2"],
        ),
    ],
)
def test_the_tag_of_an_image_says_what_is_installed(image: str, packages: list[str], expected: list[str]) -> None:
    assert requirements_of(f"{REGISTRY}/{image}", packages) == expected


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("pytorch-training:latest", "does not say which version of torch"),
        ("my-own:1", "does not belong to a family of images"),
        ("linear-learner:1", "does not belong to a family of images"),
        ("python:3", "does not belong to a family of images"),
    ],
)
def test_an_image_that_tells_nothing_is_refused(image: str, words: str) -> None:
    with pytest.raises(LocalSageMakerError, match=words):
        requirements_of(f"{REGISTRY}/{image}", [])


def test_an_image_without_its_framework_is_refused_with_the_command_that_helps(tmp_path: Path) -> None:
    with pytest.raises(UnknownImage, match=r"has chainer, which .* `local-sagemaker image add`"):
        ImageMap(environments=ImageEnvironments(tmp_path).python).resolve(IMAGE)


@pytest.mark.e2e
@pytest.mark.usefixtures("index")
def test_what_pip_cannot_install_leaves_nothing_behind(tmp_path: Path) -> None:
    environments = ImageEnvironments(tmp_path / "state")
    with pytest.raises(LocalSageMakerError, match=r"(?s)pip could not install chainer==9\.9\.9 .*No matching"):
        environments.add(f"{REGISTRY}/chainer-training:9.9.9-cpu-py3", [])
    assert environments.all() == []
    assert list((tmp_path / "state/images").iterdir()) == []


@pytest.fixture(name="running_server")
def running_server_fixture(tmp_path: Path) -> Iterator[LocalServer]:
    with running(tmp_path / "state") as server:
        yield server


@pytest.mark.e2e
@pytest.mark.usefixtures("index")
def test_a_job_of_an_added_image_has_its_packages_until_it_is_removed(
    running_server: LocalServer, capsys: pytest.CaptureFixture[str], wait_until: Any
) -> None:
    state = ["--state", str(running_server.state)]
    sagemaker = running_server.client("sagemaker")
    job = processing("python -c 'import chainer; print(\"it is\", chainer.__version__)'")
    job["AppSpecification"]["ImageUri"] = IMAGE
    assert main(["image", "add", IMAGE, *state]) == 0
    assert main(["image", "list", *state]) == 0
    assert capsys.readouterr().out.count("chainer==7.8.1, numpy==1.0") == 2
    assert main(["image", "add", IMAGE, *state]) == 1
    assert "remove it first" in capsys.readouterr().err
    sagemaker.create_processing_job(ProcessingJobName="added", **job)

    def status() -> str:
        return str(sagemaker.describe_processing_job(ProcessingJobName="added")["ProcessingJobStatus"])

    wait_until(lambda: status() not in ("InProgress",))
    assert status() == "Completed"
    logs = running_server.client("logs")
    events = logs.filter_log_events(logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix="added/")
    assert "it is 7.8.1" in [event["message"] for event in events["events"]]
    assert main(["image", "remove", IMAGE, *state]) == 0
    assert main(["image", "remove", IMAGE, *state]) == 1
    assert "has no environment here" in capsys.readouterr().err
