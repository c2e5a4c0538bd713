"""The arguments of deploy_model.py."""

import argparse
from collections.abc import Callable
from datetime import date, datetime, time, timezone
from pathlib import Path

EPILOG = """\
examples:
  deploy_model.py --local deploy --latest-approved --stage staging     on this machine
  deploy_model.py --local predict --stage staging house.json           one prediction
  deploy_model.py deploy --model-package ARN --stage staging --sample house.json
                                       on AWS; undone unless the model answers the sample
  cat houses.csv | deploy_model.py predict --stage staging - --content-type text/csv
  deploy_model.py deploy --latest-approved --stage staging --plan      what it would send, and how long it takes
  deploy_model.py diff 7 8                                             what would change, on captured requests
  deploy_model.py deploy --shadow 8 --stage production                 copies of the requests to a second version
  deploy_model.py compare --stage production                           the answers of both, compared
  deploy_model.py batch --version 7 houses.csv predicted.csv           a whole file, without an endpoint
  deploy_model.py batch --version 7 sales/ predicted/ --instance-count 4
                                       a folder of Parquet files, on four hosts
  deploy_model.py promote --from staging --to production               what staging has proven
  deploy_model.py abort --stage staging                                roll back the update in progress
  deploy_model.py pause --stage staging                                keep a weighted shift where it is; resume goes on
  deploy_model.py withdraw --model-package ARN                         wherever a rejected version serves
  deploy_model.py rollback --stage production [--to VERSION]           back to what served before
  deploy_model.py loadtest --stage staging house.json --latency-ms 200 the largest rate within 200 ms
  deploy_model.py status [--follow]                                    every stage, its history, deployments in progress

stages and their machines are in the settings file (stages: ...); the endpoint is NAME-STAGE.

environment:
  SAGEMAKER_SERVING_ROLE_ARN              the role of the endpoint's containers; SAGEMAKER_ROLE_ARN if it is not set
  SAGEMAKER_REMOVAL_ROLE_ARN              the role that removes a stage with remove_after
  SAGEMAKER_BUCKET                        the bucket of captured requests and answers, and of the endpoints' locks
  SAGEMAKER_KMS_KEY, SAGEMAKER_SUBNETS, SAGEMAKER_SECURITY_GROUP_IDS   optional
  AWS_REGION                              region; us-east-1 if it is not set
  SAGEMAKER_LOCAL_PORT, SAGEMAKER_LOCAL_STATE   port (5599) and state folder (.sagemaker) of local SageMaker

exit codes:
  0 done   1 error   2 wrong arguments   3 rolled back   4 inconclusive, therefore rolled back
  130 stopped by Ctrl-C (SageMaker finishes what was started)
"""


Command = Callable[..., argparse.ArgumentParser]  # adds a command by its name and its help


def build_parser() -> argparse.ArgumentParser:
    """The arguments of every command."""
    common = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
    common.add_argument("--local", action="store_true", help="local SageMaker: no request leaves this machine")
    common.add_argument("--config", type=Path, metavar="FILE", help="settings (pipelines/house_prices.yaml)")
    parser = argparse.ArgumentParser(
        prog="deploy_model.py",
        parents=[common],
        add_help=False,
        description="Deploys an approved version of the model to an endpoint, and rolls it back.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, stage_required: bool = True) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, parents=[common], add_help=False)
        added.add_argument("--stage", required=stage_required, metavar="STAGE", help="such as staging")
        added.add_argument("--json", action="store_true", help="print JSON for scripts")
        return added

    deploy = _add_deploy(command)
    _add_requests(command)
    promote = commands.add_parser(
        "promote", help="deploy the version of one stage to the next stage", parents=[common], add_help=False
    )
    _add_promote(promote)
    for each in (deploy, promote):
        each.add_argument(
            "--despite-freeze",
            metavar="REASON",
            help="deploy although the stage is frozen; the history keeps the reason",
        )
    _add_diff(command)
    _add_compare(command)
    _add_batch(
        commands.add_parser("batch", help="predict a whole file with a version", parents=[common], add_help=False)
    )
    command("abort", "roll back the guarded update or weighted shift in progress on a stage")
    command("pause", "hold a weighted shift at its current weights; SageMaker's own updates cannot be paused")
    command("resume", "continue a paused weighted shift")
    _add_care(command)
    return parser


def _add_promote(promote: argparse.ArgumentParser) -> None:
    promote.add_argument("--from", dest="source", required=True, metavar="STAGE", help="such as staging")
    promote.add_argument("--to", dest="stage", required=True, metavar="STAGE", help="such as production")
    promote.add_argument(
        "--sample", metavar="FILE", help="a request that the model must answer, or the deployment is undone"
    )
    promote.add_argument("--json", action="store_true", help="print JSON for scripts")


def _add_care(command: Command) -> None:
    """The commands about what is deployed."""
    retire = command("retire", "delete old configurations and models of a stage, except those in use")
    retire.add_argument("--keep", type=int, default=5, metavar="N", help="how many of the last configurations stay (5)")
    rollback = command("rollback", "return the endpoint of a stage to its previous configuration")
    rollback.add_argument("--to", metavar="VERSION", help="to the last configuration with this version")
    withdraw = command(
        "withdraw", "roll back the stages that serve a version that is no longer approved", stage_required=False
    )
    withdraw.add_argument("--model-package", required=True, metavar="ARN", help="this version: ARN or number")
    status = command("status", "show what the endpoints of the stages serve", stage_required=False)
    status.add_argument(
        "--follow", action="store_true", help="with the history; follows a deployment in progress to its end"
    )
    command("logs", "print the log of the newest deployment of a stage by a build")


def _add_deploy(command: Command) -> argparse.ArgumentParser:
    deploy = command("deploy", "deploy an approved version to the endpoint of a stage; a repeated call changes nothing")
    which = deploy.add_mutually_exclusive_group(required=True)
    which.add_argument("--model-package", metavar="ARN", help="this version: ARN or number")
    which.add_argument("--shadow", metavar="VERSION", help="send copies of the requests to this version")
    which.add_argument("--latest-approved", action="store_true", help="the newest approved version")
    deploy.add_argument(
        "--approved-at", metavar="TIME", help="the time of the approval event; nothing is deployed if it is out of date"
    )
    deploy.add_argument(
        "--plan", action="store_true", help="only print what would be sent, how long it takes and what it costs"
    )
    deploy.add_argument(
        "--sample", metavar="FILE", help="a request that the model must answer, or the deployment is undone"
    )
    return deploy


def _add_diff(command: Command) -> None:
    diff = command("diff", "show what would change if one version replaced another", stage_required=False)
    diff.add_argument("old", metavar="OLD", help="the version that serves: its number, or ARN")
    diff.add_argument("new", metavar="NEW", help="the version that would replace it, approved or not")
    diff.add_argument("--since", type=_day, metavar="DAY", help="requests captured since this day, UTC (yesterday)")
    diff.add_argument("--test", action="store_true", help="compare on the test part of NEW even if there are requests")
    diff.add_argument(
        "--percent", type=_positive(float), default=10.0, metavar="P", help="the difference in percent that counts (10)"
    )


def _add_requests(command: Command) -> None:
    """The commands that send requests to an endpoint."""
    predict = command("predict", "send a JSON or CSV file to the endpoint of a stage and print the predictions")
    predict.add_argument("file", metavar="FILE", help="a .json or .csv file, or - for standard input")
    predict.add_argument(
        "--inference-id", metavar="ID", help="joins the price with this request later: see run_pipeline.py truth"
    )
    predict.add_argument("--content-type", metavar="TYPE", help="application/json or text/csv")
    predict.add_argument("--comparables", action="store_true", help="with the training rows most like each one")
    predict.add_argument("--reasons", action="store_true", help="with what each feature adds to the prediction")
    predict.add_argument("--strict", action="store_true", help="refuse rows unlike those that the model learned from")
    load = command("loadtest", "find the largest rate of a stage within a latency goal")
    load.add_argument("file", metavar="FILE", help="the request: a .json or .csv file, or - for standard input")
    load.add_argument("--content-type", metavar="TYPE", help="application/json or text/csv")
    load.add_argument("--latency-ms", type=_positive(float), default=500.0, metavar="MS", help="99th percentile (500)")
    load.add_argument("--clients", type=_positive(int), default=32, metavar="N", help="the most at once (32)")
    load.add_argument("--step-seconds", type=_positive(float), default=5.0, metavar="S", help="of each number (5)")
    load.add_argument("--requests", type=_positive(int), default=20_000, metavar="N", help="the most in all (20000)")


def _positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    """A type of arguments: a number above 0."""

    def number(text: str) -> float:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
        return value

    return number


def _add_compare(command: Command) -> None:
    compare = command(
        "compare", "compare the answers of a stage's shadow with those of the serving version; writes a page"
    )
    compare.add_argument("--since", type=_day, metavar="DAY", help="only of this day and later, UTC")
    compare.add_argument(
        "--percent", type=_positive(float), default=10.0, metavar="P", help="the difference in percent that counts (10)"
    )


def _add_batch(batch: argparse.ArgumentParser) -> None:
    batch.description = (
        "Predicts a whole file (batch transform) or a folder of Parquet files (processing job) with a version, without "
        "an endpoint."
    )
    batch.add_argument("--version", required=True, metavar="N", help="an approved version: its number, or ARN")
    batch.add_argument(
        "input",
        metavar="INPUT",
        help="a .csv file with a header or a .json file, or s3://BUCKET/KEY; or a folder of .parquet files, or "
        "s3://BUCKET/FOLDER/",
    )
    batch.add_argument(
        "output",
        metavar="OUTPUT",
        help="the input and its predictions: a .csv file, or s3://BUCKET/KEY; for Parquet a new folder, or "
        "s3://BUCKET/FOLDER/, which gets a file for each of the input",
    )
    batch.add_argument(
        "--stage",
        metavar="STAGE",
        help="keep the predictions of a file with what this stage captured: the monitoring sees them",
    )
    batch.add_argument(
        "--instance-type",
        metavar="TYPE",
        help="of the machines (ml.m5.large; for Parquet that of the version's evaluation)",
    )
    batch.add_argument(
        "--instance-count",
        type=_positive(int),
        default=1,
        metavar="N",
        help="how many (1); each scores its share of the Parquet files",
    )
    batch.add_argument("--json", action="store_true", help="print JSON for scripts")


def _day(text: str) -> datetime:
    """A type of arguments: a day, from its beginning in UTC."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), timezone.utc)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a day such as 2026-12-24") from None
