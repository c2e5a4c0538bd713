"""What every job has at hand."""

import sys
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.jobs.contract import Machine
from local_sagemaker.processes.host import Host
from local_sagemaker.processes.images import ImageMap
from local_sagemaker.processes.isolation import PrivateFolder
from local_sagemaker.processes.outcome import ClientFault


def test_an_unknown_image_is_the_requester_s_fault(store: Any, tmp_path: Path) -> None:
    machine = Machine(store, ImageMap(), {})
    host = Host("algo-1", ("algo-1",), PrivateFolder(tmp_path, "rewrite"), tmp_path / "log")
    assert machine.runtime("python:3", host).python == (sys.executable,)
    with pytest.raises(ClientFault, match="'mine:1'"):
        machine.runtime("mine:1", host)
