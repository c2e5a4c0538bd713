"""Inputs that are queries: a handler's files, put below OutputS3Uri and downloaded by every host."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.handlers.handlers import Handlers
from local_sagemaker.jobs.queries import queries
from local_sagemaker.wire.identity import SERVICE_SESSION, role_key

HANDLERS = """
import os, sys, time
from pathlib import Path

def answer(event, context):
    print(f"{context.input_name} asked {event['Database']}: {event['QueryString']}")
    folder = Path(event["ResultFolder"])
    if event["QueryString"] == "fail":
        raise LookupError("TABLE_NOT_FOUND: there is no table sales")
    if event["QueryString"] == "end":
        os._exit(3)
    if event["QueryString"] == "wait":
        (Path(__file__).parent / "waits").touch()
        time.sleep(60)
    for number in range(0 if event["QueryString"] == "none" else 4):
        (folder / f"part-{number}").write_text(os.environ["AWS_ACCESS_KEY_ID"])

HANDLERS = {
    "AthenaDatasetDefinition": answer,
    "RedshiftDatasetDefinition": [
        sys.executable, "-c", "import json, sys, pathlib;"
        "pathlib.Path(json.load(sys.stdin)['ResultFolder'], 'rows.csv').write_text('a,b')"],
}
"""
SHOW = """
import json, os, pathlib
host = json.load(open("/opt/ml/config/resourceconfig.json"))["current_host"]
found = {path.name: path.read_text() for path in pathlib.Path("/opt/ml/processing/input/rows").iterdir()}
pathlib.Path(f"/opt/ml/processing/output/result/{host}.json").write_text(json.dumps(found))
"""


def rows(query: str = "SELECT 1", kind: str = "Athena", **changes: Any) -> dict[str, Any]:
    """An input that is a query; `changes` are fields of its DatasetDefinition."""
    names = {"Catalog": "AwsDataCatalog"} if kind == "Athena" else {"ClusterId": "c", "DbUser": "u"}
    place = {"OutputS3Uri": "s3://out/asked/", "OutputFormat": "TEXTFILE" if kind == "Athena" else "CSV"}
    definition = {**names, "Database": "houses", "QueryString": query, **place, **changes.pop("definition", {})}
    dataset = {"LocalPath": "/opt/ml/processing/input/rows", f"{kind}DatasetDefinition": definition, **changes}
    return {"InputName": "rows", "DatasetDefinition": dataset}


@pytest.fixture
def bench(make_bench: Callable[..., Any], tmp_path: Path) -> Any:
    (tmp_path / "handlers.py").write_text(HANDLERS)
    return make_bench(handlers=Handlers.load(tmp_path / "handlers.py"))


def seen(bench: Any, host: str = "algo-1") -> dict[str, str]:
    return json.loads(bench.store.get(f"s3://out/job/result/{host}.json"))


def test_the_queries_of_a_request_are_found_whatever_else_it_holds() -> None:
    others: list[Any] = [{"InputName": "a", "S3Input": {}}, "text", {"Get": "Parameters.X"}, {"DatasetDefinition": {}}]
    whole, shared = rows(), rows(DataDistributionType="FullyReplicated")
    assert [query.sharded for query in queries({"ProcessingInputs": [*others, whole, shared]})] == [True, False]
    assert list(queries({"ProcessingInputs": {"Get": "Parameters.X"}})) == []


@pytest.mark.e2e
def test_each_host_gets_the_files_or_its_own_and_the_query_is_asked_once(bench: Any) -> None:
    two = {"ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large"}}
    outcome = bench.process(SHOW, inputs=[rows()], ProcessingResources=two)
    assert outcome.status == "Completed", bench.log()
    assert sorted(seen(bench)) == ["part-0", "part-2"]
    assert sorted(seen(bench, "algo-2")) == ["part-1", "part-3"]
    assert bench.log().count("rows asked houses: SELECT 1") == 1
    assert seen(bench)["part-0"] == role_key("arn:aws:iam::000000000000:role/r", SERVICE_SESSION)
    assert bench.store.list("out", "asked") == [f"asked/job/part-{n}" for n in range(4)]

    outcome = bench.process(SHOW, inputs=[rows(DataDistributionType="FullyReplicated")], ProcessingResources=two)
    assert outcome.status == "Completed", bench.log()
    assert seen(bench) == seen(bench, "algo-2")
    assert len(seen(bench)) == 4


@pytest.mark.e2e
def test_a_command_answers_too(bench: Any) -> None:
    assert bench.process(SHOW, inputs=[rows(kind="Redshift")]).status == "Completed", bench.log()
    assert seen(bench) == {"rows.csv": "a,b"}


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("query", "definition", "reason"),
    [
        ("fail", {}, "ClientError: The query of the input rows failed: LookupError: TABLE_NOT_FOUND: there is no"),
        (
            "end",
            {},
            "The query of the input rows failed. The handler of AthenaDatasetDefinition ended with exit code 3",
        ),
        ("none", {}, "The handler of AthenaDatasetDefinition wrote no file into ResultFolder for the input rows."),
        ("SELECT 1", {"OutputFormat": "PARQUET"}, "wrote part-0, which is not PARQUET, the OutputFormat."),
        ("SELECT 1", {"OutputS3Uri": "s3://missing/x"}, "There is no bucket 'missing'."),
    ],
)
def test_a_query_that_gives_no_such_files_fails_the_job_in_one_sentence(
    bench: Any, query: str, definition: dict[str, str], reason: str
) -> None:
    outcome = bench.process("raise SystemExit(9)", inputs=[rows(query, definition=definition)])
    assert (outcome.status, outcome.exit_code) == ("Failed", None)
    assert reason in outcome.failure_reason
    assert reason in bench.log()


@pytest.mark.e2e
@pytest.mark.parametrize("limit", [1, None])
def test_a_job_that_is_stopped_or_out_of_time_ends_its_query(bench: Any, tmp_path: Path, limit: int | None) -> None:
    stop, began = threading.Event(), time.monotonic()
    stopping = {"StoppingCondition": {"MaxRuntimeInSeconds": limit}} if limit else {}
    request = bench.processing(SHOW, inputs=[rows("wait")], **stopping)

    def when_it_waits() -> None:
        while not (tmp_path / "waits").exists():
            time.sleep(0.02)
        if not limit:
            stop.set()

    threading.Thread(target=when_it_waits).start()
    assert bench.runtime.run_processing_job(request, stop).status == "Stopped"
    assert time.monotonic() - began < 30
