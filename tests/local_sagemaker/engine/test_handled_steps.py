"""Steps that a user's handlers run, on a server that has the handlers of docs/examples."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import LocalServer
from tests.local_sagemaker.conftest import ROLE, Pipelines, step

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples"
FAILING = f"""
import os, time
from pathlib import Path
exec(Path({str(EXAMPLES / "handlers.py")!r}).read_text())
HANDLERS |= {{
    "AutoML": lambda event, context: os._exit(9),
    "ClarifyCheck": lambda event, context: time.sleep(60),
}}
"""


@pytest.fixture(scope="module")
def handling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server with handlers: those of the example, and some that fail."""
    folder = tmp_path_factory.mktemp("handling")
    server = LocalServer(folder / "state")
    (folder / "handlers.py").write_text(FAILING)
    server.environment["SAGEMAKER_LOCAL_HANDLERS"] = str(folder / "handlers.py")
    server.up()
    server.client("s3").create_bucket(Bucket="handlers")
    yield server
    server.down()


@pytest.mark.parametrize(("rows", "status"), [("a\nb\nc\n", "Succeeded"), ("a\n", "Failed")])
def test_the_example_runs_its_function_its_step_types_and_its_image(
    handling: LocalServer, rows: str, status: str
) -> None:
    sagemaker, s3 = handling.client("sagemaker"), handling.client("s3")
    s3.put_object(Bucket="handlers", Key=f"{len(rows)}/rows.csv", Body=rows.encode())
    name = f"example-{len(rows)}"
    text = (EXAMPLES / "handlers.json").read_text()
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=ROLE, ClientRequestToken="0" * 32)
    pipelines = Pipelines(sagemaker)
    uri = f"s3://handlers/{len(rows)}/rows.csv"
    execution = pipelines.run(name, PipelineParameters=[{"Name": "Rows", "Value": uri}])
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert execution["PipelineExecutionStatus"] == status, steps
    approved = steps["Approve"]["Metadata"]["Lambda"]
    assert approved["Arn"].endswith("function:approve")
    assert approved["OutputParameters"] == [
        {"Name": "approved", "Value": "true" if status == "Succeeded" else "false"},
        {"Name": "comment", "Value": "enough rows" if status == "Succeeded" else "too few rows"},
    ]
    if status == "Failed":
        message = "too few rows, s3://handlers/ModelQuality.json, s3://handlers/count.jar"
        assert steps["Refuse"]["Metadata"]["Fail"]["ErrorMessage"] == message
    execution_id = execution["PipelineExecutionArn"].rpartition("/")[2]
    log = handling.state / "handlers" / f"{execution_id}-Approve.log"
    assert log.read_text() == f"Approve was asked about {len(rows.split())} rows\n"


def test_a_handler_that_ends_its_process_fails_the_step_and_not_the_server(handling: LocalServer) -> None:
    pipelines = Pipelines(handling.client("sagemaker"))
    execution = pipelines.run(pipelines.create(step("Search", "AutoML", {})))
    failed = pipelines.steps(execution["PipelineExecutionArn"])["Search"]
    assert failed["StepStatus"] == "Failed"
    assert re.search(
        r"The handler of AutoML ended with exit code 9; its log is .*-Search\.log", failed["FailureReason"]
    )


def test_stopping_an_execution_stops_the_handler_that_runs(handling: LocalServer, wait_until: Any) -> None:
    sagemaker = handling.client("sagemaker")
    pipelines = Pipelines(sagemaker)
    arn = pipelines.start(pipelines.create(step("Wait", "ClarifyCheck", {})))
    wait_until(lambda: pipelines.steps(arn).get("Wait", {}).get("StepStatus") == "Executing")
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="1" * 32)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Stopped"


def test_what_nobody_handles_is_refused_with_what_to_do(handling: LocalServer) -> None:
    pipelines = Pipelines(handling.client("sagemaker"))
    function = "arn:aws:lambda:us-east-1:000000000000:function:other"
    name = pipelines.create(step("Other", "Lambda", {}, FunctionArn=function))
    with pytest.raises(ClientError, match=r"step type of Other \(Lambda\): register a handler"):
        pipelines.start(name)


def test_a_server_that_runs_with_other_handlers_is_not_taken_for_the_one_that_is_wanted(
    handling: LocalServer, tmp_path: Path
) -> None:
    other = {**handling.environment, "SAGEMAKER_LOCAL_HANDLERS": str(tmp_path / "other.py")}
    command = [sys.executable, "-m", "local_sagemaker", "up"]
    done = subprocess.run(command, env={**os.environ, **other}, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "handlers.py instead of" in done.stderr


def test_the_commands_of_the_documentation_run_as_they_stand(new_server: Callable[[], LocalServer]) -> None:
    document = (ROOT / "docs" / "local_sagemaker.md").read_text()
    (commands,) = re.findall(r"```bash\n(.*?)```", document, re.DOTALL)
    server = new_server()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    script = commands.replace(":5599", f":{server.port}")
    environment = {**os.environ, **server.environment, "PATH": path}
    done = subprocess.run(["bash", "-ec", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("Succeeded: arn:")
