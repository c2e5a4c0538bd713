"""Events of approvals repeat, come late and out of order."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from deployment.approvals import event_moment, passed_over
from deployment.errors import DeploymentError
from deployment.history import FAILED, INCONCLUSIVE, ROLLED_BACK, SERVES, UNDER_WAY, Entry
from deployment.packages import Package

APPROVED_AT = datetime(2026, 11, 28, 5, 0, tzinfo=timezone.utc)


def package(version: int, approval: str = "Approved") -> Package:
    return Package(f"arn:model-package/houses/{version}", "houses", version, approval, None)


def entry(version: int, outcome: str, after: timedelta = timedelta(seconds=1)) -> Entry:
    began = (APPROVED_AT + after).isoformat()
    return Entry("e", "staging", "deploy", version, package(version).arn, None, "ada", "canary", began, outcome=outcome)


def test_a_first_approval_is_acted_on() -> None:
    assert passed_over(package(2), APPROVED_AT, [package(1)], [entry(1, SERVES)]) is None
    assert passed_over(package(1), APPROVED_AT, [], []) is None


def test_an_older_version_replaces_no_newer_one_that_is_approved() -> None:
    why = passed_over(package(1), APPROVED_AT, [package(2), package(3)], [])
    assert why is not None
    assert why.startswith("version 3 is newer and approved")
    assert passed_over(package(1), APPROVED_AT, [package(2, "Rejected")], []) is None
    assert passed_over(package(1), APPROVED_AT, [None], []) is None  # the newer one was deleted
    assert passed_over(package(2), APPROVED_AT, [package(2)], []) is None  # deploying it again changes nothing


@pytest.mark.parametrize(
    ("outcome", "again"),
    [(SERVES, False), (ROLLED_BACK, False), (INCONCLUSIVE, False), (FAILED, True), (UNDER_WAY, True)],
)
def test_an_approval_that_was_acted_on_is_not_acted_on_again(outcome: str, again: bool) -> None:
    assert (passed_over(package(2), APPROVED_AT, [package(1)], [entry(2, outcome)]) is None) is again


def test_what_was_done_before_the_approval_keeps_nobody() -> None:
    before = entry(2, ROLLED_BACK, timedelta(seconds=-1))
    assert passed_over(package(2), APPROVED_AT, [package(1)], [before]) is None
    at_once = replace(before, began=APPROVED_AT.isoformat())
    assert passed_over(package(2), APPROVED_AT, [package(1)], [at_once]) is not None


def test_the_time_of_an_event_is_read_and_anything_else_is_refused() -> None:
    assert event_moment("2026-11-28T05:00:00Z") == APPROVED_AT
    assert event_moment("2026-11-28T05:00:00") == APPROVED_AT
    with pytest.raises(DeploymentError, match="--approved-at is 'yesterday'"):
        event_moment("yesterday")
