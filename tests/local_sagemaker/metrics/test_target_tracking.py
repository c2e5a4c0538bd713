"""How many instances a metric calls for, and the alarms that say when."""

import pytest

from local_sagemaker.metrics.store import MetricName
from local_sagemaker.metrics.target_tracking import HIGH, LOW, Tracked, Tracking, within


@pytest.mark.parametrize(
    ("kind", "current", "measured", "wanted"),
    [
        (HIGH, 2, 150.0, 3),
        (HIGH, 2, 151.0, 4),
        (HIGH, 2, 90.0, 2),  # the alarm is still up, and the metric has come down: nobody scales in for that
        (LOW, 4, 50.0, 2),
        (LOW, 4, 51.0, 3),
        (LOW, 4, 0.0, 0),  # the least that there may be is the target's to say
        (HIGH, 0, 250.0, 3),  # without instances the metric counts as that of one
        (LOW, 2, 300.0, 2),
    ],
)
def test_instances_are_in_proportion_to_the_metric(kind: str, current: int, measured: float, wanted: int) -> None:
    assert Tracking(100.0).wanted(kind, current, measured) == wanted


def test_a_number_stays_within_the_target() -> None:
    assert [within(number, 2, 4) for number in (1, 2, 3, 4, 5)] == [2, 2, 3, 4, 4]


def test_a_policy_without_cooldowns_has_those_of_the_service() -> None:
    assert Tracking.of({"TargetValue": 5}) == Tracking(5.0, 300, 300, True)
    assert Tracking.of({"TargetValue": 5, "ScaleInCooldown": 0, "DisableScaleIn": True}) == Tracking(5.0, 300, 0, False)


def test_a_policy_tracks_the_metric_of_its_variant_or_one_of_its_own() -> None:
    variant = {"VariantName": "v", "EndpointName": "e"}
    predefined = Tracked.of({"TargetValue": 5}, variant)
    own = {
        "MetricName": "m",
        "Namespace": "n",
        "Dimensions": [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}],
    }
    custom = Tracked.of({"CustomizedMetricSpecification": {**own, "Statistic": "Maximum"}}, variant)
    named = (("EndpointName", "e"), ("VariantName", "v"))
    assert predefined == Tracked(MetricName("AWS/SageMaker", "InvocationsPerInstance", named), "Sum")
    assert custom == Tracked(MetricName("n", "m", (("a", "1"), ("b", "2"))), "Maximum")
    alarm = Tracking(5.0).alarm(LOW, "low", custom, "policy")
    assert (alarm["Statistic"], alarm["Namespace"], alarm["Threshold"]) == ("Maximum", "n", 4.5)
