"""The page of operations says what the server does."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker import __main__ as command_line
from local_sagemaker.api.operations import supported
from local_sagemaker.wire.model import service_model

ROOT = Path(__file__).parents[3]


def test_the_page_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["operations"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs/operations.md").read_text()


DISPATCHED = """
import sys, pathlib, local_sagemaker.service
service = local_sagemaker.service.LocalSageMaker(pathlib.Path(sys.argv[1]), 'http://127.0.0.1:1', 'us-east-1')
print(*sorted(service.dispatcher.handlers))
service.close()
"""


@pytest.mark.e2e
def test_every_operation_that_is_listed_is_dispatched_and_no_other(tmp_path: Path) -> None:
    # in a process of its own, as a service replaces classes of moto in the one that it is in
    command = [sys.executable, "-c", DISPATCHED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(supported())


@pytest.mark.parametrize("operation", ["CreateTrial", "ListDomains"])
def test_what_is_listed_as_refused_is_refused_by_its_name(server: Any, operation: str) -> None:
    assert operation in set(service_model().operation_names) - set(supported())
    with pytest.raises(ClientError, match=operation):
        server.client("sagemaker")._make_api_call(
            operation, {"TrialName": "t", "ExperimentName": "e"} if operation == "CreateTrial" else {}
        )
