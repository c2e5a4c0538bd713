"""The operations about tags, of resources that exist."""

from collections.abc import Callable

from local_sagemaker.errors import invalid
from local_sagemaker.lineage.entities import Graph
from local_sagemaker.lineage.experiments import Experiments
from local_sagemaker.state.record_kinds import (
    ENDPOINT,
    ENDPOINT_CONFIG,
    MODEL,
    MODEL_CARD,
    MODEL_PACKAGE,
    MODEL_PACKAGE_GROUP,
    PIPELINE,
    PROCESSING_JOB,
    TRAINING_JOB,
    TRANSFORM_JOB,
    TUNING_JOB,
)
from local_sagemaker.state.records import Kind, Records
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.tags import Tags

KINDS: dict[str, Kind[Request]] = {  # by the type in an ARN, of records that are named by the rest of it
    "processing-job": PROCESSING_JOB,
    "training-job": TRAINING_JOB,
    "transform-job": TRANSFORM_JOB,
    "hyper-parameter-tuning-job": TUNING_JOB,
    "model-package-group": MODEL_PACKAGE_GROUP,
    "model-package": MODEL_PACKAGE,
    "model": MODEL,
    "endpoint-config": ENDPOINT_CONFIG,
}


class TagOperations:
    """AddTags, ListTags, DeleteTags; ValidationException for a resource that is not there, as on AWS."""

    def __init__(self, tags: Tags, records: Records, graph: Callable[[], Graph]) -> None:
        self._tags = tags
        self._records = records
        self._graph = graph

    def add_tags(self, request: Request, caller: Caller) -> Request:
        """Add or replace tags."""
        self._require(request["ResourceArn"])
        return {"Tags": self._tags.add(request["ResourceArn"], request["Tags"])}

    def list_tags(self, request: Request, caller: Caller) -> Request:
        """All tags of a resource, on one page."""
        self._require(request["ResourceArn"])
        return {"Tags": self._tags.of(request["ResourceArn"])}

    def delete_tags(self, request: Request, caller: Caller) -> Request:
        """Remove tags by key."""
        self._require(request["ResourceArn"])
        self._tags.remove(request["ResourceArn"], request["TagKeys"])
        return {}

    def _require(self, arn: str) -> None:
        if not self._exists(arn):
            raise invalid(f'Could not find the resource "{arn}", so it has no tags.')

    def _exists(self, arn: str) -> bool:
        kind, _, name = arn.split(":", 5)[5].partition("/")
        if kind in KINDS:
            return self._records.get(KINDS[kind], name) is not None
        if kind == "endpoint":
            return self._records.get(ENDPOINT, name) is not None
        if kind == "model-card":
            return bool(self._records.find(MODEL_CARD, prefix=f"{name}/", limit=1))
        if kind == "pipeline":  # whose ARN has small letters only
            return any(each["PipelineArn"] == arn for each in self._records.all(PIPELINE))
        graph = self._graph()
        known = Experiments(self._records, graph)
        trials = [*known.experiments.values(), *known.trials.values()]
        return arn in graph.entities or any(each.arn == arn for each in trials)
