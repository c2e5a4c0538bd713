"""A state with every kind of damage starts with what is whole; the doctor names the rest, and fixes what it can."""

import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker import __main__ as command_line
from tests.local_sagemaker.conftest import FORMAT_1


def execute(state: Path, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(state / "state.db")
    with connection:
        assert connection.execute(statement, values).rowcount > 0
    connection.close()


def doctor(state: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    code = command_line.main(["doctor", "--state", str(state), *options])
    return code, capsys.readouterr().out


def blob(state: Path, key: str) -> Path:
    connection = sqlite3.connect(state / "state.db")
    [(name,)] = connection.execute("SELECT blob FROM objects WHERE key = ?", (key,))
    connection.close()
    return state / "objects" / str(name)


@pytest.mark.e2e
def test_every_kind_of_damage_at_once_takes_nothing_else_with_it(
    new_server: Callable[[], Any], state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = new_server()
    shutil.copytree(state, server.state)
    execute(
        server.state, "UPDATE records SET document = '{}' WHERE kind = 'processing-job' AND name LIKE 'pipelines-%'"
    )
    execute(server.state, "UPDATE records SET document = '{bad' WHERE kind = 'model-package' AND name LIKE '%2'")
    execute(server.state, "UPDATE snapshots SET data = substr(data, 1, 20) WHERE name LIKE 'secretsmanager/%'")
    execute(server.state, "UPDATE snapshots SET data = x'' WHERE name LIKE 'sns/0%'")
    execute(server.state, "UPDATE buckets SET document = substr(document, 1, 30) WHERE name = 'locked'")
    execute(server.state, "UPDATE objects SET document = 'x' WHERE key = 'copy'")
    execute(server.state, "UPDATE uploads SET document = '{}'")
    os.truncate(blob(server.state, "parts"), 100)
    (server.state / "objects/a-folder").mkdir()
    shutil.rmtree(server.state / "jobs")
    (server.state / "jobs").write_text("x")
    started = server.up()
    # 2 jobs, a package, a service of 2 accounts, one of 1, a bucket's settings, an object without its bytes, an upload
    assert started.damaged == 9
    s3, sagemaker = server.client("s3"), server.client("sagemaker")
    assert s3.get_object(Bucket="versioned", Key="two")["Body"].read() == b"second"
    assert s3.get_object(Bucket="locked", Key="kept")["Body"].read() == b"kept"
    assert sagemaker.describe_processing_job(ProcessingJobName="job")["ProcessingJobStatus"] == "Completed"
    assert len(sagemaker.list_model_packages(ModelPackageGroupName="group")["ModelPackageSummaryList"]) == 1
    assert server.client("iam").get_role(RoleName="jobs")["Role"]["RoleName"] == "jobs"
    listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket="plain")["Contents"]]
    assert "copy" in listed
    assert "parts" not in listed
    with pytest.raises(
        ClientError, match=r"s3://plain/copy cannot be read: what is known of it is damaged .*local doctor"
    ):
        s3.get_object(Bucket="plain", Key="copy")
    code, text = doctor(server.state, capsys)
    assert code == 1
    for name in ("the object s3://plain/copy", "the object s3://plain/parts", "the settings of the bucket locked"):
        assert name in text
    assert command_line.main(["doctor", "--state", str(server.state), "--repair"]) == 1
    assert "in use by another local SageMaker" in capsys.readouterr().err


def test_a_state_that_is_whole_has_nothing_to_name(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(state, capsys) == (0, "nothing is damaged\n")


def test_bytes_that_are_not_those_of_the_etag_are_named(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = blob(state, "made/file")
    path.write_bytes(b"z" * path.stat().st_size)
    code, text = doctor(state, capsys)
    assert code == 1
    assert "the object s3://plain/made/file: its bytes do not match its ETag" in text
    assert "--repair puts these aside" in text


def test_what_is_damaged_is_put_aside_exported_and_goes_back_once_it_is_whole(
    state: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = blob(state, "made/file")
    whole = path.read_bytes()
    path.write_bytes(b"z" * len(whole))
    execute(state, "UPDATE records SET document = '{bad' WHERE kind = 'Model'")
    code, text = doctor(state, capsys, "--repair", "--export", str(tmp_path / "out"))
    assert code == 1
    assert "the Model model: it is not a JSON object" in text
    exported = [json.loads(file.read_text()) for file in sorted((tmp_path / "out").glob("*.json"))]
    assert (exported[0]["name"], exported[0]["row"].get("document")) == ("the Model model", "{bad")
    assert [file.read_bytes() for file in (tmp_path / "out").glob("*.bytes")] == [b"z" * len(whole)]
    path.write_bytes(whole)
    code, text = doctor(state, capsys, "--repair")
    assert code == 1
    assert "put back: the object s3://plain/made/file" in text
    assert "the Model model" in text
    code, text = doctor(state, capsys, "--forget")
    assert code == 0
    assert text.splitlines()[-2:] == ["forgotten, of what was put aside: 1", "nothing is damaged"]
    assert doctor(state, capsys) == (0, "nothing is damaged\n")


def test_the_bytes_of_what_is_put_aside_are_not_swept(
    new_server: Callable[[], Any], state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = blob(state, "made/file")
    whole = path.read_bytes()
    path.write_bytes(b"z" * len(whole))
    doctor(state, capsys, "--repair")
    server = new_server()
    server.state = state
    server.environment["SAGEMAKER_LOCAL_STATE"] = str(state)
    assert server.up().damaged == 1
    server.down()
    path.write_bytes(whole)
    assert "put back: the object s3://plain/made/file" in doctor(state, capsys, "--repair")[1]


def test_damaged_pages_are_named_and_mended_on_demand(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = (state / "state.db").read_bytes()
    page = content.index(b"PipelineDefinition") // 4096
    (state / "state.db").write_bytes(content[: page * 4096] + os.urandom(4096) + content[(page + 1) * 4096 :])
    code, text = doctor(state, capsys)
    assert code == 1
    assert text.startswith("state.db: ")
    assert (state / "state.db").read_bytes()[page * 4096 :] != content[page * 4096 :]
    code, text = doctor(state, capsys, "--repair")
    assert code == 1
    assert "the readable part is in use; the old file is in" in text
    assert doctor(state, capsys)[1].startswith("put aside on ")


def test_a_folder_without_a_state_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["doctor", "--state", str(tmp_path / "none")]) == 1
    assert "has no state" in capsys.readouterr().err


def test_an_older_format_is_left_to_the_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with tarfile.open(FORMAT_1) as tar:
        tar.extractall(tmp_path, filter="data")
    assert command_line.main(["doctor", "--state", str(tmp_path)]) == 1
    assert "a state of format 1: start the server once to migrate it" in capsys.readouterr().err


def test_a_folder_in_the_place_of_an_objects_file_is_named(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = blob(state, "kept")
    path.unlink()
    path.mkdir()
    code, said = doctor(state, capsys)
    assert code == 1
    assert "s3://locked/kept" in said


def test_an_export_to_what_is_not_a_folder_is_one_sentence(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blob(state, "kept").unlink()
    doctor(state, capsys, "--repair")
    (state / "file").touch()
    assert command_line.main(["doctor", "--state", str(state), "--export", str(state / "file")]) == 1
    assert "name another folder with --export" in capsys.readouterr().err
