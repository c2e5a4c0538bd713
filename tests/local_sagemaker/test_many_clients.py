"""Several clients at once: nothing is lost, nothing happens twice, and one of those who want the same name gets it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from tests.local_sagemaker.conftest import ROLE

FAIL = {"Name": "Fail", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
DEFINITION = json.dumps({"Version": "2020-12-01", "Steps": [FAIL]})


def at_once(count: int, call: Callable[[int], Any]) -> list[Any]:
    """The results, or the error codes, of calls that are made at the same time."""

    def one(number: int) -> Any:
        try:
            return call(number)
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(max_workers=20) as pool:
        return list(pool.map(one, range(count)))


def test_a_hundred_registrations_give_a_hundred_versions(server: Any) -> None:
    sagemaker = server.client("sagemaker", max_pool_connections=20)
    sagemaker.create_model_package_group(ModelPackageGroupName="crowd")
    made = at_once(
        100,
        lambda number: sagemaker.create_model_package(
            ModelPackageGroupName="crowd", ModelPackageDescription=f"by client {number}"
        )["ModelPackageArn"],
    )
    assert sorted(int(arn.rpartition("/")[2]) for arn in made) == list(range(1, 101))
    for number, arn in enumerate(made):
        described = sagemaker.describe_model_package(ModelPackageName=arn)
        assert described["ModelPackageDescription"] == f"by client {number}"


def test_one_of_many_creators_gets_the_name(server: Any) -> None:
    sagemaker, s3, iam = (server.client(name, max_pool_connections=20) for name in ("sagemaker", "s3", "iam"))
    container = {"Image": "any"}
    creators: dict[str, Callable[[int], Any]] = {
        "pipeline": lambda _: sagemaker.create_pipeline(
            PipelineName="wanted", PipelineDefinition=DEFINITION, RoleArn=ROLE
        ),
        "group": lambda _: sagemaker.create_model_package_group(ModelPackageGroupName="wanted"),
        "model": lambda _: sagemaker.create_model(
            ModelName="wanted", ExecutionRoleArn=ROLE, PrimaryContainer=container
        ),
        "role": lambda _: iam.create_role(RoleName="wanted", AssumeRolePolicyDocument="{}"),
        "object": lambda _: s3.put_object(Bucket="test-bucket", Key="wanted", Body=b"x", IfNoneMatch="*"),
    }
    for name, create in creators.items():
        results = at_once(20, create)
        refused = {result for result in results if isinstance(result, str)}
        assert sum(not isinstance(result, str) for result in results) == 1, (name, results)
        assert len(refused) == 1, (name, refused)


def test_writers_of_one_key_leave_one_of_their_objects_whole(server: Any) -> None:
    s3 = server.client("s3", max_pool_connections=20)
    bodies = [bytes([number]) * 50_000 for number in range(40)]
    sent = at_once(40, lambda number: s3.put_object(Bucket="test-bucket", Key="contended", Body=bodies[number])["ETag"])
    found = s3.get_object(Bucket="test-bucket", Key="contended")
    assert found["ETag"] in sent
    assert found["Body"].read() == bodies[sent.index(found["ETag"])]


def test_every_version_of_a_key_is_kept_whoever_writes_it(server: Any) -> None:
    s3 = server.client("s3", max_pool_connections=20)
    s3.create_bucket(Bucket="crowded")
    s3.put_bucket_versioning(Bucket="crowded", VersioningConfiguration={"Status": "Enabled"})
    made = at_once(40, lambda number: s3.put_object(Bucket="crowded", Key="k", Body=b"%d" % number)["VersionId"])
    listed = [entry["VersionId"] for entry in s3.list_object_versions(Bucket="crowded")["Versions"]]
    assert sorted(listed) == sorted(made)


def test_readers_see_whole_objects_while_they_are_replaced_and_deleted(server: Any) -> None:
    s3 = server.client("s3", max_pool_connections=20)
    s3.put_object(Bucket="test-bucket", Key="busy", Body=b"0" * 200_000)

    def use(number: int) -> Any:
        if number % 4 == 0:
            return s3.put_object(Bucket="test-bucket", Key="busy", Body=str(number % 10).encode() * 200_000) and None
        if number % 10 == 3:
            return s3.delete_object(Bucket="test-bucket", Key="busy") and None
        body = s3.get_object(Bucket="test-bucket", Key="busy")["Body"].read()
        return (len(body), len(set(body)))

    results = {result for result in at_once(120, use) if result is not None}
    assert results <= {(200_000, 1), "NoSuchKey"}


def test_one_upload_is_completed_once_however_many_ask(server: Any) -> None:
    s3 = server.client("s3", max_pool_connections=20)
    upload = s3.create_multipart_upload(Bucket="test-bucket", Key="assembled")["UploadId"]
    tags = at_once(
        8,
        lambda number: s3.upload_part(
            Bucket="test-bucket",
            Key="assembled",
            UploadId=upload,
            PartNumber=number + 1,
            Body=bytes([number]) * (5 << 20),
        )["ETag"],
    )
    parts = [{"PartNumber": number + 1, "ETag": tag} for number, tag in enumerate(tags)]
    answers = at_once(
        6,
        lambda _: s3.complete_multipart_upload(
            Bucket="test-bucket", Key="assembled", UploadId=upload, MultipartUpload={"Parts": parts}
        )["ETag"],
    )
    etag = s3.head_object(Bucket="test-bucket", Key="assembled")["ETag"]
    assert etag in answers
    assert set(answers) <= {etag, "NoSuchUpload"}
    assert s3.head_object(Bucket="test-bucket", Key="assembled")["ContentLength"] == 40 << 20
    s3.delete_object(Bucket="test-bucket", Key="assembled")
