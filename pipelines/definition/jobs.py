"""What every job of a pipeline shares (image, role, code, instances, network, tags, retries, cache), said once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from sagemaker.core import image_uris
from sagemaker.core.network import NetworkConfig
from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import MetricDefinition, Tag
from sagemaker.core.training.configs import CheckpointConfig, Compute, Networking, OutputDataConfig, StoppingCondition
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TuningStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.tuner import HyperparameterTuner

from pipelines.definition.job_code import TRAIN, JobCode
from pipelines.definition.job_inputs import (
    CHANNELS,
    INPUT,
    KEPT,
    Query,
    dataset_definition,
    entrypoint,
    processing_input,
    processing_output,
    training_channel,
)
from pipelines.definition.sdk_steps import EncryptedTuningStep, EntrypointTrainingStep, QueryingStep
from pipelines.errors import PipelineError
from pipelines.settings.candidate_settings import XGBoostSettings
from pipelines.settings.environment import Environment
from pipelines.settings.settings import InstanceSettings, Settings
from pipelines.settings.tuning_settings import Range, TuningSettings
from steps.training_metrics import METRICS, pattern

# The image's toolkit installs the code that it runs by `pip install .`, and pip 26 would ask a package index for
# setuptools, which the image has. (Of an option that begins with "no", the variable is the value of the one without.)
TOOLKIT = {"PIP_NO_BUILD_ISOLATION": "0"}
RETRY_INTERVAL_SECONDS, RETRY_BACKOFF = 10, 2.0
Network = TypeVar("Network")


@dataclass(frozen=True)
class Instances:
    """The pipeline parameters that say where one kind of job runs; `count` is that of jobs whose hosts share work."""

    type: Any
    settings: InstanceSettings
    count: Any = 1


class JobFactory:
    """Makes the steps of a pipeline; everything that they have in common is here."""

    def __init__(
        self,
        settings: Settings,
        environment: Environment,
        session: Any,
        code: JobCode,
        tags: Mapping[str, str],
        processing: Instances,
        training: Instances | None = None,
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._session = session
        self._code = code
        self._tags = [Tag(key=key, value=value) for key, value in tags.items()]
        self._processing = processing
        self._training = training

    def processing(
        self,
        name: str,
        module: str,
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        description: str,
        property_files: Sequence[PropertyFile] = (),
        arguments: Mapping[str, Any] | None = None,
        kept: str | None = None,
        shared: bool = False,
    ) -> ProcessingStep:
        """A step that runs `python -m module --name value ...`, each input under /opt/ml/processing/input/NAME.

        The work of a `shared` one is done by as many hosts as `processing` says, that of others by one.

        What it leaves in its output KEPT is in its input KEPT, at the URI `kept`, the next time, in any execution.
        With a query among the inputs it has no cache: the tables may have changed, and the arguments are the same.
        """
        always = {KEPT: kept} if kept else {}
        inputs = {"code": self._code_uri(module), **inputs, **always}
        places = {output: self._place(name, output) for output in outputs} | always
        processor = Processor(
            role=self._environment.role_arn,
            image_uri=self.image,
            instance_count=self._processing.count if shared else 1,
            instance_type=self._processing.type,
            entrypoint=entrypoint(INPUT, module),
            volume_size_in_gb=self._processing.settings.volume_gb,
            volume_kms_key=self._environment.kms_key,
            output_kms_key=self._environment.kms_key,
            max_runtime_in_seconds=self._processing.settings.max_minutes * 60,
            sagemaker_session=self._session,
            tags=[{"Key": tag.key, "Value": tag.value} for tag in self._tags],
            network_config=self._in_vpc(NetworkConfig),
        )
        options = [part for name, value in (arguments or {}).items() for part in (f"--{name}", value)]
        step_arguments = processor.run(
            arguments=options or None,
            inputs=[processing_input(key, uri) for key, uri in inputs.items()],
            outputs=[processing_output(key, uri) for key, uri in places.items()],
        )
        queries = {key: dataset_definition(key, each) for key, each in inputs.items() if isinstance(each, Query)}
        step = QueryingStep(
            name,
            step_args=step_arguments,
            description=description,
            property_files=list(property_files),
            cache_config=None if queries else self._cache,
            retry_policies=self._retries,
        )
        step.queries = queries
        return step

    def training(
        self,
        name: str,
        module: str,
        channels: Mapping[str, Any],
        hyperparameters: Mapping[str, Any],
        description: str,
    ) -> EntrypointTrainingStep:
        """A step that runs `python -m module`, which reads its hyperparameters from the job's own file.

        Script mode would do for success; of a failure its toolkit keeps no more than the command.
        """
        trainer = self._trainer({"code": self._code_uri(module), **channels}, hyperparameters)
        step = EntrypointTrainingStep(
            name,
            step_args=trainer.train(),
            description=description,
            cache_config=self._cache,
            retry_policies=self._retries,
        )
        step.entrypoint = entrypoint(CHANNELS, module)
        return step

    def tuning(
        self,
        name: str,
        module: str,
        channels: Mapping[str, Any],
        hyperparameters: Mapping[str, Any],
        description: str,
        tuning: TuningSettings,
    ) -> TuningStep:
        """A step that runs the training of `training` many times, and chooses some hyperparameters itself.

        Tuning jobs have no entrypoint, so these run in the framework image's script mode.
        """
        script_mode = {
            "sagemaker_program": module,
            "sagemaker_submit_directory": self._code_uri(module),
            "sagemaker_region": self._environment.region,
        }
        trainer = self._trainer(channels, {**hyperparameters, **script_mode})
        trainer.environment = dict(TOOLKIT)
        tuner = HyperparameterTuner(
            model_trainer=trainer,
            objective_metric_name=tuning.objective,
            objective_type="Maximize" if tuning.maximize else "Minimize",
            metric_definitions=[{"Name": name, "Regex": pattern(name)} for name in METRICS],
            hyperparameter_ranges={key: _range(key, chosen) for key, chosen in tuning.ranges.items()},
            strategy=tuning.strategy,
            max_jobs=tuning.jobs,
            max_parallel_jobs=tuning.max_parallel_jobs,
            random_seed=tuning.seed,
            base_tuning_job_name=self._settings.name,
        )
        step = EncryptedTuningStep(
            name,
            step_args=tuner.tune(inputs=trainer.input_data_config),
            description=description,
            cache_config=self._cache,
            retry_policies=self.retries,
        )
        step.volume_kms_key = self._environment.kms_key
        return step

    def best_model(self, step: TuningStep) -> Any:
        """The S3 URI of what the best training job of a tuning step has left."""
        return step.get_top_model_s3_uri(0, self._environment.bucket, f"{self._settings.name}/models")

    def _trainer(self, channels: Mapping[str, Any], hyperparameters: Mapping[str, Any]) -> ModelTrainer:
        assert self._training is not None, "the pipeline gave no machines for training"  # noqa: S101
        trainer = ModelTrainer(
            training_image=self.image,
            role=self._environment.role_arn,
            sagemaker_session=self._session,
            base_job_name=self._settings.name,
            compute=Compute(
                instance_type=self._training.type,
                instance_count=self._training.count,
                volume_size_in_gb=self._training.settings.volume_gb,
                volume_kms_key_id=self._environment.kms_key,
            ),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=self._training.settings.max_minutes * 60),
            output_data_config=OutputDataConfig(
                s3_output_path=f"s3://{self._environment.bucket}/{self._settings.name}/models",
                kms_key_id=self._environment.kms_key,
            ),
            checkpoint_config=self._checkpoints,
            networking=self._in_vpc(Networking),
            hyperparameters=dict(hyperparameters),
            input_data_config=[training_channel(key, uri) for key, uri in channels.items()],
            tags=self._tags,
        )
        return trainer.with_metric_definitions([MetricDefinition(name=name, regex=pattern(name)) for name in METRICS])

    @property
    def _checkpoints(self) -> CheckpointConfig | None:
        if not self._settings.jobs.training.checkpoint_rounds:
            return None
        return CheckpointConfig(s3_uri=f"s3://{self._environment.bucket}/{self._settings.name}/checkpoints")

    def model(self, model_data: Any) -> ModelBuilder:
        """The trained model, served by the code that it carries."""
        builder = ModelBuilder(
            image_uri=self.image,
            s3_model_data_url=model_data,
            role_arn=self._environment.role_arn,
            sagemaker_session=self._session,
            env_vars={
                "SAGEMAKER_PROGRAM": "steps.serve",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                **TOOLKIT,
            },
            model_path="model-build",  # otherwise a random folder name gets into the definition
        )
        builder.model_name = self._settings.name
        return builder

    @property
    def wheels(self) -> str:
        """The input of a job that needs what the image lacks."""
        return f"s3://{self._environment.bucket}/{self._code.wheels_prefix}/"

    def query_result(self, step: str, name: str) -> Query:
        """The input of a step that is what the YAML's query gives; it stays in S3 with the step's outputs."""
        assert self._settings.query is not None, "the YAML has no query"  # noqa: S101
        return Query(self._settings.query, self._place(step, name), self._environment.kms_key)

    @property
    def kept_parts(self) -> str | None:
        """Where ValidateData keeps what it has judged of single files; None where it keeps nothing."""
        prefix = self._code.kept_prefix
        return f"s3://{self._environment.bucket}/{prefix}/" if prefix else None

    @property
    def library_wheels(self) -> str | None:
        """The channel of a training job that needs what the candidates of the YAML need; None where none does."""
        prefix = self._code.library_wheels_prefix
        return f"s3://{self._environment.bucket}/{prefix}/" if prefix else None

    def _code_uri(self, module: str) -> str:
        return f"s3://{self._environment.bucket}/{self._code.key(module)}"

    def lineage(self, commit: str) -> dict[str, Any]:
        """What a model version keeps of where it comes from; from its execution leads the way to all the rest."""
        return {
            "git_commit": commit,
            "pipeline_execution_arn": ExecutionVariables.PIPELINE_EXECUTION_ARN,
            "code": self._code_uri(TRAIN),
        }

    @cached_property
    def image(self) -> str:
        """The XGBoost framework image of the region; PipelineError where the SDK knows none."""
        version, region = self._settings.jobs.image_version, self._environment.region
        try:
            return str(image_uris.retrieve("xgboost", region, version=version))
        except ValueError as error:
            why = str(error).partition(". ")[0].removeprefix("Unsupported ").removeprefix("xgboost ")
            known = str(error).rpartition("Supported ")[2].rstrip(".")
            raise PipelineError(
                f"There is no xgboost image {version} in {region} ({why} is not known): fix jobs.image_version in the "
                f"YAML or AWS_REGION. Known {known}."
            ) from None

    @property
    def retries(self) -> list[Any]:
        """For steps that are made elsewhere: faults of the service and throttling are tried again."""
        return [self._retries[0]]

    @property
    def _retries(self) -> list[Any]:
        waits = {
            "interval_seconds": RETRY_INTERVAL_SECONDS,
            "backoff_rate": RETRY_BACKOFF,
            "max_attempts": self._settings.jobs.retry_attempts,
        }
        faults = [StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING]
        job_faults = list(SageMakerJobExceptionTypeEnum)
        return [
            StepRetryPolicy(exception_types=faults, **waits),
            SageMakerJobStepRetryPolicy(
                exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
                failure_reason_types=[kind for kind in job_faults if kind.name != "RESOURCE_LIMIT"],
                **waits,
            ),
        ]

    @property
    def _cache(self) -> CacheConfig:
        return CacheConfig(enable_caching=True, expire_after=f"P{self._settings.jobs.cache_days}D")

    def _in_vpc(self, kind: Callable[..., Network]) -> Network | None:
        subnets, groups = self._environment.subnets, self._environment.security_group_ids
        return kind(subnets=list(subnets), security_group_ids=list(groups)) if subnets else None

    def _place(self, step: str, output: str) -> Join:
        prefix = f"s3://{self._environment.bucket}/{self._settings.name}/executions"
        return Join(on="/", values=[prefix, ExecutionVariables.PIPELINE_EXECUTION_ID, step, output])


def output_of(step: ProcessingStep, name: str) -> Any:
    """The S3 URI of a processing step's output, known when the step has run."""
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def _range(name: str, chosen: Range) -> Any:
    """A range as the SDK has it; whole numbers where the hyperparameter is one."""
    if chosen.values is not None:
        return CategoricalParameter([str(value) for value in chosen.values])
    kind = IntegerParameter if XGBoostSettings.model_fields[name].annotation is int else ContinuousParameter
    return kind(chosen.min, chosen.max, scaling_type=chosen.scaling)
