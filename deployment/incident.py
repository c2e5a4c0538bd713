"""What happened in a deployment that did not go through: one page in Markdown, with a picture of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from deployment.alarms import AlarmState
from deployment.fleet_metrics import Series, as_text
from deployment.watch import PhaseSeen

WIDTH, LEFT, ROW, PLOT = 760, 90, 100, 60
COLOURS = {"Creating": "#d8d8d8", "ActivatingTraffic": "#9ecae1", "Baking": "#c7e9c0", "RollingBack": "#fcbba1"}


@dataclass(frozen=True)
class Incident:
    """One deployment: what was to take over from what, why it did not, and what was seen of it."""

    endpoint: str
    old_config: str
    new_config: str
    reason: str
    phases: Sequence[PhaseSeen]
    alarms: Sequence[AlarmState]
    series: Sequence[Series]
    period: int = 60  # seconds between two points of the series
    ended: float = field(default_factory=time.time)

    def write(self, folder: Path) -> Path:
        """Write the page and its picture; the path of the page."""
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / f"{self.new_config}-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}.md"
        picture = page.with_suffix(".svg")
        picture.write_text(self.picture(), encoding="utf-8")
        page.write_text(self.text(picture.name), encoding="utf-8")
        return page

    def text(self, picture: str) -> str:
        """The page."""
        lines = [
            f"# {self.endpoint}: {self.new_config} did not take over",
            "",
            self.reason,
            "",
            f"`{self.old_config}` serves.",
            "",
            f"![The phases, and the metrics of both fleets over the same time]({picture})",
            "",
            "## Phases",
            "",
            "| when (UTC) | phase | share of requests to the new fleet |",
            "| --- | --- | --- |",
            *(f"| {_clock(phase.moment)} | {phase.status} | {phase.share:.0%} |" for phase in self.phases),
            "",
            "## Alarms",
            "",
            "| alarm | state | why |",
            "| --- | --- | --- |",
            *(f"| {alarm.name} | {alarm.state} | {alarm.reason} |" for alarm in self.alarms),
            "",
            "## Metrics of both fleets",
            "",
            "```",
            *as_text(self.series),
            "```",
        ]
        return "\n".join(lines) + "\n"

    def picture(self) -> str:
        """The phases as a band, and below each metric over the same time, as SVG."""
        moments = [phase.moment for phase in self.phases]
        first = min(moments, default=self.ended - 1)
        axis = _Axis(first, max(self.ended, first + 1), self.period)
        parts = [axis.band(self.phases)]
        parts += [axis.plot(each, 40 + ROW * (number + 1)) for number, each in enumerate(self.series)]
        height = 40 + ROW * (len(self.series) + 1)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
            f'font-size="11"><rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
        )


@dataclass(frozen=True)
class _Axis:
    """Time from left to right; moments in seconds since 1970."""

    first: float
    last: float
    period: float

    def x(self, moment: float) -> float:
        inside = min(max(moment, self.first), self.last)
        return LEFT + (WIDTH - LEFT - 20) * (inside - self.first) / (self.last - self.first)

    def band(self, phases: Sequence[PhaseSeen]) -> str:
        begins = [*(phase.moment for phase in phases), self.last]
        parts = ['<text x="10" y="40">phase, share</text>']
        for phase, end in zip(phases, begins[1:], strict=True):
            left, width = self.x(phase.moment), max(1.0, self.x(end) - self.x(phase.moment))
            parts.append(
                f'<rect x="{left:.1f}" y="20" width="{width:.1f}" height="34" '
                f'fill="{COLOURS.get(phase.status, "#eeeeee")}"><title>{phase.status}</title></rect>'
            )
            if width > 40:
                parts.append(f'<text x="{left + 3:.1f}" y="34">{phase.status}</text>')
                parts.append(f'<text x="{left + 3:.1f}" y="48">{phase.share:.0%}</text>')
        return "".join(parts)

    def plot(self, series: Series, base: float) -> str:
        top = max((value for _, value in series.points), default=0.0) or 1.0
        bars = []
        for when, value in series.points:
            left = self.x(when.timestamp())
            width, height = max(1.0, self.x(when.timestamp() + self.period) - left - 1), PLOT * value / top
            bars.append(
                f'<rect x="{left:.1f}" y="{base - height:.1f}" width="{width:.1f}" height="{height:.1f}" '
                f'fill="#3182bd"/>'
            )
        return (
            f'<text x="{LEFT}" y="{base - PLOT - 6}">{series.title}</text>'
            f'<text x="10" y="{base - PLOT + 10}">{top:g}</text><text x="10" y="{base}">0</text>'
            f'<line x1="{LEFT}" y1="{base}" x2="{WIDTH - 20}" y2="{base}" stroke="#999999"/>{"".join(bars)}'
        )


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
