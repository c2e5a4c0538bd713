"""Many keys, many model packages and many clients: what a request costs must not grow with what it does not show."""

import os
import random
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from rows import PYTHON, Row, median, peak_megabytes, wall, warm_server

from local_sagemaker.client import lifecycle

KEYS = 1_000_000
PACKAGES = 100_000
FEW = 1_000  # of either: as many as a page shows, or ten pages of packages
CLIENTS, SECONDS = 64, 10.0
TIMES = 9


def volume_rows(folder: Path) -> list[Row]:
    """Pages of a full bucket and of a full registry against those of small ones; S3 against SageMaker under load."""
    folder.mkdir(parents=True)
    with warm_server(folder) as environment:
        s3, sagemaker = clients(environment)
        for bucket in ("many", "few"):
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key="0", Body=b"")
        for group in ("many", "few"):
            sagemaker.create_model_package_group(ModelPackageGroupName=group)
            sagemaker.create_model_package(ModelPackageGroupName=group, ModelPackageDescription="x" * 1000)
        wall([PYTHON, "-m", "local_sagemaker", "down"], **environment)
        state = Path(environment["SAGEMAKER_LOCAL_STATE"])
        add_rows(state, {"many": KEYS, "few": FEW}, {"many": PACKAGES, "few": FEW})
        start = wall([PYTHON, "-m", "local_sagemaker", "up"], **environment)
        server = lifecycle.find(int(environment["SAGEMAKER_LOCAL_PORT"]))
        if server is None:
            raise SystemExit("no server answers")
        memory = peak_megabytes(server.pid)
        pages = [*_page_rows(s3), *_package_rows(sagemaker)]
        load = _load_row(environment)
    return [
        Row(f"server start with {KEYS:,} objects and {PACKAGES:,} model packages", start),
        Row("  its peak memory, MB", memory),
        *pages,
        load,
    ]


def _page_rows(s3: Any) -> list[Row]:
    reference = _median(lambda: s3.list_objects_v2(Bucket="few"))
    return [
        Row(f"{name} of {KEYS:,} keys / the page of {FEW:,}", _median(call), reference, bar)
        for name, call, bar in (
            ("first page", lambda: s3.list_objects_v2(Bucket="many"), 1.5),
            ("page in the middle", lambda: s3.list_objects_v2(Bucket="many", StartAfter="folder-50/"), 1.5),
            ("last page", lambda: s3.list_objects_v2(Bucket="many", StartAfter="folder-99/file-0990000"), 1.5),
            ("100 common prefixes", lambda: s3.list_objects_v2(Bucket="many", Delimiter="/"), 0.5),
            ("page of versions", lambda: s3.list_object_versions(Bucket="many", KeyMarker="folder-50/"), 2),
        )
    ]


def _package_rows(sagemaker: Any) -> list[Row]:
    def listed(**request: Any) -> Callable[[], Any]:
        return lambda: sagemaker.list_model_packages(MaxResults=100, **request)

    reference = _median(listed(ModelPackageGroupName="few"))
    first = listed(ModelPackageGroupName="many")
    middle = listed(ModelPackageGroupName="many", SortOrder="Ascending", CreationTimeAfter=FEW + PACKAGES / 2)
    return [
        Row(f"first page of {PACKAGES:,} packages / of {FEW:,}", _median(first), reference, 2),
        Row("page in the middle", _median(middle), reference, 4),
        Row("by name", _median(listed(SortBy="Name")), reference, 4),
    ]


def _load_row(environment: dict[str, str]) -> Row:
    """The median of S3's answers against that of SageMaker's, with many clients that ask for both."""
    taken: dict[str, list[float]] = {"s3": [], "sagemaker": []}
    s3, sagemaker = clients(environment)  # which many threads may share
    until = time.monotonic() + SECONDS

    def ask(number: int) -> None:
        key, chance = f"client-{number}", random.Random(number)
        s3.put_object(Bucket="few", Key=key, Body=b"x" * 1000)
        asks: list[tuple[str, Callable[[], Any]]] = [
            ("s3", lambda: s3.put_object(Bucket="few", Key=key, Body=b"x" * 1000)),
            ("s3", lambda: s3.get_object(Bucket="few", Key=key)["Body"].read()),
            ("s3", lambda: s3.list_objects_v2(Bucket="many", MaxKeys=10)),
            ("sagemaker", lambda: sagemaker.describe_model_package_group(ModelPackageGroupName="few")),
            ("sagemaker", lambda: sagemaker.list_model_packages(ModelPackageGroupName="many", MaxResults=10)),
        ]
        while time.monotonic() < until:
            service, call = chance.choice(asks)
            start = time.perf_counter()
            call()
            taken[service].append(time.perf_counter() - start)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    medians = {service: statistics.median(seconds) for service, seconds in taken.items()}
    return Row(f"p50 of S3 with {CLIENTS} mixed clients / of SageMaker", medians["s3"], medians["sagemaker"], 3)


def add_rows(state: Path, objects: dict[str, int], packages: dict[str, int]) -> None:
    """Rows and files as the server would have written them, without asking it a million times.

    Each bucket and group has one object or package already, of which as many copies are made.
    """
    with sqlite3.connect(state / "state.db") as connection:
        for bucket, keys in objects.items():
            repeat(connection, "objects", f"bucket = '{bucket}'", keys, _object)
        for group, versions in packages.items():
            where = f"kind = 'model-package' AND name LIKE '{group}/%'"
            repeat(connection, "records", where, versions, _package)
        names = connection.execute("SELECT blob FROM objects").fetchall()
    for (name,) in names:
        os.close(os.open(state / "objects" / name, os.O_CREAT | os.O_WRONLY, 0o600))


def repeat(
    connection: sqlite3.Connection, table: str, where: str, times: int, change: Callable[[dict[str, Any], int], Any]
) -> None:
    """Copies of the one row that the condition finds, each changed by its number from 1 on."""
    cursor = connection.execute(f"SELECT * FROM {table} WHERE {where}")
    columns = [column[0] for column in cursor.description]
    row = dict(zip(columns, cursor.fetchone(), strict=True))

    def rows() -> Iterator[tuple[Any, ...]]:
        for number in range(1, times):
            copy = dict(row)
            change(copy, number)
            yield tuple(copy.values())

    connection.executemany(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows()
    )


def _object(row: dict[str, Any], number: int) -> None:
    row["key"] = f"folder-{number % 100:02d}/file-{number:07d}"
    row["blob"] = f"{row['bucket']}{number:020d}"


def _package(row: dict[str, Any], number: int) -> None:
    row["number"] = None
    row["name"] = f"{row['name']}-{number:09d}"
    row["created"] = FEW + number


def clients(environment: dict[str, str]) -> tuple[Any, Any]:
    """Clients of S3 and of SageMaker."""
    s3, sagemaker = (
        boto3.session.Session().client(
            service,  # type: ignore[call-overload]
            endpoint_url=f"http://127.0.0.1:{environment['SAGEMAKER_LOCAL_PORT']}",
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(s3={"addressing_style": "path"}, max_pool_connections=CLIENTS),
        )
        for service in ("s3", "sagemaker")
    )
    return s3, sagemaker


def _median(call: Callable[[], Any]) -> float:
    def seconds() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    seconds()
    return median(seconds, TIMES)
