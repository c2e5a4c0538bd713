"""Which operations are answered here: the page docs/operations.md."""

import inspect
import pkgutil
from importlib import import_module
from textwrap import fill

from botocore import xform_name

from local_sagemaker import api
from local_sagemaker.wire.model import service_model

# Of moto's, those whose state survives a restart: moto_services/control_plane.py.
OTHERS = """\
| service | what answers |
| --- | --- |
| S3 | moto, with the bytes of objects in files and listings by an index (`local_sagemaker/moto_services/s3/`) |
| IAM, STS | moto; policies are evaluated here, and enforced with `--enforce-iam` (docs/iam.md) |
| EventBridge Scheduler | local SageMaker (docs/local_sagemaker.md) |
| Lambda | local SageMaker: functions in Python (docs/local_sagemaker.md) |
| Application Auto Scaling of endpoints | local SageMaker (docs/hosting.md) |
| EventBridge, SQS, SNS, KMS, SSM, Secrets Manager, CloudWatch | moto; kept on disk |
| CloudWatch Logs | moto; the logs of jobs and of endpoints are read from their files |
| SageMaker Runtime | local SageMaker: InvokeEndpoint, InvokeEndpointAsync; others fail with an error that names them |
| any other service | an error that names the service |
"""


def supported() -> dict[str, str]:
    """The operations of SageMaker that the classes of this folder answer, each with what it does."""
    found: dict[str, str] = {}
    by_method = {xform_name(operation): operation for operation in service_model().operation_names}
    for module in pkgutil.iter_modules(api.__path__, f"{api.__name__}."):
        for _, group in inspect.getmembers(import_module(module.name), inspect.isclass):
            if group.__module__ == module.name:
                for name, method in inspect.getmembers(group, inspect.isfunction):
                    if name in by_method:
                        found[by_method[name]] = (method.__doc__ or "").splitlines()[0]
    return dict(sorted(found.items()))


def page() -> str:
    """All operations of SageMaker that botocore knows, supported or refused, and who answers for other services."""
    known = supported()
    refused = [name for name in sorted(service_model().operation_names) if name not in known]
    lines = [f"- `{name}`: {what}" for name, what in known.items()]
    return (
        "\n".join(
            [
                "# Operations",
                "",
                "Written by `python -m local_sagemaker operations`; a test compares this page with the code.",
                "",
                f"## SageMaker: {len(known)} supported operations",
                "",
                *lines,
                "",
                f"## SageMaker: {len(refused)} unsupported operations, which fail with an error that names them",
                "",
                fill(", ".join(refused) + ".", 120, break_on_hyphens=False),
                "",
                "## Other services",
                "",
                OTHERS,
            ]
        ).rstrip()
        + "\n"
    )
