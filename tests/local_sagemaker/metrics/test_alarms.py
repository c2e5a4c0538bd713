"""From datapoints to the state of an alarm: the tables of CloudWatch's documentation on missing data."""

import pytest

from local_sagemaker.metrics.alarms import Rule, judge
from local_sagemaker.metrics.composite import RuleFault, alarms_of, holds
from local_sagemaker.metrics.expressions import ExpressionFault, value_of

X, G = 1.0, 0.0  # breaching, good
KEPT = "kept"


@pytest.mark.parametrize(
    ("datapoints", "missing", "ignore", "breaching", "good"),
    [
        ([G, None, X, None, X], "OK", "OK", "OK", "OK"),
        ([G, None, None, None, None], "OK", "OK", "OK", "OK"),
        ([None] * 5, "INSUFFICIENT_DATA", KEPT, "ALARM", "OK"),
        ([G, X, X, None, X], "ALARM", "ALARM", "ALARM", "ALARM"),
        ([None, None, X, None, None], "ALARM", KEPT, "ALARM", "OK"),
    ],
)
def test_three_of_three_with_missing_data(
    datapoints: list[float | None], missing: str, ignore: str, breaching: str, good: str
) -> None:
    for how, expected in (("missing", missing), ("ignore", ignore), ("breaching", breaching), ("notBreaching", good)):
        rule = Rule("GreaterThanThreshold", 0.5, 3, 3, how)
        assert judge(rule, datapoints, KEPT).state == expected, how


@pytest.mark.parametrize(
    ("datapoints", "state"), [([G, None, X, None, X], "ALARM"), ([G, G, X, None, X], "ALARM"), ([G, X, G, G, X], "OK")]
)
def test_two_of_three(datapoints: list[float | None], state: str) -> None:
    assert judge(Rule("GreaterThanThreshold", 0.5, 3, 2), datapoints, "OK").state == state


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above"),
    [
        ("GreaterThanThreshold", "OK", "OK", "ALARM"),
        ("GreaterThanOrEqualToThreshold", "OK", "ALARM", "ALARM"),
        ("LessThanThreshold", "ALARM", "OK", "OK"),
        ("LessThanOrEqualToThreshold", "ALARM", "ALARM", "OK"),
    ],
)
def test_the_threshold_itself(comparison: str, below: str, at: str, above: str) -> None:
    rule = Rule(comparison, 5.0, 1, 1)
    assert [judge(rule, [value], "OK").state for value in (4.9, 5.0, 5.1)] == [below, at, above]


def test_the_reason_names_the_values() -> None:
    assert (
        "[0.25] breach the threshold (GreaterThanThreshold 0.1)"
        in judge(Rule("GreaterThanThreshold", 0.1, 1, 1), [0.25], "OK").reason
    )


STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("ALARM(a)", True),
        ('ALARM("b")', False),
        ("OK(b) AND ALARM(a)", True),
        ("OK(a) OR OK(b) AND ALARM(c)", False),
        ("NOT ALARM(b) AND INSUFFICIENT_DATA(c)", True),
        ("NOT (ALARM(a) OR FALSE)", False),
        ("TRUE", True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:000000000000:alarm:a)", True),
        ("ALARM(nobody)", False),
    ],
)
def test_the_rule_of_a_composite_alarm(rule: str, value: bool) -> None:
    assert holds(rule, STATES) is value


@pytest.mark.parametrize("rule", ["", "ALARM", "ALARM(a", "ALARM(a) ALARM(b)", "AND", "(ALARM(a)", "RED(a)", "NOT"])
def test_a_rule_that_cannot_be_read(rule: str) -> None:
    with pytest.raises(RuleFault):
        holds(rule, STATES)


def test_the_alarms_that_a_rule_names() -> None:
    assert alarms_of('ALARM("a b") AND (OK(c) OR TRUE)') == ["a b", "c"]


def test_metric_math() -> None:
    assert value_of("100 * errors / (calls - 1)", {"errors": 3.0, "calls": 7.0}) == 50.0
    assert value_of("-a", {"a": 2.0}) == -2.0
    assert value_of("a / b", {"a": 2.0, "b": 0.0}) is None
    assert value_of("a + b", {"a": 2.0, "b": None}) is None
    for text in ("SUM(METRICS())", "a if b else c", "'x'", "a +", "__import__('os')", "(" * 300):
        with pytest.raises(ExpressionFault):
            value_of(text, {})
