"""What of a job request cannot be met on this machine: an error names it before anything starts.

What is accepted without effect is named in the job's log (`without_effect`) and in docs/jobs.md.
"""

from collections.abc import Container, Iterator, Mapping
from typing import Any

from local_sagemaker.jobs.metrics import metric_definitions
from local_sagemaker.jobs.queries import KEYS, queries
from local_sagemaker.processes.outcome import ClientFault

Request = Mapping[str, Any]
TRAINING_REFUSED = ("ServerlessJobConfig", "ModelPackageConfig", "MlflowConfig", "SessionChainingConfig")
TRAINING_WITHOUT_EFFECT = (
    "TrainingJobEarlyStoppingType",  # of its tuning job: it may stop jobs, and stops none here
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "EnableNetworkIsolation",
    "InfraCheckConfig",
    "ProfilerConfig",
    "ProfilerRuleConfigurations",
    "RemoteDebugConfig",
    "RetryStrategy",
    "TensorBoardOutputConfig",
)
DATA_TYPES = ("S3Prefix", "ManifestFile")


def admit_training_job(request: Request) -> None:
    """ClientFault, naming each field, where CreateTrainingJob asks for what is not supported, or contradicts itself."""
    _refuse(_training_faults(request))
    metric_definitions(request["AlgorithmSpecification"].get("MetricDefinitions", []))
    stopping = request.get("StoppingCondition", {})
    longest_wait = stopping.get("MaxWaitTimeInSeconds", 0)
    if request.get("EnableManagedSpotTraining") and longest_wait < stopping.get("MaxRuntimeInSeconds", 1):
        raise ClientFault(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds."
        )


def admit_processing_job(request: Request, handlers: Container[str] = ()) -> None:
    """ClientFault, naming each field, where CreateProcessingJob asks for what is not supported.

    `handlers` are the keys of those that answer queries.
    """
    _refuse(_processing_faults(request, handlers))


def without_effect(request: Request) -> list[str]:
    """The fields of a request that are set and change nothing here, beyond those that every job has (see docs)."""
    found = [name for name in TRAINING_WITHOUT_EFFECT if request.get(name)]
    if request.get("ResourceConfig", {}).get("KeepAlivePeriodInSeconds"):
        found.append("ResourceConfig.KeepAlivePeriodInSeconds")
    if request.get("NetworkConfig", {}).get("EnableNetworkIsolation"):
        found.append("NetworkConfig.EnableNetworkIsolation")
    return found


def _refuse(faults: Iterator[str]) -> None:
    found = list(faults)
    if found:
        raise ClientFault(f"Local SageMaker does not support {'; nor '.join(found)}.")


def _training_faults(request: Request) -> Iterator[str]:
    algorithm, resources = request["AlgorithmSpecification"], request.get("ResourceConfig", {})
    for name in TRAINING_REFUSED:
        if request.get(name):
            yield name
    if not algorithm.get("TrainingImage"):
        yield "AlgorithmName: give AlgorithmSpecification.TrainingImage"
    for name in ("InstanceGroups", "InstancePreferences"):
        if resources.get(name):
            yield f"ResourceConfig.{name}: give InstanceType and InstanceCount"
    if algorithm.get("TrainingInputMode") == "Pipe":
        yield "TrainingInputMode Pipe: use File or FastFile"
    for channel in request.get("InputDataConfig", []):
        yield from _channel_faults(channel)


def _channel_faults(channel: Request) -> Iterator[str]:
    where = f"(channel {channel['ChannelName']})"
    if channel.get("InputMode") == "Pipe":
        yield f"InputMode Pipe {where}: use File or FastFile"
    if channel.get("RecordWrapperType", "None") != "None":
        yield f"RecordWrapperType {channel['RecordWrapperType']} {where}: use None"
    for name in channel["DataSource"]:
        if name != "S3DataSource":
            yield f"{name} {where}: use S3DataSource"
    s3 = channel["DataSource"].get("S3DataSource", {})
    if s3.get("S3DataType", "S3Prefix") not in DATA_TYPES:
        yield f"S3DataType {s3['S3DataType']} {where}: use {' or '.join(DATA_TYPES)}"
    for name in ("InstanceGroupNames", "HubAccessConfig"):
        if s3.get(name):
            yield f"S3DataSource.{name} {where}"


def _processing_faults(request: Request, handlers: Container[str]) -> Iterator[str]:
    if request.get("ProcessingResources", {}).get("ClusterConfig", {}).get("InstancePreferences"):
        yield "ClusterConfig.InstancePreferences: give InstanceType"
    for source in request.get("ProcessingInputs", []):
        where = f"(input {source.get('InputName', '')})"
        dataset = source.get("DatasetDefinition")
        if dataset is not None and len(dataset.keys() & set(KEYS)) != 1:
            yield f"a DatasetDefinition that is not exactly one of {' and '.join(KEYS)} {where}"
        elif dataset is not None and dataset.get("InputMode", "File") != "File":
            yield f"InputMode {dataset['InputMode']} {where}: use File"
        elif source.get("S3Input", {}).get("S3InputMode", "File") != "File":
            yield f"S3InputMode {source['S3Input']['S3InputMode']} {where}: use File"
    yield from filter(None, (query.lack(handlers) for query in queries(request)))
    for output in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if "FeatureStoreOutput" in output:
            yield f"FeatureStoreOutput (output {output['OutputName']}): use S3Output"
