"""What is wrong with a YAML whose values are not those of the settings: its lines, and what was probably meant."""

import typing
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from pipelines.settings.strict_yaml import line_of


def explained(error: ValidationError, text: str, model: type[BaseModel]) -> str:
    """A clause for each fault of a document, whose text is YAML and which should be a `model`."""
    faults = "; ".join(_placed(_explain(fault, model), fault["loc"], text) for fault in error.errors())
    return faults if faults.endswith("?") else f"{faults}."


def _placed(sentence: str, location: tuple[Any, ...], text: str) -> str:
    """The sentence with the line of the setting that it is about: the one that it begins with, if it names one."""
    named = sentence.partition(":")[0].split(" ")[0].rstrip(",").split(".")
    line = line_of(text, max(location, named, key=len))
    return sentence if line is None else f"line {line}: {sentence}"


def _explain(fault: Any, model: type[BaseModel]) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{place} is not a setting{_suggestion(model, fault['loc'])}"
    if fault["type"] in ("missing", "missing_argument"):
        return f"{place} is missing{_misspelt(model, fault['loc'][:-1])}"
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "value_error":  # the sentence names what is wrong, the input may be a whole section
        return (message if not place or message.startswith(f"{place}.") else f"{place}: {message}").rstrip(".")
    quotes = "; put it in quotes, for YAML reads yes, no, on and off as true and false"
    hint = quotes if fault["type"] == "string_type" and isinstance(fault["input"], bool) else ""
    return f"{place}: {message[0].lower()}{message[1:]}, not {fault['input']!r}{hint}" if place else message


def _suggestion(model: type[BaseModel], location: tuple[Any, ...]) -> str:
    known = _keys_at(model, location[:-1])
    close = get_close_matches(str(location[-1]), known, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known are {', '.join(known)}" if known else ""


def _misspelt(model: type[BaseModel], location: tuple[Any, ...]) -> str:
    """The known key that was meant by one that stands where other names may stand, too."""
    known = _keys_at(model, location[:-1])
    if not location or location[-1] in known:
        return ""
    close = get_close_matches(str(location[-1]), known, n=1)
    return f"; did you mean {'.'.join((*map(str, location[:-1]), close[0]))}?" if close else ""


def _last_argument(kind: Any) -> Any:
    """The last type argument that is a type of values: X of dict[str, X], tuple[X, ...] and X | None."""
    inner = [argument for argument in typing.get_args(kind) if argument not in (type(None), Ellipsis)]
    return inner[-1] if inner else None


def _keys_at(kind: Any, location: tuple[Any, ...]) -> list[str]:
    """The keys that a mapping at a place may have, found in the types of the settings."""
    for part in location:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            extra = typing.get_args(kind.__annotations__.get("__pydantic_extra__"))
            kind = kind.model_fields[part].annotation if part in kind.model_fields else (extra or [None])[-1]
        elif is_dataclass(kind):
            kind = typing.get_type_hints(kind).get(part)
        else:  # a dict or a list: what it holds
            kind = _last_argument(kind)
        if type(None) in typing.get_args(kind):  # an optional section
            kind = _last_argument(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return list(kind.model_fields)
    return [field.name for field in fields(kind)] if is_dataclass(kind) else []
