"""Functions of Lambda: created, called by clients, steps and rules, and refused where Lambda or this machine does."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import BUCKET, LocalServer, kill
from tests.local_sagemaker.conftest import ROLE, Pipelines

ARN = "arn:aws:lambda:us-east-1:000000000000:function"


def zipped(**files: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return stream.getvalue()


@pytest.fixture(name="functions", scope="module")
def functions_fixture(server: LocalServer) -> Any:
    return server.client("lambda")


def create(functions: Any, name: str, body: str, **fields: Any) -> dict[str, Any]:
    code = {"ZipFile": zipped(index=f"import time\ndef handler(event, context):\n    {body}\n")}
    given = {"Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE, "Code": code, "Timeout": 30, **fields}
    made: dict[str, Any] = functions.create_function(FunctionName=name, **given)
    return made


def invoke(functions: Any, name: str, event: Any = None) -> tuple[Any, str | None]:
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    return json.loads(answer["Payload"].read()), answer.get("FunctionError")


def test_a_function_is_called_with_its_event_its_context_and_its_variables(functions: Any) -> None:
    body = "import os; left = context.get_remaining_time_in_millis()\n"
    body += "    return [event, context.function_name, os.environ['WORD'], 0 < left <= 30_000]"
    made = create(functions, "called", body, Environment={"Variables": {"WORD": "hello"}})
    assert (made["FunctionArn"], made["State"], made["Version"]) == (f"{ARN}:called", "Active", "$LATEST")
    assert invoke(functions, "called", {"a": 1}) == ([{"a": 1}, "called", "hello", True], None)
    assert invoke(functions, f"{ARN}:called:$LATEST", 2) == ([2, "called", "hello", True], None)


@pytest.mark.parametrize(
    ("handler", "kind", "message"),
    [
        ("none.handler", "Runtime.ImportModuleError", "Unable to import module 'none': No module named 'none'"),
        ("index.none", "Runtime.HandlerNotFound", "Handler 'none' missing on module 'index'"),
        ("handler", "Runtime.MalformedHandlerName", "Bad handler 'handler': it is module.function"),
    ],
)
def test_a_handler_that_is_not_there_is_told_as_lambda_tells_it(
    functions: Any, handler: str, kind: str, message: str
) -> None:
    name = f"no-{kind.rpartition('.')[2]}"
    create(functions, name, "return 1", Handler=handler)
    assert invoke(functions, name) == ({"errorMessage": message, "errorType": kind}, "Unhandled")


def test_a_function_that_ends_its_process_is_an_error(functions: Any) -> None:
    create(functions, "exits", "import os; os._exit(3)")
    said, error = invoke(functions, "exits")
    assert (said["errorType"], error) == ("Runtime.ExitError", "Unhandled")
    assert "ended with exit code 3" in said["errorMessage"]


def test_a_version_that_nobody_has_published_is_not_found(functions: Any) -> None:
    create(functions, "versions", "return 1")
    for call in (functions.invoke, functions.get_function):
        with pytest.raises(functions.exceptions.ResourceNotFoundException, match="Function not found: versions:3"):
            call(FunctionName="versions", Qualifier="3")


def test_changed_code_and_configuration_count_from_the_next_call_on(functions: Any, s3: Any) -> None:
    before = create(functions, "changed", "return 1")
    s3.put_object(Bucket=BUCKET, Key="code.zip", Body=zipped(other="def run(event, context):\n    return 2\n"))
    after = functions.update_function_code(FunctionName="changed", S3Bucket=BUCKET, S3Key="code.zip")
    assert after["CodeSha256"] != before["CodeSha256"]
    functions.update_function_configuration(FunctionName="changed", Handler="other.run", Description="new")
    assert invoke(functions, "changed") == (2, None)
    assert functions.get_function(FunctionName="changed")["Configuration"]["Description"] == "new"


@pytest.mark.parametrize(
    ("body", "message", "kind"),
    [
        ("raise ValueError('no: rows')", "no: rows", "ValueError"),
        ("import pandas", "No module named 'pandas'", "ModuleNotFoundError"),  # nor has Lambda's Python
        ("time.sleep(9)", "Task timed out after 1.00 seconds", "Sandbox.Timedout"),
        ("return {1, 2}", "Object of type set is not JSON serializable", "TypeError"),
    ],
)
def test_what_goes_wrong_in_a_function_is_its_answer(functions: Any, body: str, message: str, kind: str) -> None:
    name = f"fails-{kind.replace('.', '-')}"
    create(functions, name, body, Timeout=1 if "sleep" in body else 30)
    assert invoke(functions, name) == ({"errorMessage": message, "errorType": kind}, "Unhandled")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Runtime": "nodejs22.x"}, "does not support the runtime nodejs22.x of a function: it has Python only"),
        ({"Layers": [f"{ARN.replace('function', 'layer')}:l:1"]}, "does not support Layers of a function"),
        ({"PackageType": "Image"}, "does not support functions from container images"),
        ({"Code": {"ZipFile": b"no zip"}}, "Could not unzip uploaded file"),
        ({"Code": {"ZipFile": zipped()}}, "Uploaded file must be a non-empty zip"),
        ({"Code": {"S3Bucket": BUCKET, "S3Key": "missing.zip"}}, "There is no object s3://test-bucket/missing.zip"),
        ({"Code": {}}, "Please provide a source for function code"),
        ({"Timeout": 901}, "Timeout is 901: it is 1 to 900"),
        ({"MemorySize": 10241}, "MemorySize is 10241: it is 128 to 10240"),
    ],
)
def test_what_is_no_function_here_is_refused(functions: Any, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        create(functions, "refused", "return 1", **fields)
    assert "refused" not in [each["FunctionName"] for each in functions.list_functions()["Functions"]]


def test_a_name_is_taken_once_and_free_again_after_the_function_is_deleted(functions: Any) -> None:
    create(functions, "once", "return 1")
    with pytest.raises(functions.exceptions.ResourceConflictException, match="Function already exist: once"):
        create(functions, "once", "return 1")
    functions.delete_function(FunctionName="once")
    with pytest.raises(functions.exceptions.ResourceNotFoundException, match=f"Function not found: {ARN}:once"):
        functions.invoke(FunctionName="once")
    create(functions, "once", "return 2")
    assert invoke(functions, "once") == (2, None)


def test_an_operation_that_is_not_here_is_named(functions: Any) -> None:
    with pytest.raises(ClientError, match="does not support the operation PublishVersion of Lambda"):
        functions.publish_version(FunctionName="any")


def test_a_lambda_step_calls_the_function_and_hands_on_what_it_returns(functions: Any, pipelines: Pipelines) -> None:
    create(functions, "step", "return {'total': event['rows'] * 2}")
    count = {
        "Name": "Count",
        "Type": "Lambda",
        "FunctionArn": f"{ARN}:step",
        "Arguments": {"rows": 21},
        "OutputParameters": [{"OutputName": "total", "OutputType": "Integer"}],
    }
    total = {"Get": "Steps.Count.OutputParameters['total']"}
    show = {"Name": "Show", "Type": "Fail", "Arguments": {"ErrorMessage": {"Std:Join": {"On": "", "Values": [total]}}}}
    arn = pipelines.run(pipelines.create(count, show))["PipelineExecutionArn"]
    assert pipelines.steps(arn)["Show"]["FailureReason"] == "42"


def test_a_rule_starts_a_function_whose_log_is_lambdas(
    functions: Any, server: LocalServer, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    create(functions, "ruled", "print('saw', event['detail']['word'])")
    events, logs = server.client("events"), server.client("logs")
    events.put_rule(Name="ruled", EventPattern=json.dumps({"source": ["own"]}))
    events.put_targets(Rule="ruled", Targets=[{"Id": "1", "Arn": f"{ARN}:ruled"}])
    events.put_events(Entries=[{"Source": "own", "DetailType": "t", "Detail": json.dumps({"word": "hello"})}])

    def seen() -> bool:
        try:
            found = logs.filter_log_events(logGroupName="/aws/lambda/ruled")["events"]
        except ClientError:  # the group comes with the first call
            return False
        return any(each["message"] == "saw hello" for each in found)

    wait_until(seen)


def test_a_function_survives_a_kill(new_server: Callable[[], LocalServer]) -> None:
    server = new_server()
    started = server.up()
    create(server.client("lambda"), "kept", "return 1")
    kill(started.pid)
    server.up()
    assert invoke(server.client("lambda"), "kept") == (1, None)
