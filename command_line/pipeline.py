"""The command line run_pipeline.py: which commands there are, and what it connects them to."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

OFFLINE = ("init", "definition", "check", "sample")
LATEST = "latest"  # the execution that is meant where none is named
PLACEHOLDERS = """Prints the pipeline's definition; makes no network call. Where SAGEMAKER_ROLE_ARN, SAGEMAKER_BUCKET
and AWS_REGION are not set, placeholders are used: arn:aws:iam::000000000000:role/SageMakerPipelineRole,
sagemaker-us-east-1-000000000000 and us-east-1."""
EPILOG = """\
examples:
  run_pipeline.py init mine.csv --target price                   a YAML for another table, to review
  run_pipeline.py --local run --data data/house_prices.parquet   the whole pipeline on this machine
  run_pipeline.py --local run -p MaxDepth=4                      the same with another hyperparameter
  run_pipeline.py --local approve 1 --comment "looks right"      then: deploy_model.py --local deploy ...
  run_pipeline.py --local monitor --since 2015-03-01 --until 2015-04-01   is the model still accurate?
  run_pipeline.py check && run_pipeline.py plan                  faults, and what would change
  run_pipeline.py upsert && run_pipeline.py start --wait         on AWS

environment:
  SAGEMAKER_ROLE_ARN, SAGEMAKER_BUCKET   the jobs' role and bucket; needed on AWS. The defaults are
                                         placeholders of the account 000000000000 (region us-east-1)
  SAGEMAKER_KMS_KEY, SAGEMAKER_SUBNETS, SAGEMAKER_SECURITY_GROUP_IDS, SAGEMAKER_MONITORING_FUNCTIONS   optional
  AWS_REGION                             region; us-east-1 if it is not set
  SAGEMAKER_LOCAL_PORT, SAGEMAKER_LOCAL_STATE   port (5599) and state folder (.sagemaker) of local SageMaker

exit codes:
  plan: 0 nothing would change   1 error   2 something would change, or wrong arguments
  check: 0 no faults   1 faults, or an error
  reproduce --local: 0 the same metrics   1 other metrics, or an error   3 the execution failed
  0 done   1 error   2 wrong arguments   3 the execution failed (or: local status finds no server)
  130 stopped by Ctrl-C
"""


Command = Callable[..., argparse.ArgumentParser]  # adds a command by its name and its help


def build_parser() -> argparse.ArgumentParser:
    """The arguments of every command."""
    common = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
    common.add_argument("--local", action="store_true", help="local SageMaker: no request leaves this machine")
    common.add_argument("--config", type=Path, metavar="FILE", help="settings (pipelines/house_prices.yaml)")
    common.add_argument("--pipeline", metavar="NAME", help="one of the settings' pipelines; the first if not given")
    listing = argparse.ArgumentParser(add_help=False)
    listing.add_argument("--json", action="store_true", help="print JSON for scripts")
    parser = argparse.ArgumentParser(
        prog="run_pipeline.py",
        parents=[common],
        add_help=False,
        description="Builds, runs and watches the training pipeline, on AWS or with --local on this machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[common, *parents], add_help=False)

    _add_definition_commands(command, listing)
    _add_execution_commands(command, listing)
    _add_version_commands(command, listing)
    _add_sample_and_studio(command)
    _add_monitoring_commands(command, listing)
    _add_account_commands(command)
    local = command("local", "start, stop, inspect, back up or repair local SageMaker")
    local.add_argument("action", choices=["up", "down", "status", "doctor", "backup", "restore"])
    local.add_argument(
        "options", nargs=argparse.REMAINDER, help="options of the action: python -m local_sagemaker ACTION --help"
    )
    return parser


def _add_definition_commands(command: Command, listing: argparse.ArgumentParser) -> None:
    """The commands about the YAML and the definition that is made of it."""
    init = command("init", "write the first version of a YAML from a data file")
    init.add_argument("data", type=Path, metavar="DATA", help="a CSV or Parquet file")
    init.add_argument("--target", metavar="COLUMN", help="the column to predict; guessed if not given")
    init.add_argument("--encoding", metavar="NAME", help="of a CSV file, such as cp1251; found if not given")
    init.add_argument("--output", type=Path, metavar="FILE", help="the YAML (NAME.yaml, after the data file)")
    init.add_argument("--force", action="store_true", help="replace an existing file")
    definition = command("definition", "print the pipeline's definition; makes no network call")
    definition.description, definition.formatter_class = PLACEHOLDERS, argparse.RawDescriptionHelpFormatter
    definition.add_argument("--output", type=Path, metavar="FILE", help="write it to a file")
    check = command("check", "report every fault of the definition, offline, before anything is published", listing)
    check.add_argument(
        "--definition", type=Path, metavar="FILE", help="check this definition instead of the compiled one"
    )
    check.add_argument("--data", type=Path, metavar="PATH", help="also check this data file or folder, locally")
    check.add_argument("--account", action="store_true", help="also check the AWS account, read-only")
    check.add_argument("--captured", metavar="STAGE", help="verify in S3 that a stage has captured no personal columns")
    plan = command("plan", "show what an upsert would change, and which steps would run again")
    plan.add_argument("--data", type=Path, metavar="PATH", help="also what the steps need for this file or folder")
    form = plan.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON for scripts")
    form.add_argument("--markdown", action="store_true", help="print Markdown, for a pull request comment")
    upsert = command("upsert", "publish the code, then create or update the pipeline")
    upsert.add_argument("--force", action="store_true", help="replace even a newer deployment")


def _share(text: str) -> float:
    """An argparse type: a share of the rows as people write it, 1%."""
    number, sign, rest = text.partition("%")
    try:
        share = float(number) / 100
    except ValueError:
        share = 0.0
    if not sign or rest or not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share of the rows such as 1%")
    return share


def _add_execution_commands(command: Command, listing: argparse.ArgumentParser) -> None:
    """The commands about executions."""
    values = argparse.ArgumentParser(add_help=False)
    values.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a pipeline parameter; repeatable",
    )
    start = command("start", "start an execution of the deployed pipeline", values, listing)
    start.add_argument("--wait", action="store_true", help="follow it to the end")
    run = command("run", "upload data if given, upsert, start, follow to the end", values)
    run.add_argument("--data", type=Path, metavar="PATH", help="train on this CSV or Parquet file, or folder of them")
    run.add_argument(
        "--rehearse", type=_share, metavar="SHARE", help="first run it all on a share of the rows of --data, 1%% say"
    )
    command("executions", "list the executions of the pipeline", listing)
    for name, text in (("describe", "show an execution and its steps"), ("stop", "stop an execution")):
        _add_execution(command(name, text, *([listing] if name == "describe" else [])))
    logs = command("logs", "print the logs of an execution's jobs")
    _add_execution(logs)
    logs.add_argument("step", nargs="?", metavar="STEP", help="only this step")


def _add_sample_and_studio(command: Command) -> None:
    """A request to try, and the page to try it on."""
    sample = command("sample", "write a request to the model with rows of a data file")
    sample.add_argument("--data", type=Path, required=True, metavar="FILE", help="a file like the training data")
    sample.add_argument("--rows", type=int, choices=range(1, 1001), default=1, metavar="N", help="how many (1)")
    sample.add_argument("--output", type=Path, metavar="FILE", help="write it to a file")
    studio = command("studio", "open a web page with the pipelines, the registry and the endpoints")
    studio.add_argument("--no-open", action="store_true", help="only print its address")
    studio.add_argument("--port", type=int, help="its port on 127.0.0.1 (5600)")
    studio.add_argument("--stop", action="store_true", help="stop the studio of local SageMaker")
    studio.add_argument("--allow-changes", action="store_true", help="allow changes to an AWS account")


def _add_execution(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "execution",
        nargs="?",
        default=LATEST,
        metavar="EXECUTION",
        help="ARN, id, the beginning of one, a display name, or latest (the default)",
    )


def _add_version_commands(command: Command, listing: argparse.ArgumentParser) -> None:
    """The commands about versions of the model."""
    models = command("models", "list the model versions with their metrics, commit and status", listing)
    models.add_argument("--show", metavar="VERSION", help="show one version and its origin")
    report = command("report", "fetch the evaluation report of a version or an execution into reports/, and open it")
    report.add_argument(
        "of",
        nargs="?",
        default=LATEST,
        metavar="VERSION|EXECUTION",
        help="a version by number or ARN; or an execution, even one that rejected its model; the newest if not given",
    )
    report.add_argument("--validation", action="store_true", help="the report on an execution's data instead")
    report.add_argument("--no-open", action="store_true", help="only print where it is")
    reproduce = command("reproduce", "print the commands that rebuild a version; with --local, do it and compare")
    reproduce.add_argument("version", metavar="VERSION", help="number or ARN")
    for name in ("approve", "reject"):
        decision = command(name, f"{name} a model version")
        decision.add_argument("version", metavar="VERSION", help="number or ARN")
        decision.add_argument("--comment", default="", metavar="TEXT", help="kept with the version")


def _add_monitoring_commands(command: Command, listing: argparse.ArgumentParser) -> None:
    """The commands about a model that serves."""
    monitor = command("monitor", "compare sales and requests of a window with the model at registration", listing)
    monitor.add_argument(
        "--stage", metavar="STAGE", help="the stage of the endpoint; the last one of the settings if not given"
    )
    monitor.add_argument("--since", metavar="DATE", help="start of the window, in UTC; the last whole one if not given")
    monitor.add_argument("--until", metavar="DATE", help="end of the window, exclusive; now if only --since is given")
    monitor.add_argument("--data", type=Path, metavar="PATH", help="the file or folder with the new sales")
    drill = monitor.add_argument_group("drills")
    drill.add_argument(
        "--simulate",
        metavar="DRILL",
        help="with --local: price-level=+5%%, schema, unit-change, new-zipcodes, covariate, label-delay or none",
    )
    drill.add_argument("--rows", type=int, metavar="N", help="number of houses (300)")
    drill.add_argument("--seed", type=int, metavar="N", help="seed for drawing the houses (0)")
    known = monitor.add_argument_group("raised checks and schedules")
    known.add_argument("--acknowledge", metavar="CHECK", help="acknowledge a check that the newest window raised")
    known.add_argument("--reason", metavar="TEXT", help="why it is not a problem")
    known.add_argument("--expires", metavar="DATE", help="when the acknowledgement ends, in UTC")
    known.add_argument("--replay", metavar="EXECUTION", help="repeat the decision on an earlier window: id, or latest")
    known.add_argument("--schedule", action="store_true", help="with --local: run automatically for each whole window")
    known.add_argument("--unschedule", action="store_true", help="with --local: end the schedule")
    monitor.add_argument("--no-open", action="store_true", help="only print where the report is")
    truth = command("truth", "store actual prices, to join them with the predictions", listing)
    truth.add_argument("file", type=Path, metavar="FILE", help="CSV: inference_id or the identity, and the target")
    truth.add_argument(
        "--stage", metavar="STAGE", help="the stage of the endpoint; the last one of the settings if not given"
    )


def _add_account_commands(command: Command) -> None:
    """The commands about an AWS account: infrastructure/stages.yaml says what a stage has."""
    bootstrap = command("bootstrap", "set up the stacks of a stage in the AWS account, or show what that would do")
    bootstrap.add_argument("--dry-run", action="store_true", help="print the change sets, and change nothing")
    environment = command(
        "environment", 'print the exports for a shell: eval "$(run_pipeline.py environment --stage dev)"'
    )
    teardown = command("teardown", "list what of a stage still costs money; with --yes, remove it")
    teardown.add_argument("--yes", action="store_true", help="delete the endpoints and the stacks")
    for each in (bootstrap, environment, teardown):
        each.add_argument("--stage", required=True, metavar="STAGE", help="such as dev")
    evidence = command("aws-evidence", "write a redacted record of one run, which docs/aws.md reads")
    _add_execution(evidence)
    evidence.add_argument("--stage", metavar="STAGE", help="the stage of the endpoint; that of approvals if not given")
    evidence.add_argument("--output", type=Path, metavar="FILE", help="the record (docs/evidence/DATE-PIPELINE.json)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, point AWS clients at local SageMaker if asked to, and run the command."""
    options = build_parser().parse_args(arguments)
    local = getattr(options, "local", False)
    from command_line.console import run_command
    from command_line.local_server import HANDLERS, STATE, local_server, require_functions
    from infrastructure.errors import InfrastructureError
    from local_sagemaker.errors import LocalSageMakerError
    from pipelines.errors import PipelineError
    from studio.errors import StudioError

    def run() -> int:
        if options.command == "local":
            from local_sagemaker.__main__ import main as local_sagemaker

            return local_sagemaker([options.action, "--state", str(STATE), *options.options], HANDLERS)
        from command_line.context import Context
        from command_line.pipeline_commands import COMMANDS

        log_folder, notice, server = None, None, None
        asks = getattr(options, "account", False) or getattr(options, "captured", None)
        if local and (options.command not in OFFLINE or asks):
            from local_sagemaker.client.lifecycle import what_keeps_it

            server = local_server()
            if options.command == "monitor":
                require_functions(server)
            log_folder, notice = server.state / "jobs", partial(what_keeps_it, server)
        if options.command == "studio":
            from command_line.studio import open_studio

            return open_studio(options, server)
        context = Context(
            config=getattr(options, "config", None),
            local=local,
            log_folder=log_folder,
            json_output=getattr(options, "json", False),
            chosen_pipeline=getattr(options, "pipeline", None),
            structure_check=_structure_faults,
            notice=notice or (lambda: None),
            server=server,
        )
        return COMMANDS[options.command](context, options)

    return run_command(
        options.command, run, expected=(PipelineError, InfrastructureError, LocalSageMakerError, StudioError)
    )


def _structure_faults(text: str) -> list[tuple[str, str]]:
    """What local SageMaker's checker, which knows nothing of this project, finds in a definition."""
    from local_sagemaker.definition.check import check

    return [(fault.path, fault.message) for fault in check(text)]
