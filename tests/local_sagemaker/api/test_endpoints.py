"""Models, endpoint configurations and endpoints with real model processes behind them."""

import io
import json
import os
import signal
import tarfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_sagemaker.conftest import IMAGE, ROLE

HANDLERS = """
def model_fn(model_dir):
    return {word!r}
def input_fn(body, content_type):
    return body.decode() if isinstance(body, bytes) else body
def predict_fn(data, model):
    if data == "fail":
        raise ValueError("no prediction for that")
    return model + " " + data
def output_fn(prediction, accept):
    return prediction, "text/plain"
"""

VARIANT = {"VariantName": "main", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
CONCURRENCY = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
SERVERLESS = {"VariantName": "main", "ServerlessConfig": CONCURRENCY}
PROVISIONED = {"VariantName": "main", "ServerlessConfig": {**CONCURRENCY, "ProvisionedConcurrency": 1}}


CAPTURE = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://test-bucket/c",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


def make_model(sagemaker: Any, s3: Any, word: str, code: str = HANDLERS, role: str = ROLE) -> str:
    """A model that answers with a word of its own; `code` replaces its handlers."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        data = code.replace("{word!r}", repr(word)).encode()
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    s3.put_object(Bucket="test-bucket", Key=f"{word}/model.tar.gz", Body=stream.getvalue())
    name = f"model-{word}-{time.time_ns()}"
    container = {
        "Image": IMAGE,
        "ModelDataUrl": f"s3://test-bucket/{word}/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
    return name


@pytest.fixture
def model(sagemaker: Any, s3: Any) -> Callable[..., str]:
    """Makes models on the shared server."""
    return partial(make_model, sagemaker, s3)


def configure(sagemaker: Any, model_name: str, **fields: Any) -> str:
    """An endpoint configuration, with one variant unless others are given."""
    name = f"config-{time.time_ns()}"
    fields = {"ProductionVariants": [VARIANT], **fields}
    for kind in [key for key in fields if key.endswith("ProductionVariants")]:
        fields[kind] = [{"ModelName": model_name, **variant} for variant in fields[kind]]
    sagemaker.create_endpoint_config(EndpointConfigName=name, **fields)
    return name


def wait_for(condition: Callable[[], Any]) -> Any:
    """What the condition returns once that is something."""
    deadline = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def settle(sagemaker: Any, endpoint: str) -> dict[str, Any]:
    """The endpoint once it is not changing any more."""
    deadline = time.monotonic() + 30
    while True:
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=endpoint)
        if found["EndpointStatus"] not in ("Creating", "Updating"):
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ask(server: Any, endpoint: str, text: str) -> str:
    answer = server.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body=text.encode(), ContentType="text/plain"
    )
    assert answer["InvokedProductionVariant"] == "main"
    return str(answer["Body"].read().decode())


def test_an_endpoint_answers_with_its_model_and_an_update_with_the_next(
    server: Any, sagemaker: Any, model: Callable[..., str]
) -> None:
    sagemaker.create_endpoint(EndpointName="updated", EndpointConfigName=configure(sagemaker, model("first")))
    assert settle(sagemaker, "updated")["EndpointStatus"] == "InService"
    assert ask(server, "updated", "x") == "first x"
    second = configure(sagemaker, model("second"))
    sagemaker.update_endpoint(EndpointName="updated", EndpointConfigName=second)
    while sagemaker.describe_endpoint(EndpointName="updated")["EndpointStatus"] == "Updating":
        assert ask(server, "updated", "y") in ("first y", "second y")
    described = settle(sagemaker, "updated")
    assert described["EndpointConfigName"] == second
    assert described["ProductionVariants"][0]["VariantName"] == "main"
    assert ask(server, "updated", "z") == "second z"


def test_a_failed_update_leaves_the_old_model_serving_and_says_why(
    server: Any, sagemaker: Any, model: Callable[..., str]
) -> None:
    good = configure(sagemaker, model("good"))
    sagemaker.create_endpoint(EndpointName="kept", EndpointConfigName=good)
    settle(sagemaker, "kept")
    broken = configure(sagemaker, model("broken", "raise RuntimeError('cannot load')"))
    sagemaker.update_endpoint(EndpointName="kept", EndpointConfigName=broken)
    described = settle(sagemaker, "kept")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", good)
    assert "cannot load" in described["FailureReason"]
    assert ask(server, "kept", "x") == "good x"


def test_an_endpoint_whose_model_does_not_start_has_failed_and_says_why(
    server: Any, sagemaker: Any, model: Callable[..., str]
) -> None:
    config = configure(sagemaker, model("dead", "raise RuntimeError('cannot load')"))
    sagemaker.create_endpoint(EndpointName="dead", EndpointConfigName=config)
    described = settle(sagemaker, "dead")
    assert described["EndpointStatus"] == "Failed"
    assert "cannot load" in described["FailureReason"]
    with pytest.raises(ClientError, match="dead is Failed"):
        ask(server, "dead", "x")


def test_the_models_error_reaches_the_client_as_a_model_error(
    server: Any, sagemaker: Any, model: Callable[..., str]
) -> None:
    sagemaker.create_endpoint(EndpointName="errors", EndpointConfigName=configure(sagemaker, model("errors")))
    settle(sagemaker, "errors")
    with pytest.raises(ClientError) as caught:
        ask(server, "errors", "fail")
    response = caught.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 500
    assert "no prediction for that" in response["OriginalMessage"]
    group, stream = response["LogStreamArn"].partition(":log-group:")[2].split(":log-stream:")
    events = server.client("logs").get_log_events(logGroupName=group, logStreamName=stream)["events"]
    assert any("no prediction for that" in event["message"] for event in events)


def test_a_deleted_endpoint_is_gone_with_its_processes(server: Any, sagemaker: Any, model: Callable[..., str]) -> None:
    sagemaker.create_endpoint(EndpointName="deleted", EndpointConfigName=configure(sagemaker, model("deleted")))
    settle(sagemaker, "deleted")
    sagemaker.delete_endpoint(EndpointName="deleted")
    with pytest.raises(ClientError, match="not found"):
        ask(server, "deleted", "x")
    with pytest.raises(ClientError, match="Could not find endpoint"):
        sagemaker.describe_endpoint(EndpointName="deleted")


def test_what_hosting_cannot_do_is_refused_by_name(sagemaker: Any, model: Callable[..., str]) -> None:
    with pytest.raises(ClientError, match="does not support provisioned concurrency"):
        configure(sagemaker, model("any"), ProductionVariants=[PROVISIONED])


def test_custom_attributes_that_the_model_sets_reach_the_client(
    server: Any, sagemaker: Any, model: Callable[..., str]
) -> None:
    answer = 'werkzeug.Response(prediction, headers={"X-Amzn-SageMaker-Custom-Attributes": "trace=1"})'
    code = "import werkzeug\n" + HANDLERS.replace('return prediction, "text/plain"', f"return {answer}")
    sagemaker.create_endpoint(EndpointName="tracing", EndpointConfigName=configure(sagemaker, model("tracing", code)))
    settle(sagemaker, "tracing")
    runtime = server.client("sagemaker-runtime")
    response = runtime.invoke_endpoint(EndpointName="tracing", Body=b"x", ContentType="text/plain")
    assert (response["CustomAttributes"], response["Body"].read()) == ("trace=1", b"tracing x")


def test_variants_weights_and_data_capture_through_updates(
    server: Any, sagemaker: Any, s3: Any, model: Callable[..., str]
) -> None:
    main, other = {**VARIANT, "InitialVariantWeight": 1}, {**VARIANT, "VariantName": "other", "InitialVariantWeight": 0}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://test-bucket/captured",
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/plain"]},
    }
    name, captured = model("weighted"), {"DataCaptureConfig": capture}
    first = configure(sagemaker, name, ProductionVariants=[main, other], **captured)
    sagemaker.create_endpoint(EndpointName="weighted", EndpointConfigName=first)
    pending = sagemaker.describe_endpoint(EndpointName="weighted").get("PendingDeploymentSummary")
    assert pending is None or pending["EndpointConfigName"] == first
    with pytest.raises(ClientError, match="in-progress endpoint"):
        sagemaker.delete_endpoint(EndpointName="weighted")
    described = settle(sagemaker, "weighted")
    assert "PendingDeploymentSummary" not in described
    assert [variant["CurrentWeight"] for variant in described["ProductionVariants"]] == [1, 0]
    assert described["ProductionVariants"][0]["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    summary = {"EnableCapture": True, "CaptureStatus": "Started", "CurrentSamplingPercentage": 100}
    assert described["DataCaptureConfig"].items() >= summary.items()

    runtime = server.client("sagemaker-runtime")
    request = {"EndpointName": "weighted", "Body": b"x", "ContentType": "text/plain"}
    answer = runtime.invoke_endpoint(**request, TargetVariant="other", CustomAttributes="c=1", InferenceId="id-7")
    assert (answer["InvokedProductionVariant"], answer["ContentType"]) == ("other", "text/plain")
    keys = wait_for(lambda: s3.list_objects_v2(Bucket="test-bucket", Prefix="captured/weighted/other/").get("Contents"))
    event = json.loads(s3.get_object(Bucket="test-bucket", Key=keys[0]["Key"])["Body"].read())
    assert event["captureData"]["endpointInput"]["data"] == "x"
    assert event["captureData"]["endpointOutput"]["data"] == "weighted x"
    metadata = event["eventMetadata"]
    assert (metadata["customAttributes"], metadata["inferenceId"]) == (["c=1"], "id-7")

    desired = [{"VariantName": "main", "DesiredWeight": 0}, {"VariantName": "other", "DesiredWeight": 3}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName="weighted", DesiredWeightsAndCapacities=desired)
    assert runtime.invoke_endpoint(**request)["InvokedProductionVariant"] == "other"
    second = configure(sagemaker, name, ProductionVariants=[main, other])
    sagemaker.update_endpoint(EndpointName="weighted", EndpointConfigName=second, RetainAllVariantProperties=True)
    described = settle(sagemaker, "weighted")
    assert [variant["CurrentWeight"] for variant in described["ProductionVariants"]] == [0, 3]
    assert "DataCaptureConfig" not in described
    assert runtime.invoke_endpoint(**request)["InvokedProductionVariant"] == "other"
    sagemaker.update_endpoint(
        EndpointName="weighted",
        EndpointConfigName=first,
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    described = settle(sagemaker, "weighted")
    assert [variant["CurrentWeight"] for variant in described["ProductionVariants"]] == [1, 0]
    assert described["DataCaptureConfig"]["CaptureStatus"] == "Started"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"InferenceComponentName": "part"}, "inference components"),
        ({"TargetContainerHostname": "second"}, "direct invocation of containers"),
        ({"SessionId": "NEW_SESSION"}, "stateful sessions"),
    ],
)
def test_an_invocation_of_what_is_not_there_is_refused_by_name(
    server: Any, arguments: dict[str, str], words: str
) -> None:
    with pytest.raises(ClientError, match=f"does not support {words}"):
        server.client("sagemaker-runtime").invoke_endpoint(EndpointName="any", Body=b"1", **arguments)


def test_streams_are_refused_by_name(server: Any) -> None:
    runtime = server.client("sagemaker-runtime")
    with pytest.raises(ClientError, match="does not support the operation InvokeEndpointWithResponseStream"):
        runtime.invoke_endpoint_with_response_stream(EndpointName="any", Body=b"1")


def test_a_multi_model_endpoint_answers_with_the_model_that_a_request_names(
    server: Any, sagemaker: Any, s3: Any, model: Callable[..., str]
) -> None:
    single = sagemaker.describe_model(ModelName=model("many"))["PrimaryContainer"]
    container = {**single, "Mode": "MultiModel", "ModelDataUrl": "s3://test-bucket/many/"}
    sagemaker.create_model(ModelName="many", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    sagemaker.create_endpoint(EndpointName="many", EndpointConfigName=configure(sagemaker, "many"))
    assert settle(sagemaker, "many")["EndpointStatus"] == "InService"
    runtime = server.client("sagemaker-runtime")
    request = {"EndpointName": "many", "Body": b"x", "ContentType": "text/plain"}
    assert runtime.invoke_endpoint(**request, TargetModel="model.tar.gz")["Body"].read() == b"many x"
    for target, words in (({}, "missing a target model"), ({"TargetModel": "none"}, "Failed to download model data")):
        with pytest.raises(ClientError, match=words) as refused:
            runtime.invoke_endpoint(**request, **target)
        assert refused.value.response["Error"]["Code"] == "ValidationError"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ModelDataUrl": None}, "needs ModelDataUrl"),
        ({"Mode": "SingleModel", "MultiModelConfig": {"ModelCacheSetting": "Disabled"}}, "with the Mode MultiModel"),
        ({"ModelPackageName": "p", "Image": None}, "takes no ModelPackageName"),
    ],
)
def test_a_multi_model_container_without_a_prefix_is_refused(
    sagemaker: Any, changes: dict[str, Any], words: str
) -> None:
    container = {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": "s3://test-bucket/any/", **changes}
    given = {key: value for key, value in container.items() if value is not None}
    with pytest.raises(ClientError, match=words):
        sagemaker.create_model(ModelName="refused", PrimaryContainer=given, ExecutionRoleArn=ROLE)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ProductionVariants": [SERVERLESS]}, "Serverless variants do not support multi-model"),
        ({"ShadowProductionVariants": [{**VARIANT, "VariantName": "s"}]}, "do not support shadows"),
        (
            {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://test-bucket/a"}}},
            "do not support asynchronous endpoints",
        ),
    ],
)
def test_what_the_service_does_not_have_for_multi_model_containers_is_refused(
    sagemaker: Any, fields: dict[str, Any], words: str
) -> None:
    name = f"models-{time.time_ns()}"
    container = {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": "s3://test-bucket/any/"}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    with pytest.raises(ClientError, match=words):
        configure(sagemaker, name, **fields)
    with pytest.raises(ClientError, match="batch transform does not support it"):
        sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=name,
            TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://test-bucket/i"}}},
            TransformOutput={"S3OutputPath": "s3://test-bucket/o"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ProductionVariants": [{**SERVERLESS, "InitialInstanceCount": 1}]}, "may not have InitialInstanceCount"),
        (
            {
                "ProductionVariants": [
                    {"VariantName": "main", "ServerlessConfig": {**CONCURRENCY, "MemorySizeInMB": 1500}}
                ]
            },
            "multiple of 1024",
        ),
        (
            {
                "ProductionVariants": [VARIANT, {**VARIANT, "VariantName": "other"}],
                "ShadowProductionVariants": [{**VARIANT, "VariantName": "shadow"}],
            },
            "one production variant",
        ),
        ({"ShadowProductionVariants": [VARIANT]}, "must differ: main, main"),
        ({"ProductionVariants": [SERVERLESS, {**VARIANT, "VariantName": "other"}]}, "must be the only variant"),
        ({"ProductionVariants": [SERVERLESS], "DataCaptureConfig": CAPTURE}, "do not support data capture"),
    ],
)
def test_a_configuration_that_the_service_refuses(
    sagemaker: Any, model: Callable[..., str], fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=words):
        configure(sagemaker, model("any"), **fields)


def test_a_model_of_two_containers_is_a_serial_pipeline(server: Any, sagemaker: Any, model: Callable[..., str]) -> None:
    containers = [sagemaker.describe_model(ModelName=model(word))["PrimaryContainer"] for word in ("inner", "outer")]
    sagemaker.create_model(ModelName="serial", Containers=containers, ExecutionRoleArn=ROLE)
    sagemaker.create_endpoint(EndpointName="serial", EndpointConfigName=configure(sagemaker, "serial"))
    settle(sagemaker, "serial")
    assert ask(server, "serial", "x") == "outer inner x"


def test_an_endpoint_does_not_unpack_a_model_that_leaves_its_folder(server: Any, sagemaker: Any, s3: Any) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../../../../escaped-model"))
    name = make_model(sagemaker, s3, "unsafe")
    s3.put_object(Bucket="test-bucket", Key="unsafe/model.tar.gz", Body=stream.getvalue())
    sagemaker.create_endpoint(EndpointName="unsafe", EndpointConfigName=configure(sagemaker, name))
    described = settle(sagemaker, "unsafe")
    assert described["EndpointStatus"] == "Failed"
    assert "its member '../../../../../escaped-model' leaves the folder" in described["FailureReason"]
    assert not list(server.state.rglob("escaped-model"))


def test_a_model_that_dies_is_a_model_error_and_the_endpoint_tells_of_it(
    server: Any, sagemaker: Any, model: Callable[..., str]
) -> None:
    mortal = HANDLERS.replace("    if data", "    if data == 'die': import os; os._exit(3)\n    if data")
    config = configure(sagemaker, model("mortal", mortal))
    sagemaker.create_endpoint(EndpointName="mortal", EndpointConfigName=config)
    settle(sagemaker, "mortal")
    with pytest.raises(ClientError) as caught:
        ask(server, "mortal", "die")
    assert (caught.value.response["Error"]["Code"], caught.value.response["OriginalStatusCode"]) == ("ModelError", 0)
    described = wait_for(
        lambda: (found := sagemaker.describe_endpoint(EndpointName="mortal")).get("FailureReason") and found
    )
    assert "main died (exit code 3) and is started again" in described["FailureReason"]
    assert described["EndpointStatus"] == "InService"
    assert ask(server, "mortal", "x") == "mortal x"


def test_a_kill_of_the_server_delays_a_creation_and_undoes_an_update(new_server: Callable[[], Any]) -> None:
    server = new_server()
    pid = server.up().pid
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    s3.create_bucket(Bucket="test-bucket")
    slow = HANDLERS.replace("return {word!r}", "import time; time.sleep(1.5); return {word!r}")
    first = configure(sagemaker, make_model(sagemaker, s3, "slow", slow))
    second = configure(sagemaker, make_model(sagemaker, s3, "next", slow))
    sagemaker.create_endpoint(EndpointName="halfway", EndpointConfigName=first)
    os.kill(pid, signal.SIGKILL)
    pid = server.up().pid
    assert settle(sagemaker, "halfway")["EndpointStatus"] == "InService"
    sagemaker.update_endpoint(EndpointName="halfway", EndpointConfigName=second)
    os.kill(pid, signal.SIGKILL)
    server.up()
    described = settle(sagemaker, "halfway")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", first)
    assert described["FailureReason"] == f"Local SageMaker stopped during the update to {second}."
    assert ask(server, "halfway", "x") == "slow x"


def test_what_serves_does_not_need_its_configuration_and_model_any_more(
    new_server: Callable[[], Any],
) -> None:
    server = new_server()
    server.up()
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    s3.create_bucket(Bucket="test-bucket")
    model = make_model(sagemaker, s3, "orphan")
    config = configure(sagemaker, model)
    sagemaker.create_endpoint(EndpointName="orphan", EndpointConfigName=config)
    settle(sagemaker, "orphan")
    sagemaker.delete_endpoint_config(EndpointConfigName=config)
    sagemaker.delete_model(ModelName=model)
    server.down()
    server.up()
    assert settle(sagemaker, "orphan")["EndpointStatus"] == "InService"
    assert ask(server, "orphan", "x") == "orphan x"


def test_a_model_that_does_not_exist_is_named(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match=r'Could not find model "arn:.*:model/nothing"'):
        configure(sagemaker, "nothing")


def test_endpoints_serve_again_after_a_kill_of_the_server(new_server: Callable[[], Any]) -> None:
    server = new_server()
    pid = server.up().pid
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    s3.create_bucket(Bucket="test-bucket")
    config = configure(sagemaker, make_model(sagemaker, s3, "again"))
    sagemaker.create_endpoint(EndpointName="again", EndpointConfigName=config)
    settle(sagemaker, "again")
    os.kill(pid, signal.SIGKILL)
    server.up()
    assert settle(sagemaker, "again")["EndpointStatus"] == "InService"
    assert ask(server, "again", "x") == "again x"
