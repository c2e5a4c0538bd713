"""What the checks read: SageMaker and S3, through boto3, as any client of the local server or of an account."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lessons.errors import LessonError


@dataclass(frozen=True)
class Account:
    """The two clients."""

    sagemaker: Any
    s3: Any

    def executions(self, pipeline: str) -> list[Mapping[str, Any]]:
        """The executions of a pipeline that have ended, newest first; LessonError where there is no pipeline."""
        if pipeline not in self.pipelines():
            raise LessonError(f"There is no pipeline {pipeline} yet.")
        pages = self.sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=pipeline)
        found = [each for page in pages for each in page["PipelineExecutionSummaries"]]
        return [each for each in found if each["PipelineExecutionStatus"] in ("Succeeded", "Failed")]

    def pipelines(self) -> list[str]:
        """Their names."""
        pages = self.sagemaker.get_paginator("list_pipelines").paginate()
        return [each["PipelineName"] for page in pages for each in page["PipelineSummaries"]]

    def trained(self, name: str) -> list[str]:
        """The completed training jobs whose names hold that, the newest first."""
        pages = self.sagemaker.get_paginator("list_training_jobs").paginate(NameContains=name, StatusEquals="Completed")
        return [each["TrainingJobName"] for page in pages for each in page["TrainingJobSummaries"]]

    def parameters(self, execution: Mapping[str, Any]) -> dict[str, str]:
        """The values that an execution was started with, defaults included."""
        answer = self.sagemaker.list_pipeline_parameters_for_execution(
            PipelineExecutionArn=execution["PipelineExecutionArn"]
        )
        return {each["Name"]: each["Value"] for each in answer["PipelineParameters"]}

    def steps(self, execution: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        """The steps of an execution that have begun, by their names."""
        pages = self.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=execution["PipelineExecutionArn"]
        )
        return {each["StepName"]: each for page in pages for each in page["PipelineExecutionSteps"]}

    def output(self, execution: Mapping[str, Any], step: str, file: str) -> Any:
        """A JSON file that the processing job of a step has written; None where the step has none."""
        job = self.steps(execution).get(step, {}).get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
        if job is None:
            return None
        described = self.sagemaker.describe_processing_job(ProcessingJobName=job.rpartition("/")[2])
        for output in described["ProcessingOutputConfig"]["Outputs"]:
            found = next(self.objects(f"{output['S3Output']['S3Uri'].rstrip('/')}/{file}"), None)
            if found is not None:
                return json.loads(found)
        return None

    def objects(self, uri: str) -> Iterator[bytes]:
        """The contents of the objects whose URIs begin so."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for each in (each for page in pages for each in page.get("Contents", [])):
            yield self.s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()

    def versions(self, group: str) -> list[Mapping[str, Any]]:
        """The versions of a model package group, newest first, as they are described."""
        pages = self.sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        arns = [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]
        return [self.sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns]
