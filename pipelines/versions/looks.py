"""How many other models have met the same test part before: counted when an execution starts, and kept in S3.

Each look at a test part makes it a little less of a test: of many models one is best by chance. An execution gets the
number as a parameter, so that an identical one has the same and takes its steps from the cache.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.clients import S3Client, SageMakerClient, split_uri
from pipelines.definition.champion_input import PARAMETER as CHAMPION
from pipelines.definition.evaluation_files import STEP
from pipelines.definition.looks_input import ARGUMENT, LENGTH, PARAMETER
from pipelines.document.cache_forecast import defaults, key_of, resolved, steps_of
from pipelines.versions.lineage import DATA_PARAMETER

JOBS = ("ValidateData", "Preprocess", "Train")  # what these are given decides on the model
NOT_MET = ("Failed", "Stopped")  # of an execution that ended before its model met the test part


@dataclass(frozen=True)
class Look:
    """What an execution is told: how many other models met its test part, and where it is written down itself."""

    bucket: str
    key: str
    earlier: int

    def record(self, s3: S3Client, execution_arn: str) -> None:
        """Write down that the execution's model meets the test part."""
        document = {"execution": execution_arn, "earlier": self.earlier, "met": False}
        s3.put_object(Bucket=self.bucket, Key=self.key, Body=json.dumps(document).encode())


def next_look(
    sagemaker: SageMakerClient,
    s3: S3Client,
    group: str,
    definition: Mapping[str, Any],
    given: Mapping[str, str],
) -> Look | None:
    """The look that an execution with these parameters takes; None where its definition does not ask for the number.

    A model that has met the test part before keeps its number. What a person gives as EarlierLooks is not counted.
    """
    part, declared = _test_part(definition), defaults(definition)
    if part is None or PARAMETER in given or CHAMPION not in declared:
        return None
    bucket, _ = split_uri(declared[CHAMPION])  # that of the definition, whatever the environment says
    values = {**declared, **given}
    test = _hash([part, _data(definition, values)])
    model = _hash([resolved(key_of(step), values) for step in _jobs(definition)])
    prefix = f"{group}/looks/{test}/"
    earlier = 0
    for key in _keys(s3, bucket, prefix):
        document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        if not _has_met(sagemaker, s3, bucket, key, document):
            continue
        if key == f"{prefix}{model}.json":
            return Look(bucket, key, int(document["earlier"]))
        earlier += 1
    return Look(bucket, f"{prefix}{model}.json", earlier)


def _test_part(definition: Mapping[str, Any]) -> str | None:
    """What the definition says of its test part; None where it says nothing."""
    application = (steps_of(definition).get(STEP, {}).get("Arguments") or {}).get("AppSpecification") or {}
    arguments = application.get("ContainerArguments") or []
    return str(arguments[arguments.index(ARGUMENT) + 1]) if ARGUMENT in arguments else None


def _data(definition: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """What names the data: where they lie, or the query that gives them."""
    if DATA_PARAMETER in values:
        return str(values[DATA_PARAMETER])
    arguments = steps_of(definition).get(JOBS[0], {}).get("Arguments") or {}
    inputs = [entry.get("DatasetDefinition") for entry in arguments.get("ProcessingInputs", [])]
    return str(next(filter(None, inputs), None))


def _jobs(definition: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    found = steps_of(definition)
    return [found[name] for name in JOBS if name in found]


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:LENGTH]


def _keys(s3: S3Client, bucket: str, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def _has_met(sagemaker: SageMakerClient, s3: S3Client, bucket: str, key: str, document: dict[str, Any]) -> bool:
    """Whether a model that was written down has been evaluated, or may still be; what is known is asked once."""
    if document["met"]:
        return True
    try:
        pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=document["execution"]
        )
        evaluated = [
            entry["StepStatus"]
            for page in pages
            for entry in page["PipelineExecutionSteps"]
            if entry["StepName"] == STEP
        ]
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=document["execution"])
    except sagemaker.exceptions.ResourceNotFound:
        return True  # its pipeline is deleted: nobody knows, so it counts
    if "Succeeded" in evaluated:
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps({**document, "met": True}).encode())
        return True
    return status["PipelineExecutionStatus"] not in NOT_MET
