"""`monitor --simulate DRILL`: changed houses through a real endpoint with capture, their prices, and the pipeline.

It has a stage of its own, `simulation`: nothing of it is counted where real requests are, and no training is started.
"""

import json
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from command_line.context import Context
from command_line.execution_view import show_failure
from command_line.monitoring_memory import followed
from command_line.upserting import upsert_compiled
from pipelines.clients import split_uri
from pipelines.definition.observation_files import SIMULATION
from pipelines.errors import PipelineError
from pipelines.exit_codes import EXIT_ERROR, EXIT_OK
from pipelines.publishing.dataset import upload_data
from pipelines.publishing.deployed import describe_deployed
from pipelines.versions.execution_evaluation import observation_uri
from pipelines.watching import executions
from pipelines.watching.truth import store_prices

if TYPE_CHECKING:
    import pandas as pd

    from deployment.packages import Package
    from profiling.drills import Drill

FOLDERS = (f"capture/{SIMULATION}", f"monitoring/truth/{SIMULATION}", f"monitoring/windows/{SIMULATION}")
CAPTURE_SECONDS = 180.0  # until every event is in S3, on a machine that is busy
POLL_SECONDS = 0.1
LEAST_ROWS, ROWS = 20, 300


def simulate(context: Context, options: Namespace) -> int:
    """monitor --simulate DRILL"""
    import numpy as np

    drill, rows_wanted, seed = _asked(context, options)
    package = _newest(context)
    s3, random = context.bucket_client(), np.random.default_rng(seed)
    began = datetime.now(timezone.utc)
    with TemporaryDirectory() as folder:
        houses = _houses(context, package, drill, rows_wanted, random, Path(folder))
        _forget(s3, context)
        with _endpoint(context, package) as endpoint:
            context.console.line(f"{len(houses):,} requests to {endpoint} ...", style="dim")
            keys = _send(context, endpoint, houses)
            wait_for_capture(s3, context, len(keys))
        _store(s3, context, houses, keys, drill, random)
        until = (datetime.now(timezone.utc) + timedelta(minutes=1)).replace(second=0, microsecond=0)
        data = _sales(context, houses, drill, Path(folder))
        given = {
            "Stage": SIMULATION,
            "Since": (until - timedelta(days=context.settings.monitoring.window_days)).isoformat(),
            "Until": until.isoformat(),
            "InputDataUri": upload_data(s3, data, context.settings, context.environment),
        }
    arn = _started(context, given)
    execution = followed(context, arn, ("CollectWindow", "Observe", "Decide", "Act"))
    uri = observation_uri(context.sagemaker, execution)
    if uri is None or execution.exit_code:
        show_failure(context.console, execution, context.log_folder, context.last_words)
        return execution.exit_code
    bucket, key = split_uri(uri)
    document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return _tell(context, drill, document, (datetime.now(timezone.utc) - began).total_seconds())


def _asked(context: Context, options: Namespace) -> tuple["Drill", int, int]:
    from profiling.drills import Drill

    if not context.local:
        raise PipelineError("A simulation invents requests and prices: run it with --local.")
    if SIMULATION in context.settings.stages:
        raise PipelineError(f"The settings have a stage {SIMULATION}, which a simulation needs: name it otherwise.")
    if options.since or options.until or options.data or options.stage:
        raise PipelineError(
            "A simulation makes its own window, stage and houses: leave out --since, --until, --data and --stage."
        )
    rows = ROWS if options.rows is None else options.rows
    if rows < LEAST_ROWS:
        raise PipelineError(f"--rows is {rows}: fewer than {LEAST_ROWS} houses tell nothing.")
    seed = options.seed or 0
    if seed < 0:
        raise PipelineError(f"--seed is {seed}: it must be 0 or more.")
    try:
        return Drill.parse(options.simulate), rows, seed
    except ValueError as error:
        raise PipelineError(f"--simulate: {error}.") from None


def _newest(context: Context) -> "Package":
    from deployment.packages import latest_approved_package

    return latest_approved_package(
        context.sagemaker, context.settings.name, f"{context.command('run_pipeline.py')} approve"
    )


def _houses(
    context: Context, package: "Package", drill: "Drill", count: int, random: Any, folder: Path
) -> "pd.DataFrame":
    """Rows of the version's test part, drawn again and changed."""
    import pandas as pd

    from profiling.drills import Columns, changed, drawn

    found = context.sagemaker.describe_model_package(ModelPackageName=package.arn)
    bucket, key = split_uri(found["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"])
    path = folder / "test.parquet"
    s3, settings = context.client("s3"), context.settings
    try:
        s3.download_file(bucket, f"{key.rpartition('/')[0]}/reference/test.parquet", str(path))
    except s3.exceptions.ClientError:
        raise PipelineError(
            f"Version {package.version} was registered without its test rows: run the training pipeline, and approve "
            "what it registers."
        ) from None
    table = pd.read_parquet(path)
    place = settings.evaluation.map.group if settings.evaluation.map else None
    try:
        columns = Columns.of(settings.data, place)
        rows = table.iloc[drawn(table, count, drill, columns, random)].reset_index(drop=True)
        return changed(rows, drill, columns, settings.data.target, random)
    except ValueError as error:
        raise PipelineError(f"--simulate {drill.kind}: {error}.") from None


@contextmanager
def _endpoint(context: Context, package: "Package") -> Iterator[str]:
    """An endpoint of the version, with capture, as long as the block runs."""
    from deployment.deploy import Deployment
    from deployment.endpoint import Waiting
    from deployment.specification import Capture, Hosting, Specification

    project, environment = context.settings.name, context.environment
    capture = Capture(f"s3://{environment.bucket}/{project}/capture/{SIMULATION}")
    role = environment.serving_role_arn or environment.role_arn
    hosting = Hosting("ml.m5.large", 1, role, capture=capture, personal=context.settings.data.personal)
    specification = Specification(f"{project}-{SIMULATION}", SIMULATION, package, hosting)
    deployment = Deployment(
        context.sagemaker, specification, Waiting(POLL_SECONDS), context.console.line, f"{specification.endpoint}"
    )
    deployment.run(None)
    try:
        yield specification.endpoint
    finally:
        context.sagemaker.delete_endpoint(EndpointName=specification.endpoint)
        context.sagemaker.delete_endpoint_config(EndpointConfigName=specification.config_name)
        context.sagemaker.delete_model(ModelName=specification.model_name)


def _send(context: Context, endpoint: str, houses: "pd.DataFrame") -> list[str]:
    """One request for each house; the ids by which their prices will be joined, empty where the model refused one."""
    runtime, names = context.client("sagemaker-runtime"), list(context.settings.data.inputs)
    keys = []
    for number, house in enumerate(_as_json(houses[names])):
        key = f"simulated-{number}"
        try:
            runtime.invoke_endpoint(
                EndpointName=endpoint, ContentType="application/json", Body=json.dumps(house), InferenceId=key
            )
        except runtime.exceptions.ModelError as error:
            raise PipelineError(f"The endpoint refused a house of the simulation: {error}") from None
        keys.append(key)
    return keys


def _as_json(rows: "pd.DataFrame") -> list[dict[str, Any]]:
    plain = rows.copy()
    for name in plain.select_dtypes("datetime"):
        plain[name] = plain[name].dt.strftime("%Y-%m-%d")
    found: list[dict[str, Any]] = json.loads(plain.to_json(orient="records"))
    return found


def wait_for_capture(s3: Any, context: Context, wanted: int) -> None:
    """Return when so many events are in S3; PipelineError where they are not there in CAPTURE_SECONDS."""
    deadline = time.monotonic() + CAPTURE_SECONDS
    prefix = f"{context.settings.name}/capture/{SIMULATION}/"
    lines: dict[str, int] = {}  # of each file, which is written once
    while True:
        lines |= {key: len(_lines(s3, context, key)) for key in _keys(s3, context, prefix) if key not in lines}
        if (found := sum(lines.values())) >= wanted:
            return
        if time.monotonic() > deadline:
            verb = "was" if found == 1 else "were"
            raise PipelineError(f"{found} of {wanted} requests {verb} captured after {CAPTURE_SECONDS:.0f} s.")
        time.sleep(POLL_SECONDS)


def _store(s3: Any, context: Context, houses: "pd.DataFrame", keys: list[str], drill: "Drill", random: Any) -> None:
    from profiling.drills import early

    prices = houses[context.settings.data.target].tolist()
    known = early(houses, drill, random).tolist()
    found = {key: float(price) for key, price, is_known in zip(keys, prices, known, strict=True) if is_known}
    folder = f"{context.settings.name}/monitoring/truth/{SIMULATION}"
    store_prices(s3, context.environment.bucket, folder, found, datetime.now(timezone.utc))


def _sales(context: Context, houses: "pd.DataFrame", drill: "Drill", folder: Path) -> Path:
    """The file with new sales: their dates are of another time than the window, so only its columns are looked at."""
    data = context.settings.data
    table = houses[[name for name in houses if name in data.columns]].copy()
    for number, name in enumerate(name for name in data.columns if name not in table):
        table[name] = [f"{number}{row:09d}" for row in range(len(table))]
    if drill.kind == "schema":
        first = next(name for name in data.inputs if name != data.date)
        table = table.rename(columns={first: f"{first}_new"})
    path = folder / "sales.parquet"
    table[[name for name in table]].to_parquet(path, index=False)
    return path


def _started(context: Context, given: Mapping[str, str]) -> str:
    seen = describe_deployed(context.sagemaker, context.pipeline_name)
    compiled = context.compile()
    upsert_compiled(context, compiled, seen, force=False)
    return executions.start(context.sagemaker, compiled.name, given, description="A simulation.")


def _tell(context: Context, drill: "Drill", document: dict[str, Any], seconds: float) -> int:
    """What was found, and whether that is what was to be found."""
    raised = sorted(document["raised"])
    finders = [name for name in raised if name.partition(" ")[0] in drill.finders]
    as_meant = bool(finders) if drill.finders else not raised
    if context.json_output:
        context.console.document({**document, "as_meant": as_meant, "seconds": seconds})
        return EXIT_OK if as_meant else EXIT_ERROR
    console = context.console
    console.line(f"{document['decision']}, after {seconds:.0f} s")
    for reason in document["reasons"]:
        console.line(f"  {reason}")
    wanted = " or ".join(drill.finders) or "nothing"
    console.line(f"To be raised: {wanted}. Raised: {', '.join(raised) or 'nothing'}.")
    return EXIT_OK if as_meant else EXIT_ERROR


def _forget(s3: Any, context: Context) -> None:
    """Remove what an earlier simulation has left."""
    for folder in FOLDERS:
        for key in _keys(s3, context, f"{context.settings.name}/{folder}/"):
            s3.delete_object(Bucket=context.environment.bucket, Key=key)


def _keys(s3: Any, context: Context, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=context.environment.bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def _lines(s3: Any, context: Context, key: str) -> list[bytes]:
    body: bytes = s3.get_object(Bucket=context.environment.bucket, Key=key)["Body"].read()
    return body.splitlines()
