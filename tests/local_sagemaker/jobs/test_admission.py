"""What is refused, all at once, and what is only said to have no effect."""

from typing import Any

import pytest

from local_sagemaker.jobs.admission import admit_processing_job, admit_training_job, without_effect
from local_sagemaker.processes.outcome import ClientFault

SPECIFICATION = {"TrainingImage": "python:3", "TrainingInputMode": "File"}


def training(**fields: Any) -> dict[str, Any]:
    return {"AlgorithmSpecification": SPECIFICATION, **fields}


def test_every_fault_is_named_in_one_sentence() -> None:
    s3 = {"S3DataType": "Converse", "S3Uri": "s3://b/k"}
    channels = [
        {"ChannelName": "a", "DataSource": {"FileSystemDataSource": {}}},
        {"ChannelName": "b", "DataSource": {"S3DataSource": s3}},
    ]
    with pytest.raises(ClientFault) as fault:
        admit_training_job(training(MlflowConfig={"MlflowResourceArn": "x"}, InputDataConfig=channels))
    assert str(fault.value) == (
        "Local SageMaker does not support MlflowConfig; nor FileSystemDataSource (channel a): use S3DataSource; "
        "nor S3DataType Converse (channel b): use S3Prefix or ManifestFile."
    )


@pytest.mark.parametrize(("wait", "allowed"), [(None, False), (59, False), (60, True), (61, True)])
def test_a_spot_job_waits_at_least_as_long_as_it_may_run(wait: int | None, allowed: bool) -> None:
    stopping = {"MaxRuntimeInSeconds": 60, **({} if wait is None else {"MaxWaitTimeInSeconds": wait})}
    request = training(EnableManagedSpotTraining=True, StoppingCondition=stopping)
    if allowed:
        admit_training_job(request)
    else:
        with pytest.raises(ClientFault, match="Invalid MaxWaitTimeInSeconds"):
            admit_training_job(request)


def test_a_processing_job_s_inputs_and_outputs_are_of_s3_or_its_own() -> None:
    inputs = [{"InputName": "own", "AppManaged": True}, {"InputName": "rows", "DatasetDefinition": {}}]
    outputs = {"Outputs": [{"OutputName": "store", "FeatureStoreOutput": {"FeatureGroupName": "g"}}]}
    with pytest.raises(
        ClientFault, match=r"DatasetDefinition.*\(input rows\).*; nor FeatureStoreOutput \(output store"
    ):
        admit_processing_job({"ProcessingInputs": inputs, "ProcessingOutputConfig": outputs})


def test_only_what_is_set_is_said_to_have_no_effect() -> None:
    assert without_effect(training(EnableNetworkIsolation=False)) == []
    assert without_effect(training(EnableNetworkIsolation=True)) == ["EnableNetworkIsolation"]
    assert without_effect({"NetworkConfig": {"EnableNetworkIsolation": True}}) == [
        "NetworkConfig.EnableNetworkIsolation"
    ]


ATHENA = {"Catalog": "AwsDataCatalog", "Database": "d", "QueryString": "SELECT 1", "OutputS3Uri": "s3://b/k"}


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        ({}, r"a DatasetDefinition that is not exactly one of AthenaDatasetDefinition and .* \(input rows\)"),
        ({"AthenaDatasetDefinition": ATHENA, "RedshiftDatasetDefinition": {}}, "not exactly one of"),
        ({"RedshiftDatasetDefinition": {}}, "the query of the input rows without a handler: register one for Redshift"),
        ({"AthenaDatasetDefinition": ATHENA, "InputMode": "Pipe"}, r"InputMode Pipe \(input rows\): use File"),
    ],
)
def test_a_query_needs_a_handler_of_its_kind_and_arrives_as_files(dataset: dict[str, Any], words: str) -> None:
    inputs = [{"InputName": "rows", "DatasetDefinition": dataset}]
    with pytest.raises(ClientFault, match=words):
        admit_processing_job({"ProcessingInputs": inputs}, ["AthenaDatasetDefinition"])


def test_a_query_with_a_handler_is_admitted_and_one_of_the_job_s_own_needs_none() -> None:
    rows = {"InputName": "rows", "DatasetDefinition": {"AthenaDatasetDefinition": ATHENA}}
    own = {"InputName": "own", "AppManaged": True, "DatasetDefinition": {"RedshiftDatasetDefinition": {}}}
    admit_processing_job({"ProcessingInputs": [rows, own]}, ["AthenaDatasetDefinition"])
