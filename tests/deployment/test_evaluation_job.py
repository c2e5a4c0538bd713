"""Which job evaluated a version; what is copied from it is tested in test_reserve.py and test_parquet_batch.py."""

from typing import Any

from deployment.evaluation_job import evaluation_of

EXECUTION = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/houses-training/execution/abc"
JOB = "arn:aws:sagemaker:us-east-1:123456789012:processing-job/pipelines-abc-Evaluate-1"


class Service:
    """SageMaker with one execution, on two pages."""

    def __init__(self, *steps: dict[str, Any]) -> None:
        self.pages = [{"PipelineExecutionSteps": []}, {"PipelineExecutionSteps": list(steps)}]

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, PipelineExecutionArn: str) -> list[dict[str, Any]]:
        assert PipelineExecutionArn == EXECUTION
        return self.pages

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:
        return {"ProcessingJobName": ProcessingJobName}


def test_the_job_of_the_step_evaluate_is_found_on_any_page() -> None:
    other = {"StepName": "Preprocess", "Metadata": {"ProcessingJob": {"Arn": "processing-job/other"}}}
    evaluate = {"StepName": "Evaluate", "Metadata": {"ProcessingJob": {"Arn": JOB}}}
    found = evaluation_of(Service(other, evaluate), EXECUTION)
    assert found == {"ProcessingJobName": "pipelines-abc-Evaluate-1"}


def test_an_evaluation_that_is_gone_or_never_began_is_none() -> None:
    assert evaluation_of(Service({"StepName": "Evaluate", "Metadata": {}}), EXECUTION) is None
    assert evaluation_of(Service(), EXECUTION) is None
