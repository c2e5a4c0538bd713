"""What a step costs beyond its process: no-op steps here, in Metaflow and in DVC, each as a whole command."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from rows import PYTHON, ROOT, Row, free_port, median, wall, warm_server

OTHERS = ROOT / ".venv-bench" / "bin"  # made by `make bench` from requirements.txt beside this file
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
TIMES = 3
FLOW = """
from metaflow import FlowSpec, step

class NoOp(FlowSpec):
    @step
    def start(self):
        self.next(self.second)
    @step
    def second(self):
        self.next(self.third)
    @step
    def third(self):
        self.next(self.fourth)
    @step
    def fourth(self):
        self.next(self.end)
    @step
    def end(self):
        pass

if __name__ == "__main__":
    NoOp()
"""


def step_rows(folder: Path) -> list[Row]:
    """The start of the server, and executions of no-op Processing steps."""
    folder.mkdir(parents=True)
    start = median(lambda: _start(folder / f"start-{free_port()}"), TIMES)
    metaflow, dvc = _metaflow(folder / "metaflow"), _dvc(folder / "dvc")
    with warm_server(folder) as environment:
        five = _run(folder, 5, True, environment)
        twenty = _run(folder, 20, True, environment)
        side_by_side = _run(folder, 20, False, environment)
    return [
        Row("server start, empty state", start),
        Row("5 no-op Processing steps in sequence / the same as a Metaflow flow", five, metaflow, 0.5),
        Row("5 no-op Processing steps in sequence / the same as DVC stages", five, dvc, 1.0),
        Row("20 no-op Processing steps in sequence", twenty),
        Row("  each, beyond the first 5", (twenty - five) / 15),
        Row("20 no-op Processing steps side by side", side_by_side),
    ]


def definition(count: int, in_sequence: bool) -> dict[str, Any]:
    """A pipeline of no-op Processing steps."""
    arguments = {
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "RoleArn": "arn:aws:iam::000000000000:role/jobs",
    }
    steps: list[dict[str, Any]] = []
    for number in range(count):
        after = {"DependsOn": [steps[-1]["Name"]]} if in_sequence and steps else {}
        steps.append({"Name": f"Step{number}", "Type": "Processing", "Arguments": arguments, **after})
    return {"Version": "2020-12-01", "Steps": steps}


def _start(state: Path) -> float:
    environment = {"SAGEMAKER_LOCAL_PORT": free_port(), "SAGEMAKER_LOCAL_STATE": str(state)}
    seconds = wall([PYTHON, "-m", "local_sagemaker", "up"], **environment)
    wall([PYTHON, "-m", "local_sagemaker", "down"], **environment)
    return seconds


def _run(folder: Path, count: int, in_sequence: bool, environment: dict[str, str]) -> float:
    """Seconds of `python -m local_sagemaker run`, on a server that runs."""
    path = folder / f"noop-{count}-{'sequence' if in_sequence else 'parallel'}.json"
    path.write_text(json.dumps(definition(count, in_sequence)))
    return median(lambda: wall([PYTHON, "-m", "local_sagemaker", "run", str(path)], **environment), TIMES)


def _metaflow(folder: Path) -> float:
    """Seconds of a flow of five steps that do nothing."""
    folder.mkdir()
    (folder / "flow.py").write_text(FLOW)
    command = [str(OTHERS / "python"), "flow.py", "run"]
    return median(lambda: wall(command, folder, USER="bench", HOME=str(folder), METAFLOW_USER="bench"), TIMES)


def _dvc(folder: Path) -> float:
    """Seconds of five stages that do nothing, one after another."""
    folder.mkdir()
    stages = []
    for number in range(5):
        after = f"\n    deps: [out{number - 1}]" if number else ""
        stages.append(f"  step{number}:\n    cmd: touch out{number}{after}\n    outs: [out{number}]")
    (folder / "dvc.yaml").write_text("stages:\n" + "\n".join(stages) + "\n")
    environment = {**os.environ, "HOME": str(folder), "DVC_NO_ANALYTICS": "1"}
    subprocess.run([str(OTHERS / "dvc"), "init", "--no-scm", "--quiet"], cwd=folder, env=environment, check=True)
    command = [str(OTHERS / "dvc"), "repro", "--force", "--no-run-cache"]
    return median(lambda: wall(command, folder, HOME=str(folder), DVC_NO_ANALYTICS="1"), TIMES)
