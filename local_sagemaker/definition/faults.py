"""A fault of a pipeline definition: where it is, and what is wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Fault:
    """One fault; `path` leads to it from the top of the definition, and is empty for the definition as a whole.

    `only_on_aws` marks a limit that AWS sets and this machine does not need, such as the 256 characters of a
    container's argument: it is told, and the definition runs here nevertheless.
    """

    path: str
    message: str
    only_on_aws: bool = False

    def __str__(self) -> str:
        """One line; characters that cannot be printed are escaped."""
        text = f"{self.path}: {self.message}" if self.path else self.message
        return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """The end of a message that offers the closest of the known names, if one is close."""
    close = get_close_matches(name, list(known), n=1) if isinstance(name, str) else []
    return f"; did you mean {close[0]}?" if close else ""


def shown(value: object) -> str:
    """A value as a message has it: cut where it is long, and a placeholder of a template told as such."""
    text = repr(value)
    text = text if len(text) <= 60 else text[:57] + "..."
    placeholder = isinstance(value, str) and "${" in value
    return f"{text}: a template fills in ${{...}}, so check what it becomes" if placeholder else text
