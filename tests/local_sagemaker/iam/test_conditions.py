"""Condition operators, by the cases of AWS's own pages.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from typing import Any

import pytest

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.iam.conditions import hold

Context = dict[str, tuple[str, ...]]


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "holds"),
    [
        ("StringEquals", "Approved", "Approved", True),
        ("StringEquals", "Approved", "approved", False),
        ("StringEquals", ["Rejected", "Approved"], "Approved", True),
        ("StringEquals", "App*", "Approved", False),
        ("StringNotEquals", ["Rejected", "Approved"], "Approved", False),
        ("StringNotEquals", ["Rejected", "Approved"], "Pending", True),
        ("StringEqualsIgnoreCase", "APPROVED", "Approved", True),
        ("StringNotEqualsIgnoreCase", "APPROVED", "Approved", False),
        ("StringLike", "App*", "Approved", True),
        ("StringLike", "Approve?", "Approved", True),
        ("StringLike", "Approved?", "Approved", False),
        ("StringNotLike", "App*", "Approved", False),
        ("NumericLessThan", "3600", "3599", True),
        ("NumericLessThan", "3600", "3600", False),
        ("NumericLessThanEquals", "3600", "3600", True),
        ("NumericGreaterThan", "3600", "3600", False),
        ("NumericGreaterThanEquals", "3600", "3600.0", True),
        ("NumericEquals", 3600, "3600", True),
        ("NumericNotEquals", "3600", "3600", False),
        ("NumericEquals", "3600", "an hour", False),
        ("DateGreaterThan", "2019-07-16T12:00:00Z", "2019-07-16T12:00:01Z", True),
        ("DateGreaterThan", "2019-07-16T12:00:00Z", "2019-07-16T12:00:00Z", False),
        ("DateLessThan", "1563278400", "2019-07-16T11:59:59Z", True),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", "true", "false", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
        ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
        ("NotIpAddress", "203.0.113.0/24", "203.0.114.7", True),
        ("IpAddress", "2001:db8::/32", "2001:db8::7", True),
        (
            "ArnLike",
            "arn:aws:cloudtrail:*:111122223333:trail/*",
            "arn:aws:cloudtrail:eu-west-1:111122223333:trail/a",
            True,
        ),
        ("ArnEquals", "arn:aws:iam::*:role/a*", "arn:aws:iam::1:role/ab", True),  # ArnEquals and ArnLike are alike
        ("ArnLike", "arn:aws:*", "arn:aws:iam::1:role/ab", False),  # each of the six parts by itself
        ("ArnNotLike", "arn:aws:iam::1:role/*", "arn:aws:iam::2:role/a", True),
    ],
)
def test_an_operator_compares_as_aws_documents_it(operator: str, wanted: Any, value: str, holds: bool) -> None:
    assert hold({operator: {"aws:Key": wanted}}, {"aws:Key": (value,)}) is holds


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        ("StringEquals", False),
        ("StringLike", False),
        ("Bool", False),
        ("NumericLessThan", False),
        ("StringEqualsIfExists", True),
        ("BoolIfExists", True),
        ("StringNotEquals", True),  # the negated ones hold where the key is absent
        ("StringNotLike", True),
        ("ArnNotEquals", True),
        ("NotIpAddress", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringEqualsIfExists", False),
        ("ForAnyValue:StringNotEquals", False),
    ],
)
def test_a_key_that_the_request_does_not_have(operator: str, holds: bool) -> None:
    assert hold({operator: {"aws:Key": "1"}}, {}) is holds


@pytest.mark.parametrize(
    ("operator", "values", "holds"),
    [
        ("ForAllValues:StringEquals", ("environment", "webserver"), True),
        ("ForAllValues:StringEquals", ("environment", "cost"), False),
        ("ForAnyValue:StringEquals", ("environment", "cost"), True),
        ("ForAnyValue:StringEquals", ("cost",), False),
        ("ForAllValues:StringNotEquals", ("cost", "team"), True),
        ("ForAllValues:StringNotEquals", ("cost", "environment"), False),
        ("ForAnyValue:StringNotEquals", ("cost", "environment"), True),
        ("StringEquals", ("environment", "webserver"), False),  # several values need a set operator
    ],
)
def test_keys_with_several_values(operator: str, values: tuple[str, ...], holds: bool) -> None:
    """The tags of AWS's page: environment and webserver are allowed."""
    assert hold({operator: {"aws:TagKeys": ["environment", "webserver"]}}, {"aws:TagKeys": values}) is holds


@pytest.mark.parametrize(
    ("wanted", "present", "holds"), [("true", False, True), ("false", False, False), ("false", True, True)]
)
def test_null_asks_whether_a_key_is_there(wanted: str, present: bool, holds: bool) -> None:
    context: Context = {"aws:TokenIssueTime": ("now",)} if present else {}
    assert hold({"Null": {"aws:TokenIssueTime": wanted}}, context) is holds


def test_all_operators_and_all_keys_must_hold() -> None:
    conditions = {"StringEquals": {"a": "1", "b": "2"}, "Bool": {"c": "true"}}
    assert hold(conditions, {"a": ("1",), "b": ("2",), "c": ("true",)})
    assert not hold(conditions, {"a": ("1",), "b": ("3",), "c": ("true",)})
    assert not hold(conditions, {"a": ("1",), "b": ("2",), "c": ("false",)})


def test_the_case_of_a_key_does_not_matter() -> None:
    assert hold({"StringEquals": {"AWS:sourceip": "1"}}, {"aws:SourceIp": ("1",)})


def test_a_value_may_have_variables() -> None:
    conditions = {"StringEquals": {"aws:ResourceTag/owner": "${aws:username}"}}
    assert hold(conditions, {"aws:ResourceTag/owner": ("ada",), "aws:username": ("ada",)})
    assert not hold(conditions, {"aws:ResourceTag/owner": ("ada",), "aws:username": ("bob",)})
    assert not hold(conditions, {"aws:ResourceTag/owner": ("${aws:username}",)})  # it has no value: nothing matches


def test_an_operator_that_iam_does_not_have_is_an_error() -> None:
    with pytest.raises(LocalSageMakerError, match="StringSimilar is not an operator"):
        hold({"StringSimilar": {"a": "1"}}, {"a": ("1",)})
