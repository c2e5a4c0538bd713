"""A warm start begins with what its parents have found, and refuses parents that cannot tell anything."""

from dataclasses import replace
from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.tuning.bayesian import RANDOM_FIRST, BayesianSearch
from local_sagemaker.tuning.plan import Plan, plan
from local_sagemaker.tuning.warm_start import check_parent, learned, parents
from tests.local_sagemaker.tuning.test_plan import request

ENDED = {"HyperParameterTuningJobStatus": "Stopped"}


def summary(depth: str, value: float | None, **more: str) -> dict[str, Any]:
    objective = {"Value": value} if value is not None else None
    return {
        "TunedHyperParameters": {"depth": depth, **more},
        "FinalHyperParameterTuningJobObjectiveMetric": objective,
    }


@pytest.fixture(name="planned")
def planned_fixture() -> Plan:
    return plan(request({}, {}))  # depth from 1 to 9


def test_the_parents_are_those_that_the_request_names() -> None:
    assert parents({}) == []
    named = [{"HyperParameterTuningJobName": "a"}, {"HyperParameterTuningJobName": "b"}]
    assert parents({"WarmStartConfig": {"ParentHyperParameterTuningJobs": named}}) == ["a", "b"]


def test_what_lies_within_the_ranges_and_has_an_objective_is_learned(planned: Plan) -> None:
    summaries = [
        summary("9", 0.5),
        summary("10", 0.1),
        summary("1", 0.7, other="x"),
        summary("4", None),
        {**summary("4", 0.2), "TunedHyperParameters": {"other": "4"}},
    ]
    assert learned(planned, summaries) == [({"depth": "9"}, 0.5), ({"depth": "1"}, 0.7)]


def test_a_search_that_was_told_enough_does_not_begin_at_random(planned: Plan) -> None:
    search = BayesianSearch(planned.ranges, 1, maximize=False)
    for depth in range(1, RANDOM_FIRST + 2):
        search.tell({"depth": str(depth)}, float(depth))
    assert next(search)["depth"] not in [str(depth) for depth in range(1, RANDOM_FIRST + 2)]


def test_a_parent_that_has_ended_with_the_same_objective_will_do(planned: Plan) -> None:
    check_parent(planned, "a", ENDED, planned)


@pytest.mark.parametrize(
    ("parent", "changes", "words"),
    [
        (None, {}, "the parent tuning job a of WarmStartConfig does not exist"),
        ({"HyperParameterTuningJobStatus": "InProgress"}, {}, "is InProgress: wait"),
        (ENDED, {"metric": "auc"}, "another objective"),
        (ENDED, {"maximize": True}, "another objective"),
        (ENDED, {"definition": {}}, "has 1 static and tuned hyperparameters, this one 2"),
    ],
)
def test_what_cannot_be_a_parent_is_refused(
    planned: Plan, parent: dict[str, str] | None, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ServiceError, match=f"(?i){words}"):
        check_parent(planned, "a", parent, replace(planned, **changes))
