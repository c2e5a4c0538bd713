"""What is known of one execution and of its steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from studio.graph.definition import Definition
from studio.graph.picture import Node, Picture, bars, draw

FINAL = ("Succeeded", "Failed", "Stopped", "CompletedWithFailures")
WAITING, NOT_RUN = "waiting", "not run"  # of a step that has not started


@dataclass(frozen=True)
class StepRun:
    """A step of the definition and what became of it; status is WAITING or NOT_RUN where it has not started."""

    name: str
    kind: str
    status: str
    started: datetime | None
    ended: datetime | None
    attempts: int
    reason: str | None
    cached_from: str | None
    metadata: Mapping[str, Any]
    description: str

    @property
    def seconds(self) -> float | None:
        """How long it took, or has taken until now."""
        if self.started is None:
            return None
        return ((self.ended or datetime.now(timezone.utc)) - self.started).total_seconds()

    @property
    def note(self) -> str:
        """What to know beside the status."""
        if self.reason:
            return self.reason
        if self.cached_from:
            return f"cached, from {self.cached_from.rpartition('/')[2]}"
        if "Condition" in self.metadata:
            return f"the condition is {self.metadata['Condition'].get('Outcome', 'not decided')}"
        return f"attempt {self.attempts}" if self.attempts > 1 else ""


@dataclass(frozen=True)
class Execution:
    """An execution as it stands."""

    arn: str
    about: Mapping[str, Any]
    definition: Definition
    steps: tuple[StepRun, ...]
    problems: tuple[str, ...]
    parameters: Mapping[str, str]

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.arn.split("/")[1]

    @property
    def status(self) -> str:
        """The execution's status."""
        return str(self.about.get("PipelineExecutionStatus", "unknown"))

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in FINAL

    @property
    def failed(self) -> list[StepRun]:
        """The steps that failed."""
        return [step for step in self.steps if step.status == "Failed"]

    @property
    def seconds(self) -> float:
        """From its start to its end, or to now."""
        end = self.about["LastModifiedTime"] if self.is_over else datetime.now(timezone.utc)
        return float((end - self.about["CreationTime"]).total_seconds())

    def picture(self) -> Picture:
        """The graph with the status of each step."""
        link = f"/pipelines/{self.pipeline}/executions/{self.id}?step="
        nodes = [
            Node(step.name, self._title(step), _brief(step), step.status, f"{link}{step.name}#step")
            for step in self.steps
        ]
        return draw(nodes, {(edge.source, edge.target): edge.label for edge in self.definition.edges})

    def chart(self) -> list[Any]:
        """The bars of the Gantt chart."""
        rows = [(step.name, step.status, step.started, step.ended) for step in self.steps]
        return bars(rows, datetime.now(timezone.utc))

    def _title(self, step: StepRun) -> str:
        known = self.definition.by_name.get(step.name)
        return known.title if known else step.name


def _brief(run: StepRun) -> str:
    if run.cached_from:
        return "cached"
    return "" if run.seconds is None else f"{run.seconds:.1f} s" if run.seconds < 60 else f"{run.seconds / 60:.1f} min"
