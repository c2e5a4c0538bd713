"""The pipeline that watches: CollectWindow -> Observe -> Decide -> Act | nothing."""

from dataclasses import dataclass
from typing import Any

from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.workflow.conditions import ConditionIn
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import JsonGet
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

from pipelines.definition.job_code import OBSERVE, JobCode
from pipelines.definition.job_inputs import Manifest
from pipelines.definition.jobs import Instances, JobFactory, output_of
from pipelines.definition.observation_files import ACT, DECISION_PATH, OUTPUT, SIMULATION, STEP
from pipelines.settings.environment import Environment
from pipelines.settings.settings import Settings

LAST = "last"  # the last whole window
NO_REPLAY = "none"
TOLD = ("ok", "watch", "retrain")  # "not enough data" is in the report, and nothing else is done
DECISION = PropertyFile(name="Decision", output_name=OUTPUT, path=DECISION_PATH)
COLLECTED = ("Model", "Reference", "Manifest", "Window", "Before")


@dataclass(frozen=True)
class Parameters:
    """What an execution may change: which window of which stage, and the file with the new sales.

    replay names an execution whose window is observed anew, without the cache.
    """

    stage: ParameterString
    since: ParameterString
    until: ParameterString
    input_data: ParameterString
    replay: ParameterString
    processing_type: ParameterString

    @classmethod
    def of(cls, settings: Settings, input_data: str) -> "Parameters":
        """The parameters with their defaults: the last stage, which is nearest to the customers."""
        machines = settings.jobs.processing
        return cls(
            stage=ParameterString("Stage", list(settings.stages)[-1], [*settings.stages, SIMULATION]),
            since=ParameterString("Since", LAST),
            until=ParameterString("Until", LAST),
            input_data=ParameterString("InputDataUri", input_data),
            replay=ParameterString("Replay", NO_REPLAY),
            processing_type=ParameterString("ProcessingInstanceType", machines.instance_type),
        )


def monitoring_pipeline(
    settings: Settings,
    environment: Environment,
    session: Any,
    *,
    code: JobCode,
    input_data: str,
    commit: str,
) -> Pipeline:
    """The pipeline of a YAML; what calls AWS in it is a Lambda function, all else a job."""
    parameters = Parameters.of(settings, input_data)
    tags = {"project": settings.name, "git-commit": commit}
    machines = Instances(parameters.processing_type, settings.jobs.processing)
    jobs = JobFactory(settings, environment, session, code, tags, machines)
    collect = _collect(parameters, settings, environment)
    observe = _observe(jobs, parameters, collect)
    return Pipeline(
        name=settings.pipeline_name("monitoring"),
        parameters=list(vars(parameters).values()),
        steps=[collect, observe, _decide(observe, _act(parameters, settings, environment, collect, observe))],
        sagemaker_session=session,
        pipeline_experiment_config=None,
    )


def _collect(parameters: Parameters, settings: Settings, environment: Environment) -> LambdaStep:
    return LambdaStep(
        "CollectWindow",
        lambda_func=Lambda(function_arn=environment.function_arn(settings.name, "collect")),
        description="Finds the window, the version that serves, and the files of captured requests and of prices.",
        inputs={
            "project": settings.name,
            "bucket": environment.bucket,
            "stage": parameters.stage,
            "since": parameters.since,
            "until": parameters.until,
            "started": ExecutionVariables.START_DATETIME,
            "window_days": settings.monitoring.window_days,
            "cohort_days": settings.monitoring.cohort_days,
        },
        outputs=[
            *(LambdaOutput(name, LambdaOutputTypeEnum.String) for name in COLLECTED),
            LambdaOutput("Version", LambdaOutputTypeEnum.Integer),
        ],
    )


def _observe(jobs: JobFactory, parameters: Parameters, collect: LambdaStep) -> ProcessingStep:
    found = collect.properties.Outputs
    return jobs.processing(
        STEP,
        OBSERVE,
        inputs={
            "model": found["Model"],
            "reference": found["Reference"],
            "sales": parameters.input_data,
            "window": Manifest(found["Manifest"]),
            "wheels": jobs.wheels,
        },
        outputs=[OUTPUT],
        arguments={"replay": parameters.replay},
        description="Compares new sales and captured requests with the test part at registration.",
        property_files=[DECISION],
    )


def _decide(observe: ProcessingStep, act: LambdaStep) -> ConditionStep:
    return ConditionStep(
        "Decide",
        description="Acts on a decision; a window without enough data has none.",
        conditions=[
            ConditionIn(JsonGet(step_name=observe.name, property_file=DECISION, json_path="decision"), list(TOLD))
        ],
        if_steps=[act],
        else_steps=[],
    )


def _act(
    parameters: Parameters, settings: Settings, environment: Environment, collect: LambdaStep, observe: ProcessingStep
) -> LambdaStep:
    found = collect.properties.Outputs
    return LambdaStep(
        ACT,
        lambda_func=Lambda(function_arn=environment.function_arn(settings.name, "act")),
        description="Publishes metrics, sends a note of what is not ok, and starts a training where one is called for.",
        inputs={
            "project": settings.name,
            "stage": parameters.stage,
            "window": found["Window"],
            "before": found["Before"],
            "champion": found["Model"],
            "observation": output_of(observe, OUTPUT),
            **({} if settings.query else {"data": parameters.input_data}),
        },
        outputs=[LambdaOutput(name, LambdaOutputTypeEnum.String) for name in ("Done", "Training")],
    )
