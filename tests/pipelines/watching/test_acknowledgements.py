"""Acknowledging what was raised: which check is meant, and on which terms."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from pipelines.errors import PipelineError
from pipelines.watching.acknowledgements import Acknowledgement, check_terms, chosen_check, raised_checks, store

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
RAISED = {"level of new sales": "retrain", "level of served predictions": "watch", "places of new sales": "watch"}


def test_the_newest_window_says_what_can_be_acknowledged(s3: Any) -> None:
    with pytest.raises(PipelineError, match="No window of production was judged yet"):
        raised_checks(s3, "bucket", "houses", "production")
    for window, raised in (
        ("20260901T0000Z--20261001T0000Z", RAISED),
        ("20260801T0000Z--20260901T0000Z", {"inputs": "watch"}),
    ):
        key = f"houses/monitoring/windows/production/{window}/acted.json"
        s3.put_object(Bucket="bucket", Key=key, Body=json.dumps({"raised": raised}).encode())
    assert raised_checks(s3, "bucket", "houses", "production") == RAISED


@pytest.mark.parametrize(("text", "meant"), [("places", "places of new sales"), ("level of new sales",) * 2])
def test_a_check_is_meant_by_its_name_or_its_beginning(text: str, meant: str) -> None:
    assert chosen_check(RAISED, text, "production") == meant


@pytest.mark.parametrize(
    ("raised", "text", "said"),
    [
        (RAISED, "level", "is more than one check that"),
        (RAISED, "coverage", "'coverage' is no check that the newest window of production raised: it raised 'level of"),
        (RAISED, "", "is no check that"),
        ({}, "level", "raised nothing"),
    ],
)
def test_a_check_that_was_not_raised_is_named_with_those_that_were(
    raised: dict[str, str], text: str, said: str
) -> None:
    with pytest.raises(PipelineError, match=said):
        chosen_check(raised, text, "production")


@pytest.mark.parametrize(
    ("reason", "expires", "said"),
    [
        (None, NOW + timedelta(days=1), "needs a reason"),
        ("  ", NOW + timedelta(days=1), "needs a reason"),
        ("x" * 501, NOW + timedelta(days=1), "has 501 characters"),
        ("a new tax", None, "expires: give the day"),
        ("a new tax", NOW, "is not in the future"),
    ],
)
def test_it_has_a_reason_and_an_end(reason: str | None, expires: datetime | None, said: str) -> None:
    with pytest.raises(PipelineError, match=said):
        check_terms(reason, expires, NOW)


def test_it_is_kept_once_where_the_function_looks(s3: Any) -> None:
    known = Acknowledgement("level of new sales", "watch", "a new tax", "2026-12-01T00:00:00+00:00", "ada", "now")
    uri = store(s3, "bucket", "houses", "production", known)
    assert uri.startswith("s3://bucket/houses/monitoring/acknowledged/production/")
    assert store(s3, "bucket", "houses", "production", known) == uri
