"""The server is killed at random moments of a run, and each time everything that it acknowledged is there.

The moments, 6, and 200 in `make soak`, come from a seed that a failure names; FAULT_SEED=... repeats them. At the first
one an execution runs for sure.
"""

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import kill
from tests.local_sagemaker.api.test_endpoints import VARIANT, make_model
from tests.local_sagemaker.conftest import CLUSTER, IMAGE, ROLE, output, processing, step
from tests.local_sagemaker.faults.clients import BUCKET, GROUP, Journal, Writers

ROOT = Path(__file__).parents[3]
KILLS = 200 if os.environ.get("SOAK") else 6
RUN_SECONDS = 1.6  # within which a kill comes; a run takes about this long
SURELY_RUNNING = 0.1  # seconds after which no execution has ended: its jobs sleep longer, one after another
CRASHED = "local SageMaker stopped while the execution was running"
FINAL = ("Succeeded", "Failed", "Stopped")
WRITE = "sleep 0.1; head -c 20000 /dev/urandom > /opt/ml/processing/output/data/bytes"


def definition() -> str:
    """Two jobs side by side, a training job after them, and a registration: each with outputs in S3."""
    uri = {"Std:Join": {"On": "/", "Values": [f"s3://{BUCKET}", {"Get": "Execution.PipelineExecutionId"}, "out"]}}
    training = {
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["sh", "-c", "sleep 0.1; head -c 20000 /dev/urandom > /opt/ml/model/weights"],
        },
        "OutputDataConfig": {"S3OutputPath": uri},
        "ResourceConfig": CLUSTER,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "RoleArn": ROLE,
    }
    steps = [
        step(name, "Processing", processing(WRITE, ProcessingOutputConfig=output("data", uri)))
        for name in ("First", "Second")
    ]
    steps.append({**step("Train", "Training", training), "DependsOn": ["First", "Second"]})
    register = step("Register", "RegisterModel", {"ModelPackageGroupName": GROUP, "ModelPackageDescription": "by step"})
    steps.append({**register, "DependsOn": ["Train"]})
    return json.dumps({"Version": "2020-12-01", "Steps": steps})


def processes_of(server: Any) -> dict[int, str]:
    """Every process of a server and its jobs, by what they inherit from it, and when it started."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"AWS_ENDPOINT_URL={server.url}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()[19]
        except (OSError, IndexError):
            continue  # it has just ended
    found.pop(os.getpid(), None)
    return found


def kill_while_starting(server: Any, seconds: float) -> None:
    """Start the server and kill it a moment later, whatever it is doing."""
    command = [sys.executable, "-m", "local_sagemaker", "serve"]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **server.environment}, stderr=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(seconds)
    process.kill()
    process.wait()


class Checks:
    """What must be true after each kill; `thorough` looks again at what was there after an earlier one."""

    def __init__(self, server: Any, journal: Journal) -> None:
        self.server = server
        self.journal = journal
        self.s3, self.sagemaker = server.client("s3"), server.client("sagemaker")
        self.before: dict[str, Any] = {}  # executions, packages and objects, as they were found

    def _all(self, operation: str, result: str, **request: Any) -> list[Any]:
        """The entries of every page of a list."""
        pages = self.sagemaker.get_paginator(operation).paginate(**request, PaginationConfig={"PageSize": 100})
        return [entry for page in pages for entry in page[result]]

    def executions(self, thorough: bool) -> Counter[str]:
        """All are final; what had ended is as it was; what was cut off says why, in its steps and jobs too."""
        statuses: Counter[str] = Counter()
        for summary in self._all("list_pipeline_executions", "PipelineExecutionSummaries", PipelineName="faults"):
            arn, status = summary["PipelineExecutionArn"], summary["PipelineExecutionStatus"]
            assert status in FINAL
            statuses[status] += 1
            if arn in self.before and not thorough:
                continue
            execution = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            execution.pop("ResponseMetadata")
            assert execution == self.before.setdefault(arn, execution)
            assert status != "Failed" or CRASHED in execution["FailureReason"]
            steps = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
            assert {each["StepStatus"] for each in steps} <= set(FINAL)
        for kind in ("processing", "training"):
            jobs = self._all(f"list_{kind}_jobs", f"{kind.title()}JobSummaries")
            assert {job[f"{kind.title()}JobStatus"] for job in jobs} <= {"Completed", "Failed"}
        return statuses

    def registry(self, thorough: bool) -> None:
        """Versions 1 to n without a gap, each readable; those that were acknowledged as they were."""
        entries = self._all("list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=GROUP)
        packages = {entry["ModelPackageArn"]: entry for entry in entries}
        versions = sorted(entry["ModelPackageVersion"] for entry in packages.values())
        assert versions == list(range(1, len(versions) + 1))
        assert set(self.journal.packages) <= set(packages)
        for arn, text in self.journal.packages.items():
            if thorough or arn not in self.before:
                described = self.sagemaker.describe_model_package(ModelPackageName=arn)
                assert described["ModelPackageDescription"] == text
                self.before[arn] = True

    def objects(self, thorough: bool) -> None:
        """Each object is whole and, where a client wrote it, what was acknowledged; each file has its object."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        listed = [entry for page in pages for entry in page.get("Contents", [])]
        keys = {entry["Key"] for entry in listed}
        assert set(self.journal.objects) <= keys
        for entry in listed:
            if self.before.get(entry["Key"]) == entry["ETag"] and not thorough:
                continue
            body = self.s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            assert len(body) == entry["Size"]
            assert hashlib.md5(body, usedforsecurity=False).hexdigest() == entry["ETag"].strip('"')
            if entry["Key"].startswith("overwritten-"):
                assert hashlib.sha256(body).hexdigest() in self.journal.may_hold(entry["Key"])
            self.before[entry["Key"]] = entry["ETag"]
        parts = 0
        for upload in self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            found = self.s3.list_parts(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"]).get("Parts", [])
            parts += len(found)
            acknowledged = self.journal.uploads.pop(upload["UploadId"], [])
            assert acknowledged == [part["ETag"] for part in found][: len(acknowledged)]
            self.s3.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
        assert not any(self.journal.uploads.values()), "an acknowledged upload is gone"
        others = self.s3.list_objects_v2(Bucket="test-bucket")["KeyCount"]
        assert len(list((self.server.state / "objects").iterdir())) == len(listed) + others

    def endpoint(self) -> None:
        """It comes back serving."""
        deadline = time.monotonic() + 60
        while self.sagemaker.describe_endpoint(EndpointName="faults")["EndpointStatus"] != "InService":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        runtime = self.server.client("sagemaker-runtime")
        answer = runtime.invoke_endpoint(EndpointName="faults", ContentType="text/plain", Body=b"back")
        assert answer["Body"].read() == b"still back"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the processes of a server are found in /proc")
def test_whenever_the_server_is_killed_what_it_acknowledged_is_there(new_server: Callable[[], Any]) -> None:
    seed = int(os.environ.get("FAULT_SEED", random.randrange(1 << 32)))
    moments = random.Random(seed)
    print(f"FAULT_SEED={seed}")
    server, journal = new_server(), Journal()
    pid = server.up().pid
    checks = Checks(server, journal)
    checks.s3.create_bucket(Bucket="test-bucket")
    checks.s3.create_bucket(Bucket=BUCKET)
    checks.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    checks.sagemaker.create_pipeline(PipelineName="faults", PipelineDefinition=definition(), RoleArn=ROLE)
    model = make_model(checks.sagemaker, checks.s3, "still")
    checks.sagemaker.create_endpoint_config(
        EndpointConfigName="faults", ProductionVariants=[{**VARIANT, "ModelName": model}]
    )
    checks.sagemaker.create_endpoint(EndpointName="faults", EndpointConfigName="faults")
    checks.endpoint()
    for number in range(KILLS):
        moment = moments.uniform(0, RUN_SECONDS) if number else SURELY_RUNNING
        where = f"kill {number} after {moment:.3f} s, FAULT_SEED={seed}"
        print(where)
        writers = Writers(server, journal, number)
        writers.start()
        checks.sagemaker.start_pipeline_execution(PipelineName="faults")
        time.sleep(moment)
        left = processes_of(server)
        kill(pid)
        writers.end()
        if number % 4 == 3:
            kill_while_starting(server, moments.uniform(0.2, 2))
        pid = server.up().pid
        try:
            assert not set(left.items()) & set(processes_of(server).items()), "processes of the killed server live on"
            thorough = number % 10 == 9
            statuses = checks.executions(thorough)
            checks.registry(thorough)
            checks.objects(thorough)
            if number % 5 == 4:
                checks.endpoint()
        except AssertionError as failure:
            failure.add_note(where)
            raise
    assert sum(statuses.values()) == KILLS
    assert statuses["Failed"] > 0, "no kill came while an execution ran"
    assert len(journal.packages) > KILLS
    assert len(journal.objects) > 0
