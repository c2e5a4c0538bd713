"""What an execution would cost is said where it is known, and called unknown where it is not."""

from typing import Any

import pytest

from pipelines.document.cache_forecast import REUSED, RUNS_AGAIN, Forecast
from pipelines.publishing.cost_forecast import Cost, Measured, cost_of, last_durations, prices
from pipelines.settings.settings import StageSettings
from pipelines.watching.executions import Job
from tests.pipelines.conftest import PIPELINE, Executions, execution_arn, job, step


def training(name: str, kind: Any = "ml.m5.xlarge", count: Any = 1) -> dict[str, Any]:
    resources = {"InstanceType": kind, "InstanceCount": count}
    return {"Name": name, "Type": "Training", "Arguments": {"ResourceConfig": resources}}


def cost(*steps: dict[str, Any], reused: tuple[str, ...] = (), region: str = "us-east-1", **seconds: float) -> Cost:
    definition = {
        "Parameters": [{"Name": "Type", "Type": "String", "DefaultValue": "ml.m5.2xlarge"}],
        "Steps": [*steps, {"Name": "End", "Type": "Fail", "Arguments": {}}],
    }
    forecasts = [Forecast(entry["Name"], REUSED if entry["Name"] in reused else RUNS_AGAIN) for entry in steps]
    measured = {name: Measured(each, "e1", "arn", Job("TrainingJob", name)) for name, each in seconds.items()}
    return cost_of(definition, forecasts, measured, region)


def test_a_job_costs_its_price_times_instances_times_the_time_that_it_took_last() -> None:
    found = cost(training("A"), training("B", {"Get": "Parameters.Type"}, 2), A=1800, B=900)
    assert [entry.cost for entry in found.steps] == [pytest.approx(0.115), pytest.approx(0.2305)]
    assert found.total == pytest.approx(0.3455)
    assert (found.region, found.currency) == ("us-east-1", "USD")


def test_an_endpoint_costs_its_hosting_price_for_730_hours_and_is_unknown_without_one() -> None:
    stages = {
        "dev": StageSettings(instance_type="ml.t3.medium", instance_count=2),
        "staging": StageSettings(instance_type="ml.m5.large"),
        "production": StageSettings(instance_type="ml.m5.xlarge"),
    }
    found = cost_of({}, [], {}, "us-east-1", stages)
    assert [(each.stage, each.monthly) for each in found.endpoints] == [
        ("dev", pytest.approx(73.0)),
        ("staging", pytest.approx(83.95)),
        ("production", None),
    ]
    assert cost_of({}, [], {}, "eu-west-1", stages).endpoints[0].monthly is None
    assert found.document()["endpoints"][0]["monthly"] == pytest.approx(73.0)


def test_an_endpoint_that_removes_itself_costs_its_stay() -> None:
    stages = {
        "dev": StageSettings(instance_type="ml.t3.medium", instance_count=2, remove_after="12 hours"),
        "other": StageSettings(instance_type="ml.m5.xlarge", remove_after="30 minutes"),
        "staging": StageSettings(instance_type="ml.t3.medium"),
    }
    found = cost_of({}, [], {}, "us-east-1", stages)
    assert [each.until_removed for each in found.endpoints] == [pytest.approx(1.2), None, None]
    assert [each["removed_after"] for each in found.document()["endpoints"]] == ["12 hours", "30 minutes", None]


def test_what_comes_from_the_cache_costs_nothing() -> None:
    found = cost(training("A"), training("B"), reused=("A",), A=1800, B=3600)
    assert [entry.cost for entry in found.steps] == [0.0, 0.23]


@pytest.mark.parametrize(
    ("step", "region", "seconds"),
    [
        (training("A", "ml.p5.48xlarge"), "us-east-1", {"A": 10.0}),  # not in the table
        (training("A"), "ap-south-2", {"A": 10.0}),  # a region that is not in the table
        (training("A"), "us-east-1", {}),  # it never ran
        (training("A", {"Get": "Parameters.NoDefault"}), "us-east-1", {"A": 10.0}),
    ],
)
def test_what_is_not_known_is_unknown_and_so_is_the_sum(step: Any, region: str, seconds: dict[str, float]) -> None:
    found = cost(step, training("B"), reused=("A",) if not seconds else (), region=region, B=10, **seconds)
    assert found.steps[0].cost is None
    assert found.total is None
    assert found.document()["total"] is None


def test_what_a_tuning_job_costs_is_unknown() -> None:
    """Its duration does not tell how long its training jobs ran, some of them at once."""
    inner = training("A")["Arguments"]
    found = cost({"Name": "A", "Type": "Tuning", "Arguments": {"TrainingJobDefinition": inner}}, A=1800)
    assert (found.steps[0].instance_type, found.steps[0].cost, found.total) == ("ml.m5.xlarge", None, None)


def test_the_table_says_its_date_and_region() -> None:
    table = prices()
    assert table["date"]
    assert table["source"]
    assert all(0 < price < 1000 for region in table["regions"].values() for price in region.values())


def test_durations_are_those_of_the_last_success_also_behind_the_cache(executions: Executions) -> None:
    executions.add("older")
    executions.add("newest")
    trained = job("TrainingJob", "t")
    answers = {
        "newest": [
            step("Train", Metadata=trained, CacheHitResult={"SourcePipelineExecutionArn": execution_arn("source")}),
            step("Evaluate", "Failed", Metadata=trained),
        ],
        "older": [step("Evaluate", Metadata=trained), step("CheckQuality")],
        "source": [step("Train", Metadata=trained)],
    }
    executions.aws.answers["ListPipelineExecutionSteps"] = lambda request: {
        "PipelineExecutionSteps": answers[request["PipelineExecutionArn"].rpartition("/")[2]]
    }
    found = last_durations(executions.sagemaker, PIPELINE, " there")
    assert {name: entry.execution for name, entry in found.items()} == {
        "Train": "source there",
        "Evaluate": "older there",
    }
    assert found["Train"].seconds == pytest.approx(3.1)
    assert (found["Train"].arn, found["Train"].job) == (execution_arn("source"), Job("TrainingJob", "t"))
    assert last_durations(executions.sagemaker, "not-deployed") == {}
