"""The requests of a weighted shift, against botocore's shapes."""

from dataclasses import replace
from typing import Any

import pytest

from deployment.errors import DeploymentError
from deployment.guard import Guard
from deployment.plan import DeploymentPlan
from deployment.weighted import ShiftConfig, is_shift, percent_of, shares, weights_request
from tests.deployment.test_guard import LIMITS, check, plan

OLD = {
    "EndpointConfigName": "houses-v2-0123abcd",
    "ProductionVariants": [
        {
            "VariantName": "AllTraffic",
            "ModelName": "houses-v2-89abcdef",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 3,
            "InitialVariantWeight": 0.5,
        }
    ],
}
TEN = Guard("weighted", ("CAPACITY_PERCENT", 40), 300, 0, limits=LIMITS)


def weighted(**changes: Any) -> DeploymentPlan:
    return replace(plan(TEN), before=OLD, **changes)


@pytest.mark.parametrize(
    ("size", "expected"), [(1, [*range(1, 101)]), (40, [40, 80, 100]), (50, [50, 100]), (99, [99, 100]), (100, [100])]
)
def test_steps_are_of_one_size_and_the_last_is_all(size: int, expected: list[int]) -> None:
    assert shares(size) == expected


@pytest.mark.e2e
def test_the_requests_of_a_shift_in_their_order() -> None:
    requests = weighted(model="1f2e").requests()
    assert [operation for operation, _ in requests] == [
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpointConfig",
        *["PutMetricAlarm"] * 3,
        "PutMetricFilter",
        "UpdateEndpoint",
        *["UpdateEndpointWeightsAndCapacities"] * 3,
        "UpdateEndpoint",
        "DeleteMetricFilter",
        "DeleteAlarms",
        "DeleteEndpointConfig",
    ]
    for operation, request in requests:
        service = "cloudwatch" if "Alarm" in operation else "logs" if "Filter" in operation else "sagemaker"
        check(service, operation, request)


def test_both_versions_are_variants_of_one_configuration_and_the_new_one_gets_nothing_yet() -> None:
    config = ShiftConfig(plan(TEN).wanted, OLD)
    old, new = config.request()["ProductionVariants"]
    assert (old["VariantName"], old["ModelName"], old["InitialInstanceCount"], old["InitialVariantWeight"]) == (
        "AllTraffic", "houses-v2-89abcdef", 3, 1.0
    )  # fmt: skip
    assert (new["VariantName"], new["ModelName"], new["InitialVariantWeight"]) == (
        "Candidate", config.wanted.model_name, 0.0
    )  # fmt: skip
    assert is_shift(config.name)
    assert not is_shift(config.wanted.config_name)
    assert len(ShiftConfig(replace(config.wanted, endpoint="h" * 63), OLD).name) <= 63


def test_the_name_of_a_shift_tells_from_where_to_where() -> None:
    wanted = plan(TEN).wanted
    names = {
        ShiftConfig(wanted, OLD).name,
        ShiftConfig(wanted, {**OLD, "EndpointConfigName": "houses-v1-0123abcd"}).name,
        ShiftConfig(replace(wanted, endpoint="homes"), OLD).name,
    }
    assert len(names) == 3


@pytest.mark.parametrize(
    "variants",
    [
        [{"VariantName": "Mine", "ModelName": "m", "InstanceType": "ml.m5.large"}],
        [{"VariantName": "AllTraffic", "ModelName": "m", "ServerlessConfig": {}}],
        [{"VariantName": "AllTraffic", "InstanceType": "x"}, {"VariantName": "B", "InstanceType": "x"}],
    ],
)
def test_what_is_not_one_variant_on_instances_is_not_shifted_from(variants: list[dict[str, Any]]) -> None:
    with pytest.raises(DeploymentError, match="needs one variant AllTraffic on instances"):
        ShiftConfig(plan(TEN).wanted, {**OLD, "ProductionVariants": variants}).request()


def test_weights_are_shares_of_all_requests_and_are_read_back() -> None:
    request = weights_request("houses", 30)
    assert {each["VariantName"]: each["DesiredWeight"] for each in request["DesiredWeightsAndCapacities"]} == {
        "AllTraffic": 0.7,
        "Candidate": 0.3,
    }
    assert percent_of({"ProductionVariants": request["DesiredWeightsAndCapacities"]}) == 30
    assert percent_of({"ProductionVariants": [{"VariantName": "AllTraffic", "DesiredWeight": 1.0}]}) is None


def test_the_alarms_watch_the_new_variant_and_there_is_no_gate() -> None:
    alarms = [request for operation, request in weighted().requests() if operation == "PutMetricAlarm"]
    assert [each["AlarmName"].rpartition("-")[2] for each in alarms] == ["5xx", "latency"]
    dimensions = {each["Name"]: each["Value"] for each in alarms[0]["Dimensions"]}
    assert (dimensions["VariantName"], dimensions["EndpointConfigName"]) == (
        "Candidate", ShiftConfig(plan(TEN).wanted, OLD).name
    )  # fmt: skip


def test_a_plan_of_a_shift_says_who_takes_the_steps_and_what_it_costs() -> None:
    first, second = weighted().sentences(900, 3, 0.115)
    assert first.startswith("weighted: 3 steps, 900 s of waiting")
    assert "the command itself takes the steps" in first
    assert "Meanwhile 2 x ml.m5.large more run than before; for the waits that costs $0.06." in second
