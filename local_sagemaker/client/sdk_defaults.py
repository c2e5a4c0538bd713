"""The SageMaker SDK's defaults file for a local SageMaker: what the SDK would ask AWS, whatever its endpoint.

`Session.default_bucket()` asks the STS of AWS itself for the account, past AWS_ENDPOINT_URL, and telemetry
goes to a bucket of AWS. Both are settings of https://sagemaker.readthedocs.io/en/stable/overview.html
#configuring-and-using-defaults-with-the-sagemaker-python-sdk; with this file, neither leaves the machine.
"""

import json
from pathlib import Path
from typing import Any

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.files import write_whole
from local_sagemaker.wire.identity import ACCOUNT, EXECUTION_ROLE

FILE = "sagemaker-sdk.yaml"
VARIABLE = "SAGEMAKER_USER_CONFIG_OVERRIDE"  # where the SDK looks for the file


def write(state: Path, region: str) -> Path:
    """Write the file into the state folder, if it is another one; returns its path.

    LocalSageMakerError where the folder cannot be written, or its disk is full.
    """
    path, text = state / FILE, json.dumps(_defaults(region), indent=2)  # JSON is YAML
    try:
        if not path.exists() or path.read_text("utf-8") != text:
            write_whole(path, text)
    except OSError as error:
        raise LocalSageMakerError(f"{path} cannot be written ({error.strerror}): make room, or fix it.") from None
    return path


def _defaults(region: str) -> dict[str, Any]:
    role = f"arn:aws:iam::{ACCOUNT}:role/{EXECUTION_ROLE}"
    modules = {"TelemetryOptOut": True, "Session": {"DefaultS3Bucket": f"sagemaker-{region}-{ACCOUNT}"}}
    roles = {name: {"RoleArn": role} for name in ("TrainingJob", "ProcessingJob", "Pipeline")}
    sagemaker = {"PythonSDK": {"Modules": modules}, **roles, "Model": {"ExecutionRoleArn": role}}
    return {"SchemaVersion": "1.0", "SageMaker": sagemaker}
