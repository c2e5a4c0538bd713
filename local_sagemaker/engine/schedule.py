"""The order of the steps of one execution: which may start, which never will, and how it all ended.

No threads, no clock and no records in here: the driver tells what has started and ended, and asks what is next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.definition.definition import Step
from local_sagemaker.engine.tasks import Result

# The statuses of an upstream step under which a step with this trigger runs. `Completed` is what a plain name in
# DependsOn means (sagemaker.mlops.workflow.step_dependency of SDK v3); a step that was left out satisfies none.
TRIGGERS: dict[str, tuple[str, ...]] = {
    "Completed": ("Succeeded",),
    "Succeeded": ("Succeeded",),
    "Failed": ("Failed",),
    "Stopped": ("Stopped",),
    "Any": ("Succeeded", "Failed", "Stopped"),
}


@dataclass(frozen=True)
class Iteration:
    """Where in a ForEach step a node stands: the step, the number of the item, the item."""

    parent: str
    index: int
    item: Any


@dataclass(frozen=True)
class Node:
    """A step to run once: `after` maps each node that it waits for to the trigger; `branch` as in Step."""

    name: str
    step: Step
    after: Mapping[str, str]
    branch: tuple[str, bool] | None = None
    iteration: Iteration | None = None

    @property
    def parent(self) -> str | None:
        """The ForEach step around it."""
        return self.iteration.parent if self.iteration else None

    @property
    def handles_failure(self) -> bool:
        """Whether it runs after a step that has not succeeded."""
        return any(TRIGGERS[trigger] != ("Succeeded",) for trigger in self.after.values())


class Schedule:
    """The nodes of one execution and what has become of each."""

    def __init__(self, nodes: Iterable[Node], results: Mapping[str, Result] | None = None) -> None:
        self.nodes: dict[str, Node] = {}
        self.results: dict[str, Result] = dict(results or {})
        self.running: set[str] = set()
        self.stopped = False
        self._skipped: set[str] = set()
        self._concurrency: dict[str, int] = {}
        self._closing: set[str] = set()
        self.add(nodes)

    def add(self, nodes: Iterable[Node]) -> None:
        """More nodes."""
        self.nodes.update({node.name: node for node in nodes})

    def expand(self, parent: str, nodes: Iterable[Node], concurrency: int) -> None:
        """The iterations of a running ForEach step, of which at most `concurrency` nodes run at once."""
        self._concurrency[parent] = concurrency
        self.add(nodes)

    def close(self, parent: str) -> None:
        """The end of a settled ForEach step is on its way: settled() no longer tells of it."""
        self._closing.add(parent)

    def start(self, name: str) -> None:
        """A node has been started."""
        self.running.add(name)

    def finish(self, name: str, result: Result) -> None:
        """A node has ended."""
        self.running.discard(name)
        self.results[name] = result

    def ready(self) -> list[Node]:
        """The nodes that may start now, in the order of the definition."""
        self._skip()
        if self.stopped:
            return []
        rest = self._pending()
        if self._halted(None):  # what runs goes on to its end, the iterations of a running ForEach step among it
            rest = [node for node in rest if node.parent is not None or node.handles_failure]
        halted = {parent for parent in self._concurrency if self._halted(parent)}
        room = {parent: limit - len(self._running_in(parent)) for parent, limit in self._concurrency.items()}
        found: list[Node] = []
        for node in rest:
            if not self._satisfied(node) or (node.parent in halted and not node.handles_failure):
                continue
            if node.parent is not None:
                room[node.parent] -= 1
                if room[node.parent] < 0:
                    continue
            found.append(node)
        return found

    def settled(self) -> list[str]:
        """The running ForEach steps of whose iterations nothing runs, and nothing more will."""
        waiting = {node.parent for node in self.ready()}
        return [
            parent
            for parent in self._concurrency
            if parent in self.running - self._closing and parent not in waiting and not self._running_in(parent)
        ]

    def children(self, parent: str) -> list[Node]:
        """The nodes of a ForEach step, by item and then in the order of the body."""
        return [node for node in self.nodes.values() if node.parent == parent]

    def verdict(self) -> str:
        """The status of the execution now that nothing runs."""
        statuses = {name: result.status for name, result in self.results.items() if self._is_top(name)}
        if self.stopped:
            return "Failed" if "Failed" in statuses.values() else "Stopped"
        if self._halted(None):
            return "Failed"
        return "Succeeded" if set(statuses.values()) <= {"Succeeded"} else "CompletedWithFailures"

    def _pending(self) -> list[Node]:
        settled = self.running | self._skipped | self.results.keys()
        return [node for node in self.nodes.values() if node.name not in settled]

    def _skip(self) -> None:
        changed = True
        while changed:
            left_out = {node.name for node in self._pending() if self._excluded(node)}
            changed = bool(left_out)
            self._skipped |= left_out

    def _excluded(self, node: Node) -> bool:
        for name, trigger in node.after.items():
            result = self.results.get(name)
            if name in self._skipped or (result is not None and result.status not in TRIGGERS[trigger]):
                return True
        if node.branch is None:
            return False
        condition = self.results.get(node.branch[0])
        return condition is not None and condition.outcome is not node.branch[1]

    def _satisfied(self, node: Node) -> bool:
        return all(name in self.results for name in node.after)

    def _running_in(self, parent: str) -> list[str]:
        return [name for name in self.running if self.nodes[name].parent == parent]

    def _is_top(self, name: str) -> bool:
        return name not in self.nodes or self.nodes[name].parent is None

    def _halted(self, parent: str | None) -> bool:
        """Whether a failure that no step handles ends the execution, or the ForEach step `parent`."""
        failed = [
            (name, result.status)
            for name, result in self.results.items()
            if result.status != "Succeeded" and (self.nodes[name].parent if name in self.nodes else None) == parent
        ]
        if parent is None:
            failed += [(name, "Failed") for name in self._concurrency if name in self.running and self._halted(name)]
        return not all(self._handled(name, status) for name, status in failed)

    def _handled(self, name: str, status: str) -> bool:
        if self.nodes[name].step.type == "Fail":
            return False
        return any(
            status in TRIGGERS[node.after[name]]
            for node in self.nodes.values()
            if name in node.after and node.name not in self._skipped
        )
