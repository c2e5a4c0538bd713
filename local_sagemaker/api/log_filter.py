"""The filter patterns of CloudWatch Logs for lines of text.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import re

from local_sagemaker.errors import ServiceError

TERM = re.compile(r'(?P<sign>[-?]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|%(?P<pattern>[^%]+)%|(?P<word>\S+))')


class LogFilter:
    """Terms that a line must have, -terms that it must not, ?terms of which one is enough, %regular expressions%."""

    def __init__(self, pattern: str) -> None:
        if pattern.lstrip().startswith(("{", "[")):
            raise ServiceError(
                "InvalidParameterException",
                f"Local SageMaker does not support the filter pattern {pattern!r}: give terms, not fields.",
            )
        self._terms = [(term["sign"], _expression(term)) for term in TERM.finditer(pattern)]

    def matches(self, message: str) -> bool:
        """Whether a line is wanted; every line is, without a term."""
        found = [(sign, expression.search(message) is not None) for sign, expression in self._terms]
        optional = [has for sign, has in found if sign == "?"]
        required = all(has is (sign != "-") for sign, has in found if sign != "?")
        return required and (any(optional) or not optional)


def _expression(term: re.Match[str]) -> re.Pattern[str]:
    if term["pattern"] is None:
        text = term["word"] if term["quoted"] is None else re.sub(r"\\(.)", r"\1", term["quoted"])
        return re.compile(re.escape(text))
    try:
        return re.compile(term["pattern"])
    except re.error as error:
        raise ServiceError(
            "InvalidParameterException", f"The filter pattern has a bad regular expression: {error}."
        ) from None
