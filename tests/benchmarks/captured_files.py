"""Many small files of captured requests in S3: finding them, and the whole monitoring over them, against few files."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from evaluation_speed import measured
from monitoring_speed import DAYS, SINCE, captured_line, test_rows
from project import DATA, pipeline
from rows import PYTHON, ROOT, Row, peak_megabytes, wall, warm_server
from volume import clients, repeat

from local_sagemaker.client import lifecycle

EVENTS = 100_000
FILES = {"production": EVENTS, "staging": 50}  # by the stage whose requests they are
BUCKET, PROJECT = "sagemaker-us-east-1-000000000000", "house-prices"
FUNCTION_MEMORY = 512  # MB, in infrastructure/monitoring.yaml
COLLECT = """
import json, sys
from infrastructure.functions.collect_window import handler
print(handler(json.loads(sys.argv[1]), None))
"""


def captured_files_rows(folder: Path) -> list[Row]:
    """Rows for the table. The files are put where the server would have written them."""
    folder.mkdir(parents=True)
    with warm_server(folder) as environment:
        wall(pipeline("--local", "run", "--data", str(DATA)), **environment)
        s3, sagemaker = clients(environment)
        (version,) = sagemaker.list_model_packages(ModelPackageGroupName=PROJECT)["ModelPackageSummaryList"]
        sagemaker.update_model_package(ModelPackageArn=version["ModelPackageArn"], ModelApprovalStatus="Approved")
        lines = list(test_rows(_reference(s3, sagemaker, version["ModelPackageArn"], folder)))
        for stage in FILES:
            s3.put_object(Bucket=BUCKET, Key=_place(stage, 0), Body=_body(lines, stage, 0))
        wall([PYTHON, "-m", "local_sagemaker", "down"], **environment)
        for stage in FILES:
            _add_files(Path(environment["SAGEMAKER_LOCAL_STATE"]), stage, lines)
        wall(pipeline("local", "up"), **environment)  # with the functions that the monitoring calls
        few, many = (_collected(stage, environment) for stage in ("staging", "production"))
        seconds = {stage: _monitored(stage, environment) for stage in ("staging", "production")}
        server = lifecycle.find(int(environment["SAGEMAKER_LOCAL_PORT"]))
        if server is None:
            raise SystemExit("no server answers")
        memory = peak_megabytes(server.pid)
    return [
        Row(f"CollectWindow of {EVENTS:,} captured files in S3", many[0]),
        Row("  of 50 files of as many requests", few[0]),
        Row(f"  its peak memory in MB / the {FUNCTION_MEMORY} of its function", many[1] * 1000, FUNCTION_MEMORY, 0.75),
        Row(f"monitor over {EVENTS:,} captured files / over 50", seconds["production"], seconds["staging"], 4),
        Row("  the server's peak memory, MB", memory),
    ]


def _reference(s3: Any, sagemaker: Any, package: str, folder: Path) -> Path:
    """The version's own test rows with its answers."""
    metrics = sagemaker.describe_model_package(ModelPackageName=package)["ModelMetrics"]
    bucket, _, key = metrics["ModelQuality"]["Statistics"]["S3Uri"].removeprefix("s3://").partition("/")
    path = folder / "test.parquet"
    s3.download_file(bucket, f"{key.rpartition('/')[0]}/reference/test.parquet", str(path))
    return path


def _place(stage: str, number: int) -> str:
    when = SINCE + timedelta(days=DAYS) * (number / FILES[stage])
    folder = f"{PROJECT}/capture/{stage}/{PROJECT}-{stage}/AllTraffic/{when:%Y/%m/%d/%H}"
    return f"{folder}/{when:%M-%S}-000-{number:07d}.jsonl"


def _body(lines: list[tuple[str, str, float]], stage: str, number: int) -> bytes:
    """The events of one file, of all of the stage."""
    of_a_file = EVENTS // FILES[stage]
    when, first = SINCE + timedelta(days=DAYS) * (number / FILES[stage]), number * of_a_file
    events = (captured_line(lines[each % len(lines)], when, each) for each in range(first, first + of_a_file))
    return "".join(events).encode()


def _add_files(state: Path, stage: str, lines: list[tuple[str, str, float]]) -> None:
    """All files of a stage but the first, which is there."""

    def change(row: dict[str, Any], number: int) -> None:
        body = _body(lines, stage, number)
        row["key"], row["blob"] = _place(stage, number), f"{stage}{number:020d}"
        row["size"], row["etag"] = len(body), hashlib.md5(body).hexdigest()
        (state / "objects" / row["blob"]).write_bytes(body)

    with sqlite3.connect(state / "state.db") as connection:
        repeat(connection, "objects", f"bucket = '{BUCKET}' AND key = '{_place(stage, 0)}'", FILES[stage], change)


def _collected(stage: str, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds and peak memory in GB of the function alone."""
    event = {
        "project": PROJECT,
        "bucket": BUCKET,
        "stage": stage,
        "since": SINCE.isoformat(),
        "until": (SINCE + timedelta(days=DAYS)).isoformat(),
        "started": (SINCE + timedelta(days=DAYS + 1)).isoformat(),
        "window_days": DAYS,
        "cohort_days": 180,
    }
    client = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{environment['SAGEMAKER_LOCAL_PORT']}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    return measured([PYTHON, "-c", COLLECT, json.dumps(event)], ROOT, {**os.environ, **client})


def _monitored(stage: str, environment: dict[str, str]) -> float:
    """Seconds of the command; it must have seen every request."""
    window = ("--since", f"{SINCE:%Y-%m-%d}", "--until", f"{SINCE + timedelta(days=DAYS):%Y-%m-%d}", "--stage", stage)
    wall(pipeline("--local", "monitor", *window, "--no-open"), **environment)
    report = max(_reports(), key=lambda each: each.stat().st_mtime)
    document = json.loads((report / "monitoring.json").read_text())
    shutil.rmtree(report)
    assert sum(each["rows"] for each in document["cohorts"]) == EVENTS, document["cohorts"]
    done = subprocess.run(
        pipeline("--local", "--pipeline", "monitoring", "describe", "--json"),
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout)["seconds"])


def _reports() -> Iterator[Path]:
    return (ROOT / "reports").glob("monitoring-*")
