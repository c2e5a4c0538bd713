"""CollectWindow against moto's services, which answer as AWS does."""

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from infrastructure.functions.collect_window import Collection, window_of

PROJECT, BUCKET = "house-prices", "bucket"
ARN = "arn:aws:sagemaker:us-east-1:123456789012"
EVENT = {
    "project": PROJECT,
    "bucket": BUCKET,
    "stage": "production",
    "since": "2026-10-01",
    "until": "2026-11-01",
    "started": "2026-11-20T10:00:00Z",
    "window_days": 30,
    "cohort_days": 180,
}


@pytest.mark.parametrize(
    ("given", "since", "until"),
    [
        ({"since": "2026-10-01", "until": "2026-11-01"}, "2026-10-01T00:00", "2026-11-01T00:00"),
        ({"since": "2026-10-01T00:00+02:00", "until": "2026-10-02T00:00Z"}, "2026-09-30T22:00", "2026-10-02T00:00"),
        ({"since": "2026-10-01", "until": "last"}, "2026-10-01T00:00", "2026-11-20T10:00"),
    ],
)
def test_a_window_is_in_utc(given: dict[str, str], since: str, until: str) -> None:
    assert [f"{each:%Y-%m-%dT%H:%M}" for each in window_of({**EVENT, **given})] == [since, until]


def test_without_a_window_it_is_the_last_whole_one_until_the_next_is_whole() -> None:
    asked = {**EVENT, "since": "last", "until": "last"}
    since, until = window_of(asked)
    assert (until - since).days == 30
    assert until <= datetime(2026, 11, 20, 10, tzinfo=timezone.utc)
    late = until.replace(hour=23)
    assert window_of({**asked, "started": late.isoformat()}) == (since, until)
    early = datetime.fromtimestamp(until.timestamp() - 1, timezone.utc)
    assert window_of({**asked, "started": early.isoformat()})[1] == since


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"since": "yesterday"}, "since is 'yesterday': give a date such as"),
        ({"since": "2026-11-01", "until": "2026-11-01"}, "The window begins at"),
        ({"since": "last", "until": "2026-11-01"}, "until is given without since"),
    ],
)
def test_a_window_that_cannot_be_is_said(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        window_of({**EVENT, **given})


@pytest.fixture
def s3() -> Iterator[Any]:
    """An S3 with golden rows of two versions."""
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        client.create_bucket(Bucket=BUCKET)
        for version in (1, 2):
            key = f"{PROJECT}/evaluation/{version}/golden.json"
            client.put_object(Bucket=BUCKET, Key=key, Body=json.dumps({"model": f"identity-{version}"}).encode())
        yield client


def package(version: int) -> dict[str, Any]:
    """DescribeModelPackage of a version."""
    place = f"s3://{BUCKET}/{PROJECT}"
    statistics = {"ContentType": "application/json", "S3Uri": f"{place}/evaluation/{version}/evaluation.json"}
    return {
        "ModelPackageName": PROJECT,
        "ModelPackageVersion": version,
        "ModelPackageArn": f"{ARN}:model-package/{PROJECT}/{version}",
        "CreationTime": datetime(2026, 1, 1),
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "InferenceSpecification": {
            "Containers": [{"Image": "image", "ModelDataUrl": f"{place}/models/{version}/model.tar.gz"}],
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": statistics}},
    }


def summary(version: int, status: str = "Approved") -> dict[str, Any]:
    """An entry of ListModelPackages."""
    return {
        "ModelPackageArn": f"{ARN}:model-package/{PROJECT}/{version}",
        "ModelPackageVersion": version,
        "CreationTime": datetime(2026, 1, 1),
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": status,
    }


def endpoint(stub: Stubber, percent: int | None = 100) -> None:
    """An endpoint that serves version 1."""
    times = {"CreationTime": datetime(2026, 1, 1), "LastModifiedTime": datetime(2026, 5, 1, tzinfo=timezone.utc)}
    answer = {"EndpointName": "x", "EndpointArn": f"{ARN}:endpoint/x", "EndpointStatus": "InService", **times}
    stub.add_response(
        "describe_endpoint", {**answer, "EndpointConfigName": "c"}, {"EndpointName": "house-prices-production"}
    )
    config = {
        "EndpointConfigName": "c",
        "EndpointConfigArn": f"{ARN}:endpoint-config/c",
        "CreationTime": datetime(2026, 1, 1),
        "ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "m"}],
    }
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": "s3://bucket/x",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    stub.add_response("describe_endpoint_config", {**config, **({"DataCaptureConfig": capture} if percent else {})})
    container = {"ModelPackageName": f"{ARN}:model-package/{PROJECT}/1"}
    model = {"ModelName": "m", "ModelArn": f"{ARN}:model/m", "CreationTime": datetime(2026, 1, 1)}
    stub.add_response("describe_model", {**model, "PrimaryContainer": container})


def collected(
    s3: Any, prepare: Any, event: dict[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, Any], list[Any]]:
    """The outputs, window.json and the manifest, with a SageMaker that answers as `prepare` says."""
    sagemaker = boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(sagemaker) as stub:
        prepare(stub)
        outputs = Collection(event or EVENT, sagemaker, s3).run()
        stub.assert_no_pending_responses()
    manifest = read(s3, outputs["Manifest"])
    return outputs, read(s3, f"{manifest[0]['prefix']}{manifest[1]}"), manifest


def read(s3: Any, uri: str) -> Any:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def serving(stub: Stubber) -> None:
    """Version 1 serves, 2 is approved, 3 waits."""
    endpoint(stub)
    stub.add_response("describe_model_package", package(1))
    entries = [summary(3, "PendingManualApproval"), summary(2), summary(1)]
    stub.add_response("list_model_packages", {"ModelPackageSummaryList": entries})
    stub.add_response("describe_model_package", package(2))
    stub.add_response("describe_model_package", package(1))


def gone(stub: Stubber) -> None:
    """There is no endpoint; version 2 is approved."""
    stub.add_client_error("describe_endpoint", "ValidationException", "Could not find endpoint")
    for _ in range(2):
        stub.add_response("list_model_packages", {"ModelPackageSummaryList": [summary(2)]})
        stub.add_response("describe_model_package", package(2))


def test_the_version_that_serves_is_judged_and_the_other_approved_ones_go_along(s3: Any) -> None:
    outputs, window, manifest = collected(s3, serving)
    assert outputs["Model"] == "s3://bucket/house-prices/models/1/model.tar.gz"
    assert outputs["Reference"] == "s3://bucket/house-prices/evaluation/1/"
    assert outputs["Version"] == window["live"] == 1
    assert window["versions"] == {"identity-1": 1, "identity-2": 2}
    assert window["others"] == {"2": "models/2/model.tar.gz"}
    assert manifest[0] == {"prefix": "s3://bucket/house-prices/"}
    assert manifest[2:] == ["models/2/model.tar.gz"]
    assert (window["sampling"], window["notes"]) == (100, [])


def test_the_manifest_has_the_captured_hours_of_the_cohorts_and_every_price(s3: Any) -> None:
    folder = "capture/production/house-prices-production/AllTraffic"
    kept = [f"{folder}/2026/{hour}/00-00-000-a.jsonl" for hour in ("05/05/00", "10/01/00", "10/31/23")]
    left = [f"{folder}/2026/{hour}/00-00-000-a.jsonl" for hour in ("05/04/23", "11/01/00")]
    price = "monitoring/truth/production/2026/12/01/00/00-00-x.jsonl"
    for key in (*kept, *left, price, "monitoring/truth/staging/2026/12/01/00/00-00-x.jsonl"):
        s3.put_object(Bucket=BUCKET, Key=f"{PROJECT}/{key}", Body=b"{}")
    assert collected(s3, serving)[2][3:] == [*kept, price]


def test_files_of_years_before_and_after_the_window_are_not_listed(s3: Any) -> None:
    folder = f"{PROJECT}/capture/production/house-prices-production"
    for variant in ("Blue", "Green", "Shadow"):
        for day in ("2020/01/01", "2026/10/05", "2026/11/02", "2027/01/01"):
            for number in range(3):
                s3.put_object(Bucket=BUCKET, Key=f"{folder}/{variant}/{day}/00/{number}.jsonl", Body=b"{}")
    listed: list[str] = []

    def see(parsed: dict[str, Any], **_: Any) -> None:
        listed.extend(each["Key"] for each in parsed.get("Contents", []) if "/capture/" in each["Key"])

    def one_a_page(params: dict[str, Any], **_: Any) -> None:
        params["MaxKeys"] = 1

    s3.meta.events.register("before-parameter-build.s3.ListObjectsV2", one_a_page)
    s3.meta.events.register("after-call.s3.ListObjectsV2", see)
    manifest = collected(s3, serving)[2]
    expected = [f"Blue/2026/10/05/00/{n}" for n in range(3)] + [f"Green/2026/10/05/00/{n}" for n in range(3)]
    assert [key.removesuffix(".jsonl").partition("house-prices-production/")[2] for key in manifest[3:]] == expected
    assert len(listed) == len(expected) + 2  # of each variant the first one beyond


@pytest.mark.e2e
def test_the_same_window_gives_the_same_keys_and_another_content_another(s3: Any) -> None:
    first, again = collected(s3, serving)[0], collected(s3, serving, {**EVENT, "started": "2026-12-01T00:00:00Z"})[0]
    assert first == again
    s3.put_object(Bucket=BUCKET, Key=f"{PROJECT}/monitoring/truth/production/2026/12/01/00/x.jsonl", Body=b"{}")
    later = collected(s3, serving)[0]
    assert later["Window"] == first["Window"]
    assert later["Manifest"] != first["Manifest"]


def test_without_the_endpoint_the_newest_approved_version_is_judged_and_that_is_said(s3: Any) -> None:
    outputs, window, _ = collected(s3, gone)
    assert (outputs["Version"], window["sampling"]) == (2, None)
    assert window["notes"] == [
        "The endpoint house-prices-production does not exist: the newest approved version is used."
    ]


@pytest.mark.e2e
def test_without_any_version_there_is_nothing_to_watch(s3: Any) -> None:
    def nothing(stub: Stubber) -> None:
        stub.add_client_error("describe_endpoint", "ValidationException", "Could not find endpoint")
        stub.add_response("list_model_packages", {"ModelPackageSummaryList": [summary(3, "Rejected")]})

    with pytest.raises(ValueError, match="no endpoint in production and no approved version"):
        collected(s3, nothing)


def put(s3: Any, key: str, document: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"{PROJECT}/monitoring/{key}", Body=json.dumps(document).encode())


def told(version: int = 1, **fields: Any) -> dict[str, Any]:
    return {"decision": "watch", "raised": {"level": "watch"}, "training": "none", "version": version, **fields}


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("windows", "raised", "before"),
    [
        ({"20260801T0000Z--20260901T0000Z": told()}, {"level": "watch"}, "none"),
        ({"20260901T0000Z--20261001T0000Z": told(training="arn:x")}, {"level": "watch"}, "arn:x"),
        ({"20260901T0000Z--20261001T0001Z": told()}, {}, "none"),  # it ends in the window
        ({"20260901T0000Z--20261001T0000Z": told(version=2)}, {}, "none"),  # of another version
        ({"20260101T0000Z--20260404T0000Z": told()}, {}, "none"),  # as old as the cohorts that are looked back at
        (
            {
                "20260701T0000Z--20260801T0000Z": told(),
                "20260801T0000Z--20260901T0000Z": told(raised={}),
            },
            {},
            "none",
        ),
    ],
)
def test_the_last_window_that_was_told_of_is_remembered(
    s3: Any, windows: dict[str, Any], raised: dict[str, str], before: str
) -> None:
    for name, document in windows.items():
        put(s3, f"windows/production/{name}/acted.json", document)
    outputs, window, _ = collected(s3, gone_with(1))
    assert (window["raised"], outputs["Before"]) == (raised, before)


def test_the_segments_of_the_windows_before_go_along_back_to_another_version(s3: Any) -> None:
    months = {"0501": told(), "0601": told(version=2), "0701": told(segments={"view 1": -0.01}), "0901": told()}
    for month, document in months.items():
        put(s3, f"windows/production/20260401T0000Z--2026{month}T0000Z/acted.json", document)
    _, window, _ = collected(s3, gone_with(1))
    assert window["history"] == [
        {"until": "2026-07-01", "segments": {"view 1": -0.01}},
        {"until": "2026-09-01", "segments": {}},
    ]


def gone_with(version: int) -> Any:
    """No endpoint; one version is approved."""

    def prepare(stub: Stubber) -> None:
        stub.add_client_error("describe_endpoint", "ValidationException", "Could not find endpoint")
        for _ in range(2):
            stub.add_response("list_model_packages", {"ModelPackageSummaryList": [summary(version)]})
            stub.add_response("describe_model_package", package(version))

    return prepare


def test_acknowledgements_that_have_not_expired_go_along_and_what_cannot_be_read_is_said(s3: Any) -> None:
    known = {"check": "level", "decision": "watch", "reason": "r", "by": "ada"}
    put(s3, "acknowledged/production/b.json", {**known, "until": "2026-11-20T10:00:01+00:00", "at": "2"})
    put(s3, "acknowledged/production/a.json", {**known, "until": "2027-01-01", "at": "1", "by": "bob"})
    put(s3, "acknowledged/production/c.json", {**known, "until": "2026-11-20T10:00:00+00:00", "at": "3"})
    put(s3, "acknowledged/staging/d.json", {**known, "until": "2027-01-01", "at": "4"})
    put(s3, "acknowledged/production/e.json", 5)
    _, window, _ = collected(s3, gone_with(1))
    assert [each["by"] for each in window["acknowledged"]] == ["bob", "ada"]
    assert any("e.json cannot be read" in note for note in window["notes"])
