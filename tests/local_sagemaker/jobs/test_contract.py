"""What every job has at hand."""

import sys
from typing import Any

import pytest

from local_sagemaker.jobs.contract import Machine
from local_sagemaker.jobs.images import ImageMap
from local_sagemaker.jobs.outcome import ClientFault


def test_an_unknown_image_is_the_requester_s_fault(store: Any) -> None:
    machine = Machine(store, ImageMap(), {})
    assert machine.runtime("python:3.11").python == (sys.executable,)
    with pytest.raises(ClientFault, match="'mine:1'"):
        machine.runtime("mine:1")
