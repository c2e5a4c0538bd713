"""Random damage to a state folder: the server starts with the rest, or refuses in one sentence; it never just crashes.

The damage, 3 times, and 100 in `make soak`, comes from a seed that a failure names; FAULT_SEED=... repeats it.
"""

import os
import random
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.state.database import Database
from tests.conftest import LocalServer
from tests.local_sagemaker.conftest import FORMAT_1

ROUNDS = 100 if os.environ.get("SOAK") else 3
TABLES = ("records", "objects", "buckets", "snapshots", "uploads", "parts")
VALUES: tuple[Any, ...] = (b"", b"\xff\xfe", "", "{}", "[]", '{"a": 1}', -1, 1 << 62, 0.5, "../../x", "x" * 100_000)
Chance = random.Random


def bytes_of_the_database(state: Path, chance: Chance) -> str:
    """Some bytes somewhere, as a disk changes them."""
    path = state / "state.db"
    length = chance.choice([1, 16, 512, 4096, 20000])
    offset = chance.randrange(path.stat().st_size)
    with path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(chance.randbytes(length))
    return f"{length} bytes of state.db at {offset}"


def end_of_the_database(state: Path, chance: Chance) -> str:
    """Its end is missing."""
    size = chance.randrange((state / "state.db").stat().st_size)
    os.truncate(state / "state.db", size)
    return f"state.db cut off at {size}"


def a_value(state: Path, chance: Chance) -> str:
    """One value of one row is something else."""
    table, value = chance.choice(TABLES), chance.choice(VALUES)
    try:
        with closing(sqlite3.connect(state / "state.db")) as connection, connection:
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            keys = [column[1] for column in columns if column[5]]
            row = chance.choice(connection.execute(f"SELECT {', '.join(keys)} FROM {table}").fetchall())
            column, where = chance.choice(columns)[1], " AND ".join(f"{key} = ?" for key in keys)
            connection.execute(f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {where}", (value, *row))
    except (sqlite3.Error, IndexError) as error:
        return f"a value that SQLite does not take, or of a database that is damaged already ({error})"
    return f"{table}.{column} of {row} is {str(value)[:20]!r}"


def a_file(state: Path, chance: Chance) -> str:
    """One file is gone, empty, a folder, or a link to nowhere."""
    path = chance.choice(sorted(path for path in state.rglob("*") if path.is_file() and path.name != "state.db"))
    path.unlink()
    kind = chance.choice(["gone", "empty", "a folder", "a link"])
    if kind == "empty":
        path.touch()
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a link":
        path.symlink_to("nowhere")
    return f"{path.relative_to(state)} is {kind}"


def a_folder(state: Path, chance: Chance) -> str:
    """One folder is gone, or a file."""
    path = state / chance.choice(["objects", "jobs", "endpoints"])
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if chance.random() < 0.5:
        path.write_text("x")
    return f"{path.name} is not a folder any more"


DAMAGE = (
    bytes_of_the_database,
    bytes_of_the_database,
    end_of_the_database,
    a_value,
    a_value,
    a_value,
    a_file,
    a_folder,
)


def ask(call: Callable[[], Any]) -> None:
    """It answers, or says that what was asked for is damaged, or is not there."""
    try:
        call()
    except ClientError as error:
        code, text = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code in ("InternalFailure", "InternalError"):
            assert "is damaged" in text, text


def use(server: LocalServer) -> None:
    """Look at everything that is listed, and write something of each kind."""
    s3, sagemaker, iam = (server.client(name) for name in ("s3", "sagemaker", "iam"))
    for bucket in s3.list_buckets()["Buckets"]:
        name = {"Bucket": bucket["Name"]}
        ask(lambda name=name: s3.list_object_versions(**name))  # type: ignore[misc]
        for entry in s3.list_objects_v2(**name).get("Contents", []):
            ask(lambda name=name, entry=entry: s3.get_object(**name, Key=entry["Key"])["Body"].read())  # type: ignore[misc]
        for upload in s3.list_multipart_uploads(**name).get("Uploads", []):
            ask(lambda name=name, upload=upload: s3.list_parts(**name, Key=upload["Key"], UploadId=upload["UploadId"]))  # type: ignore[misc]
    for operation in ("model_package_groups", "model_packages", "models", "endpoints", "endpoint_configs", "pipelines"):
        ask(getattr(sagemaker, f"list_{operation}"))
    for kind in ("processing", "training", "transform"):
        ask(getattr(sagemaker, f"list_{kind}_jobs"))
    ask(lambda: sagemaker.list_pipeline_executions(PipelineName="pipeline"))
    ask(iam.list_roles)
    s3.create_bucket(Bucket="made-afterwards")
    s3.put_object(Bucket="made-afterwards", Key="k", Body=b"x")
    sagemaker.create_model_package_group(ModelPackageGroupName="made-afterwards")
    sagemaker.create_model_package(ModelPackageGroupName="made-afterwards")
    iam.create_role(RoleName="made-afterwards", AssumeRolePolicyDocument="{}")


def test_damage_of_any_kind_costs_what_it_hits_and_no_more(
    new_server: Callable[[], LocalServer], tmp_path: Path
) -> None:
    seed = int(os.environ.get("FAULT_SEED", random.randrange(1 << 32)))
    chance = random.Random(seed)
    whole = tmp_path / "whole"
    with tarfile.open(FORMAT_1) as tar:
        tar.extractall(whole, filter="data")
    Database(whole / "state.db").close()
    (whole / "state.format-1.db").unlink()
    started = 0
    for number in range(ROUNDS):
        server = new_server()
        shutil.copytree(whole, server.state)
        done = [chance.choice(DAMAGE)(server.state, chance) for _ in range(chance.choice([1, 1, 2, 3]))]
        where = f"round {number} of FAULT_SEED={seed}: {'; '.join(done)}"
        print(where)
        try:
            try:
                server.up()
            except LocalSageMakerError as error:
                if "Nothing was changed" not in str(error) and "`local doctor --repair`" not in str(error):
                    raise
                continue
            started += 1
            use(server)
            server.down()
            server.up()
            server.down()
        except (AssertionError, ClientError, LocalSageMakerError) as failure:
            failure.add_note(where)
            raise
        finally:
            server.down()
            shutil.rmtree(server.state)
    assert started > ROUNDS // 2
