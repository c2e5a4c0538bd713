"""What a container definition puts under /opt/ml."""

import sys
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.hosting.model_files import prepare_model
from local_sagemaker.processes.host import Host
from local_sagemaker.processes.isolation import PrivateFolder
from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.overlay import Overlay

CURRENT = Overlay((sys.executable,), True, (), {})


@pytest.fixture(name="host")
def host_fixture(tmp_path: Path) -> Host:
    return Host("algo-1", ("algo-1",), PrivateFolder(tmp_path / "algo-1", "rewrite"), tmp_path / "log")


def never(command: list[str], variables: Any) -> int:
    raise AssertionError("nothing is to be run")


def test_model_and_code_are_unpacked_and_rewritten(host: Host, store: Any) -> None:
    model = store.put_model({"model.json": "{}", "code/serve.py": "PATH = '/opt/ml/model'"})
    assert prepare_model(host, {"ModelDataUrl": model}, {}, store, CURRENT, never) == {}
    code = host.private.ml / "model" / "code" / "serve.py"
    assert code.read_text() == f"PATH = '{host.private.ml}/model'"
    assert list(host.private.temporary.iterdir()) == []


def test_a_container_without_a_model_has_an_empty_model_folder(host: Host, store: Any) -> None:
    assert prepare_model(host, {}, {}, store, CURRENT, never) == {}
    assert list((host.private.ml / "model").iterdir()) == []


def test_code_in_s3_becomes_the_submit_directory(host: Host, store: Any) -> None:
    uri = store.put_model({"serve.py": ""}, "s3://models/code.tar.gz")
    variables = prepare_model(host, {}, {"SAGEMAKER_SUBMIT_DIRECTORY": uri}, store, CURRENT, never)
    assert variables == {"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/code"}
    assert (host.private.ml / "code" / "serve.py").exists()


def test_missing_requirements_of_the_code_are_installed_beside_it(host: Host, store: Any) -> None:
    model = store.put_model({"code/requirements.txt": "no-such-thing\n"})
    commands: list[list[str]] = []

    def run(command: list[str], variables: Any) -> int:
        commands.append(command)
        return 1

    with pytest.raises(ClientFault, match=r"The requirements in requirements\.txt cannot be installed"):
        prepare_model(host, {"ModelDataUrl": model}, {}, store, CURRENT, run)
    assert commands[0][:4] == [sys.executable, "-m", "pip", "install"]


def test_additional_sources_and_code_elsewhere_are_refused_by_name(host: Host, store: Any) -> None:
    with pytest.raises(ClientFault, match="AdditionalModelDataSources"):
        prepare_model(host, {"AdditionalModelDataSources": [{}]}, {}, store, CURRENT, never)
    with pytest.raises(ClientFault, match="/srv/code"):
        prepare_model(host, {}, {"SAGEMAKER_SUBMIT_DIRECTORY": "/srv/code"}, store, CURRENT, never)
