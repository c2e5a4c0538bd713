"""Filters, order and pages of List operations."""

from typing import Any

import pytest

from local_sagemaker.api.listing import page
from local_sagemaker.errors import ServiceError

JOBS = [
    {"JobName": f"job-{number}", "CreationTime": float(number), "JobStatus": "Failed" if number % 2 else "Completed"}
    for number in range(5)
]


def names(request: dict[str, Any]) -> list[str]:
    found = page(JOBS, request, result="Jobs", name="JobName", status="JobStatus")["Jobs"]
    return [job["JobName"] for job in found]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["job-4", "job-3", "job-2", "job-1", "job-0"]),
        ({"SortOrder": "Ascending", "MaxResults": 2}, ["job-0", "job-1"]),
        ({"StatusEquals": "Failed"}, ["job-3", "job-1"]),
        ({"NameContains": "B-3"}, ["job-3"]),
        ({"CreationTimeAfter": 3}, ["job-4", "job-3"]),
        ({"CreationTimeBefore": 1}, ["job-1", "job-0"]),
        ({"SortBy": "Name", "SortOrder": "Ascending"}, ["job-0", "job-1", "job-2", "job-3", "job-4"]),
    ],
)
def test_a_list_shows_what_was_asked_for(request_: dict[str, Any], expected: list[str]) -> None:
    assert names(request_) == expected


def test_pages_together_are_the_whole_list() -> None:
    seen, token = [], None
    while True:
        request = {"MaxResults": 2} | ({"NextToken": token} if token else {})
        answer = page(JOBS, request, result="Jobs", name="JobName")
        seen += [job["JobName"] for job in answer["Jobs"]]
        token = answer.get("NextToken")
        if token is None:
            break
    assert seen == names({})


def test_a_token_that_was_not_given_out_is_refused() -> None:
    with pytest.raises(ServiceError, match="Invalid NextToken"):
        names({"NextToken": "!"})
