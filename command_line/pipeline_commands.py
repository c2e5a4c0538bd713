"""What each command of run_pipeline.py does."""

import json
import os
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from command_line import data_commands, infrastructure_commands, model_commands, monitoring_commands
from command_line.account_check import account_faults
from command_line.capacity_view import data_needs
from command_line.check_view import read_definition, show_faults
from command_line.console import Console
from command_line.context import AWS_POLL_SECONDS, LOCAL_POLL_SECONDS, Context, write_output
from command_line.evidence import write_evidence
from command_line.execution_view import executions_table, show_execution
from command_line.follow import follow
from command_line.permission_check import permission_faults, readable
from command_line.plan_view import show_plan
from command_line.rehearsal import rehearse
from command_line.summary import Commands, outcome, show_summary
from command_line.trials_view import read_trials
from command_line.upserting import upsert_compiled
from pipelines.checks.capacity import StepNeed
from pipelines.checks.check import check_definition, compilable, prepare, warnings_of
from pipelines.checks.fault import Fault
from pipelines.checks.hosts import check_hosts
from pipelines.clients import exists
from pipelines.definition.compilation import compile_pipeline
from pipelines.definition.looks_input import PARAMETER as LOOKS
from pipelines.definition.revision import author, revision
from pipelines.document.parameters import check_parameters, parse_parameters
from pipelines.document.walk import step_names
from pipelines.errors import PipelineError
from pipelines.exit_codes import EXIT_ERROR, EXIT_OK
from pipelines.publishing.cost_forecast import last_durations
from pipelines.publishing.dataset import check_data, require_data, upload_data
from pipelines.publishing.deployed import DeployedCode, describe_deployed, read_code, read_deployed
from pipelines.publishing.plan import make_plan
from pipelines.publishing.tables import publish_tables
from pipelines.settings.settings import ROOT
from pipelines.versions.champion import with_champion
from pipelines.versions.evaluation_report import REPORTS
from pipelines.versions.four_eyes import described
from pipelines.versions.last_runs import last_runs
from pipelines.versions.looks import Look, next_look
from pipelines.watching import executions
from pipelines.watching.logs import read_log, steps_with_logs

SAMPLE = "house.json"  # a request to the model of the project's own data set


def print_definition(context: Context, options: Namespace) -> int:
    """definition"""
    context.note_placeholders()
    text = compile_pipeline(context.settings, context.environment, pipeline=context.pipeline).definition
    if options.output is None:
        print(text)
    else:
        write_output(options.output, text + "\n")
    return EXIT_OK


def check_pipeline(context: Context, options: Namespace) -> int:
    """check"""
    context.note_placeholders()
    settings, faults = compilable(context.settings, context.environment)
    assert context.structure_check is not None  # noqa: S101 - the command line brings it
    prepare(context.structure_check)
    began = time.perf_counter()
    if options.definition is not None:
        text = read_definition(options.definition)
    elif any(fault.path == "AWS_REGION" for fault in faults):
        text = None  # without images of the region there is nothing to compile
    else:
        text = context.definition(settings)
        began = time.perf_counter()
    warnings: list[Fault] = []
    if text is not None:
        faults += check_definition(text, context.pipeline_name, settings, context.environment, context.structure_check)
        faults += permission_faults(text, settings.name, context.environment, query=settings.query)
        warnings = warnings_of(text, settings)
    seconds = time.perf_counter() - began
    if options.data is not None:
        faults += data_commands.data_faults(context, options.data)
    if options.account:
        context.require_configured()
        definition = readable(text or "")
        for known, fault in account_faults(context.client, definition, settings, context.environment):
            (faults if known else warnings).append(fault)
    if options.captured is not None:
        faults += data_commands.captured_requests(context, options.captured)
    show_faults(context.console, faults, text, seconds, warnings)
    return EXIT_ERROR if faults else EXIT_OK


def plan_pipeline(context: Context, options: Namespace) -> int:
    """plan"""
    context.require_configured()
    compiled = context.compile(Console(json_output=options.json or options.markdown))
    deployed, s3 = read_deployed(context.sagemaker, compiled.name), context.client("s3")
    code = read_code(s3, deployed.definition_text) if deployed else DeployedCode((), {})
    durations = last_durations(context.sagemaker, compiled.name, " on this machine" if context.local else "")
    rows, found = 0, list[StepNeed]()
    if options.data is not None:
        rows, found = data_needs(context, options.data, last_runs(context.sagemaker, s3, durations))
    bucket = context.environment.bucket
    plan = make_plan(
        compiled,
        context.environment,
        deployed,
        code,
        missing=[key for key in compiled.code.keys if not exists(s3, bucket, key)],
        durations=durations,
        tags=revision(ROOT).tags(),
        stages=context.settings.stages,
        needs=(rows, found),
    )
    show_plan(context.console, plan, markdown=options.markdown)
    return plan.exit_code


def upsert_pipeline(context: Context, options: Namespace) -> int:
    """upsert"""
    context.require_configured()
    seen = describe_deployed(context.sagemaker, context.pipeline_name)
    upsert_compiled(context, context.compile(), seen, force=options.force)
    return EXIT_OK


def start_execution(context: Context, options: Namespace) -> int:
    """start"""
    definition = _deployed(context)
    declared, given = definition.get("Parameters", []), parse_parameters(options.parameter)
    check_parameters(declared, given, context.pipeline_name)
    check_hosts(declared, given, context.settings)
    given = _with_champion(context, declared, given)
    given, look = _with_looks(context, definition, given)
    _bring_tables(context)
    arn = executions.start(context.sagemaker, context.pipeline_name, given, description=_described())
    _record(context, look, arn)
    if options.wait:
        return _follow(context, arn, step_names(_deployed(context)))
    if context.json_output:
        context.console.document({"arn": arn})
        return EXIT_OK
    context.console.line(f"Started {arn}")
    context.console.line(f"Follow it with: {context.execution_command} describe {arn.rpartition('/')[2]}")
    return EXIT_OK


def run_all(context: Context, options: Namespace) -> int:
    """run"""
    given = parse_parameters(options.parameter)
    if options.data is not None:
        _refuse_data_beside_query(context)
        check_data(options.data)
    elif options.rehearse is not None:
        raise PipelineError("--rehearse takes rows of the data that --data names: give both.")
    context.require_configured()
    seen = describe_deployed(context.sagemaker, context.pipeline_name)
    compiled = context.compile()
    check_parameters(compiled.parameters, given, compiled.name)
    check_hosts(compiled.parameters, given, context.settings, own_data=options.data is not None)
    if options.data is not None:
        uri = upload_data(
            context.bucket_client(), options.data, context.settings, context.environment, context.console.line
        )
        context.console.line(f"Data       {uri}")
        given.setdefault("InputDataUri", uri)
    elif "InputDataUri" not in given:
        fix = "give the file with --data, or say where data lie with -p InputDataUri=S3_URI"
        require_data(context.bucket_client(), compiled.parameters, fix)
    _bring_tables(context)
    upsert_compiled(context, compiled, seen, force=False)
    if options.rehearse is not None and options.data is not None:
        code = rehearse(context, compiled, given, options.data, options.rehearse)
        if code != EXIT_OK:
            return code
    given = _with_champion(context, compiled.parameters, given)
    given, look = _with_looks(context, json.loads(compiled.definition), given)
    arn = executions.start(context.sagemaker, compiled.name, given)
    _record(context, look, arn)
    return _follow(context, arn, compiled.step_names, options.data)


def list_executions(context: Context, _options: Namespace) -> int:
    """executions"""
    name = context.pipeline_name
    found = executions.list_executions(context.sagemaker, name)
    context.console.show(executions_table(found, name))
    return EXIT_OK


def describe_execution(context: Context, options: Namespace) -> int:
    """describe"""
    execution = executions.describe(context.sagemaker, _resolve(context, options))
    tuning = read_trials(context.sagemaker, execution)
    show_execution(context.console, execution, context.log_folder, context.last_words, tuning)
    return EXIT_OK


def print_logs(context: Context, options: Namespace) -> int:
    """logs"""
    execution = executions.describe(context.sagemaker, _resolve(context, options))
    logs = context.client("logs")
    for step in steps_with_logs(execution, options.step):
        if step.job is not None:
            context.console.line(f"== {step.name}: {step.job.name}", style="bold")
            for line in read_log(logs, step.job, context.log_folder):
                context.console.line(line)
    return EXIT_OK


def stop_execution(context: Context, options: Namespace) -> int:
    """stop"""
    arn = _resolve(context, options)
    context.console.line(f"{arn.rpartition('/')[2]} is {executions.stop(context.sagemaker, arn)}.")
    return EXIT_OK


COMMANDS: dict[str, Callable[[Context, Namespace], int]] = {
    "definition": print_definition,
    "check": check_pipeline,
    "plan": plan_pipeline,
    "upsert": upsert_pipeline,
    "start": start_execution,
    "run": run_all,
    "executions": list_executions,
    "describe": describe_execution,
    "logs": print_logs,
    "stop": stop_execution,
    **data_commands.COMMANDS,
    **model_commands.COMMANDS,
    **infrastructure_commands.COMMANDS,
    **monitoring_commands.COMMANDS,
    "aws-evidence": write_evidence,
}


def _refuse_data_beside_query(context: Context) -> None:
    if context.settings.query is not None:
        raise PipelineError("The data of this YAML are what its query gives: leave out --data, or the section query.")


def _bring_tables(context: Context) -> None:
    """On this machine, the files of the tables that a query names."""
    if context.local and context.pipeline != "monitoring":
        publish_tables(context.bucket_client(), context.settings, context.environment, context.console.line)


def _with_champion(context: Context, declared: Sequence[dict[str, Any]], given: dict[str, str]) -> dict[str, str]:
    parameters, line = with_champion(context.sagemaker, context.settings.name, declared, given)
    if line is not None:
        context.console.line(f"Champion   {line}")
    return parameters


def _with_looks(
    context: Context, definition: dict[str, Any], given: dict[str, str]
) -> tuple[dict[str, str], Look | None]:
    """The parameters with how many other models have met the test part, and where the new one is to be written down."""
    look = next_look(context.sagemaker, context.client("s3"), context.settings.name, definition, given)
    if look is None:
        return given, None
    if look.earlier:
        others = "1 other model has" if look.earlier == 1 else f"{look.earlier} other models have"
        context.console.line(f"Test part  {others} met it before")
    return {**given, LOOKS: str(look.earlier)}, look


def _record(context: Context, look: Look | None, arn: str) -> None:
    if look is not None:
        look.record(context.client("s3"), arn)


def _follow(context: Context, arn: str, step_names: Sequence[str], data: Path | None = None) -> int:
    context.console.line(f"Execution  {arn}")
    poll = LOCAL_POLL_SECONDS if context.local else AWS_POLL_SECONDS
    execution = follow(context.sagemaker, arn, context.console, poll, step_names, context.notice)
    commands = Commands(
        pipeline=context.execution_command,
        deployment=context.command("deploy_model.py"),
        stage=next(iter(context.settings.stages)),
        sample=SAMPLE if context.config is None else f"{context.settings.name}-request.json",
        sample_of=None if context.config is None else str(data or "DATA"),
    )
    result = outcome(context.sagemaker, context.client("s3"), context.settings.name, execution, Path(REPORTS))
    show_summary(
        context.console,
        execution,
        result,
        unit=context.target_unit,
        commands=commands,
        log_folder=context.log_folder,
        last_words=context.last_words,
        tuning=read_trials(context.sagemaker, execution),
    )
    return execution.exit_code


def _deployed(context: Context) -> dict[str, Any]:
    return executions.deployed_definition(context.sagemaker, context.pipeline_name)


def _described() -> str | None:
    """In a build, whose commit it is: the build's role starts the execution, not a person."""
    if "CODEBUILD_BUILD_ID" not in os.environ:
        return None
    wrote, origin = author(ROOT), revision(ROOT)
    return described(origin.commit, wrote) if wrote else None


def _resolve(context: Context, options: Namespace) -> str:
    return executions.resolve(context.sagemaker, context.pipeline_name, options.execution)
