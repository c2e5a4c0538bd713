"""The operations of Lambda that the SDK's helper and pipelines use, by their names in its API.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
"""

import base64
import importlib.util
import re
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.errors import ServiceError, unsupported
from local_sagemaker.functions.code import Read, archive_of, digest, refused, unpacked
from local_sagemaker.handlers.handlers import HandlerCall, HandlerFailed
from local_sagemaker.processes.log_events import append_line
from local_sagemaker.state.record_kinds import FUNCTION, FUNCTION_CODE
from local_sagemaker.state.record_types import Document
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.wire.identity import role_key

PROCESS = Path(__file__).with_name("function_process.py")
NAMED = re.compile(
    r"(arn:[\w-]+:lambda:(?P<region>[\w-]+):\d{12}:function:|\d{12}:function:)?(?P<name>[\w-]{1,64})"
    r"(:(?P<qualifier>[\w$-]+))?"
)
PYTHON = re.compile(r"python3\.\d+")
LATEST = "$LATEST"
REFUSED = (
    *("CapacityProviderConfig", "CodeSigningConfigArn", "DeadLetterConfig", "DurableConfig", "FileSystemConfigs"),
    *("ImageConfig", "Layers", "Publish", "PublishTo", "SnapStart", "TenancyConfig"),
)
LIMITS = {"Timeout": (1, 900), "MemorySize": (128, 10240)}  # seconds, MB
CHANGEABLE = ("Role", "Handler", "Description", "Timeout", "MemorySize", "VpcConfig", "Runtime", "KMSKeyArn")
WITHOUT_EFFECT = ("VpcConfig", "KMSKeyArn", "TracingConfig", "LoggingConfig")


class Functions:
    """Keeps functions and calls them; `read` reads an object of S3, `code` and `logs` are folders."""

    def __init__(self, records: Records, read: Read, code: Path, logs: Path, environment: Mapping[str, str]) -> None:
        self._records = records
        self._read = read
        self._code = code
        self._logs = logs
        self._environment = environment

    def create_function(self, request: Request, caller: Caller) -> Document:
        """Keep a new function."""
        _refuse_unsupported(request)
        name = _named(request["FunctionName"], caller)
        if not request.get("Handler") or not request.get("Runtime"):
            raise refused(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
        archive = archive_of(request["Code"], self._read)
        function = {
            "Description": "",
            "Timeout": 3,
            "MemorySize": 128,
            **{key: value for key, value in request.items() if key not in ("Code", "Tags", "Environment", "VpcConfig")},
            **({"VpcConfig": request["VpcConfig"]} if request.get("VpcConfig") else {}),
            "FunctionName": name,
            "FunctionArn": f"arn:aws:lambda:{caller.region}:{caller.account}:function:{name}",
            "Environment": request.get("Environment", {}),
            "Tags": request.get("Tags", {}),
            "PackageType": "Zip",
            "Architectures": request.get("Architectures") or ["x86_64"],
            "Version": LATEST,
            "State": "Active",
            "LastUpdateStatus": "Successful",
            **_described(archive),
        }
        with self._records.lock:
            if not self._records.create(FUNCTION, f"{caller.region}/{name}", function):
                raise ServiceError("ResourceConflictException", f"Function already exist: {name}", 409)
            self._keep(caller.region, name, archive)
        return function

    def update_function_code(self, request: Request, caller: Caller) -> Document:
        """Replace the code of a function."""
        _refuse_unsupported(request)
        function = self._function(request["FunctionName"], caller)
        archive = archive_of(request, self._read)
        if request.get("DryRun"):
            return {**function, **_described(archive)}
        with self._records.lock:
            self._keep(caller.region, function["FunctionName"], archive)
            return self._change(function, caller, _described(archive))

    def update_function_configuration(self, request: Request, caller: Caller) -> Document:
        """Change what a request names of a function."""
        _refuse_unsupported(request)
        changes = {key: request[key] for key in (*CHANGEABLE, "Environment") if key in request}
        return self._change(self._function(request["FunctionName"], caller), caller, {**changes, **_revision()})

    def get_function(self, request: Request, caller: Caller) -> Document:
        """A function, with its tags."""
        function = self._function(request["FunctionName"], caller)
        return {"Configuration": function, "Code": {"RepositoryType": "S3"}, "Tags": function["Tags"] or None}

    def get_function_configuration(self, request: Request, caller: Caller) -> Document:
        """A function."""
        return self._function(request["FunctionName"], caller)

    def list_functions(self, request: Request, caller: Caller) -> Document:  # noqa: ARG002 - as every operation
        """All functions of a region, on one page."""
        return {"Functions": self._records.all(FUNCTION, prefix=f"{caller.region}/")}

    def delete_function(self, request: Request, caller: Caller) -> Document:
        """Forget a function; its log stays."""
        name = self._function(request["FunctionName"], caller)["FunctionName"]
        with self._records.lock:
            self._records.delete(FUNCTION, f"{caller.region}/{name}")
            self._records.delete(FUNCTION_CODE, f"{caller.region}/{name}")
        return {}

    def has(self, arn: str) -> bool:
        """Whether an ARN, with or without a version, is that of a function here."""
        found = NAMED.fullmatch(arn)
        return found is not None and self._records.get(FUNCTION, f"{found['region']}/{found['name']}") is not None

    def described(self, name: str, caller: Caller) -> Document:
        """A function by its name or ARN; ServiceError where there is none."""
        return self._function(name, caller)

    def call(self, arn: str, log: Path) -> HandlerCall:
        """Start a call of a function by its ARN; its result is waited for."""
        found = NAMED.fullmatch(arn)
        key = f"{found['region']}/{found['name']}" if found else ""
        function, code = self._records.get(FUNCTION, key), self._records.get(FUNCTION_CODE, key)
        if function is None or code is None:
            raise ServiceError("ResourceNotFoundException", f"Function not found: {arn}", 404)
        folder = unpacked(base64.b64decode(code["Zip"]), self._code)
        log.parent.mkdir(parents=True, exist_ok=True)
        for line in _differences(function):
            append_line(log, line)
        words = [sys.executable, "-I", "-S", str(PROCESS), str(folder), function["Handler"], str(function["Timeout"])]
        return HandlerCall(f"function {function['FunctionName']}", [*words, _packages()], folder, log, {
            **self._environment,
            **function["Environment"].get("Variables", {}),
            "AWS_ACCESS_KEY_ID": role_key(function["Role"], function["FunctionName"]),
            "AWS_LAMBDA_FUNCTION_NAME": function["FunctionName"],
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_VERSION": LATEST,
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function['FunctionName']}",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function['Runtime']}",
            "LAMBDA_TASK_ROOT": str(folder),
            "_HANDLER": function["Handler"],
        })  # fmt: skip

    def invoke(self, function: Document, event: Any) -> tuple[Document, Path]:
        """Call a function and wait: its result or its error, and its log."""
        identity = str(uuid.uuid4())
        log = self._logs / function["FunctionName"] / f"{identity}.log"
        try:
            return self.call(function["FunctionArn"], log).answer(event, context_of(function, identity)), log
        except HandlerFailed as error:
            return {"error": f"Runtime.ExitError: {error}"}, log

    def _function(self, name: str, caller: Caller) -> Document:
        plain = _named(name, caller)
        found = self._records.get(FUNCTION, f"{caller.region}/{plain}")
        if found is None:
            arn = f"arn:aws:lambda:{caller.region}:{caller.account}:function:{plain}"
            raise ServiceError("ResourceNotFoundException", f"Function not found: {arn}", 404)
        return found

    def _keep(self, region: str, name: str, archive: bytes) -> None:
        self._records.put(FUNCTION_CODE, f"{region}/{name}", {"Zip": base64.b64encode(archive).decode()})

    def _change(self, function: Document, caller: Caller, changes: Document) -> Document:
        return self._records.update(FUNCTION, f"{caller.region}/{function['FunctionName']}", changes)


def context_of(function: Document, identity: str) -> Document:
    """The plain fields of the context of a call."""
    name = function["FunctionName"]
    return {
        "function_name": name,
        "function_version": LATEST,
        "invoked_function_arn": function["FunctionArn"],
        "memory_limit_in_mb": str(function["MemorySize"]),
        "aws_request_id": identity,
        "log_group_name": f"/aws/lambda/{name}",
        "log_stream_name": identity,
    }


def _named(text: str, caller: Caller) -> str:
    """The name in a name, a partial ARN or an ARN of this region."""
    found = NAMED.fullmatch(text)
    if found is None:
        raise refused(f"{text!r} is not the name or the ARN of a function.")
    if found["qualifier"] not in (None, LATEST) or found["region"] not in (None, caller.region):
        raise ServiceError("ResourceNotFoundException", f"Function not found: {text}", 404)
    return found["name"]


def _refuse_unsupported(request: Request) -> None:
    asked = [name for name in REFUSED if request.get(name)]
    if asked:
        raise unsupported(f"{', '.join(asked)} of a function")
    if request.get("PackageType", "Zip") != "Zip":
        raise unsupported("functions from container images (PackageType Image): give a zip archive of Python")
    for name, (least, most) in LIMITS.items():
        if not least <= request.get(name, least) <= most:
            raise refused(f"{name} is {request[name]}: it is {least} to {most}.")
    if request.get("Runtime") and not PYTHON.fullmatch(request["Runtime"]):
        raise unsupported(f"the runtime {request['Runtime']} of a function: it has Python only, such as python3.12")


def _described(archive: bytes) -> Document:
    return {"CodeSize": len(archive), "CodeSha256": digest(archive), **_revision()}


def _revision() -> Document:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime())
    return {"LastModified": moment, "RevisionId": str(uuid.uuid4())}


def _differences(function: Document) -> list[str]:
    """What of a function is otherwise here than on Lambda, a line each."""
    found = [name for name in WITHOUT_EFFECT if function.get(name)]
    lines = [f"warning: {name} has no effect on this machine" for name in [*found, "MemorySize"]]
    here = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return lines + (
        [f"warning: the runtime is {function['Runtime']}, and this runs on {here}"] * (function["Runtime"] != here)
    )


def _packages() -> str:
    """The folder that this server's boto3 is in."""
    spec = importlib.util.find_spec("boto3")
    return str(Path(spec.origin).parents[1]) if spec is not None and spec.origin else ""
