"""The SageMaker SDK, as it is, against local SageMaker."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e

PROGRAM = """
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.processing import Processor
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep
from sagemaker.core.workflow.parameters import ParameterString

role = "arn:aws:iam::000000000000:role/any"
session = PipelineSession()
image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
word = ParameterString("Word", "hello")
processor = Processor(role=role, image_uri=image, instance_count=1, instance_type="ml.m5.large",
                      entrypoint=["echo"], sagemaker_session=session)
step = ProcessingStep("Say", step_args=processor.run(arguments=[word]))
pipeline = Pipeline("from-the-sdk", parameters=[word], steps=[step], sagemaker_session=session)
pipeline.upsert(role_arn=role)
execution = pipeline.start(parameters={"Word": "good evening"})
execution.wait(delay=1)
steps = [(step["StepName"], step["StepStatus"]) for step in execution.list_steps()]
print(execution.describe()["PipelineExecutionStatus"], steps)
"""


def test_upsert_start_wait_and_list_steps_work(server: Any, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAGEMAKER_VALIDATE_ROLE": "false",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "Succeeded [('Say', 'Succeeded')]"
