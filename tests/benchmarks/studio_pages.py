"""The studio's pages over a full account: how long until the first one is there, and what the process holds."""

import json
import statistics
import subprocess
import urllib.request
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from rows import PYTHON, ROOT, Row, free_port, peak_megabytes, wall, warm_server
from volume import add_rows, clients

EXECUTIONS, VERSIONS, OBJECTS, STEPS = 1_000, 5_000, 20_000, 200
TIMES = 9
BAR = 0.1  # seconds for the first page


def studio_rows(folder: Path) -> list[Row]:
    """The home page and the first page of each list over 1,000 executions, 5,000 versions and 20,000 objects."""
    folder.mkdir(parents=True)
    with warm_server(folder) as environment:
        s3, sagemaker = clients(environment)
        s3.create_bucket(Bucket="many")
        s3.put_object(Bucket="many", Key="0", Body=b"")
        sagemaker.create_model_package_group(ModelPackageGroupName="many")
        sagemaker.create_model_package(ModelPackageGroupName="many", ModelPackageDescription="x" * 1000)
        for name, steps in (("many", 1), ("large", STEPS)):
            sagemaker.create_pipeline(
                PipelineName=name, PipelineDefinition=_definition(steps), RoleArn="arn:aws:iam::000000000000:role/r",
                ClientRequestToken="t" * 32,
            )  # fmt: skip
        for _ in range(EXECUTIONS):
            sagemaker.start_pipeline_execution(PipelineName="many")
        wall([PYTHON, "-m", "local_sagemaker", "down"], **environment)
        add_rows(Path(environment["SAGEMAKER_LOCAL_STATE"]), {"many": OBJECTS}, {"many": VERSIONS})
        wall([PYTHON, "-m", "local_sagemaker", "up"], **environment)
        url = f"http://127.0.0.1:{environment['SAGEMAKER_LOCAL_PORT']}"
        port = free_port()
        command = [PYTHON, "-m", "studio", "--endpoint-url", url, "--port", port, "--no-open"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            return _measured(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()
            process.wait()


def _measured(url: str, pid: int) -> list[Row]:
    paths = {
        "first page": ("/", BAR),
        f"page of {EXECUTIONS:,} executions": ("/pipelines/many", BAR),
        f"page of {VERSIONS:,} versions": ("/registry/many", BAR),
        f"page of {OBJECTS:,} objects": ("/objects?uri=s3://many/", BAR),
        f"graph of {STEPS} steps": ("/pipelines/large", 1.0),
    }
    while True:
        try:
            urllib.request.urlopen(url)
            break
        except OSError:
            sleep(0.05)
    sleep(2)  # the clients are made beside the first page
    rows = []
    for name, (path, bar) in paths.items():
        rows.append(Row(f"studio, {name} / {bar} s", _median(url + path), bar, 1.0))
    return [*rows, Row("  its peak memory, MB / 256", peak_megabytes(pid), 256, 1.0)]


def _median(url: str) -> float:
    def seconds() -> float:
        start = perf_counter()
        with urllib.request.urlopen(url) as answer:
            answer.read()
        return perf_counter() - start

    seconds()
    return statistics.median(seconds() for _ in range(TIMES))


def _definition(steps: int) -> str:
    """Steps in a row of tens: each waits for two before it. A Fail step ends an execution at once."""
    names = [f"Step{number}" for number in range(steps)]
    made: list[dict[str, Any]] = [
        {
            "Name": name,
            "Type": "Fail",
            "Arguments": {"ErrorMessage": "x"},
            "DependsOn": names[max(0, number - 12) : max(0, number - 10)],
        }
        for number, name in enumerate(names)
    ]
    return json.dumps({"Version": "2020-12-01", "Steps": made})
