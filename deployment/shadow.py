"""What became of a shadow, as sentences and as a page. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MOST_SEGMENTS = 12


@dataclass(frozen=True)
class Versions:
    """Which version serves a stage, which is its shadow, and since when."""

    stage: str
    serving: int
    shadow: int
    since: datetime


def sentences(versions: Versions, found: Mapping[str, Any]) -> list[str]:
    """What was found, in a few lines; the first says whether it is enough to go by."""
    who = f"Version {versions.shadow} as the shadow of version {versions.serving} at {versions.stage}"
    lines = [
        f"{who}: {found['pairs']:,} pairs of {found['production']:,} and {found['shadow']:,} captured answers.",
        "There is enough data." if found["enough"] else f"There is not enough data: {found['why']}.",
    ]
    if not found["pairs"]:
        return [*lines, *_latency(found)]
    low, high = found["mean_interval"]
    sure = (
        "there is no significant difference on average" if low <= 0 <= high else "the average difference is significant"
    )
    lines.append(f"The shadow's predictions are {found['mean']:+.2%} on average ({low:+.2%} to {high:+.2%}): {sure}.")
    low, high = found["moved_interval"]
    share = f"{found['moved']:,} of {found['pairs']:,} ({found['moved'] / found['pairs']:.1%}; {low:.1%} to {high:.1%})"
    low, middle, high = (found["quantiles"][each] for each in ("0.05", "0.5", "0.95"))
    lines.append(
        f"{share} differ by more than {100 * found['limit']:g}%; in the middle {middle:+.2%}, 90 % of them "
        f"{low:+.1%} to {high:+.1%}."
    )
    overlap = found["overlap"]
    if overlap is not None:
        many = f"{overlap['overlapping']:,} of {overlap['pairs']:,} intervals overlap"
        lines.append(f"{many}; on average {overlap['common']:.0%} of both overlap.")
    return [*lines, *_latency(found)]


def page(versions: Versions, found: Mapping[str, Any]) -> str:
    """The same in Markdown, with the segments."""
    lines = [
        f"# Version {versions.shadow} as the shadow of version {versions.serving} at {versions.stage}",
        "",
        f"Since {versions.since:%Y-%m-%d %H:%M} UTC. The intervals hold with 95 %.",
        "",
        *(f"- {sentence}" for sentence in sentences(versions, found)),
        "",
    ]
    if found.get("segments"):
        lines += [
            "| segment | pairs | differ | share | median difference |",
            "| --- | --- | --- | --- | --- |",
            *(_row(each) for each in found["segments"][:MOST_SEGMENTS]),
            "",
        ]
    return "\n".join(lines)


def _row(segment: Mapping[str, Any]) -> str:
    share = segment["moved"] / segment["rows"]
    cells = (segment["segment"], f"{segment['rows']:,}", f"{segment['moved']:,}", f"{share:.0%}")
    return f"| {' | '.join(cells)} | {segment['median']:+.2%} |"


def _latency(found: Mapping[str, Any]) -> Sequence[str]:
    """Of both models; nothing where CloudWatch has no values (any more)."""
    said = [
        f"{name} {known['p50']:.1f} ms in the middle, {known['p99']:.1f} ms at the 99th percentile"
        for name, known in found.get("latency_ms", {}).items()
        if known is not None
    ]
    return [f"Latency of the model: {'; '.join(said)}."] if said else []
