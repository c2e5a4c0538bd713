"""The rule of a composite alarm: ALARM("a") AND NOT (OK(b) OR INSUFFICIENT_DATA("c")), TRUE, FALSE.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import re
from collections.abc import Mapping

TOKEN = re.compile(
    r'\s*(?:(\()|(\))|(AND|OR|NOT|TRUE|FALSE)\b|(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*("[^"]+"|[^\s()"]+)\s*\))'
)
LONGEST = 10240  # characters


class RuleFault(ValueError):
    """A rule that cannot be read; the text says where."""


def holds(rule: str, states: Mapping[str, str]) -> bool:
    """Whether a rule is true where alarms (by name or ARN) have these states; RuleFault where it cannot be read."""
    return _Reader(rule, states).whole()


def alarms_of(rule: str) -> list[str]:
    """The alarms that a rule names."""
    return [match[5].strip('"') for match in TOKEN.finditer(rule) if match[4]]


class _Reader:
    """Reads tokens from left to right; OR binds weakest, then AND, then NOT."""

    def __init__(self, rule: str, states: Mapping[str, str]) -> None:
        if len(rule) > LONGEST:
            raise RuleFault(f"The rule is longer than {LONGEST} characters.")
        self._rule, self._states, self._at = rule, states, 0

    def whole(self) -> bool:
        value = self._either()
        if self._rule[self._at :].strip():
            raise self._fault()
        return value

    def _either(self) -> bool:
        value = self._both()
        while self._take_word("OR"):
            value = self._both() or value
        return value

    def _both(self) -> bool:
        value = self._one()
        while self._take_word("AND"):
            value = self._one() and value
        return value

    def _one(self) -> bool:
        match = TOKEN.match(self._rule, self._at)
        if match is None or match[2] or match[3] in ("AND", "OR"):
            raise self._fault()
        self._at = match.end()
        if match[1]:
            value = self._either()
            closing = TOKEN.match(self._rule, self._at)
            if closing is None or not closing[2]:
                raise self._fault()
            self._at = closing.end()
            return value
        if match[3] == "NOT":
            return not self._one()
        if match[3]:
            return match[3] == "TRUE"
        return self._states.get(match[5].strip('"').rpartition(":alarm:")[2]) == match[4]

    def _take_word(self, word: str) -> bool:
        match = TOKEN.match(self._rule, self._at)
        if match is None or match[3] != word:
            return False
        self._at = match.end()
        return True

    def _fault(self) -> RuleFault:
        return RuleFault(f"The alarm rule cannot be read at {self._rule[self._at :][:40]!r}.")
