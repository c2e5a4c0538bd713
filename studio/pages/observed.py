"""What a pipeline of the monitoring has last found: the documents that its newest finished execution has left.

Any pipeline whose job writes `monitoring.json` in this form is shown; of another form only what is there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from studio.account.account import Account
from studio.account.attempts import Answer, attempt, attempts_for
from studio.errors import StudioError
from studio.previews.objects import read_json, reports_beside

FILE = "monitoring.json"
NAMED = "monitoring"  # in the name of a pipeline that watches
MOST_PIPELINES, MOST_EXECUTIONS, MOST_FEATURES = 5, 10, 8
Row = tuple[str, ...]


@dataclass(frozen=True)
class Observation:
    """The last window of one pipeline: its decision with its reasons, and tables of texts."""

    pipeline: str
    execution: str
    decision: str
    window: str
    reasons: tuple[str, ...]
    level: str
    cohorts: tuple[Row, ...]
    drift: str
    features: tuple[Row, ...]
    estimate: tuple[Row, ...]
    reports: tuple[str, ...]


def observations(account: Account) -> list[Answer[Observation | None]]:
    """The last observation of each pipeline that watches; None where none of its executions has one yet."""
    client = account.client("sagemaker")
    listed = client.list_pipelines(SortBy="CreationTime", SortOrder="Descending", MaxResults=100)
    names = [each["PipelineName"] for each in listed.get("PipelineSummaries", []) if NAMED in each["PipelineName"]]
    return attempts_for(names[:MOST_PIPELINES], lambda name: _last(account, name))


def _last(account: Account, pipeline: str) -> Observation | None:
    client = account.client("sagemaker")
    listed = client.list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=MOST_EXECUTIONS
    )
    for each in listed.get("PipelineExecutionSummaries", []):
        if each["PipelineExecutionStatus"] != "Succeeded":
            continue
        arn = each["PipelineExecutionArn"]
        for folder in _outputs(account, arn):
            found = attempt(lambda folder=folder: read_json(account, f"{folder}/{FILE}"))  # type: ignore[misc]
            if found.ok:
                reports = tuple(reports_beside(account, [f"{folder}/{FILE}"]))
                return _observation(pipeline, arn.rpartition("/")[2], found.value, reports)
    return None


def _outputs(account: Account, execution: str) -> Iterator[str]:
    """The folders that the processing jobs of an execution have written."""
    client = account.client("sagemaker")
    steps = client.list_pipeline_execution_steps(PipelineExecutionArn=execution).get("PipelineExecutionSteps", [])
    for step in steps:
        arn = step.get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
        if arn is None:
            continue
        job = client.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])
        for output in job.get("ProcessingOutputConfig", {}).get("Outputs", []):
            yield output.get("S3Output", {}).get("S3Uri", "").rstrip("/")


def _observation(pipeline: str, execution: str, document: Any, reports: tuple[str, ...]) -> Observation:
    if not isinstance(document, dict) or "decision" not in document:
        raise StudioError(f"The {FILE} of {pipeline} {execution} names no decision: it is of a form that is not known.")
    window = _mapping(document.get("window"))
    drift = _mapping(document.get("input_drift"))
    return Observation(
        pipeline,
        execution,
        str(document["decision"]),
        f"{str(window.get('since', ''))[:16]} to {str(window.get('until', ''))[:16]}",
        tuple(map(str, _list(document.get("reasons")))),
        _level(_mapping(document.get("backtest"))),
        tuple(_cohort(_mapping(each)) for each in _list(document.get("cohorts"))),
        _drift(drift),
        tuple(_feature(_mapping(each)) for each in _list(drift.get("features"))[:MOST_FEATURES]),
        _estimate(_mapping(document.get("estimated_error"))),
        reports,
    )


def _level(backtest: Mapping[str, Any]) -> str:
    entry = _mapping(_mapping(backtest.get("statistics")).get("median_ratio"))
    low, high = (*_list(entry.get("interval")), None, None)[:2]
    if not isinstance(entry.get("value"), int | float):
        return ""
    return f"{_number(entry['value'])} ({_number(low)} to {_number(high)}) on {_number(backtest.get('rows'))} new rows"


def _cohort(each: Mapping[str, Any]) -> Row:
    texts = [str(each.get(name, "")) for name in ("month", "version")]
    counts = [_number(each.get(name)) for name in ("rows", "matured")]
    return (*texts, *counts, _share(each.get("level"), "+.1%"), _share(each.get("mape"), ".1%"))


def _drift(drift: Mapping[str, Any]) -> str:
    if not drift:
        return ""
    return f"p {_number(drift.get('p'))} over all features of {_number(drift.get('rows'))} {drift.get('what', 'rows')}"


def _feature(each: Mapping[str, Any]) -> Row:
    return (str(each.get("name", "")), *(_number(each.get(name)) for name in ("psi", "distance", "wasserstein")))


def _estimate(found: Mapping[str, Any]) -> tuple[Row, ...]:
    rows = (("estimated before the prices are known", "mape"), ("by the width of the intervals", "by_width"))
    return tuple((text, _share(found.get(name), ".1%")) for text, name in (*rows, ("actual", "actual")) if found)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4g}" if isinstance(value, float) else "–"


def _share(value: Any, form: str) -> str:
    return format(value, form).replace("%", " %") if isinstance(value, int | float) else "–"
