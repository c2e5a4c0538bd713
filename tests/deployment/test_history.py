"""The history of an endpoint, as objects of S3."""

import json
from dataclasses import replace
from typing import Any

import pytest

from deployment.history import ROLLED_BACK, SERVES, UNDER_WAY, Entry, History
from tests.conftest import BUCKET


def entry(version: int, began: str) -> Entry:
    return Entry("houses-staging", "staging", "deploy", version, f"arn/{version}", "c0ffee", "ada", "canary", began)


@pytest.fixture
def history(s3: Any, request: pytest.FixtureRequest) -> History:
    return History(s3, BUCKET, request.node.name, "houses-staging")


def test_the_newest_comes_first_and_an_entry_learns_its_outcome(history: History) -> None:
    first, second = entry(1, "2026-11-28T05:00:00.000001+00:00"), entry(2, "2026-11-28T05:00:00.000002+00:00")
    assert history.newest() is None
    history.write(second)
    history.write(first)
    assert [each.version for each in history.entries()] == [2, 1]
    assert history.newest() == second
    assert history.entries(1) == [second]
    assert second.outcome == UNDER_WAY
    history.write(replace(second, outcome=ROLLED_BACK, reason="an alarm"))
    assert history.read(second).reason == "an alarm"
    assert len(history.entries()) == 2


def test_a_bucket_that_is_not_there_has_no_history(s3: Any) -> None:
    assert History(s3, "no-such-bucket", "houses", "houses-staging").entries() == []


def test_an_entry_of_a_later_version_of_this_project_can_be_read(s3: Any, history: History) -> None:
    written = entry(1, "2026-11-28T05:00:00+00:00")
    history.write(replace(written, outcome=SERVES))
    (found,) = s3.list_objects_v2(Bucket=BUCKET, Prefix="test_an_entry_of_a_later")["Contents"]
    document = json.loads(s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read())
    s3.put_object(Bucket=BUCKET, Key=found["Key"], Body=json.dumps({**document, "unheard_of": 1}).encode())
    assert history.entries() == [replace(written, outcome=SERVES)]
