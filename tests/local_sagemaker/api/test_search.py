"""Search finds resources by their fields, as AWS's operators do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.search import Search
from local_sagemaker.api.search_sources import Source
from local_sagemaker.errors import ServiceError
from local_sagemaker.state.database import Database
from local_sagemaker.state.record_kinds import TRAINING_JOB
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.tags import Tags

CALLER = Caller("000000000000", "us-east-1")


@pytest.fixture(name="search")
def search_fixture(tmp_path: Path) -> Iterator[Search]:
    """Three training jobs and their tags."""
    database = Database(tmp_path / "state.db")
    records = Records(database)
    tags = Tags(records)
    for number, rmse in enumerate((0.5, 0.25, 0.75)):
        arn = CALLER.arn(f"training-job/job-{number}")
        records.create(
            "training-job",
            f"job-{number}",
            {
                "TrainingJobName": f"job-{number}",
                "TrainingJobArn": arn,
                "TrainingJobStatus": "Completed" if number else "Failed",
                "CreationTime": 1_700_000_000.0 + number,
                "LastModifiedTime": 1_700_000_000.0 + number,
                "HyperParameters": {"eta": f"0.{number}", "a.b": "x"},
                "FinalMetricDataList": [{"MetricName": "validation:rmse", "Value": rmse}],
                "InputDataConfig": [
                    {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": f"s3://b/{number}"}}}
                ],
                "EnableNetworkIsolation": number == 1,
            },
        )
        tags.add(arn, [{"Key": "owner", "Value": f"team-{number}"}])
    yield Search(tags, {"TrainingJob": Source("TrainingJobArn", lambda: records.all(TRAINING_JOB))})
    database.close()


def names(search: Search, *filters: dict[str, str], **more: Any) -> list[str]:
    expression = {"Filters": list(filters), **more.pop("expression", {})} if filters or "expression" in more else {}
    request = {"Resource": "TrainingJob", "SearchExpression": expression, **more}
    return [each["TrainingJob"]["TrainingJobName"] for each in search.search(request, CALLER)["Results"]]


def where(name: str, operator: str = "Equals", value: str | None = None) -> dict[str, str]:
    return {"Name": name, "Operator": operator, **({"Value": value} if value is not None else {})}


def test_without_an_expression_all_are_found_the_newest_first(search: Search) -> None:
    assert names(search) == ["job-2", "job-1", "job-0"]
    assert names(search, SortOrder="Ascending") == ["job-0", "job-1", "job-2"]
    assert names(search, SortBy="FinalMetricDataList.validation:rmse") == ["job-2", "job-0", "job-1"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (where("TrainingJobStatus", "Equals", "Completed"), {"job-1", "job-2"}),
        ({"Name": "TrainingJobStatus", "Value": "Failed"}, {"job-0"}),
        (where("TrainingJobStatus", "NotEquals", "Completed"), {"job-0"}),
        (where("TrainingJobName", "Contains", "JOB-1"), {"job-1"}),
        (where("TrainingJobName", "In", "job-0, job-2"), {"job-0", "job-2"}),
        (where("FailureReason", "Exists"), set()),
        (where("FailureReason", "NotExists"), {"job-0", "job-1", "job-2"}),
        (where("CreationTime", "GreaterThan", "1700000001"), {"job-2"}),
        (where("CreationTime", "GreaterThanOrEqualTo", "1700000001"), {"job-1", "job-2"}),
        (where("CreationTime", "LessThan", "2023-11-14T22:13:21Z"), {"job-0"}),
        (where("CreationTime", "LessThanOrEqualTo", "2023-11-14T22:13:21Z"), {"job-0", "job-1"}),
        (where("Tags.owner", "Equals", "team-1"), {"job-1"}),
        (where("HyperParameters.eta", "Equals", "0.2"), {"job-2"}),
        (where("HyperParameters.a.b", "Equals", "x"), {"job-0", "job-1", "job-2"}),
        (where("EnableNetworkIsolation", "Equals", "true"), {"job-1"}),
        (where("FinalMetricDataList.validation:rmse", "LessThan", "0.5"), {"job-1"}),
    ],
)
def test_a_filter_finds_what_it_says(search: Search, condition: dict[str, str], expected: set[str]) -> None:
    assert set(names(search, condition)) == expected


def test_filters_are_joined_by_and_or_or(search: Search) -> None:
    both = (where("TrainingJobStatus", "Equals", "Completed"), where("TrainingJobName", "Equals", "job-0"))
    assert names(search, *both) == []
    assert names(search, *both, expression={"Operator": "Or"}) == ["job-2", "job-1", "job-0"]
    inner = {"SubExpressions": [{"Filters": list(both), "Operator": "Or"}]}
    assert names(search, where("TrainingJobName", "NotEquals", "job-2"), expression=inner) == ["job-1", "job-0"]


def test_nested_filters_look_at_one_entry_of_a_list(search: Search) -> None:
    name = "InputDataConfig.DataSource.S3DataSource.S3Uri"
    nested = {"NestedPropertyName": "InputDataConfig", "Filters": [where(name, "Equals", "s3://b/1")]}
    assert names(search, expression={"NestedFilters": [nested]}) == ["job-1"]


def test_pages_and_hits_are_counted(search: Search) -> None:
    first = search.search({"Resource": "TrainingJob", "MaxResults": 2}, CALLER)
    assert first["TotalHits"] == {"Value": 3, "Relation": "EqualTo"}
    assert len(first["Results"]) == 2
    second = search.search({"Resource": "TrainingJob", "MaxResults": 2, "NextToken": first["NextToken"]}, CALLER)
    assert [each["TrainingJob"]["TrainingJobName"] for each in second["Results"]] == ["job-0"]
    assert "NextToken" not in second


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (where("TrainingJobNam", "Equals", "x"), "TrainingJob cannot be searched by TrainingJobNam"),
        (where("TrainingJobName", "Equals"), "needs a Value"),
        (where("TrainingJobName", "GreaterThan", "a"), "is for numbers and times; TrainingJobName is a text"),
        (where("CreationTime", "Equals", "yesterday"), "'yesterday' is not a time"),
    ],
)
def test_what_cannot_be_searched_is_named(search: Search, condition: dict[str, str], words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        names(search, condition)


def test_a_resource_that_is_not_here_is_refused(search: Search) -> None:
    with pytest.raises(ServiceError, match="does not support Search for the resource FeatureGroup"):
        search.search({"Resource": "FeatureGroup"}, CALLER)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"SortBy": "Colour"}, "cannot be searched by Colour"),
        ({"VisibilityConditions": [{"Key": "k", "Value": "v"}]}, "does not support VisibilityConditions of Search"),
    ],
)
def test_what_would_have_no_effect_is_refused(search: Search, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        search.search({"Resource": "TrainingJob", **asked}, CALLER)


def test_what_has_no_time_of_its_last_change_is_found_all_the_same(tmp_path: Path) -> None:
    group = {"ModelPackageGroupName": "g", "ModelPackageGroupArn": CALLER.arn("model-package-group/g")}
    database = Database(tmp_path / "state.db")
    groups = {"ModelPackageGroup": Source("ModelPackageGroupArn", lambda: [group])}
    found = Search(Tags(Records(database)), groups).search({"Resource": "ModelPackageGroup"}, CALLER)
    assert found["TotalHits"]["Value"] == 1
    database.close()
