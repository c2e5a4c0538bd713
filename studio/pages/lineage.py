"""From the data to the endpoint: what a version was made of, and what serves it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from studio.account.account import Account
from studio.account.attempts import attempts, attempts_for
from studio.graph.picture import Node, Picture, draw

EXECUTION = re.compile(r"^arn:[^:]*:sagemaker:[^:]*:\d*:pipeline/([^/]+)/execution/([^/]+)$")
MOST_ENDPOINTS = 25


def execution_of(package: Mapping[str, Any]) -> tuple[str, str] | None:
    """Pipeline and id of the execution that a version names in its metadata."""
    values = [*package.get("MetadataProperties", {}).values(), *package.get("CustomerMetadataProperties", {}).values()]
    found = [match.groups() for value in values if (match := EXECUTION.match(str(value)))]
    return (found[0][0], found[0][1]) if found else None


def lineage_picture(account: Account, package: Mapping[str, Any]) -> Picture:
    """Data -> execution -> version -> models -> endpoints, as far as the account tells."""
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str], str] = {}
    arn = package["ModelPackageArn"]
    title = " version ".join(arn.rpartition(":")[2].split("/")[1:])
    status = str(package.get("ModelApprovalStatus", ""))
    nodes[arn] = Node(arn, title, "" if status else "model version", status)
    execution = execution_of(package)
    if execution:
        pipeline, identity = execution
        nodes["execution"] = Node(
            "execution", identity, "execution", link=f"/pipelines/{pipeline}/executions/{identity}"
        )
        edges["execution", arn] = ""
        for uri in data_of(account, pipeline, identity):
            nodes[uri] = Node(uri, uri.rpartition("/")[2], "input", link=f"/objects?uri={quote(uri, safe='')}")
            edges[uri, "execution"] = ""
    for endpoint, model in serving(account, arn):
        nodes[f"model {model}"] = Node(f"model {model}", model, "model")
        nodes[f"endpoint {endpoint}"] = Node(
            f"endpoint {endpoint}", endpoint, "endpoint", link=f"/endpoints/{endpoint}"
        )
        edges[arn, f"model {model}"] = edges[f"model {model}", f"endpoint {endpoint}"] = ""
    return draw(list(nodes.values()), edges)


def data_of(account: Account, pipeline: str, identity: str) -> list[str]:
    """The S3 locations among the parameters of an execution that name one object."""
    arn = account.arn(f"pipeline/{pipeline}/execution/{identity}")
    client = account.client("sagemaker")
    (answer,) = attempts([lambda: client.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)])
    found = (answer.value or {}).get("PipelineParameters", [])
    return [entry["Value"] for entry in found if str(entry.get("Value", "")).startswith("s3://")]


def serving(account: Account, package: str) -> Iterator[tuple[str, str]]:
    """Endpoints, of the newest ones, that serve a version, each with its model."""
    client = account.client("sagemaker")
    (listed,) = attempts([lambda: client.list_endpoints(MaxResults=MOST_ENDPOINTS, SortBy="CreationTime")])
    names = [entry["EndpointName"] for entry in (listed.value or {}).get("Endpoints", [])]
    for name, answer in zip(names, attempts_for(names, lambda name: models_of(account, name)), strict=True):
        for model, served in answer.value or []:
            if served == package:
                yield name, model


def models_of(account: Account, endpoint: str) -> list[tuple[str, str | None]]:
    """The models behind an endpoint, each with the version that it was made from."""
    client = account.client("sagemaker")
    config = client.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    variants = client.describe_endpoint_config(EndpointConfigName=config)
    names = [
        variant["ModelName"]
        for kind in ("ProductionVariants", "ShadowProductionVariants")
        for variant in variants.get(kind, [])
        if "ModelName" in variant
    ]
    return [(name, package_of(client.describe_model(ModelName=name))) for name in names]


def package_of(model: Mapping[str, Any]) -> str | None:
    """The version that a model was made from."""
    containers = [model.get("PrimaryContainer") or {}, *model.get("Containers", [])]
    return next((each["ModelPackageName"] for each in containers if each.get("ModelPackageName")), None)
