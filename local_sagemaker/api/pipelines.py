"""Pipelines: their definitions, checked when they are stored."""

import time

from local_sagemaker.api.dispatch import Caller, Request
from local_sagemaker.api.listing import page
from local_sagemaker.api.tags import Tags
from local_sagemaker.engine.definition import parse
from local_sagemaker.errors import ServiceError, invalid, not_found
from local_sagemaker.objects import S3Objects
from local_sagemaker.records import Records

PIPELINES = "pipeline"


class Pipelines:
    """Create, Update, Describe, List and Delete of pipelines."""

    def __init__(self, records: Records, objects: S3Objects, tags: Tags) -> None:
        self._records = records
        self._objects = objects
        self._tags = tags

    def create_pipeline(self, request: Request, caller: Caller) -> Request:
        """Store a definition under a new name."""
        name, now = request["PipelineName"], time.time()
        arn = caller.arn(f"pipeline/{name.lower()}")
        pipeline = {
            **self._fields(request),
            "PipelineName": name,
            "PipelineArn": arn,
            "PipelineStatus": "Active",
            "CreationTime": now,
            "LastModifiedTime": now,
            "CreatedBy": {},
            "LastModifiedBy": {},
        }
        if not self._records.create(PIPELINES, name, pipeline):
            raise invalid(
                "Pipeline names must be unique within an AWS account and region. "
                f"Pipeline with name ({name}) already exists."
            )
        self._tags.add_tags({"ResourceArn": arn, "Tags": request.get("Tags", [])}, caller)
        return {"PipelineArn": arn}

    def update_pipeline(self, request: Request, caller: Caller) -> Request:
        """Replace the definition, the role or the description of a pipeline."""
        pipeline = self.get(request["PipelineName"], caller)
        now = time.time()
        self._records.update(PIPELINES, pipeline["PipelineName"], **self._fields(request), LastModifiedTime=now)
        return {"PipelineArn": pipeline["PipelineArn"]}

    def describe_pipeline(self, request: Request, caller: Caller) -> Request:
        """One pipeline, its definition as it was given."""
        return self.get(request["PipelineName"], caller)

    def list_pipelines(self, request: Request, caller: Caller) -> Request:
        """Pipelines, newest first."""
        query = {"NameContains": request.get("PipelineNamePrefix", ""), **request}
        return page(self._records.all(PIPELINES), query, result="PipelineSummaries", name="PipelineName")

    def delete_pipeline(self, request: Request, caller: Caller) -> Request:
        """Forget a pipeline; its executions stay readable."""
        pipeline = self.get(request["PipelineName"], caller)
        executions = self._records.all("execution", prefix=f"{pipeline['PipelineArn']}/")
        if any(execution["PipelineExecutionStatus"] in ("Executing", "Stopping") for execution in executions):
            raise ServiceError("ConflictException", f"Pipeline {pipeline['PipelineName']} has running executions.")
        self._records.delete(PIPELINES, pipeline["PipelineName"])
        return {"PipelineArn": pipeline["PipelineArn"]}

    def get(self, name_or_arn: str, caller: Caller) -> Request:
        """The record of a pipeline, by name or ARN."""
        name = name_or_arn.rpartition("/")[2]
        for pipeline in self._records.all(PIPELINES):
            if name in (pipeline["PipelineName"], pipeline["PipelineArn"].rpartition("/")[2]):
                return pipeline
        raise not_found(f"Pipeline '{caller.arn(f'pipeline/{name.lower()}')}' does not exist.")

    def _fields(self, request: Request) -> Request:
        fields: Request = {
            name: request[name]
            for name in ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
            if name in request
        }
        text = self._definition_text(request)
        if text is not None:
            parse(text)
            fields["PipelineDefinition"] = text
        return fields

    def _definition_text(self, request: Request) -> str | None:
        location = request.get("PipelineDefinitionS3Location")
        if location is None:
            return request.get("PipelineDefinition")
        try:
            return self._objects.read(location["Bucket"], location["ObjectKey"]).decode()
        except LookupError as error:
            raise invalid(f"PipelineDefinitionS3Location: {error}") from None
