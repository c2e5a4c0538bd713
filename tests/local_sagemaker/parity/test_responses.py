"""Every response of every supported operation has the shape that botocore's model of the API gives it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from local_sagemaker.client import lifecycle
from tests.conftest import LocalServer
from tests.local_sagemaker.api.test_endpoints import VARIANT, make_model
from tests.local_sagemaker.api.test_tuning import arguments, upload
from tests.local_sagemaker.conftest import CLUSTER, IMAGE, ROLE, Pipelines, output, processing, step
from tests.local_sagemaker.parity.shapes import faults

ROOT = Path(__file__).parents[3]
TAGS = [{"Key": "team", "Value": "data"}]
# What the records keep for the server itself, and the answers leave out. Beside these, a record may have fields that
# another operation of the API has, such as the Tags of a Create in a Describe; any other name is a mistake.
INTERNAL = {"Serving", "Pending", "ExecutionId", "ParameterValues", "Properties", "Place"}
TRAINING = {
    "AlgorithmSpecification": {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["sh", "-c", "echo 'loss=1;'; echo m > /opt/ml/model/m"],
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
    },
    "HyperParameters": {"depth": "3"},
    "OutputDataConfig": {"S3OutputPath": "s3://test-bucket/trained"},
    "ResourceConfig": CLUSTER,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "RoleArn": ROLE,
    "Tags": TAGS,
}


class Conversation:
    """A client that uses every operation once or more, in an order that makes sense."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.api = server.client("sagemaker")
        self.s3 = server.client("s3")
        self.pipelines = Pipelines(self.api)

    def until(self, operation: str, field: str, statuses: tuple[str, ...], **name: str) -> dict[str, Any]:
        """Describe until a status is reached."""
        deadline = time.monotonic() + 60
        while True:
            found: dict[str, Any] = getattr(self.api, operation)(**name)
            if found[field] in statuses:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.05)

    def jobs(self) -> None:
        """Jobs that complete, fail and are stopped."""
        for kind, changes in (
            ("processing", processing("true", ProcessingOutputConfig=output("o", "s3://test-bucket/o"), Tags=TAGS)),
            ("training", TRAINING),
        ):
            title, key = kind.title(), f"{kind.title()}JobName"
            create, describe = getattr(self.api, f"create_{kind}_job"), f"describe_{kind}_job"
            status, ended = f"{title}JobStatus", ("Completed", "Failed", "Stopped")
            create(**{key: f"{kind}-good"}, **changes)
            self.until(describe, status, ended, **{key: f"{kind}-good"})
            create(**{key: f"{kind}-bad"}, **_running(kind, changes, "echo why > /opt/ml/output/failure; exit 1"))
            self.until(describe, status, ended, **{key: f"{kind}-bad"})
            create(**{key: f"{kind}-long"}, **_running(kind, changes, "sleep 60"))
            getattr(self.api, f"stop_{kind}_job")(**{key: f"{kind}-long"})
            self.until(describe, status, ended, **{key: f"{kind}-long"})
            getattr(self.api, f"list_{kind}_jobs")()
            getattr(self.api, f"delete_{kind}_job")(**{key: f"{kind}-bad"})

    def tuning(self) -> None:
        """A tuning job to its end, and one that is stopped."""
        definition = arguments(upload(self.s3))
        name, ended = "HyperParameterTuningJobName", ("Completed", "Failed", "Stopped")
        describe = "describe_hyper_parameter_tuning_job"
        for number in ("1", "2"):
            self.api.create_hyper_parameter_tuning_job(**{name: f"tuning-{number}"}, **definition, Tags=TAGS)
            if number == "2":
                self.api.stop_hyper_parameter_tuning_job(**{name: "tuning-2"})
            self.until(describe, "HyperParameterTuningJobStatus", ended, **{name: f"tuning-{number}"})
        self.api.list_hyper_parameter_tuning_jobs()
        self.api.list_training_jobs_for_hyper_parameter_tuning_job(**{name: "tuning-1"})
        self.api.delete_hyper_parameter_tuning_job(**{name: "tuning-2"})

    def registry(self) -> None:
        """A group, its versions, an approval."""
        group = self.api.create_model_package_group(
            ModelPackageGroupName="group", ModelPackageGroupDescription="d", Tags=TAGS
        )
        containers = [{"Image": IMAGE, "ModelDataUrl": "s3://test-bucket/m.tar.gz"}]
        types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
        arn = self.api.create_model_package(
            ModelPackageGroupName="group",
            InferenceSpecification={"Containers": containers, **types},
            CustomerMetadataProperties={"commit": "abc"},
            ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://b/k"}}},
        )["ModelPackageArn"]
        self.api.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
        self.api.describe_model_package(ModelPackageName=arn)
        self.api.describe_model_package_group(ModelPackageGroupName="group")
        self.api.list_model_packages(ModelPackageGroupName="group")
        self.api.batch_describe_model_package(ModelPackageArnList=[arn])
        for resource in ("ModelPackage", "ModelPackageGroup", "TrainingJob", "Pipeline"):
            self.api.search(Resource=resource)
        reads = {"Effect": "Allow", "Principal": "*", "Action": "sagemaker:DescribeModelPackage", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [reads]}
        self.api.put_model_package_group_policy(ModelPackageGroupName="group", ResourcePolicy=json.dumps(policy))
        self.api.get_model_package_group_policy(ModelPackageGroupName="group")
        self.api.delete_model_package_group_policy(ModelPackageGroupName="group")
        self.api.list_model_package_groups()
        self.api.add_tags(ResourceArn=group["ModelPackageGroupArn"], Tags=[{"Key": "a", "Value": "b"}])
        self.api.list_tags(ResourceArn=group["ModelPackageGroupArn"])
        self.api.delete_tags(ResourceArn=group["ModelPackageGroupArn"], TagKeys=["a"])
        self.api.delete_model_package(ModelPackageName=arn)
        self.api.delete_model_package_group(ModelPackageGroupName="group")

    def hosting(self) -> None:
        """An endpoint from its model to its end."""
        model = make_model(self.api, self.s3, "parity")
        self.api.create_endpoint_config(
            EndpointConfigName="config",
            ProductionVariants=[{**VARIANT, "ModelName": model}],
            DataCaptureConfig={
                "EnableCapture": True,
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": "s3://test-bucket/captured",
                "CaptureOptions": [{"CaptureMode": "Input"}],
            },
            Tags=TAGS,
        )
        self.api.create_endpoint(EndpointName="endpoint", EndpointConfigName="config", Tags=TAGS)
        self.until("describe_endpoint", "EndpointStatus", ("InService", "Failed"), EndpointName="endpoint")
        self.api.update_endpoint_weights_and_capacities(
            EndpointName="endpoint", DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredWeight": 2}]
        )
        self.until("describe_endpoint", "EndpointStatus", ("InService", "Failed"), EndpointName="endpoint")
        self.api.update_endpoint(EndpointName="endpoint", EndpointConfigName="config")
        self.until("describe_endpoint", "EndpointStatus", ("InService", "Failed"), EndpointName="endpoint")
        self.api.describe_model(ModelName=model)
        self.api.describe_endpoint_config(EndpointConfigName="config")
        for listed in ("models", "endpoint_configs", "endpoints"):
            getattr(self.api, f"list_{listed}")()
        self.api.delete_endpoint(EndpointName="endpoint")
        self.api.delete_endpoint_config(EndpointConfigName="config")
        self.api.delete_model(ModelName=model)

    def transform(self) -> None:
        """A transform job to its end, and one that is stopped."""
        model = make_model(self.api, self.s3, "transformed")
        self.s3.put_object(Bucket="test-bucket", Key="lines/a", Body=b"one")
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://test-bucket/lines/"}}
        for name in ("transform-good", "transform-long"):
            self.api.create_transform_job(
                TransformJobName=name,
                ModelName=model,
                TransformInput={"DataSource": source, "ContentType": "text/csv"},
                TransformOutput={"S3OutputPath": "s3://test-bucket/transformed"},
                TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
                Tags=TAGS,
            )
            if name == "transform-long":
                self.api.stop_transform_job(TransformJobName=name)
            ended = ("Completed", "Failed", "Stopped")
            self.until("describe_transform_job", "TransformJobStatus", ended, TransformJobName=name)
        self.api.list_transform_jobs()

    def executions(self) -> None:
        """A pipeline with every kind of end: a step that succeeds, is reused, fails, is stopped, is retried."""
        sqs = self.server.client("sqs")
        queue = sqs.create_queue(QueueName="asked")["QueueUrl"].replace("http://localhost:5000", self.server.url)
        cached = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
        job = step("Job", "Processing", processing("true"), **cached)
        wait = step("Wait", "Callback", {"x": "y"}, SqsQueueUrl=queue, DependsOn=["Job"])
        tell = step("Tell", "Fail", {"ErrorMessage": "told"}, DependsOn=["Wait"])
        parameters = [{"Name": "P", "Type": "String", "DefaultValue": "p"}]
        name = self.pipelines.create(job, wait, tell, parameters=parameters)
        first = self.pipelines.start(name)
        self.api.send_pipeline_execution_step_failure(CallbackToken=self.token(sqs, queue), FailureReason="no")
        self.pipelines.finish(first)
        self.pipelines.steps(first)
        self.api.retry_pipeline_execution(PipelineExecutionArn=first, ClientRequestToken="r" * 32)
        self.api.update_pipeline_execution(PipelineExecutionArn=first, PipelineExecutionDisplayName="renamed")
        self.api.send_pipeline_execution_step_success(CallbackToken=self.token(sqs, queue))
        self.pipelines.finish(first)
        second = self.pipelines.start(name)
        token = self.token(sqs, queue)
        self.pipelines.steps(second)
        self.api.stop_pipeline_execution(PipelineExecutionArn=second, ClientRequestToken="s" * 32)
        self.pipelines.steps(second)
        self.api.send_pipeline_execution_step_success(CallbackToken=token)  # it is waited for
        self.pipelines.finish(second)
        self.pipelines.steps(second)
        self.api.describe_pipeline_definition_for_execution(PipelineExecutionArn=first)
        self.api.list_pipeline_parameters_for_execution(PipelineExecutionArn=first)
        self.api.list_pipeline_executions(PipelineName=name)
        description = self.api.update_pipeline(PipelineName=name, PipelineDescription="d")
        self.api.update_pipeline_version(
            PipelineArn=description["PipelineArn"], PipelineVersionId=1, PipelineVersionDisplayName="first"
        )
        self.api.list_pipeline_versions(PipelineName=name)
        self.api.describe_pipeline(PipelineName=name)
        self.api.list_pipelines()
        self.api.delete_pipeline(PipelineName=name, ClientRequestToken="d" * 32)

    def model_cards(self) -> None:
        """A model card from its first version to its end."""
        card = {"ModelCardName": "card", "Content": "{}", "ModelCardStatus": "Draft"}
        self.api.create_model_card(**card, Tags=TAGS)
        self.api.update_model_card(ModelCardName="card", Content='{"model_overview": {"model_id": "m"}}')
        self.api.describe_model_card(ModelCardName="card", ModelCardVersion=1)
        self.api.list_model_cards()
        self.api.list_model_card_versions(ModelCardName="card")
        self.api.search(Resource="ModelCard")
        self.api.delete_model_card(ModelCardName="card")

    def _written_lineage(self, artifact: str) -> None:
        source = {"Source": {"SourceUri": "mail", "SourceType": "Mail"}}
        own = self.api.create_artifact(ArtifactName="own", ArtifactType="DataSet", **{"Source": {"SourceUri": "u"}})
        self.api.update_artifact(ArtifactArn=own["ArtifactArn"], Properties={"a": "b"})
        self.api.describe_artifact(ArtifactArn=own["ArtifactArn"])
        self.api.create_action(ActionName="own", ActionType="Approval", **source)
        self.api.update_action(ActionName="own", Status="Completed")
        self.api.describe_action(ActionName="own")
        self.api.create_context(ContextName="own", ContextType="Team", **source)
        self.api.update_context(ContextName="own", Description="d")
        self.api.describe_context(ContextName="own")
        ends = {"SourceArn": own["ArtifactArn"], "DestinationArn": artifact}
        self.api.add_association(**ends)
        self.api.delete_association(**ends)
        self.api.delete_artifact(ArtifactArn=own["ArtifactArn"])
        self.api.delete_action(ActionName="own")
        self.api.delete_context(ContextName="own")

    def lineage(self) -> None:
        """What all that has made, and an execution with an experiment."""
        name = self.pipelines.create(step("Once", "Processing", processing("true")))
        definition = json.loads(self.api.describe_pipeline(PipelineName=name)["PipelineDefinition"])
        definition["PipelineExperimentConfig"] = {"ExperimentName": "parity", "TrialName": "first"}
        self.api.update_pipeline(PipelineName=name, PipelineDefinition=json.dumps(definition))
        self.pipelines.run(name)
        self.registry_remains()
        self.api.list_experiments()
        self.api.describe_experiment(ExperimentName="parity")
        self.api.list_trials(ExperimentName="parity")
        self.api.describe_trial(TrialName="first")
        components = self.api.list_trial_components(TrialName="first")["TrialComponentSummaries"]
        self.api.describe_trial_component(TrialComponentName=components[0]["TrialComponentName"])
        artifact = self.api.list_artifacts()["ArtifactSummaries"][0]["ArtifactArn"]
        self.api.describe_artifact(ArtifactArn=artifact)
        self.api.describe_action(ActionName=self.api.list_actions()["ActionSummaries"][0]["ActionName"])
        self.api.describe_context(ContextName=self.api.list_contexts()["ContextSummaries"][0]["ContextName"])
        self.api.list_associations()
        self.api.query_lineage(StartArns=[artifact])
        self._written_lineage(artifact)
        for resource in (
            *("PipelineExecution", "PipelineVersion", "HyperParameterTuningJob", "Model", "Endpoint"),
            *("Experiment", "ExperimentTrial", "ExperimentTrialComponent"),
        ):
            self.api.search(Resource=resource)

    def registry_remains(self) -> None:
        """A version that stays: an action and a context."""
        containers = [{"Image": IMAGE, "ModelDataUrl": "s3://test-bucket/m.tar.gz"}]
        types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
        self.api.create_model_package_group(ModelPackageGroupName="stays")
        self.api.create_model_package(
            ModelPackageGroupName="stays", InferenceSpecification={"Containers": containers, **types}
        )

    @staticmethod
    def token(sqs: Any, queue: str) -> str:
        """The token of the callback that waits."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for message in sqs.receive_message(QueueUrl=queue).get("Messages", []):
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                return str(json.loads(message["Body"])["token"])
            time.sleep(0.05)
        raise AssertionError("no callback has asked")


def _running(kind: str, arguments: dict[str, Any], script: str) -> dict[str, Any]:
    specification = "AppSpecification" if kind == "processing" else "AlgorithmSpecification"
    return {**arguments, specification: {**arguments[specification], "ContainerEntrypoint": ["sh", "-c", script]}}


@pytest.fixture(scope="module", name="recorded")
def recorded_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[str, Any]]]:
    folder = tmp_path_factory.mktemp("parity")
    server, record = LocalServer(folder / "state"), folder / "record"
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("recording_server.py"))],
        cwd=ROOT,
        env={**os.environ, **server.environment, "PARITY_RECORD": str(record), "PYTHONPATH": str(ROOT)},
        stderr=(folder / "server.log").open("wb"),
    )
    try:
        while lifecycle.find(server.port) is None:
            assert process.poll() is None, (folder / "server.log").read_text()
            time.sleep(0.05)
        server.client("s3").create_bucket(Bucket="test-bucket")
        conversation = Conversation(server)
        conversation.registry()
        conversation.executions()
        conversation.jobs()
        conversation.tuning()
        conversation.hosting()
        conversation.transform()
        conversation.model_cards()
        conversation.lineage()
        yield [json.loads(line) for line in record.read_text().splitlines()]
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module", name="model")
def model_fixture() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


@pytest.mark.e2e
def test_every_supported_operation_was_asked(recorded: list[tuple[str, Any]]) -> None:
    """An operation that is new belongs into the conversation above."""
    supported = next(operations for name, operations in recorded if not name)
    asked = {name for name, _ in recorded if name}
    assert sorted(set(supported) - asked) == []
    assert len(supported) >= 60


@pytest.mark.e2e
def test_every_response_has_the_shape_of_its_operation(recorded: list[tuple[str, Any]], model: ServiceModel) -> None:
    found: set[str] = set()
    for operation, response in recorded:
        if operation:
            shape = model.operation_model(operation).output_shape
            if shape is not None:
                found.update(faults(response, shape, operation))
    members = {name for shape in map(model.shape_for, model.shape_names) for name in getattr(shape, "members", ())}
    known = re.compile(rf"\.({'|'.join(members | INTERNAL)}): unknown$")
    wrong = {fault for fault in found if not known.search(fault)}
    assert sorted({re.sub(r"\[\d+\]", "[]", fault) for fault in wrong}) == []
