"""Filters, order and pages of List operations."""

import base64
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.listing import page, page_of
from local_sagemaker.errors import ServiceError
from local_sagemaker.state.database import Database
from local_sagemaker.state.records import Records

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


@pytest.mark.parametrize("token", ["!", "", base64.b64encode(b"2").decode(), base64.b64encode(b'["x"]').decode()])
def test_a_token_that_was_not_given_out_is_refused(token: str) -> None:
    with pytest.raises(ServiceError, match="Invalid NextToken"):
        names({"NextToken": token})


def test_a_token_is_of_one_list_whatever_the_size_of_its_pages() -> None:
    token = page(JOBS, {"MaxResults": 2}, result="Jobs", name="JobName", status="JobStatus")["NextToken"]
    assert names({"MaxResults": 3, "NextToken": token}) == ["job-2", "job-1", "job-0"]
    for other in ({"SortOrder": "Ascending"}, {"StatusEquals": "Failed"}):
        with pytest.raises(ServiceError, match="Invalid NextToken"):
            names(other | {"NextToken": token})
    with pytest.raises(ServiceError, match="Invalid NextToken"):
        page(JOBS, {"NextToken": token}, result="Others", name="JobName")


def test_pages_stay_where_they_are_while_documents_come_and_go() -> None:
    first = page(JOBS, {"MaxResults": 2}, result="Jobs", name="JobName")
    token = {"MaxResults": 2, "NextToken": first["NextToken"]}
    newer = [*JOBS, {"JobName": "job-5", "CreationTime": 5.0}]
    assert [job["JobName"] for job in page(newer, token, result="Jobs", name="JobName")["Jobs"]] == ["job-2", "job-1"]
    fewer = [job for job in JOBS if job["JobName"] != "job-4"]
    assert [job["JobName"] for job in page(fewer, token, result="Jobs", name="JobName")["Jobs"]] == ["job-2", "job-1"]


@pytest.fixture(name="records", scope="module")
def records_fixture(tmp_path_factory: pytest.TempPathFactory) -> Records:
    """Twelve jobs of two groups, some of which were created in the same instant."""
    path = tmp_path_factory.mktemp("listing") / "state.db"
    records = Records(Database(path), {"job": "JobStatus"})
    for number in range(12):
        name, status = f"{'ab'[number % 2]}/{number:02d}", "Failed" if number % 3 else "Completed"
        records.put("job", name, {"JobName": name, "CreationTime": number // 2, "JobStatus": status})
        records.put("other", f"a/{number}", {})
    return records


@pytest.mark.parametrize("prefix", ["", "a/", "none"])
@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"SortOrder": "Ascending"},
        {"MaxResults": 3},
        {"StatusEquals": "Failed"},
        {"StatusEquals": "Stopped"},
        {"CreationTimeAfter": 2, "CreationTimeBefore": 4},
        {"CreatedAfter": 2, "CreatedBefore": 4},
        {"NameContains": "1"},
        {"SortBy": "Name", "SortOrder": "Ascending"},
    ],
)
def test_pages_of_a_kind_are_those_of_all_its_documents(
    records: Records, request_: dict[str, Any], prefix: str
) -> None:
    fields = {"result": "Jobs", "name": "JobName", "status": "JobStatus"}
    seen, token = [], None
    while True:
        request = request_ | ({"NextToken": token} if token else {})
        found = page_of(records, "job", request, prefix=prefix, **fields)
        seen += found["Jobs"]
        token = found.get("NextToken")
        if token is None:
            break
        assert len(found["Jobs"]) == request_["MaxResults"]
    whole = page(records.all("job", prefix), {**request_, "MaxResults": 100}, **fields)["Jobs"]  # type: ignore[arg-type]
    assert [job["CreationTime"] for job in seen] == [job["CreationTime"] for job in whole]
    assert sorted(job["JobName"] for job in seen) == sorted(job["JobName"] for job in whole)


@pytest.mark.parametrize("order", ["Descending", "Ascending"])
@pytest.mark.parametrize("sort_by", ["CreationTime", "Name"])
def test_pages_of_a_kind_stay_where_they_are_while_documents_come_and_go(
    tmp_path: Path, order: str, sort_by: str
) -> None:
    records = Records(Database(tmp_path / "state.db"))
    for number in range(6):
        records.put("job", f"{number}", {"JobName": f"{number}", "CreationTime": 1.0})  # in the same instant
    request = {"SortOrder": order, "SortBy": sort_by, "MaxResults": 2}
    first = page_of(records, "job", request, result="Jobs", name="JobName")
    records.put("job", "6", {"JobName": "6", "CreationTime": 1.0})
    records.put("job", "/", {"JobName": "/", "CreationTime": 0.0})
    records.delete("job", first["Jobs"][-1]["JobName"])
    second = page_of(records, "job", request | {"NextToken": first["NextToken"]}, result="Jobs", name="JobName")
    expected = ["2", "3"] if order == "Ascending" else ["3", "2"]
    assert [job["JobName"] for job in second["Jobs"]] == expected


def test_a_page_reads_its_own_documents_alone(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_them(*arguments: Any) -> None:
        raise AssertionError("every document was read")

    monkeypatch.setattr(records, "all", all_of_them)
    found = page_of(
        records, "job", {"MaxResults": 2, "StatusEquals": "Failed"}, result="Jobs", name="JobName", status="s"
    )
    assert [job["JobName"] for job in found["Jobs"]] == ["b/11", "a/10"]
