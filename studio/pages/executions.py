"""One execution: its graph and times, why it failed, what its conditions compared, what a step did."""

from collections.abc import Mapping
from typing import Any

from studio.account.account import Account
from studio.account.attempts import Answer, attempt, attempts, attempts_for
from studio.errors import StudioError
from studio.graph.definition import Definition, Step, read_definition
from studio.pages.cache import why_not_cached
from studio.pages.execution import FINAL, NOT_RUN, WAITING, Execution, StepRun
from studio.pages.gates import gates_of
from studio.pages.jobs import facts, job_of, log_of, places
from studio.pages.report_facts import facts_of
from studio.previews.objects import reports_beside

FAILURE_LINES = 25


def read_execution(account: Account, pipeline: str, identity: str) -> Execution:
    """Describe an execution, its definition, steps and parameters; StudioError where there is none."""
    arn, client = account.arn(f"pipeline/{pipeline}/execution/{identity}"), account.client("sagemaker")
    about, text, steps, parameters = attempts(
        [
            lambda: client.describe_pipeline_execution(PipelineExecutionArn=arn),
            lambda: client.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)["PipelineDefinition"],
            lambda: steps_of(account, arn),
            lambda: parameters_of(account, arn),
        ]
    )
    described = about.required()
    definition = read_definition(text.value or "{}")
    problems = tuple(answer.problem for answer in (text, steps, parameters) if answer.problem)
    defaults = {entry["Name"]: str(entry.get("DefaultValue", "")) for entry in definition.parameters}
    over = described.get("PipelineExecutionStatus") in FINAL
    runs = _runs(definition, steps.value or [], NOT_RUN if over else WAITING)
    return Execution(arn, described, definition, runs, problems, defaults | (parameters.value or {}))


def steps_of(account: Account, arn: str) -> list[Mapping[str, Any]]:
    """ListPipelineExecutionSteps, every page, in the order of their start."""
    pages = account.client("sagemaker").get_paginator("list_pipeline_execution_steps")
    found = pages.paginate(PipelineExecutionArn=arn, SortOrder="Ascending")
    return [step for page in found for step in page.get("PipelineExecutionSteps", [])]


def parameters_of(account: Account, arn: str) -> dict[str, str]:
    """The parameters of an execution with their values."""
    pages = account.client("sagemaker").get_paginator("list_pipeline_parameters_for_execution")
    found = pages.paginate(PipelineExecutionArn=arn)
    return {entry["Name"]: entry["Value"] for page in found for entry in page.get("PipelineParameters", [])}


def execution_page(account: Account, pipeline: str, identity: str, step: str | None) -> dict[str, Any]:
    """Everything of an execution, and of the step that is looked at."""
    execution = read_execution(account, pipeline, identity)
    failed = execution.failed
    log = log_of(account, failed[0].metadata, FAILURE_LINES) if failed else None
    files = property_files(account, execution)
    reports = reports_beside(account, files.values())
    return {
        "execution": execution,
        "failure_log": log,
        "gates": gates_of(account, execution.definition, execution.parameters, files) if execution.steps else [],
        "files": files,
        "reports": reports,
        "about": facts_of(account, execution) if reports else [],
        "versions": registered(execution),
        "chosen": step_panel(account, execution, step) if step else None,
    }


def registered(execution: Execution) -> list[str]:
    """The ARNs of the model packages that an execution registered."""
    return [run.metadata["RegisterModel"]["Arn"] for run in execution.steps if "RegisterModel" in run.metadata]


def property_files(account: Account, execution: Execution) -> dict[tuple[str, str], str]:
    """Where each property file of a step that has succeeded lies, by step and name of the file."""
    runs = {run.name: run for run in execution.steps if run.status == "Succeeded" and job_of(run.metadata)}
    wanted = [step for step in execution.definition.steps if step.document.get("PropertyFiles") and step.name in runs]
    described = attempts_for(wanted, lambda step: _describe(account, runs[step.name]))
    found = {}
    for step, answer in zip(wanted, described, strict=True):
        outputs = (answer.value or {}).get("ProcessingOutputConfig", {}).get("Outputs", [])
        places = {entry["OutputName"]: entry.get("S3Output", {}).get("S3Uri", "") for entry in outputs}
        for file in step.document["PropertyFiles"]:
            if places.get(file.get("OutputName")):
                uri = f"{places[file['OutputName']].rstrip('/')}/{file['FilePath']}"
                found[step.name, file["PropertyFileName"]] = uri
    return found


def step_panel(account: Account, execution: Execution, name: str) -> dict[str, Any]:
    """A step's job, arguments, inputs, outputs, metrics and the end of its log; StudioError for an unknown name."""
    run = next((run for run in execution.steps if run.name == name), None)
    if run is None:
        raise StudioError(f"Execution {execution.id} has no step {name}.")
    step = execution.definition.by_name.get(name)
    job = attempt(lambda: _describe(account, run)) if job_of(run.metadata) else None
    description = (job.value if job else None) or {}
    return {
        "run": run,
        "step": step,
        "job": job_of(run.metadata),
        "facts": facts(description),
        "places": dict(places(description)),
        "metrics": description.get("FinalMetricDataList", []),
        "problem": job.problem if job else None,
        "log": log_of(account, run.metadata, 100),
        "uncached": _uncached(account, execution, run, step, description),
    }


def _uncached(
    account: Account, execution: Execution, run: StepRun, step: Step | None, description: Mapping[str, Any]
) -> Answer[Any] | None:
    if step is None or not step.cached or run.cached_from or not description:
        return None
    return attempt(
        lambda: why_not_cached(account, execution.arn, execution.about["CreationTime"], run.name, description)
    )


def _describe(account: Account, run: StepRun) -> Mapping[str, Any]:
    job = job_of(run.metadata)
    if job is None:
        return {}
    kind, name = job
    return kind.describe(account, name)


def _runs(definition: Definition, found: list[Mapping[str, Any]], unstarted: str) -> tuple[StepRun, ...]:
    """The definition's steps in its order, then those that only the execution knows (of a ForEach)."""
    by_name = {step["StepName"]: step for step in found}
    names = dict.fromkeys([step.name for step in definition.steps] + list(by_name))
    runs = []
    for name in names:
        step, entry = definition.by_name.get(name), by_name.get(name, {})
        runs.append(
            StepRun(
                name=name,
                kind=step.kind if step else "",
                status=entry.get("StepStatus", unstarted),
                started=entry.get("StartTime"),
                ended=entry.get("EndTime"),
                attempts=entry.get("AttemptCount") or 1,
                reason=entry.get("FailureReason"),
                cached_from=entry.get("CacheHitResult", {}).get("SourcePipelineExecutionArn"),
                metadata=entry.get("Metadata", {}),
                description=str((step.document.get("Description") if step else None) or ""),
            )
        )
    return tuple(runs)
