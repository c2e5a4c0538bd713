"""The pipeline: ValidateData -> Preprocess -> Train -> Evaluate -> CheckQuality -> RegisterModel | RejectModel."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.shapes import MetadataProperties, ModelPackageModelCard
from sagemaker.core.workflow.conditions import (
    ConditionGreaterThan,
    ConditionGreaterThanOrEqualTo,
    ConditionLessThanOrEqualTo,
)
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TuningStep

from pipelines.definition.champion_input import PARAMETER as CHAMPION
from pipelines.definition.champion_input import no_champion_uri
from pipelines.definition.evaluation_files import CARD_PATH, OUTPUT, REPORT_PATH, RESERVE_OUTPUT, STEP
from pipelines.definition.job_code import EVALUATE, PREPROCESS, TRAIN, VALIDATE, JobCode
from pipelines.definition.jobs import Instances, JobFactory, output_of
from pipelines.definition.looks_input import PARAMETER as LOOKS
from pipelines.definition.looks_input import part_of_test
from pipelines.settings.environment import Environment
from pipelines.settings.settings import Settings
from steps.gates import GATES

CARD = PropertyFile(name="ModelCard", output_name=OUTPUT, path=CARD_PATH)
REPORT = PropertyFile(name="EvaluationReport", output_name=OUTPUT, path=REPORT_PATH)
# Not Approved: who starts a pipeline would approve what comes of it, and on AWS the jobs' role may not register it so.
APPROVAL_STATUSES = ["PendingManualApproval", "Rejected"]
CONTENT_TYPES = ["text/csv", "application/json"]
CONDITIONS = {
    "at least": ConditionGreaterThanOrEqualTo,
    "at most": ConditionLessThanOrEqualTo,
    "more than": ConditionGreaterThan,
}


@dataclass(frozen=True)
class Parameters:
    """What an execution may change; the defaults are those of the YAML."""

    input_data: ParameterString | None  # None where the data are what a query gives
    processing_type: ParameterString
    processing_count: ParameterInteger
    training_type: ParameterString
    training_count: ParameterInteger
    approval_status: ParameterString
    limits: Mapping[str, ParameterFloat]  # of the gates, by their names
    champion: ParameterString
    looks: ParameterInteger
    max_depth: ParameterInteger
    learning_rate: ParameterFloat
    rounds: ParameterInteger
    early_stopping_rounds: ParameterInteger

    @classmethod
    def of(cls, settings: Settings, input_data: str, champion: str) -> "Parameters":
        """The parameters with their defaults."""
        jobs, gates, xgboost = settings.jobs, settings.gates, settings.candidates.xgboost
        return cls(
            input_data=data_parameter(settings, input_data),
            processing_type=ParameterString("ProcessingInstanceType", jobs.processing.instance_type),
            processing_count=ParameterInteger("ProcessingInstanceCount", jobs.processing.instance_count),
            training_type=ParameterString("TrainingInstanceType", jobs.training.instance_type),
            training_count=ParameterInteger("TrainingInstanceCount", jobs.training.instance_count),
            approval_status=ParameterString("ModelApprovalStatus", APPROVAL_STATUSES[0], APPROVAL_STATUSES),
            limits={name: ParameterFloat(_title(name), getattr(gates, name)) for name in GATES},
            champion=ParameterString(CHAMPION, champion),
            looks=ParameterInteger(LOOKS, 0),
            max_depth=ParameterInteger("MaxDepth", xgboost.max_depth),
            learning_rate=ParameterFloat("LearningRate", xgboost.learning_rate),
            rounds=ParameterInteger("Rounds", xgboost.rounds),
            early_stopping_rounds=ParameterInteger("EarlyStoppingRounds", xgboost.early_stopping_rounds),
        )

    def all(self, tuned: Collection[str] = ()) -> list[Any]:
        """Every parameter in the order in which Studio shows them, but not those that a tuning job chooses."""
        own = {name: [each] for name, each in vars(self).items() if name not in tuned and each is not None}
        return list(chain.from_iterable({**own, "limits": list(self.limits.values())}.values()))


def data_parameter(settings: Settings, input_data: str) -> ParameterString | None:
    """Where the data lie; None where the YAML has a query, which says what they are."""
    return None if settings.query else ParameterString("InputDataUri", input_data)


def _title(name: str) -> str:
    """min_r2 as a parameter is called: MinR2."""
    return "".join(word.capitalize() for word in name.split("_"))


def training_pipeline(
    settings: Settings,
    environment: Environment,
    session: Any,
    *,
    code: JobCode,
    input_data: str,
    commit: str,
) -> Pipeline:
    """The pipeline of a YAML; `code` is what its jobs run, `input_data` the default of InputDataUri."""
    parameters = Parameters.of(settings, input_data, no_champion_uri(settings, environment))
    jobs = JobFactory(
        settings,
        environment,
        session,
        code,
        tags={"project": settings.name, "git-commit": commit},
        processing=Instances(parameters.processing_type, settings.jobs.processing, parameters.processing_count),
        training=Instances(parameters.training_type, settings.jobs.training, parameters.training_count),
    )
    validate = validate_step(jobs, parameters.input_data)
    preprocess = _preprocess(jobs, validate, settings)
    train, model = _train(jobs, parameters, settings, preprocess)
    evaluate = _evaluate(jobs, parameters, model, preprocess, part_of_test(settings))
    register = _register(jobs, parameters, settings, model, preprocess, evaluate, commit)
    check = _check_quality(parameters, evaluate, register, _reject(evaluate))
    return Pipeline(
        name=settings.pipeline_name("training"),
        parameters=parameters.all(tuned=settings.tuning.ranges if settings.tuning else ()),
        steps=[validate, preprocess, train, evaluate, check],
        sagemaker_session=session,
        pipeline_experiment_config=None,
    )


def validate_step(jobs: JobFactory, input_data: ParameterString | None) -> ProcessingStep:
    """Checks the data, or without a place of theirs what the query gives; other steps see only what it accepts."""
    data = jobs.query_result("ValidateData", "data") if input_data is None else input_data
    return jobs.processing(
        "ValidateData",
        VALIDATE,
        inputs={"data": data, "wheels": jobs.wheels},
        outputs=["validated", "rejected", "report"],
        kept=jobs.kept_parts,
        description="Checks the data against the expectations; rejected rows are kept with their reasons.",
    )


def _preprocess(jobs: JobFactory, validate: ProcessingStep, settings: Settings) -> ProcessingStep:
    reserve = [RESERVE_OUTPUT] if settings.split.reserve else []
    return jobs.processing(
        "Preprocess",
        PREPROCESS,
        inputs={"validated": output_of(validate, "validated")},
        outputs=["train", "validation", "test", "rows", "features", *reserve],
        description="Splits the rows and fits the features on the training part.",
        shared=True,
    )


def _train(
    jobs: JobFactory, parameters: Parameters, settings: Settings, preprocess: ProcessingStep
) -> tuple[TrainingStep | TuningStep, Any]:
    """The step and the S3 URI of its model: of the one training job, or of the best that a tuning job has run."""
    xgboost, wheels = settings.candidates.xgboost, jobs.library_wheels
    machines = settings.jobs.training
    job: dict[str, Any] = {
        "name": "Train",
        "module": TRAIN,
        "channels": {
            **{name: output_of(preprocess, name) for name in ("train", "validation", "features")},
            **({"wheels": wheels} if wheels else {}),
        },
        "hyperparameters": {
            "max_depth": parameters.max_depth.to_string(),
            "learning_rate": parameters.learning_rate.to_string(),
            "rounds": parameters.rounds.to_string(),
            "early_stopping_rounds": parameters.early_stopping_rounds.to_string(),
            "min_child_weight": str(xgboost.min_child_weight),
            "subsample": str(xgboost.subsample),
            "colsample_bytree": str(xgboost.colsample_bytree),
            "reg_lambda": str(xgboost.reg_lambda),
            "coverage": str(settings.interval.coverage),
            "bands": str(settings.interval.bands),
            "seed": str(xgboost.seed),
            "start": xgboost.start,
            **({"checkpoint_rounds": str(machines.checkpoint_rounds)} if machines.checkpoint_rounds else {}),
            **({"external_memory": "true"} if machines.external_memory else {}),
            **{name: json.dumps(values) for name, values in settings.candidates.libraries.items()},
        },
        "description": "Trains XGBoost with its prediction interval, and the linear regression that it must beat.",
    }
    if settings.tuning is not None:
        tuning = jobs.tuning(**job, tuning=settings.tuning)
        return tuning, jobs.best_model(tuning)
    training = jobs.training(**job)
    return training, training.properties.ModelArtifacts.S3ModelArtifacts


def _evaluate(
    jobs: JobFactory, parameters: Parameters, model: Any, preprocess: ProcessingStep, part: str
) -> ProcessingStep:
    return jobs.processing(
        STEP,
        EVALUATE,
        inputs={
            "model": model,
            "test": output_of(preprocess, "test"),
            "train": output_of(preprocess, "train"),
            "rows": output_of(preprocess, "rows"),
            "champion": parameters.champion,
        },
        arguments={
            **{name: limit.to_string() for name, limit in parameters.limits.items()},
            "earlier_looks": parameters.looks.to_string(),
            "test_part": part,
        },
        outputs=[OUTPUT],
        description="Scores the candidates and the champion on the test part, which no other step sees.",
        shared=True,
        property_files=[REPORT, CARD],
    )


def _check_quality(
    parameters: Parameters, evaluate: ProcessingStep, register: ModelStep, reject: FailStep
) -> ConditionStep:
    return ConditionStep(
        "CheckQuality",
        description="Registers the model if it is good enough, and fails the execution if not.",
        conditions=[
            CONDITIONS[gate.bound](_measured(evaluate, gate.path), parameters.limits[name])
            for name, gate in GATES.items()
        ],
        if_steps=[register],
        else_steps=[reject],
    )


def _register(
    jobs: JobFactory,
    parameters: Parameters,
    settings: Settings,
    model: Any,
    preprocess: ProcessingStep,
    evaluate: ProcessingStep,
    commit: str,
) -> ModelStep:
    reserve = {RESERVE_OUTPUT: output_of(preprocess, RESERVE_OUTPUT)} if settings.split.reserve else {}
    arguments = jobs.model(model).register(
        model_package_group_name=settings.name,
        content_types=CONTENT_TYPES,
        response_types=CONTENT_TYPES,
        inference_instances=inference_instances(settings),
        transform_instances=[settings.jobs.processing.instance_type],
        approval_status=parameters.approval_status,
        description=settings.description,
        domain="MACHINE_LEARNING",
        task="REGRESSION",
        sample_payload_url=_evaluated(evaluate, "sample_payload.tar.gz"),
        model_metrics=ModelMetrics(
            model_statistics=_file(evaluate, REPORT_PATH),
            model_constraints=_file(evaluate, "model_quality/constraints.json"),
            model_data_statistics=_file(evaluate, "data_quality/statistics.json"),
            model_data_constraints=_file(evaluate, "data_quality/constraints.json"),
            bias=_file(evaluate, "bias/analysis.json"),
            explainability=_file(evaluate, "explainability/analysis.json"),
        ),
        model_card=ModelPackageModelCard(
            model_card_content=JsonGet(step_name=evaluate.name, property_file=CARD, json_path="content"),
            model_card_status="PendingReview",
        ),
        drift_check_baselines=DriftCheckBaselines(
            model_statistics=_file(evaluate, "model_quality/statistics.json"),
            model_constraints=_file(evaluate, "model_quality/constraints.json"),
            model_data_statistics=_file(evaluate, "data_quality/statistics.json"),
            model_data_constraints=_file(evaluate, "data_quality/constraints.json"),
        ),
        metadata_properties=MetadataProperties(generated_by=ExecutionVariables.PIPELINE_EXECUTION_ARN),
        customer_metadata_properties={
            **jobs.lineage(commit),
            **reserve,
            "earlier_looks": parameters.looks.to_string(),
        },
    )
    description = "Registers a version that waits for a person's approval."
    return ModelStep("RegisterModel", step_args=arguments, description=description, retry_policies=jobs.retries)


def _file(evaluate: ProcessingStep, path: str) -> MetricsSource:
    """One JSON file that the evaluation writes."""
    return MetricsSource(content_type="application/json", s3_uri=_evaluated(evaluate, path))


def _evaluated(evaluate: ProcessingStep, path: str) -> Join:
    """The S3 URI of a file that the evaluation writes."""
    return Join(on="/", values=[output_of(evaluate, OUTPUT), path])


def _reject(evaluate: ProcessingStep) -> FailStep:
    missed = _measured(evaluate, "gates.message")
    message = Join(on="", values=["The model is not good enough to register: ", missed])
    return FailStep("RejectModel", error_message=message)


def _measured(evaluate: ProcessingStep, path: str) -> JsonGet:
    """A value of evaluation.json, a number or a text."""
    return JsonGet(step_name=evaluate.name, property_file=REPORT, json_path=path)


def inference_instances(settings: Settings) -> list[str]:
    """The instance types of the stages; where all are serverless, that of the processing jobs, as one is required."""
    found = {stage.instance_type for stage in settings.stages.values() if stage.instance_type is not None}
    return sorted(found) or [settings.jobs.processing.instance_type]
