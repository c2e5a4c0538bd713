"""The operations that write lineage: artifacts, actions and contexts of clients, and associations between any two."""

import hashlib
import time
from collections.abc import Callable

from local_sagemaker.errors import ServiceError, invalid, not_found
from local_sagemaker.lineage.entities import ACTION, ARTIFACT, ASSOCIATED, CONTEXT, RESOURCES, Graph
from local_sagemaker.lineage.written import Document, name_field
from local_sagemaker.state.record_kinds import LINEAGE_ASSOCIATION, LINEAGE_ENTITY, TAGS
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.tags import Tags

KEPT = ("Description", "Status", "Properties", "MetadataProperties", "Source")
CHANGEABLE = ("Description", "Status", "Properties")


class LineageWrites:
    """Create, Update and Delete of entities, AddAssociation and DeleteAssociation.

    What SageMaker makes by itself of jobs, versions and endpoints cannot be changed, only associated.
    """

    def __init__(self, records: Records, tags: Tags, graph: Callable[[], Graph]) -> None:
        self._records = records
        self._tags = tags
        self._graph = graph

    def create_artifact(self, request: Request, caller: Caller) -> Request:
        """Create an artifact, such as a data set that no job here has made."""
        return self._create(ARTIFACT, request, caller)

    def create_action(self, request: Request, caller: Caller) -> Request:
        """Create an action, such as an approval outside of SageMaker."""
        return self._create(ACTION, request, caller)

    def create_context(self, request: Request, caller: Caller) -> Request:
        """Create a context, which groups other entities."""
        return self._create(CONTEXT, request, caller)

    def update_artifact(self, request: Request, caller: Caller) -> Request:
        """Change the name or the properties of an artifact."""
        return self._update(ARTIFACT, request, caller)

    def update_action(self, request: Request, caller: Caller) -> Request:
        """Change the status, the description or the properties of an action."""
        return self._update(ACTION, request, caller)

    def update_context(self, request: Request, caller: Caller) -> Request:
        """Change the description or the properties of a context."""
        return self._update(CONTEXT, request, caller)

    def delete_artifact(self, request: Request, caller: Caller) -> Request:
        """Delete an artifact without associations, by its ARN or its source."""
        source = request.get("Source", {}).get("SourceUri")
        if ("ArtifactArn" in request) == (source is not None):
            raise invalid("DeleteArtifact needs either ArtifactArn or Source.")
        found = [each for each in self._graph().of(ARTIFACT) if source == each.source]
        asked = request.get("ArtifactArn") or (found[0].arn if found else source)
        return self._delete(ARTIFACT, str(asked))

    def delete_action(self, request: Request, caller: Caller) -> Request:
        """Delete an action without associations."""
        return self._delete(ACTION, request["ActionName"])

    def delete_context(self, request: Request, caller: Caller) -> Request:
        """Delete a context without associations."""
        return self._delete(CONTEXT, request["ContextName"])

    def add_association(self, request: Request, caller: Caller) -> Request:
        """Associate two entities, whoever has made them."""
        source, destination = request["SourceArn"], request["DestinationArn"]
        if source == destination:
            raise invalid("An entity cannot be associated with itself: SourceArn and DestinationArn are the same.")
        with self._records.lock:
            graph = self._graph()
            _require(graph, source, destination)
            if any((each.source, each.destination) == (source, destination) for each in graph.associations):
                raise invalid(f"An association from {source} to {destination} already exists.")
            edge = {
                "SourceArn": source,
                "DestinationArn": destination,
                "AssociationType": request.get("AssociationType", ASSOCIATED),
                "CreationTime": time.time(),
            }
            self._records.put(LINEAGE_ASSOCIATION, f"{source} {destination}", edge)
        return {"SourceArn": source, "DestinationArn": destination}

    def delete_association(self, request: Request, caller: Caller) -> Request:
        """Delete an association that a client has added."""
        source, destination = request["SourceArn"], request["DestinationArn"]
        if self._records.get(LINEAGE_ASSOCIATION, f"{source} {destination}") is None:
            _require(self._graph(), source, destination)
            raise not_found(f"There is no association from {source} to {destination} that a client has added.")
        self._records.delete(LINEAGE_ASSOCIATION, f"{source} {destination}")
        return {"SourceArn": source, "DestinationArn": destination}

    def _create(self, lineage_type: str, request: Request, caller: Caller) -> Request:
        now, source = time.time(), request["Source"]["SourceUri"]
        name = request.get(f"{lineage_type}Name") or source
        unique = hashlib.sha256(f"{source} {name} {now}".encode()).hexdigest()[:32]
        arn = caller.arn(f"{RESOURCES[lineage_type]}/{unique if lineage_type == ARTIFACT else name.lower()}")
        record: Document = {
            "LineageType": lineage_type,
            "Arn": arn,
            "Name": name,
            "Type": request[f"{lineage_type}Type"],
            "SourceUri": source,
            "CreationTime": now,
            "LastModifiedTime": now,
            "CreatedBy": caller.user_context,
            **{field: request[field] for field in KEPT if field in request},
        }
        with self._records.lock:
            if arn in self._graph().entities:
                raise ServiceError("ResourceInUse", f"{lineage_type} {name} already exists.")
            self._records.put(LINEAGE_ENTITY, arn, record)
            self._tags.set(arn, request.get("Tags", []))
        return {f"{lineage_type}Arn": arn}

    def _update(self, lineage_type: str, request: Request, caller: Caller) -> Request:
        with self._records.lock:
            record = self._own(lineage_type, request[name_field(lineage_type)])
            properties = {**record.get("Properties", {}), **request.get("Properties", {})}
            for name in request.get("PropertiesToRemove", []):
                properties.pop(name, None)
            changes = {field: request[field] for field in CHANGEABLE if field in request}
            if lineage_type == ARTIFACT and "ArtifactName" in request:
                changes["Name"] = request["ArtifactName"]
            changes |= {
                "Properties": properties,
                "LastModifiedTime": time.time(),
                "LastModifiedBy": caller.user_context,
            }
            self._records.update(LINEAGE_ENTITY, record["Arn"], changes)
        return {f"{lineage_type}Arn": record["Arn"]}

    def _delete(self, lineage_type: str, asked: str) -> Request:
        with self._records.lock:
            arn = self._own(lineage_type, asked)["Arn"]
            if any(arn in (each.source, each.destination) for each in self._graph().associations):
                raise invalid(f"{lineage_type} {asked} has associations: delete them with DeleteAssociation.")
            self._records.delete(LINEAGE_ENTITY, arn)
            self._records.delete(TAGS, arn)
        return {f"{lineage_type}Arn": arn}

    def _own(self, lineage_type: str, asked: str) -> Document:
        """The record of an entity that a client has created; ServiceError for any other."""
        for entity in self._graph().of(lineage_type):
            if asked in (entity.arn, entity.name):
                record = self._records.get(LINEAGE_ENTITY, entity.arn)
                if record is None:
                    raise invalid(f"{lineage_type} {asked} was made by SageMaker, and goes with what it was made of.")
                return record
        raise not_found(f"{lineage_type} {asked} does not exist.")


def _require(graph: Graph, *arns: str) -> None:
    for arn in arns:
        if arn not in graph.entities:
            raise not_found(f"There is no lineage entity {arn}.")
