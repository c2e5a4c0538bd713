"""What of an account may not be in a record that is committed: it is replaced, and what is left is looked for again."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

ENDS = r"[^\s\"'<>,;]"
PATTERNS = (  # each with what stands in its place, the more particular first
    (re.compile(rf"arn:aws[\w-]*:kms:{ENDS}+"), "<key>"),
    (re.compile(r"(s3://|arn:aws[\w-]*:s3:::)[^/\s\"'<>,]+"), r"\1<bucket>"),
    (re.compile(r"https?://[^/\s\"'<>]+"), "<address>"),
    (re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)*"), "<person>"),
    (re.compile(r"(?<=assumed-role/)[^\s\"'<>,;]+"), "<person>"),
    (re.compile(r"(?<=:user/)[^\s\"'<>,;]+"), "<person>"),
    (re.compile(r"\b(AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{12,}\b"), "<access key>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\bmrk-[0-9a-f]{32}\b"), "<key>"),
    (re.compile(r"\b(subnet|sg|vpc|vpce|eni)-[0-9a-f]{8,17}\b"), "<network>"),
    (re.compile(r"(?<![\d.])\d{1,3}(\.\d{1,3}){3}(?!\.?\d)"), "<address>"),
    (re.compile(r"(?<!\d)\d{12}(?!\d)"), "<account>"),
    # Secret keys have 40 characters and session tokens more; a commit or a hash is of hexadecimal digits alone.
    (
        re.compile(r"(?<![A-Za-z0-9/+=])(?![0-9a-f]{40}(?:[0-9a-f]{24})?(?![A-Za-z0-9/+=]))[A-Za-z0-9/+=]{40,}"),
        "<secret>",
    ),
)
SHORTEST = 3  # characters of a known secret: a shorter one would be found in anything
A_WORD = 8  # and one that is shorter than this is replaced where it is a word of its own


class Redactor:
    """Replaces what the patterns find, and the `known` values: what each is, by its text."""

    def __init__(self, known: Mapping[str, str]) -> None:
        longest_first = sorted((text for text in known if len(text) >= SHORTEST), key=len, reverse=True)
        self._known = [(_anywhere(text), known[text]) for text in longest_first]

    def text(self, text: str) -> str:
        """One text."""
        for known, label in self._known:
            text = known.sub(f"<{label}>", text)
        for pattern, replacement in PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def value(self, value: Any) -> Any:
        """A document, its keys and numbers too."""
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(each) for each in value]
        if value is None or isinstance(value, bool):
            return value
        replaced = self.text(str(value))
        return value if replaced == str(value) else replaced

    def leaks(self, document: Any) -> list[str]:
        """What of a document the redaction would still replace, by what it is; empty where it may be shown."""
        return [kind for text in _texts(document) if (kind := self._kind(text)) is not None]

    def _kind(self, text: str) -> str | None:
        replaced = self.text(text)
        return None if replaced == text else "".join(re.findall(r"<[a-z ]+>", replaced)) or "<unknown>"


def _anywhere(text: str) -> re.Pattern[str]:
    found = re.escape(text)
    return re.compile(found if len(text) >= A_WORD else rf"(?<![A-Za-z0-9]){found}(?![A-Za-z0-9])")


def _texts(document: Any) -> Iterator[str]:
    """Every text and number of a document, as they are written."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(document, (list, tuple)):
        for each in document:
            yield from _texts(each)
    elif document is not None:
        yield json.dumps(document).strip('"')
