"""What lineage consists of: entities (artifacts, actions, contexts, trial components), and how they are associated."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
ARTIFACT, ACTION, CONTEXT, COMPONENT = "Artifact", "Action", "Context", "TrialComponent"
CONTRIBUTED, PRODUCED, ASSOCIATED = "ContributedTo", "Produced", "AssociatedWith"
RESOURCES = {ARTIFACT: "artifact", ACTION: "action", CONTEXT: "context", COMPONENT: "experiment-trial-component"}


@dataclass(frozen=True)
class Entity:
    """One entity: `kind` is its type, such as DataSet, `document` what Describe says beside its name and source."""

    arn: str
    name: str
    lineage_type: str
    kind: str
    source: str
    created: float
    document: Document = field(default_factory=dict, hash=False, compare=False)

    def described(self) -> Document:
        """The answer of its Describe operation, which is its summary too."""
        return {
            f"{self.lineage_type}Name": self.name,
            f"{self.lineage_type}Arn": self.arn,
            **self._source(),
            "CreationTime": self.created,
            "LastModifiedTime": self.created,
            **self.document,
        }

    def _source(self) -> Document:
        if self.lineage_type == COMPONENT:
            source: Document = {"SourceArn": self.source, "SourceType": self.kind}
            return {"Source": source, "TrialComponentSource": source, "DisplayName": self.name}
        if self.lineage_type == ARTIFACT:
            return {"Source": {"SourceUri": self.source, "SourceTypes": []}, "ArtifactType": self.kind}
        return {"Source": {"SourceUri": self.source, "SourceType": self.kind}, f"{self.lineage_type}Type": self.kind}


@dataclass(frozen=True)
class Association:
    """An edge of the graph, from what was there first."""

    source: str
    destination: str
    kind: str
    created: float


class Graph:
    """Entities by their ARNs, in the order of their creation, and the associations between them."""

    def __init__(self) -> None:
        self.entities: dict[str, Entity] = {}
        self.associations: dict[Association, None] = {}

    def add(self, entity: Entity) -> Entity:
        """Add an entity, unless it is there; the one that is there."""
        return self.entities.setdefault(entity.arn, entity)

    def artifact(self, place: str, uri: str, kind: str, created: float, name: str = "") -> Entity:
        """The artifact of a URI; `place` is the beginning of ARNs, arn:aws:sagemaker:REGION:ACCOUNT."""
        digest = hashlib.md5(uri.encode(), usedforsecurity=False).hexdigest()
        return self.add(Entity(f"{place}:artifact/{digest}", name or uri, ARTIFACT, kind, uri, created))

    def associate(self, source: Entity, destination: Entity, kind: str, created: float) -> None:
        """Add an association."""
        self.associations[Association(source.arn, destination.arn, kind, created)] = None

    def of(self, lineage_type: str) -> list[Entity]:
        """All entities of a type."""
        return [entity for entity in self.entities.values() if entity.lineage_type == lineage_type]

    def reached(self, starts: Iterable[str], direction: str, depth: int) -> tuple[set[str], list[Association]]:
        """The ARNs that are at most `depth` associations away from the starts, and the associations on the way."""
        found, edges = set(starts), dict[Association, None]()
        for follow in [each for each in ("Ascendants", "Descendants") if direction in (each, "Both")]:
            seen = front = set(starts)
            for _ in range(depth):
                way = list(self._from(front, follow))
                edges |= dict.fromkeys(way)
                front = {edge.source if follow == "Ascendants" else edge.destination for edge in way} - seen
                seen = seen | front
            found |= seen
        return found, list(edges)

    def _from(self, front: set[str], direction: str) -> Iterator[Association]:
        for edge in self.associations:
            if (edge.destination if direction == "Ascendants" else edge.source) in front:
                yield edge
