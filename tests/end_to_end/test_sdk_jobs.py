"""The SDK's own launchers, unmodified, from a script: train, process, deploy, with logs that stream."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.client import sdk_defaults
from tests.local_sagemaker.jobs.wheels import make_wheel

pytestmark = [pytest.mark.e2e, pytest.mark.journey]

# The SDK looks at a job every 5 or 10 seconds: here twice a second.
SOONER = """
import time
sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, 0.5))
"""
TRAIN = """
import argparse, json, os, pathlib, time
import tiny_thing
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
rate = parser.parse_args().rate
print("waiting for the client", flush=True)
while not os.path.exists(os.environ["RELEASE"]):
    time.sleep(0.05)
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
(model / "rate.json").write_text(json.dumps(rate))
(model / "code").mkdir()
(model / "code" / "inference.py").write_text('''
import json
def model_fn(model_dir): return json.load(open(model_dir + "/rate.json"))
def input_fn(body, content_type): return json.loads(body)
def predict_fn(value, model): return {"answer": value["x"] * model}
def output_fn(answer, accept): return json.dumps(answer)
''')
"""
PROCESS = """
import sys, tiny_thing
open("/opt/ml/processing/output/arguments", "w").write(" ".join(sys.argv[1:]))
"""
TRAIN_AND_DEPLOY = """
import logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stdout)
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, SourceCode, StoppingCondition

image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": sys.argv[1], "RELEASE": sys.argv[2]}
trainer = ModelTrainer(
    training_image=image, environment=environment, base_job_name="from-a-script", hyperparameters={"rate": 0.5},
    source_code=SourceCode(source_dir="source", entry_script="train.py", requirements="requirements.txt"),
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=120),
)
trainer.train()
code = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
builder = ModelBuilder(model=trainer, image_uri=image, env_vars=code, instance_type="ml.m5.large")
builder.build(model_name="from-a-script")
endpoint = builder.deploy(
    endpoint_name="from-a-script", initial_instance_count=1, instance_type="ml.m5.large", wait=False
)
endpoint.wait_for_status("InService", poll=1)
print("answer:", endpoint.invoke(body='{"x": 4}', content_type="application/json").body.read())
endpoint.delete()
"""
PROCESS_TWICE = """
import sys
from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output

# A role and an image of another account, as in a script that was written for AWS.
common = dict(
    role="arn:aws:iam::123456789012:role/service-role/Mine", instance_count=1, instance_type="ml.m5.large",
    image_uri="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
    env={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": sys.argv[1]},
)
def outputs(name):
    where = ProcessingS3Output(
        s3_uri=f"s3://test-bucket/{name}", local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob"
    )
    return [ProcessingOutput(output_name="result", s3_output=where)]

framework = FrameworkProcessor(**common)
framework.run(code="process.py", source_dir="source", arguments=["from", "runproc"], outputs=outputs("framework"))
script = ScriptProcessor(command=["python3"], **common)
script.run(code="script.py", outputs=outputs("script"))
"""


def start(program: str, server: Any, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Run a script as a user would: the endpoint, any credentials and the SDK's defaults, and nothing else."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
        sdk_defaults.VARIABLE: str(sdk_defaults.write(folder, "us-east-1")),
    }
    return subprocess.Popen(
        [sys.executable, "-c", SOONER + program, *arguments],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(name="project")
def project_fixture(tmp_path: Path) -> Path:
    """A source folder with requirements, and a package that this environment lacks."""
    make_wheel(tmp_path, "1.0")
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(TRAIN)
    (source / "process.py").write_text(PROCESS)
    (source / "requirements.txt").write_text("tiny-thing ==1.*\n")
    (tmp_path / "script.py").write_text("open('/opt/ml/processing/output/said', 'w').write('hello')")
    return tmp_path


def installed() -> set[str]:
    """Every package of this environment, which is the server's."""
    return {path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info")}


def test_train_process_and_deploy_work_from_a_script_and_leave_the_environment_alone(
    server: Any, s3: Any, project: Path
) -> None:
    before, release, said = installed(), project / "release", []
    processing = start(PROCESS_TWICE, server, project, str(project))
    training = start(TRAIN_AND_DEPLOY, server, project, str(project), str(release))
    assert training.stdout is not None
    for line in training.stdout:
        said.append(line)
        if "waiting for the client" in line:  # so the log streams: the job goes on only now
            release.touch()
    assert training.wait() == 0, "".join(said)[-3000:]
    assert "answer: b'{\"answer\": 2.0}'\n" in said
    output, _ = processing.communicate()
    assert processing.returncode == 0, output[-3000:]
    assert s3.get_object(Bucket="test-bucket", Key="framework/arguments")["Body"].read() == b"from runproc"
    assert s3.get_object(Bucket="test-bucket", Key="script/said")["Body"].read() == b"hello"
    assert installed() == before
