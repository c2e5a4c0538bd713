"""The lineage of everything in the state, as SageMaker makes it of what jobs read and write.

https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-entities.html says what it makes by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local_sagemaker.lineage.entities import (
    ACTION,
    ASSOCIATED,
    COMPONENT,
    CONTEXT,
    CONTRIBUTED,
    PRODUCED,
    Document,
    Entity,
    Graph,
)
from local_sagemaker.lineage.written import add_written
from local_sagemaker.state.record_kinds import (
    ENDPOINT,
    MODEL,
    MODEL_PACKAGE,
    MODEL_PACKAGE_GROUP,
    PROCESSING_JOB,
    TRAINING_JOB,
    TRANSFORM_JOB,
)
from local_sagemaker.state.records import Records

DATA, IMAGE, MODEL_DATA = "DataSet", "Image", "Model"
MOST_CHARACTERS = 2500  # of a parameter of a trial component


@dataclass(frozen=True)
class Use:
    """Something that a job reads or writes: what it is called there, where it is, and what it is."""

    name: str
    uri: str
    kind: str


def lineage(records: Records) -> Graph:
    """The graph of all jobs, model packages, groups and endpoints that have records, and what clients have added."""
    graph = Graph()
    for kind, words in ((PROCESSING_JOB, "ProcessingJob"), (TRAINING_JOB, "TrainingJob")):
        for job in records.all(kind):
            reads, writes = (_training if kind == TRAINING_JOB else _processing)(job)
            _add_job(graph, job, words, reads, writes)
    for job in records.all(TRANSFORM_JOB):
        _add_job(graph, job, "TransformJob", *_transform(job, records.get(MODEL, job["ModelName"]) or {}))
    for group in records.all(MODEL_PACKAGE_GROUP):
        arn, name = group["ModelPackageGroupArn"], group["ModelPackageGroupName"]
        graph.add(_context(arn, f"{name}-aws-model-package-group", "ModelPackageGroup", group["CreationTime"]))
    for package in records.all(MODEL_PACKAGE):
        _add_package(graph, package)
    for endpoint in records.all(ENDPOINT):
        _add_endpoint(graph, endpoint)
    add_written(graph, records)
    return graph


def component_name(job_arn: str) -> str:
    """The trial component of a job, such as train-1-aws-training-job."""
    kind, _, name = job_arn.rpartition(":")[2].partition("/")
    return f"{name}-aws-{kind}"


def component_arn(job_arn: str) -> str:
    """Its ARN."""
    return f"{_place(job_arn)}:experiment-trial-component/{component_name(job_arn).lower()}"


def _add_job(graph: Graph, job: Document, words: str, reads: list[Use], writes: list[Use]) -> None:
    arn, created, status = job[f"{words}Arn"], job["CreationTime"], job[f"{words}Status"]
    done = status == "Completed"
    document = {
        "Status": {"PrimaryStatus": status, "Message": job.get("FailureReason") or f"Status: {status}"},
        "StartTime": job.get("TrainingStartTime") or job.get("ProcessingStartTime") or job.get("TransformStartTime"),
        "EndTime": job.get("TrainingEndTime") or job.get("ProcessingEndTime") or job.get("TransformEndTime"),
        "CreatedBy": job.get("CreatedBy"),
        "Parameters": {name: _parameter(value) for name, value in job.get("HyperParameters", {}).items()},
        "InputArtifacts": {use.name: {"Value": use.uri} for use in reads},
        "OutputArtifacts": {use.name: {"Value": use.uri} for use in writes if done},
        "Metrics": [_metric(arn, each) for each in job.get("FinalMetricDataList", [])],
    }
    entity = Entity(component_arn(arn), component_name(arn), COMPONENT, f"SageMaker{words}", arn, created, document)
    graph.add(entity)
    for use in reads:
        graph.associate(graph.artifact(_place(arn), use.uri, use.kind, created), entity, CONTRIBUTED, created)
    for use in writes if done else []:
        graph.associate(entity, graph.artifact(_place(arn), use.uri, use.kind, created), PRODUCED, created)


def _training(job: Document) -> tuple[list[Use], list[Use]]:
    algorithm = job["AlgorithmSpecification"]
    reads = [
        Use(channel["ChannelName"], uri, DATA)
        for channel in job.get("InputDataConfig", [])
        if (uri := channel["DataSource"].get("S3DataSource", {}).get("S3Uri"))
    ]
    image = [Use("SageMaker.ImageUri", algorithm["TrainingImage"], IMAGE)] if "TrainingImage" in algorithm else []
    model = job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    return [*reads, *image], [Use("SageMaker.ModelArtifact", model, MODEL_DATA)] if model else []


def _processing(job: Document) -> tuple[list[Use], list[Use]]:
    reads = [
        Use(each["InputName"], each["S3Input"]["S3Uri"], DATA)
        for each in job.get("ProcessingInputs", [])
        if "S3Input" in each
    ]
    writes = [
        Use(each["OutputName"], each["S3Output"]["S3Uri"], DATA)
        for each in job.get("ProcessingOutputConfig", {}).get("Outputs", [])
        if "S3Output" in each
    ]
    return [*reads, Use("SageMaker.ImageUri", job["AppSpecification"]["ImageUri"], IMAGE)], writes


def _transform(job: Document, model: Document) -> tuple[list[Use], list[Use]]:
    data = job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    models = [Use("SageMaker.ModelArtifact", uri, MODEL_DATA) for uri in _model_data(model)]
    output = job["TransformOutput"]["S3OutputPath"]
    return [Use("SageMaker.TransformInput", data, DATA), *models], [Use("SageMaker.TransformOutput", output, DATA)]


def _add_package(graph: Graph, package: Document) -> None:
    """A version comes from its model's data, belongs to its group, and has an action once it was decided over."""
    arn, created = str(package["ModelPackageArn"]), float(package["CreationTime"])
    group, version = package.get("ModelPackageGroupName"), package.get("ModelPackageVersion")
    name = f"{group}-{version}-aws-model-package"
    entity = graph.artifact(_place(arn), arn, "ModelPackage", created, name)
    for uri in _model_data({"Containers": package.get("InferenceSpecification", {}).get("Containers", [])}):
        graph.associate(graph.artifact(_place(arn), uri, MODEL_DATA, created), entity, CONTRIBUTED, created)
    status = package.get("ModelApprovalStatus")
    action = graph.add(
        Entity(
            f"{_place(arn)}:action/{name.lower()}-{str(status).lower()}",
            f"{name}-{status}",
            ACTION,
            "Approval",
            arn,
            float(package.get("LastModifiedTime") or created),
            {"Status": "Completed", "Properties": {"ModelApprovalStatus": status}},
        )
    )
    graph.associate(entity, action, CONTRIBUTED, created)
    of_group = f"{_place(arn)}:context/{group}-aws-model-package-group".lower()
    if of_group in graph.entities:
        graph.associate(action, graph.entities[of_group], ASSOCIATED, created)


def _add_endpoint(graph: Graph, endpoint: Any) -> None:
    """Its models' data went into a deployment, which belongs to the endpoint."""
    arn, name, created = endpoint["EndpointArn"], endpoint["EndpointName"], endpoint["CreationTime"]
    context = graph.add(_context(arn, f"{name}-aws-endpoint", "Endpoint", created))
    if "Serving" not in endpoint:
        return
    action = Entity(
        f"{_place(arn)}:action/{name.lower()}-aws-endpoint-deployment",
        f"{name}-aws-endpoint-deployment",
        ACTION,
        "ModelDeployment",
        arn,
        created,
        {"Status": "Completed", "Properties": {"EndpointConfigName": endpoint["EndpointConfigName"]}},
    )
    graph.associate(graph.add(action), context, ASSOCIATED, created)
    for uri in sorted({uri for variant in endpoint["Serving"]["Variants"] for uri in _model_data(variant)}):
        graph.associate(graph.artifact(_place(arn), uri, MODEL_DATA, created), action, CONTRIBUTED, created)


def _context(source: str, name: str, kind: str, created: float) -> Entity:
    return Entity(f"{_place(source)}:context/{name}".lower(), name, CONTEXT, kind, source, created)


def _model_data(model: Document) -> Iterator[str]:
    for container in [*filter(None, [model.get("PrimaryContainer")]), *(model.get("Containers") or [])]:
        uri = container.get("ModelDataUrl") or container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri")
        if uri:
            yield uri


def _place(arn: str) -> str:
    """arn:aws:sagemaker:REGION:ACCOUNT."""
    return ":".join(arn.split(":")[:5])


def _parameter(value: str) -> Document:
    try:
        return {"NumberValue": float(value)}
    except ValueError:
        return {"StringValue": value[:MOST_CHARACTERS]}


def _metric(arn: str, metric: Document) -> Document:
    value = metric["Value"]
    return {
        "MetricName": metric["MetricName"],
        "SourceArn": arn,
        "TimeStamp": metric.get("Timestamp"),
        **{name: value for name in ("Max", "Min", "Last", "Avg")},
        "StdDev": 0.0,
        "Count": 1,
    }
