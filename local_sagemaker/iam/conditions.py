"""The conditions of a policy's statement.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.iam.access import Context
from local_sagemaker.iam.patterns import UnknownVariable, context_value, filled, matches, matches_arn

Compare = Callable[[str, str, Context], bool]  # (value of the request, value of the policy, context)
ALL, ANY = "ForAllValues:", "ForAnyValue:"
IF_EXISTS = "IfExists"
NULL = "Null"


def hold(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether every condition holds; LocalSageMakerError for an operator that IAM does not have."""
    return all(
        _holds(operator, key, _listed(values), context)
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _holds(operator: str, key: str, wanted: Sequence[str], context: Context) -> bool:
    values = context_value(key, context)
    if operator == NULL:
        return (values is None) == (wanted[0].lower() == "true")
    name = operator.removeprefix(ALL).removeprefix(ANY)
    optional = name.endswith(IF_EXISTS)
    compare, negated = _operator(name.removesuffix(IF_EXISTS), operator)

    def agrees(value: str) -> bool:
        return any(compare(value, text, context) for text in wanted) != negated

    if operator.startswith(ALL):
        return all(agrees(value) for value in values or ())
    if operator.startswith(ANY):
        return any(agrees(value) for value in values or ())
    if values is None:
        return optional or negated
    return len(values) == 1 and agrees(values[0])  # several values without a set operator: AWS calls it undefined


def _operator(name: str, whole: str) -> tuple[Compare, bool]:
    for negation in ("Not", "not"):  # NotIpAddress and StringNotEquals: it stands before, or within
        positive = name.replace(negation, "", 1)
        if positive != name and positive in OPERATORS:
            return OPERATORS[positive], True
    if name in OPERATORS:
        return OPERATORS[name], False
    raise LocalSageMakerError(f"{whole} is not an operator of IAM's conditions: fix the policy.")


def _equal(value: str, wanted: str, context: Context) -> bool:
    try:
        return value == filled(wanted, context)
    except UnknownVariable:
        return False


def _equal_ignoring_case(value: str, wanted: str, context: Context) -> bool:
    return _equal(value.lower(), wanted.lower(), context)


def _same_bool(value: str, wanted: str, _context: Context) -> bool:
    return value.lower() == wanted.lower()


def _in_network(value: str, wanted: str, _context: Context) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _number(text: str) -> float:
    return float(text)


def _moment(text: str) -> float:
    """Seconds since 1970, of such a number or of a date as ISO 8601 has it."""
    try:
        return float(text)
    except ValueError:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()


def _ordered(read: Callable[[str], float], decide: Callable[[float, float], bool]) -> Compare:
    def compare(value: str, wanted: str, _context: Context) -> bool:
        try:
            return decide(read(value), read(wanted))
        except ValueError:
            return False

    return compare


OPERATORS: dict[str, Compare] = {
    "StringEquals": _equal,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": matches,
    "ArnEquals": matches_arn,
    "ArnLike": matches_arn,
    "Bool": _same_bool,
    "BinaryEquals": _equal,
    "IpAddress": _in_network,
}
for _kind, _read in (("Numeric", _number), ("Date", _moment)):
    OPERATORS |= {
        f"{_kind}Equals": _ordered(_read, lambda value, wanted: value == wanted),
        f"{_kind}LessThan": _ordered(_read, lambda value, wanted: value < wanted),
        f"{_kind}LessThanEquals": _ordered(_read, lambda value, wanted: value <= wanted),
        f"{_kind}GreaterThan": _ordered(_read, lambda value, wanted: value > wanted),
        f"{_kind}GreaterThanEquals": _ordered(_read, lambda value, wanted: value >= wanted),
    }


def _listed(value: Any) -> list[str]:
    return [_text(item) for item in (value if isinstance(value, list) else [value])]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
