"""The command line deploy_model.py: which commands there are, and what it connects them to."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployment.life_cycle import IN_SERVICE, REPLACED, ROLLED_BACK

if TYPE_CHECKING:
    from pipelines.settings.settings import Settings

PROJECT = Path(__file__).resolve().parents[1]
LOCAL_POLL_SECONDS = 0.1
AWS_POLL_SECONDS = 10.0
LOCK_SECONDS = 3 * 3600.0  # the build's own limit: a deployment that still holds the lock then has died

EPILOG = """\
examples:
  deploy_model.py --local deploy --latest-approved --stage staging     on this machine
  deploy_model.py --local predict --stage staging house.json           one prediction
  deploy_model.py deploy --model-package ARN --stage production --sample house.json
                                       on AWS; undone unless the model answers the sample
  cat houses.csv | deploy_model.py predict --stage staging - --content-type text/csv
  deploy_model.py rollback --stage production                          back to what served before
  deploy_model.py status                                               every stage

stages and their machines are in the settings file (stages: ...); the endpoint is NAME-STAGE.

environment:
  SAGEMAKER_SERVING_ROLE_ARN              the role of the endpoint's containers; SAGEMAKER_ROLE_ARN where it is not set
  SAGEMAKER_BUCKET                        the project's bucket: one change of an endpoint at a time holds its lock
  SAGEMAKER_KMS_KEY, SAGEMAKER_SUBNETS, SAGEMAKER_SECURITY_GROUP_IDS   optional
  AWS_REGION                              region, us-east-1 where it is not set
  SAGEMAKER_LOCAL_PORT, SAGEMAKER_LOCAL_STATE   port (5599) and state folder (.sagemaker) of local SageMaker

exit codes:
  0 done   1 error   2 wrong arguments   130 stopped by Ctrl-C (SageMaker goes on with what was begun)
"""


def build_parser() -> argparse.ArgumentParser:
    """The arguments of every command."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--local", action="store_true", help="local SageMaker: no request leaves this machine")
    common.add_argument("--config", type=Path, metavar="FILE", help="settings (pipelines/house_prices.yaml)")
    parser = argparse.ArgumentParser(
        prog="deploy_model.py",
        parents=[common],
        description="Brings an approved version of the model to an endpoint, and back.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, stage_required: bool = True) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, parents=[common])
        added.add_argument("--stage", required=stage_required, metavar="STAGE", help="such as staging")
        added.add_argument("--json", action="store_true", help="print JSON, for a script")
        return added

    deploy = command("deploy", "bring an approved version to the endpoint of a stage; twice changes nothing")
    which = deploy.add_mutually_exclusive_group(required=True)
    which.add_argument("--model-package", metavar="ARN", help="this version: ARN or number")
    which.add_argument("--latest-approved", action="store_true", help="the newest version that is approved")
    deploy.add_argument("--sample", metavar="FILE", help="a request the model must answer; else it is undone")
    predict = command("predict", "send a JSON or CSV file to the endpoint of a stage and print the predictions")
    predict.add_argument("file", metavar="FILE", help="a .json or .csv file, or - for standard input")
    predict.add_argument("--content-type", metavar="TYPE", help="application/json or text/csv")
    command("rollback", "return to what the endpoint of a stage served before")
    command("status", "what the endpoints of the stages serve", stage_required=False)
    return parser


class Session:
    """What a command works with: settings, clients, and where it prints."""

    def __init__(self, options: argparse.Namespace, log_folder: Path | None) -> None:
        from command_line.console import Console
        from pipelines.settings.environment import Environment
        from pipelines.settings.settings import default_config, load_settings

        self.local: bool = getattr(options, "local", False)
        self.config: Path | None = getattr(options, "config", None)
        self.settings: Settings = load_settings(self.config or default_config())
        self.environment = Environment.from_env()
        self.console: Console = Console(json_output=options.json)
        self._log_folder = log_folder

    def client(self, service: str) -> Any:
        """A boto3 client."""
        from pipelines.aws_client import make_client

        return make_client(service, self.environment.region)

    def command(self, script: str, words: str) -> str:
        """A command that the person can paste."""
        from command_line.console import command_line

        return f"{command_line(script, local=self.local, config=self.config)} {words}"

    def endpoint(self, stage: str) -> str:
        """The endpoint of a stage that the settings have."""
        from deployment.errors import DeploymentError

        if stage not in self.settings.stages:
            known = ", ".join(self.settings.stages) or "none"
            raise DeploymentError(f"There is no stage {stage}: the settings have {known} (stages: in the YAML).")
        return f"{self.settings.name}-{stage}"

    def log(self, endpoint: str) -> str:
        """Where a person finds the log of an endpoint."""
        from deployment.endpoint import endpoint_log

        return endpoint_log(endpoint, self._log_folder)

    def predictor(self, endpoint: str, stage: str, payload: Any) -> Any:
        """What sends a payload to an endpoint when it is called."""
        from deployment.predict import predict

        return partial(
            predict,
            self.client("sagemaker-runtime"),
            self.client("sagemaker"),
            endpoint,
            payload,
            self.command("deploy_model.py", f"deploy --latest-approved --stage {stage}"),
            self.log(endpoint),
        )

    def alone(self, endpoint: str) -> AbstractContextManager[None]:
        """The only one of these commands that changes an endpoint, while the block runs."""
        from command_line.lock import Lock, held
        from deployment.errors import DeploymentError
        from pipelines.publishing.publish import create_bucket_if_local

        if "SAGEMAKER_BUCKET" in self.environment.placeholders and not self.local:
            raise DeploymentError("Set SAGEMAKER_BUCKET to the project's bucket, or use --local.")
        s3 = self.client("s3")
        if self.local:
            create_bucket_if_local(s3, self.environment)
        lock = Lock(self.environment.bucket, self.settings.name, endpoint, LOCK_SECONDS, LOCK_SECONDS)
        return held(s3, lock, self.console.line)

    @property
    def waiting(self) -> Any:
        """How often to look at an endpoint that changes."""
        from deployment.endpoint import Waiting

        return Waiting(LOCAL_POLL_SECONDS if self.local else AWS_POLL_SECONDS)


def deploy(session: Session, options: argparse.Namespace) -> None:
    """deploy"""
    from deployment.deploy import Deployment
    from deployment.packages import latest_approved_package, named_package
    from deployment.predict import read_payload
    from deployment.specification import Specification

    endpoint, sagemaker = session.endpoint(options.stage), session.client("sagemaker")
    hosting = _hosting(session, options.stage)
    sample = read_payload(options.sample, None, sys.stdin.buffer) if options.sample else None
    approve, group = session.command("run_pipeline.py", "approve"), session.settings.name
    if options.latest_approved:
        package = latest_approved_package(sagemaker, group, approve)
    else:
        package = named_package(sagemaker, group, options.model_package, approve)
    console = session.console
    console.line(
        f"Version {package.version} of {group} to {endpoint}, {hosting.instance_count} x {hosting.instance_type}"
    )
    specification = Specification(endpoint, options.stage, package, hosting)
    deployment = Deployment(sagemaker, specification, session.waiting, console.line, session.log(endpoint))
    _require_four_eyes(session, package)
    before = _versions(session, endpoint)
    with session.alone(endpoint):
        deployed = deployment.run(session.predictor(endpoint, options.stage, sample) if sample else None)
    if deployed.action != "unchanged":
        _enter(session, options.stage, [package.arn], IN_SERVICE, f"on {endpoint}")
        _enter(session, options.stage, before - {package.arn}, REPLACED, f"by version {package.version} on {endpoint}")
    if console.json_output:
        console.document({**asdict(deployed), "version": package.version, "model_package": package.arn})
        return
    if deployed.action == "unchanged":
        console.line(f"{endpoint} already serves version {package.version} in just this way: nothing changed.")
    else:
        console.line(f"{endpoint} serves version {package.version} ({deployed.action}).", style="green")
    console.line(f"{sample.name} was answered." if sample else "Not tried with a request: --sample FILE does that.")


def predict(session: Session, options: argparse.Namespace) -> None:
    """predict"""
    from deployment.predict import read_payload
    from pipelines.versions.evaluation_report import amount

    endpoint = session.endpoint(options.stage)
    payload = read_payload(options.file, options.content_type, sys.stdin.buffer)
    answer = session.predictor(endpoint, options.stage, payload)()
    data = session.settings.data
    numbers = answer.predictions()
    if options.json or numbers is None:
        print(answer.body.rstrip("\n"))
        return
    unit, intervals = data.columns[data.target].unit, answer.intervals()
    for row, number in enumerate(numbers):
        text = amount(number, unit)
        if intervals is not None:
            bounds, coverage = intervals
            text += f"  ({coverage:.0%} interval: {' to '.join(amount(bound, unit) for bound in bounds[row])})"
        session.console.line(text)


def rollback(session: Session, options: argparse.Namespace) -> None:
    """rollback"""
    from deployment.rollback import rollback as roll_back

    endpoint, console = session.endpoint(options.stage), session.console
    log = session.log(endpoint)
    before = _versions(session, endpoint)
    with session.alone(endpoint):
        outcome = roll_back(session.client("sagemaker"), endpoint, session.waiting, console.line, log)
    now = _versions(session, endpoint)
    _enter(session, options.stage, now, IN_SERVICE, f"on {endpoint}, after a rollback")
    _enter(session, options.stage, before - now, ROLLED_BACK, f"on {endpoint}")
    if console.json_output:
        console.document(asdict(outcome))
        return
    versions = ", ".join(map(str, outcome.versions))
    console.line(
        f"{endpoint} serves version {versions} again ({outcome.config}); it left {outcome.left}.", style="green"
    )


def status(session: Session, options: argparse.Namespace) -> None:
    """status"""
    from command_line.console import Table, moment
    from deployment.serving import stage_status
    from pipelines.watching.executions import timestamp

    sagemaker = session.client("sagemaker")
    stages = [options.stage] if options.stage else list(session.settings.stages)
    found = [stage_status(sagemaker, stage, session.endpoint(stage)) for stage in stages]
    rows = [
        (each.stage, each.endpoint, each.status, each.versions_text, moment(each.since), each.instances or "-")
        for each in found
    ]
    documents = [{**asdict(each), "since": timestamp(each.since)} for each in found]
    columns = ("STAGE", "ENDPOINT", "STATUS", "VERSION", "SINCE", "INSTANCES")
    session.console.show(Table(columns, rows, documents, "The settings have no stages."))
    for each in found:
        if each.failure_reason and not options.json:
            session.console.line(f"{each.endpoint}: {each.failure_reason}", style="red")


def _require_four_eyes(session: Session, package: Any) -> None:
    """An approval by another way than `approve` does not go around what the settings ask for."""
    from pipelines.versions.four_eyes import decider, makers, require_another

    if session.settings.approval.four_eyes:
        sagemaker = session.client("sagemaker")
        described = sagemaker.describe_model_package(ModelPackageName=package.arn)
        require_another(decider(described), makers(sagemaker, described), package.version)


def _versions(session: Session, endpoint: str) -> set[str]:
    """The ARNs of the versions that an endpoint serves."""
    from deployment.endpoint import describe_endpoint
    from deployment.serving import packages_of_config

    sagemaker = session.client("sagemaker")
    found = describe_endpoint(sagemaker, endpoint)
    config = found.get("EndpointConfigName") if found else None
    return set(packages_of_config(sagemaker, config)) if config else set()


def _enter(session: Session, stage: str, packages: Iterable[str], status: str, why: str) -> None:
    """Write into the registry where versions are now; who decided over them stays known."""
    from command_line.identity import who_am_i
    from deployment.life_cycle import enter
    from pipelines.versions.four_eyes import CHANGED_BY, DECIDED_BY, decider

    sagemaker = session.client("sagemaker")
    account = session.environment.role_arn.split(":")[4]
    for arn in packages:
        if arn.split(":")[4] != account and not session.local:
            continue  # another account's registry, which this one may only read
        decided = decider(sagemaker.describe_model_package(ModelPackageName=arn))
        kept = {DECIDED_BY: decided} if decided else {}
        enter(sagemaker, arn, stage, status, why, {**kept, CHANGED_BY: who_am_i(session.client("sts"))})


def _hosting(session: Session, stage: str) -> Any:
    from deployment.errors import DeploymentError
    from deployment.specification import Hosting

    environment, machines = session.environment, session.settings.stages[stage]
    has_role = environment.serving_role_arn or "SAGEMAKER_ROLE_ARN" not in environment.placeholders
    if not has_role and not session.local:
        raise DeploymentError(
            "Set SAGEMAKER_SERVING_ROLE_ARN to the role of the endpoint's containers, or use --local."
        )
    return Hosting(
        machines.instance_type,
        machines.instance_count,
        environment.serving_role_arn or environment.role_arn,
        environment.kms_key,
        environment.subnets,
        environment.security_group_ids,
    )


COMMANDS = {"deploy": deploy, "predict": predict, "rollback": rollback, "status": status}


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, point boto3 at local SageMaker if asked to, run the command, and return the exit code."""
    options = build_parser().parse_args(arguments)
    from command_line.console import run_command
    from deployment.errors import DeploymentError
    from local_sagemaker.errors import LocalSageMakerError
    from pipelines.errors import PipelineError
    from pipelines.exit_codes import EXIT_OK

    def run() -> int:
        log_folder = None
        if getattr(options, "local", False):
            from local_sagemaker.client.lifecycle import use_local

            server = use_local(PROJECT / ".sagemaker", announce=lambda text: print(text, file=sys.stderr))
            log_folder = server.state / "endpoints"
        COMMANDS[options.command](Session(options, log_folder), options)
        return EXIT_OK

    return run_command(run, expected=(DeploymentError, PipelineError, LocalSageMakerError))
