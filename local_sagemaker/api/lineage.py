"""The operations that read lineage: what jobs, model packages and endpoints have made of what."""

from collections.abc import Callable
from typing import Any

from local_sagemaker.api.listing import cut, page
from local_sagemaker.errors import invalid, not_found
from local_sagemaker.lineage.entities import ACTION, ARTIFACT, CONTEXT, Association, Entity, Graph
from local_sagemaker.wire.dispatch import Caller, Request

DEEPEST = 10  # associations that QueryLineage follows
MOST_VERTICES = 50  # of a page


class Lineage:
    """List and Describe of artifacts, actions and contexts, ListAssociations and QueryLineage."""

    def __init__(self, graph: Callable[[], Graph]) -> None:
        self._graph = graph

    def list_artifacts(self, request: Request, caller: Caller) -> Request:
        """Artifacts, newest first: data, models and images that jobs have read or written."""
        return self._list(ARTIFACT, request)

    def list_actions(self, request: Request, caller: Caller) -> Request:
        """Actions, newest first: approvals and deployments."""
        return self._list(ACTION, request)

    def list_contexts(self, request: Request, caller: Caller) -> Request:
        """Contexts, newest first: endpoints and model package groups."""
        return self._list(CONTEXT, request)

    def describe_artifact(self, request: Request, caller: Caller) -> Request:
        """One artifact, by its ARN."""
        return self._describe(ARTIFACT, request["ArtifactArn"])

    def describe_action(self, request: Request, caller: Caller) -> Request:
        """One action."""
        return self._describe(ACTION, request["ActionName"])

    def describe_context(self, request: Request, caller: Caller) -> Request:
        """One context."""
        return self._describe(CONTEXT, request["ContextName"])

    def list_associations(self, request: Request, caller: Caller) -> Request:
        """Associations, newest first, by their ends and types."""
        graph = self._graph()
        summaries = [
            _summary(graph, each)
            for each in graph.associations
            if request.get("SourceArn", each.source) == each.source
            and request.get("DestinationArn", each.destination) == each.destination
            and request.get("AssociationType", each.kind) == each.kind
        ]
        found = [
            each
            for each in summaries
            if request.get("SourceType", each["SourceType"]) == each["SourceType"]
            and request.get("DestinationType", each["DestinationType"]) == each["DestinationType"]
        ]
        return page(found, request, result="AssociationSummaries", name="Key")

    def query_lineage(self, request: Request, caller: Caller) -> Request:
        """What the entities of a request come from, and what has come of them."""
        graph, starts = self._graph(), request.get("StartArns", [])
        if not starts:
            raise invalid("QueryLineage needs StartArns, the ARNs of entities to begin with.")
        missing = [arn for arn in starts if arn not in graph.entities]
        if missing:
            raise not_found(f"There is no lineage entity {missing[0]}.")
        depth = min(request.get("MaxDepth", DEEPEST), DEEPEST)
        arns, edges = graph.reached(starts, request.get("Direction", "Both"), depth)
        entities = [entity for arn, entity in graph.entities.items() if arn in arns]
        found = [entity for entity in entities if _passes(entity, request.get("Filters", {}))]
        vertices = [
            {"Arn": entity.arn, "Type": entity.kind, "LineageType": entity.lineage_type}
            for entity in found
            if entity.arn not in starts or "Filters" not in request
        ]
        answer = cut(vertices, request, result="Vertices", name="Arn", default_size=MOST_VERTICES)
        shown = {entity.arn for entity in found} | set(starts)
        if request.get("IncludeEdges", True):
            answer["Edges"] = [
                {"SourceArn": edge.source, "DestinationArn": edge.destination, "AssociationType": edge.kind}
                for edge in edges
                if {edge.source, edge.destination} <= shown
            ]
        return answer

    def _list(self, lineage_type: str, request: Request) -> Request:
        documents = [entity.described() for entity in self._graph().of(lineage_type)]
        kind = f"{lineage_type}Type"
        found = [
            each
            for each in documents
            if request.get("SourceUri", each["Source"]["SourceUri"]) == each["Source"]["SourceUri"]
            and request.get(kind, each[kind]) == each[kind]
        ]
        name = f"{lineage_type}{'Arn' if lineage_type == ARTIFACT else 'Name'}"
        return page(found, request, result=f"{lineage_type}Summaries", name=name)

    def _describe(self, lineage_type: str, asked: str) -> Request:
        for entity in self._graph().of(lineage_type):
            if asked in (entity.arn, entity.name):
                return entity.described()
        raise not_found(f"{lineage_type} {asked} does not exist.")


def _summary(graph: Graph, association: Association) -> Request:
    source, destination = graph.entities[association.source], graph.entities[association.destination]
    return {
        "Key": f"{source.arn} {destination.arn} {association.kind}",
        "SourceArn": source.arn,
        "DestinationArn": destination.arn,
        "SourceType": source.kind,
        "DestinationType": destination.kind,
        "SourceName": source.name,
        "DestinationName": destination.name,
        "AssociationType": association.kind,
        "CreationTime": association.created,
    }


def _passes(entity: Entity, filters: dict[str, Any]) -> bool:
    properties = entity.document.get("Properties", {})
    return (
        entity.kind in filters.get("Types", [entity.kind])
        and entity.lineage_type in filters.get("LineageTypes", [entity.lineage_type])
        and entity.created <= filters.get("CreatedBefore", entity.created)
        and entity.created >= filters.get("CreatedAfter", entity.created)
        and entity.created <= filters.get("ModifiedBefore", entity.created)
        and entity.created >= filters.get("ModifiedAfter", entity.created)
        and all(properties.get(name) == value for name, value in filters.get("Properties", {}).items())
    )
