"""Versions of a model that are a few lines of Python: they load at once, and answer as a test wants."""

import contextlib
import io
import tarfile
from typing import Any

from botocore.exceptions import ClientError

from tests.conftest import BUCKET
from tests.local_sagemaker.conftest import IMAGE

HANDLERS = """
import json
def model_fn(model_dir):
    {load}
    return {name!r}
def transform_fn(model, body, content_type, accept):
    rows = json.loads(body)["instances"]
    if not all("x" in row for row in rows):
        from werkzeug.wrappers import Response; return Response("Row 1 lacks x.", status=400)
    {fault}
    return json.dumps({{"predictions": [{{"score": row["x"] * {factor}}} for row in rows], "model": model}}), accept
"""


def register_version(
    sagemaker: Any,
    s3: Any,
    group: str,
    name: str,
    *,
    load: str = "pass",
    fault: str = "pass",
    factor: float = 2.0,
    approval: str = "Approved",
) -> str:
    """Register a version that answers x * factor with its name, and does `fault` at each request; its ARN."""
    code = HANDLERS.format(load=load, name=name, fault=fault, factor=factor).encode()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(code)
        archive.addfile(member, io.BytesIO(code))
    s3.put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=stream.getvalue())
    environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{name}.tar.gz", "Environment": environment}
    with contextlib.suppress(ClientError):  # there already
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
    return str(
        sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )["ModelPackageArn"]
    )
