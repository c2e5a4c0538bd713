"""Pipelines: their definitions, checked when they are stored, and the versions of them."""

import time
from collections.abc import Callable
from typing import Literal

from local_sagemaker.api.listing import page
from local_sagemaker.api.pipeline_versions import PipelineVersions
from local_sagemaker.api.request_tokens import RequestTokens
from local_sagemaker.definition.definition import parse
from local_sagemaker.errors import ServiceError, invalid, not_found, unsupported
from local_sagemaker.moto_services.objects import S3Objects
from local_sagemaker.state.record_kinds import EXECUTION, EXECUTION_STEP, PIPELINE
from local_sagemaker.state.record_types import PipelineRecord
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.tags import Tags

VERSION_FIELDS = (
    "PipelineDefinition",
    "PipelineVersionDisplayName",
    "PipelineVersionDescription",
    "PipelineVersionAliases",
)
GIVEN: tuple[Literal["PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration"], ...] = (
    "PipelineDisplayName",
    "PipelineDescription",
    "RoleArn",
    "ParallelismConfiguration",
)


class Pipelines:
    """Create, Update, Describe, List and Delete of pipelines, and the operations on their versions.

    `forget_steps` takes the ARN of a pipeline whose steps may no longer be reused.
    """

    def __init__(
        self,
        records: Records,
        objects: S3Objects,
        tags: Tags,
        versions: PipelineVersions,
        forget_steps: Callable[[str], None],
    ) -> None:
        self._records = records
        self._objects = objects
        self._tags = tags
        self._versions = versions
        self._forget_steps = forget_steps
        self._tokens = RequestTokens(records)

    def create_pipeline(self, request: Request, caller: Caller) -> Request:
        """Store a definition under a new name, as version 1."""
        arn = caller.arn(f"pipeline/{request['PipelineName'].lower()}")
        definition = self._definition(request)
        if definition is None:
            raise invalid("Either PipelineDefinition or PipelineDefinitionS3Location must be given.")
        return self._tokens.once(arn, "CreatePipeline", request, lambda: self._create(arn, definition, request, caller))

    def update_pipeline(self, request: Request, caller: Caller) -> Request:
        """Replace the definition, the role or the description; a changed definition is a new version."""
        definition = self._definition(request)
        aliases = request.get("PipelineVersionAliases", [])
        with self._records.lock:
            pipeline = self.get(request["PipelineName"], caller)
            arn, number = pipeline["PipelineArn"], pipeline["PipelineVersionId"]
            if definition is not None and definition != pipeline["PipelineDefinition"]:
                number += 1
                self._versions.add(arn, number, definition, aliases)
            elif aliases:
                raise invalid(
                    "PipelineVersionAliases are for a changed definition: use UpdatePipelineVersion for a version "
                    "that exists."
                )
            changes: PipelineRecord = {
                **_given(request),
                "PipelineVersionId": number,
                "LastModifiedTime": time.time(),
                "LastModifiedBy": caller.user_context,
            }
            if definition is not None:
                changes["PipelineDefinition"] = definition
            self._records.update(PIPELINE, pipeline["PipelineName"], changes)
        return {"PipelineArn": arn, "PipelineVersionId": number}

    def describe_pipeline(self, request: Request, caller: Caller) -> Request:
        """One pipeline, the definition of a version or of the latest as it was given."""
        pipeline = self.get(request["PipelineName"], caller)
        version = self._versions.get(pipeline, request)
        return {**pipeline, **{field: version.get(field) for field in VERSION_FIELDS}}

    def list_pipelines(self, request: Request, caller: Caller) -> Request:
        """Pipelines, newest first."""
        prefix = request.get("PipelineNamePrefix", "")
        found = [entry for entry in self._records.all(PIPELINE) if entry["PipelineName"].startswith(prefix)]
        if request.get("ManagedBy") == "AWS":
            found = []
        listed = ({**pipeline, "LastExecutionTime": pipeline.get("LastRunTime")} for pipeline in found)
        return page(listed, request, result="PipelineSummaries", name="PipelineName")

    def delete_pipeline(self, request: Request, caller: Caller) -> Request:
        """Delete a pipeline with its versions and executions, none of which may be running."""
        arn = caller.arn(f"pipeline/{request['PipelineName'].rpartition('/')[2].lower()}")
        return self._tokens.once(arn, "DeletePipeline", request, lambda: self._delete(request["PipelineName"], caller))

    def list_pipeline_versions(self, request: Request, caller: Caller) -> Request:
        """The versions of one pipeline, newest first."""
        pipeline = self.get(request["PipelineName"], caller)
        versions = self._versions.all(pipeline["PipelineArn"])
        return page(versions, request, result="PipelineVersionSummaries", name="PipelineVersionId")

    def update_pipeline_version(self, request: Request, caller: Caller) -> Request:
        """Name, describe or alias a version."""
        with self._records.lock:
            self._versions.update(self.get(request["PipelineArn"], caller), request)
        return {"PipelineArn": request["PipelineArn"], "PipelineVersionId": request["PipelineVersionId"]}

    def get(self, name_or_arn: str, caller: Caller) -> PipelineRecord:
        """The record of a pipeline, by name or ARN."""
        name = name_or_arn.rpartition("/")[2]
        pipeline = self._records.get(PIPELINE, name)
        if pipeline is None:  # the name in an ARN is in lower case
            found = (entry for entry in self._records.all(PIPELINE) if entry["PipelineName"].lower() == name)
            pipeline = next(found, None)
        if pipeline is None:
            raise not_found(f"Pipeline '{caller.arn(f'pipeline/{name.lower()}')}' does not exist.")
        if "PipelineVersionId" not in pipeline:  # stored before versions were kept
            self._versions.add(pipeline["PipelineArn"], 1, pipeline["PipelineDefinition"], [])
            pipeline = self._records.update(PIPELINE, pipeline["PipelineName"], PipelineRecord(PipelineVersionId=1))
        return pipeline

    def _create(self, arn: str, definition: str, request: Request, caller: Caller) -> Request:
        name, now = request["PipelineName"], time.time()
        if any(pipeline["PipelineArn"] == arn for pipeline in self._records.all(PIPELINE)):
            raise invalid(
                "Pipeline names must be unique within an AWS account and region. "
                f"Pipeline with name ({name}) already exists."
            )
        pipeline: PipelineRecord = {
            **_given(request),
            "PipelineName": name,
            "PipelineArn": arn,
            "PipelineDefinition": definition,
            "PipelineVersionId": 1,
            "PipelineStatus": "Active",
            "CreationTime": now,
            "LastModifiedTime": now,
            "CreatedBy": caller.user_context,
            "LastModifiedBy": caller.user_context,
        }
        self._tokens.forget(arn)  # those of an earlier pipeline of this name
        self._versions.add(arn, 1, definition, request.get("PipelineVersionAliases", []))
        self._records.put(PIPELINE, name, pipeline)
        self._tags.set(arn, request.get("Tags", []))
        return {"PipelineArn": arn}

    def _delete(self, name: str, caller: Caller) -> Request:
        pipeline = self.get(name, caller)
        arn = pipeline["PipelineArn"]
        executions = self._records.all(EXECUTION, prefix=f"{arn}/")
        if any(execution["PipelineExecutionStatus"] in ("Executing", "Stopping") for execution in executions):
            raise ServiceError("ConflictException", f"Pipeline {pipeline['PipelineName']} has running executions.")
        self._records.delete(PIPELINE, pipeline["PipelineName"])
        for kind in (EXECUTION, EXECUTION_STEP):
            self._records.delete_all(kind, prefix=f"{arn}/")
        self._versions.forget(arn)
        self._tokens.forget(arn)
        self._forget_steps(arn)
        return {"PipelineArn": arn}

    def _definition(self, request: Request) -> str | None:
        """The definition in a request, or in the object that it names; ValidationException where it is faulty."""
        location, text = request.get("PipelineDefinitionS3Location"), request.get("PipelineDefinition")
        if location is not None:
            if text is not None:
                raise invalid("Give PipelineDefinition or PipelineDefinitionS3Location, not both.")
            if "VersionId" in location:
                raise unsupported("VersionId in PipelineDefinitionS3Location")
            try:
                text = self._objects.read(location["Bucket"], location["ObjectKey"]).decode()
            except (LookupError, UnicodeDecodeError) as error:
                raise invalid(f"PipelineDefinitionS3Location: {error}") from None
        if text is not None:
            parse(text)
        return text


def _given(request: Request) -> PipelineRecord:
    """What a request says of a pipeline beside its definition."""
    given: PipelineRecord = {}
    for field in GIVEN:
        if field in request:
            given[field] = request[field]
    return given
