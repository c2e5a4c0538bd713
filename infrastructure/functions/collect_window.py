"""CollectWindow: which window, which version of the model, and which captured files; the first step of monitoring.

It reads what serves and what was captured, and writes window.json and a manifest of all files that the job is to see.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

LAST = "last"  # since and until where none is given
SHADOW = "Shadow"  # the variant whose answers nobody got: see deployment/specification.py
MOST_HISTORY = 6  # windows before this one, whose segments are shown beside its own
MOST_OTHERS = 2  # other approved versions that are scored on the new sales
MOST_VERSIONS = 20  # whose identity is looked up
HOUR = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/(\d{2})/[^/]+\.jsonl$")
FORM = "%Y%m%dT%H%M%z"
TOLD = re.compile(r"--(\d{8}T\d{4}Z)/acted\.json$")  # in the folder of a window, by its end
NONE = "none"
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Version:
    """A model package, and where its archive and its evaluation lie."""

    number: int
    archive: str
    evaluation: str


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """The step's output parameters; ValueError, in one sentence, for a window or a version that cannot be judged."""
    import boto3

    return Collection(event, boto3.client("sagemaker"), boto3.client("s3")).run()


class Collection:
    """One collection. `event` has project, bucket, stage, since, until, started, window_days and cohort_days."""

    def __init__(self, event: Mapping[str, Any], sagemaker: Any, s3: Any) -> None:
        self._event = event
        self._sagemaker = sagemaker
        self._s3 = s3
        self._project, self._bucket, self._stage = event["project"], event["bucket"], event["stage"]
        self._notes: list[str] = []

    def run(self) -> dict[str, Any]:
        """Write both files, whose keys name their content, and say where everything is."""
        since, until = window_of(self._event)
        endpoint = f"{self._project}-{self._stage}"
        config, changed = self._config(endpoint)
        live = self._live(config)
        captured_since = min(since, until - timedelta(days=int(self._event["cohort_days"])))
        folders = {"captured": f"capture/{self._stage}/{endpoint}", "truth": f"monitoring/truth/{self._stage}"}
        files = [*self._captured(folders["captured"], captured_since, until), *self._keys(folders["truth"])]
        approved = self._approved()
        others = {str(each.number): path for each in approved if (path := self._own(each.archive))}
        others.pop(str(live.number), None)
        others = dict(list(others.items())[:MOST_OTHERS])
        told = self._told(since, live.number)
        before = told[-1][1] if told else {}
        document = {
            "stage": self._stage,
            "endpoint": endpoint,
            "since": since.isoformat(),
            "until": until.isoformat(),
            "live": live.number,
            "captured_since": captured_since.isoformat(),
            "versions": self._identities([*approved, live]),
            "sampling": _sampling(config),
            "changed": changed,
            **folders,
            "others": others,
            "raised": before.get("raised", {}),
            "history": [{"until": f"{end:%Y-%m-%d}", "segments": each.get("segments", {})} for end, each in told],
            "acknowledged": self._acknowledged(moment("started", str(self._event["started"]))),
            "notes": self._notes,
        }
        folder = f"monitoring/windows/{self._stage}/{since:%Y%m%dT%H%MZ}--{until:%Y%m%dT%H%MZ}"
        place = f"{folder}/{_digest(document)}/window.json"
        manifest = [{"prefix": f"s3://{self._bucket}/{self._project}/"}, place, *others.values(), *files]
        listed = f"{folder}/{_digest(manifest)}.manifest"
        self._write(place, document)
        self._write(listed, manifest)
        return {
            "Model": live.archive,
            "Reference": f"{live.evaluation}/",
            "Manifest": f"s3://{self._bucket}/{self._project}/{listed}",
            "Window": f"s3://{self._bucket}/{self._project}/{folder}",
            "Before": before.get("training", NONE),
            "Version": live.number,
        }

    def _told(self, since: datetime, version: int) -> list[tuple[datetime, dict[str, Any]]]:
        """The end of each of the last windows before this one, and what was told of it, the oldest first.

        It goes back to the last window in which another version served.
        """
        earliest = since - timedelta(days=int(self._event["cohort_days"]))
        ended = []
        for key in self._keys(f"monitoring/windows/{self._stage}"):
            found = TOLD.search(key)
            if found is not None and earliest < (until := datetime.strptime(found[1], FORM)) <= since:
                ended.append((until, key))
        told: list[tuple[datetime, dict[str, Any]]] = []
        for until, key in sorted(ended, reverse=True)[:MOST_HISTORY]:
            document = self._read(key)
            if document.get("version") != version:
                break
            told.insert(0, (until, document))
        return told

    def _acknowledged(self, now: datetime) -> list[dict[str, Any]]:
        """The acknowledgements that have not expired, the oldest first."""
        found = [self._read(key) for key in self._keys(f"monitoring/acknowledged/{self._stage}")]
        valid = [each for each in found if now < moment("until", str(each.get("until", "1970-01-01")))]
        return sorted(valid, key=lambda each: str(each.get("at")))

    def _read(self, key: str) -> dict[str, Any]:
        """A JSON document of the project; empty, and a note, where it cannot be read."""
        body = self._s3.get_object(Bucket=self._bucket, Key=f"{self._project}/{key}")["Body"].read()
        try:
            return dict(json.loads(body))
        except (ValueError, TypeError):
            self._notes.append(f"{key} cannot be read and is ignored.")
            return {}

    def _config(self, endpoint: str) -> tuple[dict[str, Any] | None, str | None]:
        """The configuration of the endpoint, and when it last changed; None and a note where there is no endpoint."""
        try:
            description = self._sagemaker.describe_endpoint(EndpointName=endpoint)
            config: dict[str, Any] = self._sagemaker.describe_endpoint_config(
                EndpointConfigName=description["EndpointConfigName"]
            )
        except self._sagemaker.exceptions.ClientError as error:
            if not _is_missing(error):
                raise
            self._notes.append(f"The endpoint {endpoint} does not exist: the newest approved version is used.")
            return None, None
        return config, description["LastModifiedTime"].astimezone(timezone.utc).isoformat()

    def _live(self, config: Mapping[str, Any] | None) -> Version:
        """The version behind the endpoint's first variant, or the newest approved one."""
        if config is not None:
            model = self._sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
            container: dict[str, Any] = model.get("PrimaryContainer") or next(iter(model.get("Containers", [])), {})
            if "ModelPackageName" not in container:
                raise ValueError(
                    f"The model {model['ModelName']} behind {self._project}-{self._stage} belongs to no version in the "
                    "registry: deploy a version with deploy_model.py."
                )
            return self._version(container["ModelPackageName"])
        approved = self._approved()
        if not approved:
            raise ValueError(
                f"{self._project} has no endpoint in {self._stage} and no approved version: there is nothing to watch."
            )
        return approved[0]

    def _approved(self) -> list[Version]:
        """The newest approved versions, the newest first."""
        pages = self._sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=self._project)
        entries = [
            entry
            for page in pages
            for entry in page["ModelPackageSummaryList"]
            if entry.get("ModelApprovalStatus") == "Approved"
        ]
        newest = sorted(entries, key=lambda entry: -int(entry["ModelPackageVersion"]))[:MOST_VERSIONS]
        return [self._version(entry["ModelPackageArn"]) for entry in newest]

    def _version(self, arn: str) -> Version:
        package = self._sagemaker.describe_model_package(ModelPackageName=arn)
        containers = package.get("InferenceSpecification", {}).get("Containers") or [{}]
        statistics = package.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {}).get("S3Uri")
        if not containers[0].get("ModelDataUrl") or not statistics:
            raise ValueError(
                f"Version {package['ModelPackageVersion']} of {self._project} names no archive or no evaluation: "
                "register one with the training pipeline."
            )
        number = int(package["ModelPackageVersion"])
        return Version(number, containers[0]["ModelDataUrl"], str(statistics).rpartition("/")[0])

    def _identities(self, versions: list[Version]) -> dict[str, int]:
        """Identity -> version, of what their golden rows say; of two versions of one model, the one that comes last."""
        found = {}
        for version in versions:
            bucket, _, key = f"{version.evaluation}/golden.json".removeprefix("s3://").partition("/")
            try:
                golden = json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
                found[str(golden["model"])] = version.number
            except (self._s3.exceptions.ClientError, ValueError, KeyError):
                self._notes.append(f"Version {version.number} has no golden rows, so its answers cannot be recognized.")
        return found

    def _captured(self, folder: str, since: datetime, until: datetime) -> Iterator[str]:
        """The captured files of the hours between the two, of each variant; what is older or newer is not listed."""
        for variant in self._variants(folder):
            after, end = (f"{folder}/{variant}/{each:%Y/%m/%d/%H}" for each in (since, until + timedelta(hours=1)))
            for key in self._keys(f"{folder}/{variant}", after):
                if key >= end:
                    break
                if _in_hours(key, since, until):
                    yield key

    def _variants(self, folder: str) -> list[str]:
        """The folders of the variants whose answers somebody got."""
        prefix = f"{self._project}/{folder}/"
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/")
        found = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]
        names = [each.removeprefix(prefix).rstrip("/") for each in found]
        return [name for name in names if name != SHADOW]

    def _keys(self, folder: str, after: str | None = None) -> Iterator[str]:
        """The keys below a folder of the project, without the project's prefix, in their order; those after a key."""
        request = {"StartAfter": f"{self._project}/{after}"} if after is not None else {}
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._project}/{folder}/", **request
        )
        for page in pages:
            for entry in page.get("Contents", []):
                yield entry["Key"].removeprefix(f"{self._project}/")

    def _own(self, uri: str) -> str | None:
        """The key of an object below the project's prefix, without it; None for one that lies elsewhere."""
        prefix = f"s3://{self._bucket}/{self._project}/"
        return uri.removeprefix(prefix) if uri.startswith(prefix) else None

    def _write(self, key: str, document: Any) -> None:
        body = json.dumps(document, indent=1).encode()
        self._s3.put_object(Bucket=self._bucket, Key=f"{self._project}/{key}", Body=body)


def window_of(event: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """The window that is asked for, or the last whole one before `started`.

    Whole windows follow one another since 1970, so that the same one is meant until it is followed by another.
    """
    given = {name: str(event[name]) for name in ("since", "until")}
    days = int(event["window_days"])
    started = moment("started", str(event["started"]))
    if given["since"] == LAST and given["until"] == LAST:
        until = EPOCH + timedelta(days=(started - EPOCH).days // days * days)
        return until - timedelta(days=days), until
    if given["since"] == LAST:
        raise ValueError("until is given without since: give the start of the window, too.")
    since = moment("since", given["since"])
    until = started if given["until"] == LAST else moment("until", given["until"])
    if since >= until:
        raise ValueError(f"The window begins at {since:%Y-%m-%d %H:%M} and ends at {until:%Y-%m-%d %H:%M} (UTC).")
    return since, until.replace(second=0, microsecond=0)


def moment(name: str, text: str) -> datetime:
    """A date or a time in UTC; one without a time zone is taken for UTC."""
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(
            f"{name} is {text!r}: give a date such as 2026-10-01, or a time such as 2026-10-01T08:00+02:00."
        ) from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


def _in_hours(key: str, since: datetime, until: datetime) -> bool:
    """Whether a captured file is of an hour between the two; its rows are looked at one by one in the job."""
    found = HOUR.search(key)
    if found is None:
        return False
    year, month, day, hour_of_day = map(int, found.groups())
    hour = datetime(year, month, day, hour_of_day, tzinfo=timezone.utc)
    return since - timedelta(hours=1) < hour < until


def _sampling(config: Mapping[str, Any] | None) -> int | None:
    capture = (config or {}).get("DataCaptureConfig") or {}
    return int(capture["InitialSamplingPercentage"]) if capture.get("EnableCapture") else None


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def _is_missing(error: Any) -> bool:
    return "could not find" in str(error).lower() or "not found" in str(error).lower() or "not exist" in str(error)
