"""The pipeline that only looks: ValidateData on a new file, before anything is trained on it."""

from typing import Any

from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow.pipeline import Pipeline

from pipelines.definition.job_code import JobCode
from pipelines.definition.jobs import Instances, JobFactory
from pipelines.definition.training import data_parameter, validate_step
from pipelines.settings.environment import Environment
from pipelines.settings.settings import Settings


def validation_pipeline(
    settings: Settings,
    environment: Environment,
    session: Any,
    *,
    code: JobCode,
    input_data: str,
    commit: str,
) -> Pipeline:
    """The first step of the training pipeline alone, with the same job, report and limits."""
    machines = settings.jobs.processing
    data = data_parameter(settings, input_data)
    kind = ParameterString("ProcessingInstanceType", machines.instance_type)
    tags = {"project": settings.name, "git-commit": commit}
    jobs = JobFactory(settings, environment, session, code, tags, Instances(kind, machines))
    return Pipeline(
        name=settings.pipeline_name("validation"),
        parameters=[*([data] if data is not None else []), kind],
        steps=[validate_step(jobs, data)],
        sagemaker_session=session,
        pipeline_experiment_config=None,
    )
