"""The evaluation of a model package: its numbers, read from S3, and its report, brought to this machine."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pipelines.clients import S3Client, split_uri
from pipelines.errors import PipelineError
from pipelines.files import write_whole

DOLLARS = ("USD", "$", "dollar", "dollars", "US dollar", "US dollars")
REPORTS = "reports"  # the folder of this machine to which reports are copied
PAGE = ".html"
REPORT_FILES = (PAGE, ".json")
NARROW = 0.02  # of a limit: a gate that is passed by less is marked
METRIC_COLUMNS = ("RMSE", "MAE", "MAPE", "R2")


@dataclass(frozen=True)
class Metrics:
    """Errors on the test part: RMSE and MAE in the target's unit, MAPE as a fraction. None: not defined."""

    rmse: float | None = None
    mae: float | None = None
    mape: float | None = None
    r2: float | None = None

    @classmethod
    def from_statistics(cls, statistics: Mapping[str, Any]) -> "Metrics":
        """From SageMaker's model quality statistics: {"rmse": {"value": 1, "standard_deviation": 0}, ...}.

        https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
        """
        return cls(**{name: _number(statistics.get(name, {}).get("value")) for name in ("rmse", "mae", "mape", "r2")})

    def texts(self, unit: str) -> tuple[str, str, str, str]:
        """The four numbers as people read them, in the order of METRIC_COLUMNS."""
        return (
            amount(self.rmse, unit),
            amount(self.mae, unit),
            "-" if self.mape is None else f"{self.mape:.1%}".replace("%", " %"),
            "-" if self.r2 is None else f"{self.r2:.4f}",
        )


@dataclass(frozen=True)
class GateResult:
    """One gate as it was judged: the number, its limit, and which side of it is passed."""

    name: str
    subject: str
    value: float
    bound: str
    limit: float
    passed: bool

    @property
    def parameter(self) -> str:
        """The pipeline's parameter that sets the limit: min_r2 is MinR2."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    @property
    def narrow(self) -> bool:
        """Whether it was passed by less than NARROW of its limit."""
        return self.passed and abs(self.value - self.limit) < NARROW * abs(self.limit)


@dataclass(frozen=True)
class Evaluation:
    """The metrics of the evaluated model and of each candidate on the test part, and the gates.

    `warnings` are what the checks of the data found that stops nothing, but that a person should know.
    """

    model: Metrics
    candidates: dict[str, Metrics]
    rmse_ratio: float | None
    gates: tuple[GateResult, ...] = ()
    warnings: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The numbers as data for --json."""
        return asdict(self)


def read_evaluation(s3: S3Client, uri: str) -> Evaluation:
    """Read evaluation.json; PipelineError where it is missing or is not of its layout."""
    from botocore.exceptions import ClientError

    bucket, key = split_uri(uri)
    try:
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
            raise
        raise PipelineError(f"The evaluation {uri} does not exist any more: run the pipeline again.") from None
    try:
        document = json.loads(text)
        comparison = document.get("comparison", {}).get("rmse_ratio", {})
        return Evaluation(
            Metrics.from_statistics(document["regression_metrics"]),
            {name: Metrics.from_statistics(entry) for name, entry in document.get("candidates", {}).items()},
            _number(comparison.get("value")),
            tuple(_gate(check) for check in document.get("gates", {}).get("checks", [])),
            tuple(
                check["text"] for check in document.get("data", {}).get("checks", ()) if check["severity"] == "warning"
            ),
        )
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise PipelineError(f"{uri} is not an evaluation in the layout of model quality statistics: {error}.") from None


def _gate(check: Mapping[str, Any]) -> GateResult:
    return GateResult(**{field.name: check[field.name] for field in fields(GateResult)})


def statistics_uri(package: Mapping[str, Any]) -> str | None:
    """Where the description of a model package says that its test metrics lie."""
    quality = package.get("ModelMetrics", {}).get("ModelQuality", {})
    uri: str | None = quality.get("Statistics", {}).get("S3Uri")
    return uri


def download_report(
    s3: S3Client, uri: str, folder: Path, complete: Callable[[bytes], bytes] = lambda page: page
) -> list[Path]:
    """Copy the HTML and JSON files that lie beside `uri` into folder; each appears whole or not at all.

    `complete` adds to a page what only its reader knows.
    """
    bucket, key = split_uri(uri)
    prefix = key.rpartition("/")[0] + "/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for found in sorted(keys):
        if found.endswith(REPORT_FILES):
            path = folder / found.rpartition("/")[2]
            content = s3.get_object(Bucket=bucket, Key=found)["Body"].read()
            write_whole(path, complete(content) if path.suffix == PAGE else content)
            files.append(path)
    return files


def amount(value: float | None, unit: str) -> str:
    """A value in the target's unit: $112,345, or 12.3 minutes; a dash where it is not known."""
    if value is None:
        return "-"
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"${number}" if unit in DOLLARS else f"{number} {unit}".rstrip()


def _number(value: Any) -> float | None:
    # JSON has no NaN; a writer that insists leaves NaN or null, and neither is a metric.
    return float(value) if isinstance(value, (int, float)) and value == value else None
