"""Pipelines: the list, one with its graph, its parameters and its executions; starting, stopping, retrying."""

import uuid
from collections.abc import Mapping
from typing import Any

from studio.account.account import Account
from studio.account.attempts import attempt, attempts, attempts_for
from studio.errors import StudioError
from studio.graph.definition import Definition, read_definition
from studio.graph.picture import Node, Picture, draw

PAGE = 25


def pipelines_page(account: Account, token: str | None) -> dict[str, Any]:
    """One page of the pipelines, with the newest execution of each."""
    client = account.client("sagemaker")
    more = {"NextToken": token} if token else {}
    listed = attempt(
        lambda: client.list_pipelines(MaxResults=PAGE, SortBy="CreationTime", SortOrder="Descending", **more)
    )
    found = (listed.value or {}).get("PipelineSummaries", [])
    newest = attempts_for(found, lambda each: newest_executions(account, name_of(each), 1))
    rows = [(name_of(each), each, answer.value or []) for each, answer in zip(found, newest, strict=True)]
    return {"pipelines": listed, "rows": rows, "next": (listed.value or {}).get("NextToken")}


def name_of(summary: Mapping[str, Any]) -> str:
    """A pipeline's name as it stands in its ARN and in those of its executions."""
    return str(summary["PipelineArn"]).rpartition("/")[2]


def newest_executions(account: Account, pipeline: str, most: int, token: str | None = None) -> list[Mapping[str, Any]]:
    """The newest executions of a pipeline, as ListPipelineExecutions gives them."""
    return list(_executions(account, pipeline, most, token).get("PipelineExecutionSummaries", []))


def _executions(account: Account, pipeline: str, most: int, token: str | None) -> Mapping[str, Any]:
    more = {"NextToken": token} if token else {}
    answer: Mapping[str, Any] = account.client("sagemaker").list_pipeline_executions(
        PipelineName=pipeline, MaxResults=most, SortBy="CreationTime", SortOrder="Descending", **more
    )
    return answer


def pipeline_page(account: Account, pipeline: str, token: str | None) -> dict[str, Any]:
    """One pipeline with a page of its executions."""
    client = account.client("sagemaker")
    about, executions = attempts(
        [
            lambda: client.describe_pipeline(PipelineName=pipeline),
            lambda: _executions(account, pipeline, PAGE, token),
        ]
    )
    described = about.required()
    definition = read_definition(described.get("PipelineDefinition", "{}"))
    found = executions.value or {}
    return {
        "name": pipeline,
        "about": described,
        "definition": definition,
        "picture": picture_of(definition),
        "executions": executions,
        "rows": found.get("PipelineExecutionSummaries", []),
        "next": found.get("NextToken"),
    }


def picture_of(definition: Definition) -> Picture:
    """The graph of a definition that nothing has run yet."""
    nodes = [Node(step.name, step.title, step.kind) for step in definition.steps]
    return draw(nodes, {(edge.source, edge.target): edge.label for edge in definition.edges})


def start(account: Account, pipeline: str, values: Mapping[str, str]) -> str:
    """Start an execution with the parameters that differ from the defaults; its id. StudioError for a wrong number."""
    client = account.client("sagemaker")
    definition = read_definition(client.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"])
    chosen = []
    for entry in definition.parameters:
        name, kind = entry["Name"], entry.get("Type", "String")
        value = values.get(name)
        if value is None or value == text_of(entry.get("DefaultValue")):
            continue
        _check(name, kind, value)
        chosen.append({"Name": name, "Value": value})
    answer = client.start_pipeline_execution(
        PipelineName=pipeline, PipelineParameters=chosen, ClientRequestToken=uuid.uuid4().hex
    )
    return str(answer["PipelineExecutionArn"]).rpartition("/")[2]


def text_of(value: Any) -> str:
    """A default as it stands in a form."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def stop(account: Account, pipeline: str, identity: str) -> None:
    """Ask an execution to stop."""
    arn = account.arn(f"pipeline/{pipeline}/execution/{identity}")
    account.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=uuid.uuid4().hex)


def retry(account: Account, pipeline: str, identity: str) -> None:
    """Go on with an execution that failed or was stopped: what succeeded is kept."""
    arn = account.arn(f"pipeline/{pipeline}/execution/{identity}")
    account.client("sagemaker").retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=uuid.uuid4().hex)


def _check(name: str, kind: str, value: str) -> None:
    try:
        {"Integer": int, "Float": float}.get(kind, str)(value)
    except ValueError:
        noun = {"Integer": "a whole number", "Float": "a number"}[kind]
        raise StudioError(f"The parameter {name} is {value!r}: it must be {noun}.") from None
