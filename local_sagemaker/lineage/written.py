"""The part of lineage that clients have written: entities and associations with records of their own."""

from typing import Any

from local_sagemaker.lineage.entities import ARTIFACT, Association, Entity, Graph
from local_sagemaker.state.record_kinds import LINEAGE_ASSOCIATION, LINEAGE_ENTITY
from local_sagemaker.state.records import Records

Document = dict[str, Any]
OWN = ("LineageType", "Arn", "Name", "Type", "SourceUri")


def add_written(graph: Graph, records: Records) -> None:
    """Add what clients have created, and the associations whose two ends are there."""
    for record in records.all(LINEAGE_ENTITY):
        graph.add(entity_of(record))
    for edge in records.all(LINEAGE_ASSOCIATION):
        if {edge["SourceArn"], edge["DestinationArn"]} <= graph.entities.keys():
            ends = edge["SourceArn"], edge["DestinationArn"]
            graph.associations[Association(*ends, edge["AssociationType"], edge["CreationTime"])] = None


def entity_of(record: Document) -> Entity:
    """An entity as it was created and changed since."""
    return Entity(
        record["Arn"],
        record["Name"],
        record["LineageType"],
        record["Type"],
        record["SourceUri"],
        record["CreationTime"],
        {name: value for name, value in record.items() if name not in OWN},
    )


def name_field(lineage_type: str) -> str:
    """What names an entity in requests: ArtifactArn, ActionName, ContextName."""
    return f"{lineage_type}{'Arn' if lineage_type == ARTIFACT else 'Name'}"
