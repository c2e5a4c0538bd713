"""What each command of run_pipeline.py does."""

import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines import executions, registry
from pipelines.compilation import Compiled, compile_pipeline
from pipelines.console import EXIT_OK, Console, command_line
from pipelines.dataset import check_data_file, exists, upload_data
from pipelines.definition_cache import compile_or_recall
from pipelines.deployed import DeployedBundle, read_bundle, read_deployed
from pipelines.environment import Environment
from pipelines.errors import PipelineError
from pipelines.evaluation_report import split_uri
from pipelines.execution_view import executions_table, show_execution
from pipelines.follow import follow
from pipelines.logs import read_log, steps_with_logs
from pipelines.parameters import check_parameters, parse_parameters
from pipelines.plan import make_plan, wanted_bundle_uri
from pipelines.plan_view import show_plan
from pipelines.publish import create_bucket_if_local, upsert
from pipelines.settings import ROOT, Settings, default_config, load_settings
from pipelines.summary import Commands, registered_model, show_summary

LOCAL_POLL_SECONDS = 0.1
AWS_POLL_SECONDS = 5.0
SAMPLE = "house.json"  # a request to the model of the project's own data set
REPORTS = "reports"


@dataclass(frozen=True)
class Context:
    """What a command works with; clients and settings are made when they are first asked for."""

    config: Path | None
    local: bool
    log_folder: Path | None
    json_output: bool = False

    @cached_property
    def settings(self) -> Settings:
        """The YAML."""
        return load_settings(self.config or default_config())

    @cached_property
    def environment(self) -> Environment:
        """Region, role, bucket."""
        return Environment.from_env()

    @cached_property
    def console(self) -> Console:
        """Where lines go."""
        return Console(json_output=self.json_output)

    def client(self, service: str) -> Any:
        """A boto3 client."""
        import boto3

        return boto3.client(service, region_name=self.environment.region)

    @cached_property
    def sagemaker(self) -> Any:
        """The SageMaker client."""
        return self.client("sagemaker")

    @property
    def target_unit(self) -> str:
        """The unit of the target, such as USD."""
        data = self.settings.data
        return data.columns[data.target].unit

    def command(self, script: str) -> str:
        """The beginning of a command that the person can paste."""
        return command_line(script, local=self.local, config=self.config)


def print_definition(context: Context, options: Namespace) -> int:
    """definition"""
    if context.environment.placeholders:
        names = ", ".join(context.environment.placeholders)
        print(f"note: {names} not set; placeholders of the account 000000000000 stand in.", file=sys.stderr)
    text = compile_pipeline(context.settings, context.environment).definition
    if options.output is None:
        print(text)
    else:
        _write(options.output, text + "\n")
    return EXIT_OK


def plan_pipeline(context: Context, options: Namespace) -> int:
    """plan"""
    compiled = _compile(context, Console(json_output=options.json or options.markdown))
    deployed, s3 = read_deployed(context.sagemaker, compiled.name), context.client("s3")
    uri = wanted_bundle_uri(compiled, context.environment)
    bundle = read_bundle(s3, deployed.definition_text, uri) if deployed else DeployedBundle(None, {})
    plan = make_plan(compiled, context.environment, deployed, bundle, bundle_is_uploaded=exists(s3, *split_uri(uri)))
    show_plan(context.console, plan, markdown=options.markdown)
    return plan.exit_code


def upsert_pipeline(context: Context, options: Namespace) -> int:
    """upsert"""
    _upsert(context, _compile(context))
    return EXIT_OK


def start_execution(context: Context, options: Namespace) -> int:
    """start"""
    given = parse_parameters(options.parameter)
    arn = executions.start(context.sagemaker, context.settings.pipeline_name, given)
    if options.wait:
        return _follow(context, arn, executions.step_names(_deployed(context)))
    if context.json_output:
        context.console.document({"arn": arn})
        return EXIT_OK
    context.console.line(f"Started {arn}")
    context.console.line(f"Follow it with: {context.command('run_pipeline.py')} describe {arn.rpartition('/')[2]}")
    return EXIT_OK


def run_all(context: Context, options: Namespace) -> int:
    """run"""
    given = parse_parameters(options.parameter)
    if options.data is not None:
        check_data_file(options.data)
    compiled = _compile(context)
    check_parameters(compiled.parameters, given, compiled.name)
    if options.data is not None:
        uri = upload_data(_bucket_client(context), options.data, context.settings, context.environment)
        context.console.line(f"Data       {uri}")
        given.setdefault("InputDataUri", uri)
    _upsert(context, compiled)
    return _follow(context, executions.start(context.sagemaker, compiled.name, given), compiled.step_names)


def list_executions(context: Context, options: Namespace) -> int:
    """executions"""
    name = context.settings.pipeline_name
    found = executions.list_executions(context.sagemaker, name)
    context.console.show(executions_table(found, name))
    return EXIT_OK


def describe_execution(context: Context, options: Namespace) -> int:
    """describe"""
    execution = executions.describe(context.sagemaker, _resolve(context, options))
    show_execution(context.console, execution, context.log_folder)
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


def list_models(context: Context, options: Namespace) -> int:
    """models"""
    group = context.settings.name
    versions = registry.models(context.sagemaker, context.client("s3"), group)
    context.console.show(registry.models_table(versions, group, context.target_unit))
    return EXIT_OK


def approve_model(context: Context, options: Namespace) -> int:
    """approve"""
    registry.approve(context.sagemaker, context.settings.name, options.version, options.comment, context.console)
    return EXIT_OK


def reject_model(context: Context, options: Namespace) -> int:
    """reject"""
    registry.reject(context.sagemaker, context.settings.name, options.version, options.comment, context.console)
    return EXIT_OK


COMMANDS: dict[str, Callable[[Context, Namespace], int]] = {
    "definition": print_definition,
    "plan": plan_pipeline,
    "upsert": upsert_pipeline,
    "start": start_execution,
    "run": run_all,
    "executions": list_executions,
    "describe": describe_execution,
    "logs": print_logs,
    "stop": stop_execution,
    "models": list_models,
    "approve": approve_model,
    "reject": reject_model,
}


def _compile(context: Context, console: Console | None = None) -> Compiled:
    if context.environment.placeholders and not context.local:
        names = " and ".join(context.environment.placeholders)
        raise PipelineError(f"Set {names} to the role and the bucket of the jobs, or run with --local.")
    (console or context.console).line("Compiling ...", style="dim")
    return compile_or_recall(context.settings, context.environment, ROOT / "build" / "definitions")


def _upsert(context: Context, compiled: Compiled) -> None:
    published = upsert(context.sagemaker, _bucket_client(context), compiled, context.environment)
    code = "code uploaded" if published.uploaded else "code unchanged"
    context.console.line(f"Pipeline   {published.arn} ({published.action}, {code})")


def _bucket_client(context: Context) -> Any:
    s3 = context.client("s3")
    if context.local:
        create_bucket_if_local(s3, context.environment)
    return s3


def _follow(context: Context, arn: str, step_names: Sequence[str]) -> int:
    context.console.line(f"Execution  {arn}")
    poll = LOCAL_POLL_SECONDS if context.local else AWS_POLL_SECONDS
    execution = follow(context.sagemaker, arn, context.console, poll, step_names)
    commands = Commands(
        pipeline=context.command("run_pipeline.py"),
        deployment=context.command("deploy_model.py"),
        stage=next(iter(context.settings.stages)),
        sample=SAMPLE if context.config is None else "REQUEST.json",
    )
    registered = registered_model(context.sagemaker, context.client("s3"), execution, Path(REPORTS))
    show_summary(
        context.console,
        execution,
        registered,
        unit=context.target_unit,
        commands=commands,
        log_folder=context.log_folder,
    )
    return execution.exit_code


def _deployed(context: Context) -> dict[str, Any]:
    return executions.deployed_definition(context.sagemaker, context.settings.pipeline_name)


def _resolve(context: Context, options: Namespace) -> str:
    return executions.resolve(context.sagemaker, context.settings.pipeline_name, options.execution)


def _write(path: Path, text: str) -> None:
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as stream:
            stream.write(text)
        os.replace(stream.name, path)
    except OSError as error:
        raise PipelineError(f"{path} cannot be written: {error.strerror}.") from None
