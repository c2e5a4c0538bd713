"""diff: what would change where one version took another's place, on the requests that were captured."""

import argparse
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from command_line.session import Session

MODULE = "monitoring.version_difference"
MOST_SEGMENTS = 8


@dataclass(frozen=True)
class Version:
    """A version of the group, whatever its approval, and where its model lies."""

    number: int
    package: Mapping[str, Any]

    @property
    def archive(self) -> str:
        """The URI of its model.tar.gz; DeploymentError where the version names none."""
        from deployment.errors import DeploymentError

        containers = self.package.get("InferenceSpecification", {}).get("Containers") or [{}]
        uri = containers[0].get("ModelDataUrl")
        if not uri:
            raise DeploymentError(f"Version {self.number} does not say where its model is.")
        return str(uri)


def diff(session: "Session", options: argparse.Namespace) -> None:
    """diff"""
    from command_line.beside import answer_of
    from deployment.errors import DeploymentError

    if options.stage is not None:
        session.endpoint(options.stage)
    old, new = (_version(session, text) for text in (options.old, options.new))
    if old.number == new.number:
        raise DeploymentError(f"Both are version {old.number}: name two versions.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, each in ((folder / "old.tar.gz", old), (folder / "new.tar.gz", new)):
            _download(session, each.archive, path)
        (folder / "rows").mkdir()
        source = _rows(session, options, new, folder / "rows")
        places = {"old": folder / "old.tar.gz", "new": folder / "new.tar.gz", "rows": folder / "rows"}
        found = answer_of(session, MODULE, folder, places, options.percent / 100)
    document = {"old": old.number, "new": new.number, "source": source, **found}
    if session.console.json_output:
        session.console.document(document)
    else:
        _show(session, document)


def _version(session: "Session", text: str) -> Version:
    from pipelines.versions.registry import find_version

    sagemaker = session.client("sagemaker")
    number = text[1:] if text[:1] in ("v", "V") and text[1:].isdecimal() else text
    package = sagemaker.describe_model_package(ModelPackageName=find_version(sagemaker, session.settings.name, number))
    return Version(package["ModelPackageVersion"], package)


def _rows(session: "Session", options: argparse.Namespace, new: Version, folder: Path) -> str:
    """Bring the captured requests since yesterday to a folder, else the test part; what they are, in words."""
    stages = [options.stage] if options.stage else list(reversed(session.settings.stages))
    since = options.since or datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
        1
    )
    if not options.test and session.has_bucket:
        for stage in stages:
            said = _captured(session, stage, since, folder)
            if said:
                return said
    _test_part(session, new, folder / "test.parquet")
    if options.test:
        return f"the test part of version {new.number}"
    where = f"at {stages[0]} " if options.stage else ""
    return f"the test part of version {new.number} (no request was captured {where}since {since:%Y-%m-%d})"


def _captured(session: "Session", stage: str, since: datetime, folder: Path) -> str:
    from deployment.captured import captured_files

    prefix = f"{session.settings.name}/capture/{stage}/{session.endpoint(stage)}"
    s3 = session.client("s3")
    files = captured_files(s3, session.environment.bucket, prefix, since)
    if not files.keys:
        return ""
    files.download(s3, folder)
    left = f", without the {files.left_out} oldest files" if files.left_out else ""
    return f"the requests to {stage} that were captured since {since:%Y-%m-%d}{left}"


def _test_part(session: "Session", version: Version, path: Path) -> None:
    from deployment.errors import DeploymentError
    from pipelines.versions.execution_evaluation import test_part_uri
    from pipelines.watching.executions import describe

    sagemaker = session.client("sagemaker")
    execution = version.package.get("CustomerMetadataProperties", {}).get("pipeline_execution_arn")
    uri = test_part_uri(sagemaker, describe(sagemaker, execution)) if execution else None
    if uri is None:
        raise DeploymentError(
            f"No request was captured, and version {version.number} does not say where its test part lies: name "
            "another day with --since."
        )
    _download(session, uri, path)


def _download(session: "Session", uri: str, path: Path) -> None:
    from botocore.exceptions import ClientError

    from deployment.errors import DeploymentError
    from pipelines.clients import split_uri

    bucket, key = split_uri(uri)
    try:
        session.client("s3").download_file(bucket, key, str(path))
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NoSuchBucket"):
            raise
        raise DeploymentError(f"{uri} is not there any more.") from None


def _show(session: "Session", found: Mapping[str, Any]) -> None:
    moved, compared = found["moved"], found["compared"]
    console = session.console
    console.line(f"Version {found['old']} and version {found['new']} on {compared:,} rows: {found['source']}.")
    for name in ("old", "new"):
        refused = found["refused"][name]
        if refused["rows"]:
            number = f"{refused['rows']:,} of {found['rows']:,} rows"
            console.line(f"Version {found[name]} refuses {number}: {refused['example']}")
    low, middle, high = (found["quantiles"][share] for share in ("0.05", "0.5", "0.95"))
    limit = f"{100 * found['limit']:g}%"
    share = f"{moved:,} of {compared:,} predictions ({moved / compared:.1%}) move by more than {limit}"
    console.line(
        f"{share}: {found['up']:,} up, {moved - found['up']:,} down. In the middle {middle:+.1%}; 90 % of them "
        f"{low:+.1%} to {high:+.1%}; the largest {found['largest_change']:+.1%}.",
        style="bold",
    )
    if moved:
        _show_what_moved(session, found)


def _show_what_moved(session: "Session", found: Mapping[str, Any]) -> None:
    """Whose predictions moved, why, and the rows that moved the most: a table each, where there is anything."""
    from command_line.console import Table
    from pipelines.versions.evaluation_report import amount

    console, data = session.console, session.settings.data
    unit, logarithmic = data.columns[data.target].unit, found["scale"] == "log"
    if not found["features"]:
        console.line("Why is not told: the versions are trained on different scales of the target.")

    def said(difference: float) -> str:
        return effect(difference, logarithmic, unit)

    whose = [
        (name["segment"], f"{name['rows']:,}", f"{name['moved']:,}", f"{name['moved'] / name['rows']:.0%}",
         f"{name['median']:+.1%}")
        for name in found["segments"][:MOST_SEGMENTS]
        if name["moved"]
    ]  # fmt: skip
    why = [(each["feature"], said(each["size"]), said(each["mean"])) for each in found["features"][:MOST_SEGMENTS]]
    most = [
        (each["row"], amount(each["old"], unit), amount(each["new"], unit), f"{each['change']:+.1%}",
         ", ".join(f"{reason['feature']} {said(reason['difference'])}" for reason in each["reasons"]) or "-")
        for each in found["largest"]
    ]  # fmt: skip
    tables: Sequence[tuple[Sequence[str], Sequence[Sequence[str]]]] = (
        (("WHOSE", "ROWS", "MOVED", "SHARE", "MEDIAN CHANGE"), whose),
        (("WHY: IT ADDS NOW", "BY ABOUT", "ON AVERAGE"), why),
        (("MOVED THE MOST", f"VERSION {found['old']}", f"VERSION {found['new']}", "CHANGE", "WHY"), most),
    )
    for columns, rows in tables:
        if rows:
            console.line()
            console.show(Table(columns, rows, None))


def effect(difference: float, logarithmic: bool, unit: str) -> str:
    """A difference of contributions as people say it: of logarithms it is a change in per cent."""
    from pipelines.versions.evaluation_report import amount

    if logarithmic:
        return f"{math.exp(difference) - 1:+.1%}"
    sign = "-" if difference < 0 else "+"
    return f"{sign}{amount(abs(difference), unit)}"
