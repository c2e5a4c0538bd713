"""Wildcards and variables of policies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from functools import lru_cache

from local_sagemaker.iam.access import Context

VARIABLE = re.compile(r"\$\{([^}]*)\}")
DEFAULT = re.compile(r"(?P<key>[^,]+?)\s*,\s*'(?P<default>[^']*)'")
LITERALS = ("*", "?", "$")  # ${*} is the character, not the wildcard
MARKS = "*?$"  # what makes a pattern more than a name
ARN_PARTS = 6
KNOWN_PATTERNS = 4096  # whose expressions are kept: those of a few hundred policies


class UnknownVariable(Exception):
    """A policy names a key that the request does not have: what it stands in matches nothing."""


def matches(text: str, pattern: str, context: Context | None = None, *, ignore_case: bool = False) -> bool:
    """Whether a text is of a pattern of `*` and `?`; `context` fills the variables of the pattern, if there is one."""
    if not any(mark in pattern for mark in MARKS):
        return text == pattern or (ignore_case and text.lower() == pattern.lower())
    try:
        expression = _expression(pattern, context)
    except UnknownVariable:
        return False
    return _compiled(expression, ignore_case).fullmatch(text) is not None


def matches_arn(arn: str, pattern: str, context: Context | None = None) -> bool:
    """The same for ARNs in conditions: each of the six parts between colons by itself."""
    texts, patterns = arn.split(":", ARN_PARTS - 1), pattern.split(":", ARN_PARTS - 1)
    if pattern == "*":
        return True
    if len(texts) != ARN_PARTS or len(patterns) != ARN_PARTS:
        return False
    return all(matches(text, part, context) for text, part in zip(texts, patterns, strict=True))


def filled(text: str, context: Context) -> str:
    """A text with its variables filled in; UnknownVariable where one has no value."""
    return VARIABLE.sub(lambda found: _value(found[1], context), text)


def context_value(key: str, context: Context) -> tuple[str, ...] | None:
    """The values of a key, whose case does not matter; None where it is absent."""
    return next((values for name, values in context.items() if name.lower() == key.lower()), None)


def _expression(pattern: str, context: Context | None) -> str:
    if context is None:
        return _wild(pattern)
    parts, end = [], 0
    for found in VARIABLE.finditer(pattern):
        # A value is never a pattern, whatever it holds.
        parts += [_wild(pattern[end : found.start()]), re.escape(_value(found[1], context))]
        end = found.end()
    return "".join([*parts, _wild(pattern[end:])])


def _value(inner: str, context: Context) -> str:
    if inner in LITERALS:
        return inner
    with_default = DEFAULT.fullmatch(inner)
    values = context_value(with_default["key"] if with_default else inner, context)
    if values is not None and len(values) == 1:
        return values[0]
    if values is None and with_default:
        return with_default["default"]
    raise UnknownVariable(inner)


@lru_cache(maxsize=KNOWN_PATTERNS)
def _wild(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)


@lru_cache(maxsize=KNOWN_PATTERNS)
def _compiled(expression: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
