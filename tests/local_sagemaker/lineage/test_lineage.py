"""What jobs, versions and endpoints have made of what, read back as lineage and as experiments."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.experiments import ExperimentOperations
from local_sagemaker.api.lineage import Lineage
from local_sagemaker.api.search import Search
from local_sagemaker.api.search_sources import sources
from local_sagemaker.errors import ServiceError
from local_sagemaker.lineage.graph import lineage
from local_sagemaker.state.database import Database
from local_sagemaker.state.record_kinds import (
    ENDPOINT,
    EXECUTION,
    EXECUTION_STEP,
    MODEL_PACKAGE,
    MODEL_PACKAGE_GROUP,
    PIPELINE_VERSION,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from local_sagemaker.state.record_types import EndpointRecord, ExecutionRecord, PipelineVersionRecord, StepRecord
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.tags import Tags

CALLER = Caller("000000000000", "us-east-1")
RAW, PREPARED, MODEL = "s3://b/raw", "s3://b/prepared", "s3://b/m/model.tar.gz"
PIPELINE = CALLER.arn("pipeline/houses")
EXECUTION_ARN = f"{PIPELINE}/execution/abc"
PACKAGE = CALLER.arn("model-package/houses/1")


def put_jobs(records: Records) -> None:
    records.put(
        PROCESSING_JOB,
        "prepare",
        {
            "ProcessingJobName": "prepare",
            "ProcessingJobArn": CALLER.arn("processing-job/prepare"),
            "ProcessingJobStatus": "Completed",
            "CreationTime": 1.0,
            "AppSpecification": {"ImageUri": "image"},
            "ProcessingInputs": [{"InputName": "raw", "S3Input": {"S3Uri": RAW}}],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": {"S3Uri": PREPARED}}]},
        },
    )
    training = {
        "CreationTime": 2.0,
        "AlgorithmSpecification": {"TrainingImage": "image"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": PREPARED}}}],
        "HyperParameters": {"eta": "0.5", "objective": "reg:squarederror"},
    }
    for name, status in (("train", "Completed"), ("broken", "Failed")):
        records.put(
            TRAINING_JOB,
            name,
            {
                **training,
                "TrainingJobName": name,
                "TrainingJobArn": CALLER.arn(f"training-job/{name}"),
                "TrainingJobStatus": status,
                "ModelArtifacts": {"S3ModelArtifacts": MODEL},
                "FinalMetricDataList": [{"MetricName": "rmse", "Value": 0.5, "Timestamp": 2.0}],
            },
        )


def put_registry(records: Records) -> None:
    records.put(
        MODEL_PACKAGE_GROUP,
        "houses",
        {
            "ModelPackageGroupName": "houses",
            "ModelPackageGroupArn": CALLER.arn("model-package-group/houses"),
            "CreationTime": 3.0,
        },
    )
    records.put(
        MODEL_PACKAGE,
        "houses/1",
        {
            "ModelPackageArn": PACKAGE,
            "ModelPackageGroupName": "houses",
            "ModelPackageVersion": 1,
            "ModelApprovalStatus": "Approved",
            "CreationTime": 3.0,
            "InferenceSpecification": {"Containers": [{"ModelDataUrl": MODEL}]},
        },
    )
    endpoint = EndpointRecord(
        EndpointName="Prod",
        EndpointArn=CALLER.arn("endpoint/prod"),
        EndpointConfigName="c",
        EndpointStatus="InService",
        CreationTime=4.0,
        Serving={"Variants": [{"Containers": [{"ModelDataUrl": MODEL}]}]},
    )
    records.put(ENDPOINT, "Prod", endpoint)


def put_execution(records: Records) -> None:
    execution = ExecutionRecord(
        PipelineArn=PIPELINE,
        PipelineName="houses",
        PipelineVersionId=1,
        PipelineExecutionArn=EXECUTION_ARN,
        PipelineExecutionStatus="Succeeded",
        PipelineExecutionDisplayName="tuesday",
        PipelineExperimentConfig={"ExperimentName": "Houses", "TrialName": "abc"},
        ParameterValues={"Rounds": 60, "Data": "s3://b/raw"},
        CreationTime=1.0,
        LastModifiedTime=5.0,
    )
    records.put(EXECUTION, EXECUTION_ARN, execution)
    for name, kind, job in (("Prepare", "Processing", "prepare"), ("Train", "Training", "train")):
        arn = CALLER.arn(f"{kind.lower()}-job/{job}")
        step = StepRecord(
            StepName=name,
            StepType=kind,
            PipelineExecutionArn=EXECUTION_ARN,
            StepStatus="Succeeded",
            Metadata={f"{kind}Job": {"Arn": arn}},
        )
        records.put(EXECUTION_STEP, f"{EXECUTION_ARN}/{name}", step)
    version = PipelineVersionRecord(
        PipelineArn=PIPELINE,
        PipelineVersionId=1,
        PipelineDefinition="{}",
        PipelineVersionDisplayName="first",
        LastExecutionPipelineExecutionArn=EXECUTION_ARN,
    )
    records.put(PIPELINE_VERSION, f"{PIPELINE}/1", version)


@pytest.fixture(name="records")
def records_fixture(tmp_path: Path) -> Iterator[Records]:
    database = Database(tmp_path / "state.db")
    records = Records(database)
    put_jobs(records)
    put_registry(records)
    put_execution(records)
    yield records
    database.close()


@pytest.fixture(name="api")
def api_fixture(records: Records) -> Lineage:
    return Lineage(partial(lineage, records))


@pytest.fixture(name="experiments")
def experiments_fixture(records: Records) -> ExperimentOperations:
    return ExperimentOperations(records, partial(lineage, records))


@pytest.fixture(name="search")
def search_fixture(records: Records) -> Search:
    found = sources(records, lambda _: {}, lambda document: document, partial(lineage, records))
    return Search(Tags(records), found)


def artifact(api: Lineage, uri: str) -> dict[str, Any]:
    (summary,) = api.list_artifacts({"SourceUri": uri}, CALLER)["ArtifactSummaries"]
    return dict(summary)


def names(api: Lineage, start: str, **request: Any) -> set[str]:
    """What QueryLineage finds beside the start, by the ends of the ARNs."""
    answer = api.query_lineage({"StartArns": [start], **request}, CALLER)
    return {each["Arn"].rpartition("/")[2] for each in answer["Vertices"] if each["Arn"] != start}


def test_what_jobs_read_and_write_are_artifacts_once_each(api: Lineage) -> None:
    uris = [each["Source"]["SourceUri"] for each in api.list_artifacts({}, CALLER)["ArtifactSummaries"]]
    assert sorted(uris) == sorted([RAW, PREPARED, MODEL, "image", PACKAGE])
    kinds = {uri: artifact(api, uri)["ArtifactType"] for uri in (RAW, MODEL, "image")}
    assert kinds == {RAW: "DataSet", MODEL: "Model", "image": "Image"}
    described = api.describe_artifact({"ArtifactArn": artifact(api, RAW)["ArtifactArn"]}, CALLER)
    assert described["Source"]["SourceUri"] == RAW
    assert api.list_artifacts({"ArtifactType": "Image"}, CALLER)["ArtifactSummaries"][0]["ArtifactName"] == "image"


def test_a_job_that_failed_has_produced_nothing(api: Lineage) -> None:
    model = artifact(api, MODEL)["ArtifactArn"]
    made = api.list_associations({"DestinationArn": model}, CALLER)["AssociationSummaries"]
    assert [each["SourceName"] for each in made] == ["train-aws-training-job"]
    assert (made[0]["AssociationType"], made[0]["SourceType"]) == ("Produced", "SageMakerTrainingJob")


def test_a_query_goes_up_and_down_and_as_deep_as_it_is_told(api: Lineage) -> None:
    model = artifact(api, MODEL)["ArtifactArn"]
    up = names(api, model, Direction="Ascendants")
    assert {"train-aws-training-job", "prepare-aws-processing-job"} <= up
    assert not any("approved" in each or "prod" in each for each in up)
    assert names(api, model, Direction="Ascendants", MaxDepth=1) == {"train-aws-training-job"}
    down = names(api, model, Direction="Descendants")
    assert {"prod-aws-endpoint", "houses-1-aws-model-package-approved", "houses-aws-model-package-group"} <= down
    assert names(api, model) == up | down


def test_filters_and_edges_of_a_query(api: Lineage) -> None:
    model = artifact(api, MODEL)["ArtifactArn"]
    assert names(api, model, Filters={"LineageTypes": ["Context"]}) == {
        "prod-aws-endpoint",
        "houses-aws-model-package-group",
    }
    assert names(api, model, Filters={"Types": ["Approval"]}) == {"houses-1-aws-model-package-approved"}
    assert names(api, model, Filters={"Properties": {"ModelApprovalStatus": "Rejected"}}) == set()
    assert names(api, model, Filters={"CreatedBefore": 1.0}) >= {"prepare-aws-processing-job"}
    request = {"StartArns": [model], "MaxDepth": 1, "Direction": "Ascendants"}
    assert [each["AssociationType"] for each in api.query_lineage(request, CALLER)["Edges"]] == ["Produced"]
    assert "Edges" not in api.query_lineage({**request, "IncludeEdges": False}, CALLER)


@pytest.mark.parametrize("request_", [{}, {"StartArns": [CALLER.arn("artifact/none")]}])
def test_a_query_from_nowhere_is_refused(api: Lineage, request_: dict[str, Any]) -> None:
    with pytest.raises(ServiceError, match=r"needs StartArns|no lineage entity"):
        api.query_lineage(request_, CALLER)


def test_associations_have_pages_that_end(api: Lineage) -> None:
    seen, request = [], {"MaxResults": 2, "SortBy": "SourceArn"}
    while True:
        page = api.list_associations(request, CALLER)
        seen += [each["Key"] for each in page["AssociationSummaries"]]
        if "NextToken" not in page:
            break
        request["NextToken"] = page["NextToken"]
    assert len(seen) == len(set(seen)) == len(api.list_associations({}, CALLER)["AssociationSummaries"])


def test_actions_and_contexts_are_listed_and_described(api: Lineage) -> None:
    kinds = {each["ActionType"] for each in api.list_actions({}, CALLER)["ActionSummaries"]}
    assert kinds == {"Approval", "ModelDeployment"}
    (endpoint,) = api.list_contexts({"ContextType": "Endpoint"}, CALLER)["ContextSummaries"]
    assert api.describe_context({"ContextName": endpoint["ContextName"]}, CALLER)["Source"]["SourceUri"].endswith(
        "prod"
    )
    action = api.describe_action({"ActionName": "houses-1-aws-model-package-Approved"}, CALLER)
    assert action["Properties"] == {"ModelApprovalStatus": "Approved"}
    for operation, field in ((api.describe_context, "ContextName"), (api.describe_action, "ActionName")):
        with pytest.raises(ServiceError, match="none does not exist"):
            operation({field: "none"}, CALLER)


def test_an_execution_is_a_trial_of_its_experiment_with_the_components_of_its_jobs(
    experiments: ExperimentOperations,
) -> None:
    assert [each["ExperimentName"] for each in experiments.list_experiments({}, CALLER)["ExperimentSummaries"]] == [
        "Houses"
    ]
    assert experiments.describe_experiment({"ExperimentName": "Houses"}, CALLER)["CreationTime"] == 1.0
    trial = experiments.describe_trial({"TrialName": "abc"}, CALLER)
    assert (trial["ExperimentName"], trial["Source"]["SourceArn"]) == ("Houses", EXECUTION_ARN)
    found = experiments.list_trial_components({"TrialName": "abc"}, CALLER)["TrialComponentSummaries"]
    assert {each["TrialComponentName"] for each in found} == {"prepare-aws-processing-job", "train-aws-training-job"}
    assert len(experiments.list_trial_components({}, CALLER)["TrialComponentSummaries"]) == 3
    of_component = {"TrialComponentName": "train-aws-training-job"}
    assert [each["TrialName"] for each in experiments.list_trials(of_component, CALLER)["TrialSummaries"]] == ["abc"]
    assert experiments.list_trials({"TrialComponentName": "broken-aws-training-job"}, CALLER)["TrialSummaries"] == []


def test_a_trial_component_tells_what_its_job_was_given_and_measured(experiments: ExperimentOperations) -> None:
    component = experiments.describe_trial_component({"TrialComponentName": "train-aws-training-job"}, CALLER)
    assert component["Parameters"] == {
        "eta": {"NumberValue": 0.5},
        "objective": {"StringValue": "reg:squarederror"},
    }
    assert component["InputArtifacts"]["train"] == {"Value": PREPARED}
    assert component["OutputArtifacts"] == {"SageMaker.ModelArtifact": {"Value": MODEL}}
    assert component["Metrics"][0]["Last"] == 0.5
    assert component["Status"]["PrimaryStatus"] == "Completed"


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("describe_experiment", {"ExperimentName": "none"}),
        ("describe_trial", {"TrialName": "none"}),
        ("describe_trial_component", {"TrialComponentName": "none"}),
        ("list_trials", {"ExperimentName": "none"}),
    ],
)
def test_what_is_not_there_is_named(
    experiments: ExperimentOperations, operation: str, request_: dict[str, str]
) -> None:
    with pytest.raises(ServiceError, match="none does not exist") as refused:
        getattr(experiments, operation)(request_, CALLER)
    assert refused.value.code == "ResourceNotFound"


def test_search_finds_executions_by_their_parameters_and_versions_by_their_last_execution(search: Search) -> None:
    def found(resource: str, name: str, value: str) -> list[dict[str, Any]]:
        expression = {"Filters": [{"Name": name, "Value": value}]}
        request = {"Resource": resource, "SearchExpression": expression}
        return [next(iter(each.values())) for each in search.search(request, CALLER)["Results"]]

    (execution,) = found("PipelineExecution", "PipelineParameters.Rounds", "60")
    assert execution["PipelineParameters"][0] == {"Name": "Rounds", "Value": "60"}
    assert execution["PipelineVersionDisplayName"] == "first"
    assert found("PipelineExecution", "PipelineParameters.Rounds", "61") == []
    (version,) = found("PipelineVersion", "LastExecutedPipelineExecutionArn", EXECUTION_ARN)
    assert version["LastExecutedPipelineExecutionStatus"] == "Succeeded"
    (component,) = found("ExperimentTrialComponent", "TrialComponentName", "train-aws-training-job")
    assert component["Parents"] == [{"TrialName": "abc", "ExperimentName": "Houses"}]
    (trial,) = found("ExperimentTrial", "ExperimentName", "Houses")
    assert len(trial["TrialComponentSummaries"]) == 2
