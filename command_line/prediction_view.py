"""A prediction as people read it: the number, its interval, its reasons, warnings, rows like it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pipelines.versions.evaluation_report import amount

if TYPE_CHECKING:
    from deployment.predict import Row

MOST_DIFFERENCES = 4  # of a comparable row; --json has all of them


def prediction_lines(row: "Row", identity: Mapping[str, str], target: str, unit: str) -> Iterator[str]:
    """The lines of one prediction; `identity` names its row, and `unit` is the target's."""
    text = f"{' '.join(identity.values())}: " if identity else ""
    text += amount(row.score, unit)
    if row.interval is not None:
        bounds = " to ".join(amount(bound, unit) for bound in row.interval)
        promised = "interval of unknown coverage" if row.coverage is None else f"{row.coverage:.0%} interval"
        text += f"  ({promised}: {bounds})"
    yield text
    for warning in row.warnings:
        yield f"  warning: {warning}."
    if row.expected is not None:
        yield f"  from {amount(row.expected, unit)}, which is expected of any row:"
    for reason in row.reasons:
        yield f"  {_reason(reason, unit)}"
    for comparable in row.comparables:
        yield f"  like it: {_comparable(comparable, target, unit)}"


def _reason(found: Mapping[str, Any], unit: str) -> str:
    """What a feature adds, and its value where it is one feature's."""
    adds, value = float(found["adds"]), found.get("value")
    given = "" if value is None else f" ({_shown(value)})"
    return f"{'-' if adds < 0 else '+'}{amount(abs(adds), unit)}  {found['feature']}{given}"


def _comparable(found: Mapping[str, Any], target: str, unit: str) -> str:
    """One comparable row: what it cost, what names it, and what moves its prediction away most."""
    names = " ".join(str(value) for name, value in found.items() if name not in (target, "differs"))
    differs = list(found["differs"].items())
    shown = [f"{name} {_shown(each['there'])} (here {_shown(each['here'])})" for name, each in differs]
    more = len(shown) - MOST_DIFFERENCES
    parts = [*shown[:MOST_DIFFERENCES], *([f"and {more} more"] if more > 0 else [])]
    what = f"{amount(found[target], unit)}{f' ({names})' if names else ''}"
    return f"{what}: {', '.join(parts) if parts else 'no difference'}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value).lower() if isinstance(value, bool) else str(value)
