"""A state folder with something of everything, and all that a client can see of it.

format_1.tar.xz is what `fill` made on a server of commit d83b7ea, stopped afterwards: the state as it was
before it had a format number.
"""

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Client = Callable[[str], Any]
PART = 5 << 20
UNICODE = "ordner/zwölf & drei+eins %25 \U0001f3e0"
IMAGE = "public.ecr.aws/docker/library/python:3"
ROLE = "arn:aws:iam::000000000000:role/jobs"
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
VARIANT = {"VariantName": "main", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large", "ModelName": "model"}
QUEUE = "arn:aws:sqs:us-east-1:000000000000:queue"
PROGRAM = b"""
def model_fn(model_dir):
    return "model"
def input_fn(body, content_type):
    return body.decode() if isinstance(body, bytes) else body
def predict_fn(data, model):
    return model + " of " + data
def output_fn(prediction, accept):
    return prediction, "text/plain"
"""
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)
SETTINGS = (
    "accelerate_configuration",
    "acl",
    "cors",
    "encryption",
    "lifecycle_configuration",
    "logging",
    "notification_configuration",
    "ownership_controls",
    "policy",
    "replication",
    "request_payment",
    "tagging",
    "versioning",
    "website",
    "inventory_configuration",
)


def fill(client: Client) -> None:
    """Make something of everything."""
    _fill_buckets(client("s3"), client("sqs"))
    _fill_objects(client("s3"))
    _fill_small_services(client)
    _fill_registry(client("sagemaker"))
    _fill_endpoint(client("sagemaker"), client("s3"))
    _fill_jobs(client("sagemaker"))


def seen(client: Client) -> dict[str, Any]:
    """All that a client can see of what `fill` has made."""
    return {**_seen_objects(client("s3")), **_seen_small_services(client), **_seen_sagemaker(client)}


def require_all(client: Client, before: dict[str, Any]) -> None:
    """Everything is as it was; a start may have put events of endpoints that came back into the queue."""
    now, counted = seen(client), "ApproximateNumberOfMessages"
    assert int(now["messages"][counted]) >= int(before["messages"][counted])
    assert {**now, "messages": before["messages"]} == before


def _fill_buckets(s3: Any, sqs: Any) -> None:
    """Every setting of a bucket; logging is switched off again, or each reading would add an object."""
    sqs.create_queue(QueueName="queue")
    for operation, arguments in json.loads((Path(__file__).parent / "buckets.json").read_text()):
        getattr(s3, operation)(**arguments)


def _fill_objects(s3: Any) -> None:
    for body in (b"first", b"second"):
        s3.put_object(Bucket="versioned", Key="two", Body=body, Tagging="a=b&c=d", Metadata={"Who": "me"})
    s3.put_object(Bucket="versioned", Key="deleted", Body=b"x")
    s3.delete_object(Bucket="versioned", Key="deleted")
    s3.delete_object(Bucket="versioned", Key="deleted")
    s3.put_object(
        Bucket="plain",
        Key=UNICODE,
        Body=b"unicode",
        ContentType="text/plain",
        CacheControl="no-cache",
        ACL="public-read",
        StorageClass="GLACIER",
        ChecksumAlgorithm="SHA256",
        WebsiteRedirectLocation="/elsewhere",
    )
    s3.restore_object(Bucket="plain", Key=UNICODE, RestoreRequest={"Days": 2})
    s3.put_object(Bucket="plain", Key="told/1", Body=b"")
    s3.put_object(Bucket="locked", Key="kept", Body=b"kept", ObjectLockLegalHoldStatus="ON")
    s3.put_object_acl(Bucket="locked", Key="kept", ACL="authenticated-read")
    done = s3.create_multipart_upload(Bucket="plain", Key="parts", ChecksumAlgorithm="CRC32")["UploadId"]
    parts = []
    for number, size in ((1, PART), (2, 10)):
        sent = s3.upload_part(Bucket="plain", Key="parts", UploadId=done, PartNumber=number, Body=b"%d" % number * size)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    s3.complete_multipart_upload(Bucket="plain", Key="parts", UploadId=done, MultipartUpload={"Parts": parts})
    s3.copy_object(Bucket="plain", Key="copy", CopySource={"Bucket": "plain", "Key": "parts"})
    later = s3.create_multipart_upload(
        Bucket="plain", Key="later", Metadata={"m": "1"}, Tagging="t=u", ServerSideEncryption="aws:kms", SSEKMSKeyId="k"
    )["UploadId"]
    for number in (1, 3):
        s3.upload_part(Bucket="plain", Key="later", UploadId=later, PartNumber=number, Body=b"%d" % number * PART)


def _fill_small_services(client: Client) -> None:
    iam, sqs, events = client("iam"), client("sqs"), client("events")
    iam.create_role(RoleName="jobs", AssumeRolePolicyDocument=POLICY)
    iam.put_role_policy(RoleName="jobs", PolicyName="inline", PolicyDocument=POLICY)
    iam.create_user(UserName="somebody")
    queue = sqs.get_queue_url(QueueName="queue")["QueueUrl"]
    sqs.purge_queue(QueueUrl=queue)
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    events.put_rule(Name="approved", EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    events.put_targets(Rule="approved", Targets=[{"Id": "1", "Arn": QUEUE}])
    topic = client("sns").create_topic(Name="topic")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE)
    client("secretsmanager").create_secret(Name="secret", SecretString="hidden")


def _fill_registry(sagemaker: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="group", Tags=[{"Key": "a", "Value": "b"}])
    package = sagemaker.create_model_package(ModelPackageGroupName="group", ModelPackageDescription="first")
    sagemaker.update_model_package(
        ModelPackageArn=package["ModelPackageArn"], ModelApprovalStatus="Approved", ApprovalDescription="good"
    )
    sagemaker.create_model_package(ModelPackageGroupName="group", CustomerMetadataProperties={"k": "v"})


def _fill_endpoint(sagemaker: Any, s3: Any) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(PROGRAM)
        tar.addfile(member, io.BytesIO(PROGRAM))
    s3.put_object(Bucket="plain", Key="model/model.tar.gz", Body=stream.getvalue())
    sagemaker.create_model(
        ModelName="model",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": IMAGE,
            "ModelDataUrl": "s3://plain/model/model.tar.gz",
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            },
        },
    )
    sagemaker.create_endpoint_config(EndpointConfigName="config", ProductionVariants=[VARIANT])
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
    _wait(lambda: sagemaker.describe_endpoint(EndpointName="endpoint")["EndpointStatus"], "InService")


def _fill_jobs(sagemaker: Any) -> None:
    job = _processing("echo said; echo made > /opt/ml/processing/output/made/file")
    job["ProcessingOutputConfig"] = {
        "Outputs": [
            {
                "OutputName": "made",
                "S3Output": {
                    "S3Uri": "s3://plain/made",
                    "LocalPath": "/opt/ml/processing/output/made",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    }
    sagemaker.create_processing_job(ProcessingJobName="job", **job)
    steps = [
        {"Name": "One", "Type": "Processing", "Arguments": _processing("echo one")},
        {"Name": "Two", "Type": "Processing", "Arguments": _processing("exit 3"), "DependsOn": ["One"]},
    ]
    sagemaker.create_pipeline(
        PipelineName="pipeline",
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": steps}),
        RoleArn=ROLE,
        ClientRequestToken="0" * 32,
        Tags=[{"Key": "kind", "Value": "test"}],
    )
    arn = sagemaker.start_pipeline_execution(PipelineName="pipeline", PipelineExecutionDisplayName="shown")[
        "PipelineExecutionArn"
    ]
    _wait(lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"], "Failed")
    _wait(lambda: sagemaker.describe_processing_job(ProcessingJobName="job")["ProcessingJobStatus"], "Completed")


def _processing(script: str) -> dict[str, Any]:
    return {
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c", script]},
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        "RoleArn": ROLE,
    }


def _wait(status: Callable[[], str], wanted: str) -> None:
    deadline = time.monotonic() + 60
    while status() != wanted:
        assert time.monotonic() < deadline, status()
        time.sleep(0.1)


def _seen_objects(s3: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"buckets": _plain(s3.list_buckets()["Buckets"])}
    for bucket in ("plain", "versioned", "target", "locked"):
        for setting in SETTINGS:
            extra = {"Id": "weekly"} if setting == "inventory_configuration" else {}
            found[f"{bucket} {setting}"] = _answer(getattr(s3, f"get_bucket_{setting}"), Bucket=bucket, **extra)
        found[f"{bucket} block"] = _answer(s3.get_public_access_block, Bucket=bucket)
        found[f"{bucket} lock"] = _answer(s3.get_object_lock_configuration, Bucket=bucket)
        found[f"{bucket} keys"] = _answer(s3.list_objects_v2, Bucket=bucket)
        listed = _answer(s3.list_object_versions, Bucket=bucket)
        found[f"{bucket} versions"] = listed
        for version in listed.get("Versions", []):
            named = {"Bucket": bucket, "Key": version["Key"]}
            named |= {"VersionId": version["VersionId"]} if version["VersionId"] != "null" else {}
            label = f"{bucket}/{version['Key']}?{version['VersionId']}"
            found[label] = _answer(s3.head_object, **named, ChecksumMode="ENABLED")
            found[f"{label} acl"] = _answer(s3.get_object_acl, **named)
            found[f"{label} tags"] = _answer(s3.get_object_tagging, **named)
            if found[label].get("StorageClass") != "GLACIER":
                found[f"{label} bytes"] = hashlib.sha256(s3.get_object(**named)["Body"].read()).hexdigest()
        uploads = _answer(s3.list_multipart_uploads, Bucket=bucket)
        found[f"{bucket} uploads"] = uploads
        for upload in uploads.get("Uploads", []):
            found[upload["UploadId"]] = _answer(
                s3.list_parts, Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"]
            )
    found["second part"] = _answer(s3.head_object, Bucket="plain", Key="parts", PartNumber=2)
    return found


def _seen_small_services(client: Client) -> dict[str, Any]:
    iam, sqs, events = client("iam"), client("sqs"), client("events")
    queue = sqs.get_queue_url(QueueName="queue")["QueueUrl"]
    return {
        "role": _answer(iam.get_role_policy, RoleName="jobs", PolicyName="inline"),
        "users": [user["UserName"] for user in iam.list_users()["Users"]],
        "messages": sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])[
            "Attributes"
        ],
        "targets": events.list_targets_by_rule(Rule="approved")["Targets"],
        "subscriptions": client("sns").list_subscriptions()["Subscriptions"],
        "secret": client("secretsmanager").get_secret_value(SecretId="secret")["SecretString"],
    }


def _seen_sagemaker(client: Client) -> dict[str, Any]:
    sagemaker = client("sagemaker")
    _wait(lambda: sagemaker.describe_endpoint(EndpointName="endpoint")["EndpointStatus"], "InService")
    execution = sagemaker.list_pipeline_executions(PipelineName="pipeline")["PipelineExecutionSummaries"][0]
    arn = execution["PipelineExecutionArn"]
    group = sagemaker.describe_model_package_group(ModelPackageGroupName="group")
    log = client("logs").get_log_events(
        logGroupName="/aws/sagemaker/ProcessingJobs", logStreamName=_stream(client("logs"), "job")
    )
    return {
        "group": _plain(group),
        "group tags": sagemaker.list_tags(ResourceArn=group["ModelPackageGroupArn"])["Tags"],
        "packages": [
            _answer(sagemaker.describe_model_package, ModelPackageName=package["ModelPackageArn"])
            for package in sagemaker.list_model_packages(ModelPackageGroupName="group")["ModelPackageSummaryList"]
        ],
        "model": _answer(sagemaker.describe_model, ModelName="model"),
        "config": _answer(sagemaker.describe_endpoint_config, EndpointConfigName="config"),
        "job": _answer(sagemaker.describe_processing_job, ProcessingJobName="job"),
        "pipeline": _answer(sagemaker.describe_pipeline, PipelineName="pipeline"),
        "execution": _answer(sagemaker.describe_pipeline_execution, PipelineExecutionArn=arn),
        "steps": _answer(sagemaker.list_pipeline_execution_steps, PipelineExecutionArn=arn),
        "answer": client("sagemaker-runtime")
        .invoke_endpoint(EndpointName="endpoint", Body=b"x", ContentType="text/plain")["Body"]
        .read()
        .decode(),
        "log": [event["message"] for event in log["events"]],
    }


def _stream(logs: Any, job: str) -> str:
    streams = logs.describe_log_streams(logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=job)
    return str(streams["logStreams"][0]["logStreamName"])


def _answer(operation: Callable[..., dict[str, Any]], **arguments: Any) -> dict[str, Any]:
    """What an operation answers, without what differs from one answer to the next; an error by its code."""
    from botocore.exceptions import ClientError

    try:
        return dict(_plain(operation(**arguments)))
    except ClientError as error:
        return {"error": error.response["Error"]["Code"]}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(field) for name, field in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list):
        return [_plain(field) for field in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
