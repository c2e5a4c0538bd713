"""The rows of S3: what was acknowledged comes back after a kill, what failed leaves nothing."""

import itertools
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.moto_services.s3.blobs import BlobFolder
from local_sagemaker.moto_services.s3.state import READ_TRIES, S3State
from local_sagemaker.moto_services.s3.stored import restored
from local_sagemaker.moto_services.s3.view import Store
from local_sagemaker.state.damage import Damage
from local_sagemaker.state.database import Database
from tests.conftest import kill

PART = 5 << 20
SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, SignedHeaders=h, Signature=0"


def files(server: Any) -> int:
    return len(list((server.state / "objects").iterdir()))


def test_an_upload_that_is_given_up_leaves_no_bytes(server: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="given-up")
    before = files(server)
    upload = s3.create_multipart_upload(Bucket="given-up", Key="k")["UploadId"]
    s3.upload_part(Bucket="given-up", Key="k", UploadId=upload, PartNumber=1, Body=b"1")
    assert files(server) == before + 1
    s3.abort_multipart_upload(Bucket="given-up", Key="k", UploadId=upload)
    assert files(server) == before
    with pytest.raises(ClientError, match="NoSuchUpload"):
        s3.upload_part(Bucket="given-up", Key="k", UploadId=upload, PartNumber=2, Body=b"2")
    assert files(server) == before


def test_what_is_replaced_or_deleted_frees_its_bytes_at_once(server: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="freed")
    before = files(server)
    for body in (b"1", b"2"):
        s3.put_object(Bucket="freed", Key="k", Body=body)
    assert files(server) == before + 1
    s3.delete_objects(Bucket="freed", Delete={"Objects": [{"Key": "k"}]})
    assert files(server) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda s3: s3.put_object(Bucket="nowhere", Key="k", Body=b"x"),
        lambda s3: s3.put_object(Bucket="refused", Key="k", Body=b"x", Tagging="aws:x=1"),
        lambda s3: s3.put_object(Bucket="refused", Key="old", Body=b"new", IfNoneMatch="*"),
        lambda s3: s3.put_object(Bucket="refused", Key="k", Body=b"x", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA=="),
        lambda s3: s3.copy_object(Bucket="refused", Key="old", CopySource={"Bucket": "refused", "Key": "old"}),
    ],
    ids=["no bucket", "bad tag", "condition", "bad digest", "copy to itself"],
)
def test_a_refused_request_changes_nothing(server: Any, s3: Any, change: Callable[[Any], Any]) -> None:
    if "refused" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket="refused")
        s3.put_object(Bucket="refused", Key="old", Body=b"old")
    before = files(server)
    with pytest.raises(ClientError):
        change(s3)
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="refused")["Contents"]] == ["old"]
    assert s3.get_object(Bucket="refused", Key="old")["Body"].read() == b"old"
    assert files(server) == before


def test_a_bucket_whose_versioning_is_suspended_keeps_the_versions_that_it_has(server: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="suspended")
    s3.put_object(Bucket="suspended", Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket="suspended", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="suspended", Key="k", Body=b"kept")["VersionId"]
    s3.put_bucket_versioning(Bucket="suspended", VersioningConfiguration={"Status": "Suspended"})
    before = files(server)

    def listed() -> list[Any]:
        found = s3.list_object_versions(Bucket="suspended")
        entries = found.get("Versions", []) + found.get("DeleteMarkers", [])
        return sorted(((entry["VersionId"], entry["IsLatest"], entry.get("Size")) for entry in entries), key=str)

    for body in (b"1", b"22"):
        s3.put_object(Bucket="suspended", Key="k", Body=body, Tagging="a=b")
        assert listed() == sorted([(version, False, 4), ("null", True, len(body))], key=str)
    assert s3.get_object_tagging(Bucket="suspended", Key="k")["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert s3.get_bucket_versioning(Bucket="suspended")["Status"] == "Suspended"
    deleted = s3.delete_object(Bucket="suspended", Key="k")
    assert (deleted["DeleteMarker"], deleted["VersionId"]) == (True, "null")
    assert listed() == sorted([(version, False, 4), ("null", True, None)], key=str)
    assert s3.get_object(Bucket="suspended", Key="k", VersionId=version)["Body"].read() == b"kept"
    assert files(server) == before - 1
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        s3.delete_bucket(Bucket="suspended")
    s3.delete_object(Bucket="suspended", Key="k", VersionId="null")
    assert s3.get_object(Bucket="suspended", Key="k")["Body"].read() == b"kept"
    s3.delete_object(Bucket="suspended", Key="k", VersionId=version)
    s3.delete_bucket(Bucket="suspended")


def test_a_key_has_at_most_1024_bytes(s3: Any) -> None:
    s3.create_bucket(Bucket="long-keys")
    longest = "ü" * 512
    s3.put_object(Bucket="long-keys", Key=longest, Body=b"x")
    for write in (
        lambda: s3.put_object(Bucket="long-keys", Key=f"{longest}x", Body=b"x"),
        lambda: s3.create_multipart_upload(Bucket="long-keys", Key="x" * 1025),
        lambda: s3.copy_object(Bucket="long-keys", Key="x" * 1025, CopySource={"Bucket": "long-keys", "Key": longest}),
    ):
        with pytest.raises(ClientError, match="KeyTooLongError"):
            write()
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="long-keys")["Contents"]] == [longest]


def test_a_write_costs_the_same_however_many_objects_there_are(server: Any, s3: Any) -> None:
    """Counted in rows written, which is what does not depend on the machine."""
    s3.create_bucket(Bucket="many")
    rows = []
    with sqlite3.connect(server.state / "state.db") as database:
        count = "SELECT count(*), sum(length(document)) FROM objects WHERE bucket = 'many'"
        for number in range(30):
            s3.put_object(Bucket="many", Key=f"{number:02d}", Body=b"x")
            rows.append(database.execute(count).fetchone())
    assert [row[0] for row in rows] == list(range(1, 31))
    grown = [later[1] - earlier[1] for earlier, later in itertools.pairwise(rows)]
    assert max(grown) < min(grown) + 100


def test_objects_whose_bytes_were_lost_are_put_aside_and_named_in_the_log(new_server: Callable[[], Any]) -> None:
    server = new_server()
    server.up()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="lossy")
    for key in ("kept", "lost"):
        s3.put_object(Bucket="lossy", Key=key, Body=key.encode())
    server.down()
    for path in (server.state / "objects").iterdir():
        if path.read_bytes() == b"lost":
            path.unlink()
    server.up()
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="lossy")["Contents"]] == ["kept"]
    assert (
        "s3://lossy/lost is put aside: its bytes are missing from the disk" in (server.state / "server.log").read_text()
    )


def test_notifications_survive_with_the_object_that_they_tell_of(new_server: Callable[[], Any]) -> None:
    server = new_server()
    started = server.up()
    s3, sqs = server.client("s3"), server.client("sqs")
    queue = sqs.create_queue(QueueName="told")["QueueUrl"].replace("http://localhost:5000", server.url)
    s3.create_bucket(Bucket="telling")
    arn = "arn:aws:sqs:us-east-1:000000000000:told"
    configuration = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="telling", NotificationConfiguration=configuration)
    s3.put_object(Bucket="telling", Key="news", Body=b"x")
    kill(started.pid)
    server.up()
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    records = [record for message in messages for record in json.loads(message["Body"]).get("Records", [])]
    assert [record["s3"]["object"]["key"] for record in records] == ["news"]


@pytest.fixture(name="store")
def store_fixture(tmp_path: Path) -> Iterator[Store]:
    database = Database(tmp_path / "state.db")
    yield Store(BlobFolder(tmp_path / "objects"), database, restored)
    database.close()


@pytest.fixture(name="state")
def state_fixture(store: Store) -> S3State:
    return S3State(store.database, store, Damage(store.database), "000000000000")


def test_a_reading_does_not_wait_for_a_change_that_is_going_on(store: Store, state: S3State) -> None:
    with store.lock, ThreadPoolExecutor() as threads:
        assert threads.submit(state.read, lambda: "read").result(timeout=10) == "read"


def test_a_reading_that_looks_at_memory_waits(store: Store, state: S3State) -> None:
    with ThreadPoolExecutor() as threads:
        with store.lock:
            waiting = threads.submit(state.read, lambda: "read", True)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.2)
        assert waiting.result(timeout=10) == "read"


@pytest.mark.parametrize("times", [1, READ_TRIES])
def test_bytes_that_were_replaced_since_their_row_was_read_are_looked_for_again(state: S3State, times: int) -> None:
    misses = iter(range(times))

    def answer() -> str:
        if next(misses, None) is not None:
            raise FileNotFoundError
        return "found"

    assert state.read(answer) == "found"


def test_bytes_that_are_not_there_are_missed_in_the_end(store: Store, state: S3State) -> None:
    def answer() -> str:
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        state.read(answer)
    assert not store.lock.locked()


def test_readers_and_writers_of_one_key_see_whole_objects_only(server: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="contended")
    s3.put_object(Bucket="contended", Key="k", Body=b"0" * 1000)
    over = threading.Event()

    def write(digit: int) -> None:
        client = server.client("s3")
        while not over.is_set():
            client.put_object(Bucket="contended", Key="k", Body=b"%d" % digit * 1000)

    def read() -> set[bytes]:
        client = server.client("s3")
        return {client.get_object(Bucket="contended", Key="k")["Body"].read() for _ in range(100)}

    with ThreadPoolExecutor() as threads:
        writers = [threads.submit(write, digit) for digit in (1, 2)]
        readers = [threads.submit(read) for _ in range(3)]
        found = set().union(*(reader.result() for reader in readers))
        over.set()
        for writer in writers:
            writer.result()
    assert found <= {b"%d" % digit * 1000 for digit in (0, 1, 2)}
    assert len(found) > 1


def test_two_copies_onto_one_versioned_key_at_once_keep_both_versions(server: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="both")
    s3.put_bucket_versioning(Bucket="both", VersioningConfiguration={"Status": "Enabled"})
    for name in ("a", "b"):
        s3.put_object(Bucket="both", Key=name, Body=name.encode() * PART)

    def copy(name: str) -> None:
        client = server.client("s3")
        for _ in range(10):
            client.copy_object(Bucket="both", Key="to", CopySource={"Bucket": "both", "Key": name})

    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(copy, name) for name in ("a", "b")]:
            done.result()
    listed = s3.list_object_versions(Bucket="both", Prefix="to")["Versions"]
    assert len(listed) == 20
    assert sum(entry["IsLatest"] for entry in listed) == 1


@pytest.mark.parametrize("name", ["Upper", "a_b", "a..b", "192.168.1.1", "-ab", "ab-", "ab", "a" * 64])
def test_a_bucket_has_a_name_that_s3_takes(s3: Any, name: str) -> None:
    with pytest.raises(ClientError, match="InvalidBucketName"):
        s3.create_bucket(Bucket=name)
    assert name not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


@pytest.mark.parametrize(
    "policy",
    [
        "{",
        "[]",
        '{"Statement": [{"Effect": "Allow"}]}',
        '{"Statement": [{"Effect": "Maybe", "Action": "*", "Resource": "*"}]}',
    ],
)
def test_a_policy_that_cannot_be_read_is_refused_and_bars_nobody(s3: Any, policy: str) -> None:
    s3.create_bucket(Bucket="with-policy")
    with pytest.raises(ClientError, match="MalformedPolicy"):
        s3.put_bucket_policy(Bucket="with-policy", Policy=policy)
    s3.put_object(Bucket="with-policy", Key="k", Body=b"x")


def test_keys_that_are_not_utf_8_are_refused_before_two_of_them_become_one(server: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="bytes")
    for path in ("/bytes/u%ff", "/bytes/u%fe"):
        connection = HTTPConnection("127.0.0.1", server.port)
        connection.request("PUT", path, body=b"x", headers={"Authorization": "AWS4-HMAC-SHA256 x"})
        response = connection.getresponse()
        assert (response.status, b"InvalidURI" in response.read()) == (400, True)
        connection.close()
    assert "Contents" not in s3.list_objects_v2(Bucket="bytes")


def test_xml_that_cannot_be_read_is_the_clients_fault(server: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="xml-bucket")
    connection = HTTPConnection("127.0.0.1", server.port)
    scope = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    connection.request("POST", "/xml-bucket?delete", body=b"<Delete><Object>", headers={"Authorization": scope})
    response = connection.getresponse()
    assert (response.status, b"MalformedXML" in response.read()) == (400, True)
    connection.close()


def test_a_key_may_hold_a_line_break(s3: Any) -> None:
    s3.create_bucket(Bucket="line-breaks")
    keys = ["\n", "a\nb", "a\r\nb", "x/\n/y"]
    for key in keys:
        s3.put_object(Bucket="line-breaks", Key=key, Body=key.encode())
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="line-breaks")["Contents"]] == keys
    assert [s3.get_object(Bucket="line-breaks", Key=key)["Body"].read().decode() for key in keys] == keys
    s3.copy_object(Bucket="line-breaks", Key="c\nd", CopySource={"Bucket": "line-breaks", "Key": "a\nb"})
    assert s3.head_object(Bucket="line-breaks", Key="c\nd")["ContentLength"] == len("a\nb")


@pytest.mark.parametrize("versioning", [None, "Enabled", "Suspended"])
def test_deleting_a_version_that_an_object_does_not_have_deletes_nothing(s3: Any, versioning: str | None) -> None:
    bucket = f"versions-{versioning or 'never'}".lower()
    s3.create_bucket(Bucket=bucket)
    if versioning:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": versioning})
    s3.put_object(Bucket=bucket, Key="k", Body=b"kept")
    s3.delete_object(Bucket=bucket, Key="k", VersionId="another")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"


def test_the_null_version_of_an_object_without_versions_is_the_object(s3: Any) -> None:
    s3.create_bucket(Bucket="null-version")
    s3.put_object(Bucket="null-version", Key="k", Body=b"1")
    s3.delete_object(Bucket="null-version", Key="k", VersionId="null")
    assert "Contents" not in s3.list_objects_v2(Bucket="null-version")


@pytest.mark.parametrize(
    ("asked", "status"), [("bytes=1-2", 206), ("lines=1-2", 200), ("junk", 200), ("bytes=1=2", 200)]
)
def test_a_range_of_anything_but_bytes_means_the_whole_object(server: Any, s3: Any, asked: str, status: int) -> None:
    s3.create_bucket(Bucket="ranges")
    s3.put_object(Bucket="ranges", Key="k", Body=b"0123456789")
    connection = HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/ranges/k", headers={"Authorization": SIGNED, "Range": asked})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (status, b"12" if status == 206 else b"0123456789")
    connection.close()


def test_an_object_whose_file_is_gone_is_named(server: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="file-gone")
    before = set((server.state / "objects").iterdir())
    s3.put_object(Bucket="file-gone", Key="k", Body=b"bytes")
    (file,) = set((server.state / "objects").iterdir()) - before
    file.rename(file.with_suffix(".aside"))
    with pytest.raises(ClientError, match=rf"s3://file-gone/k cannot be read: the file .*{file.name} is gone"):
        s3.get_object(Bucket="file-gone", Key="k")
    file.with_suffix(".aside").rename(file)
    assert s3.get_object(Bucket="file-gone", Key="k")["Body"].read() == b"bytes"


def test_an_encryption_that_does_not_exist_is_refused(server: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="encryptions")
    connection = HTTPConnection("127.0.0.1", server.port)
    headers = {"Authorization": SIGNED, "x-amz-server-side-encryption": "AES-256"}
    connection.request("PUT", "/encryptions/k", b"x", headers)
    answer = connection.getresponse()
    assert (answer.status, b"encryption method specified is not supported" in answer.read()) == (400, True)
    connection.close()
    assert "Contents" not in s3.list_objects_v2(Bucket="encryptions")
