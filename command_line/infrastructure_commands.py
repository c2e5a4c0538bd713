"""The commands that set an account up and remove what they made: bootstrap, environment, teardown.

With --local they are about the roles of a stage alone, in local IAM.
"""

import shlex
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace

from command_line.context import Context
from command_line.permission_check import account_of, query_parameters
from infrastructure.bootstrap import Bootstrap, outputs_of_stage
from infrastructure.errors import InfrastructureError
from infrastructure.local_roles import is_there, put_roles
from infrastructure.roles import Account, role_arn, roles
from infrastructure.stacks import Stage, environment_of, read_stage
from infrastructure.teardown import Clients, bills, tear_down
from local_sagemaker.wire.identity import ACCOUNT
from pipelines.exit_codes import EXIT_OK


def bootstrap_stage(context: Context, options: Namespace) -> int:
    """bootstrap"""
    stage = _stage(context, options.stage)
    if context.local:
        return _bootstrap_locally(context, stage, options.dry_run)
    work = Bootstrap(context.client("cloudformation"), context.client("s3"), stage, context.console.line)
    if options.dry_run:
        work.plan()
        context.console.line("Nothing was changed: leave out --dry-run to apply this.")
        return EXIT_OK
    outputs = work.apply()
    for line in _exports(environment_of(outputs, stage.given)):
        context.console.line(line)
    return EXIT_OK


def print_environment(context: Context, options: Namespace) -> int:
    """environment"""
    stage = _stage(context, options.stage)
    lacking: list[str] = []
    if context.local:
        outputs = _local_outputs(context, _local_account(context, stage))
        way = f"`run_pipeline.py --local bootstrap --stage {stage.name}` makes its roles in local IAM"
    else:
        outputs, lacking = outputs_of_stage(context.client("cloudformation"), stage)
        way = f"set it up with `make bootstrap STAGE={stage.name}`, or check AWS_REGION and AWS_PROFILE"
    found = environment_of(outputs, stage.given)
    if not outputs:
        why = f" ({'; '.join(lacking)})" if lacking else ""
        raise InfrastructureError(f"The stage {stage.name} has no outputs in {context.environment.region}{why}: {way}.")
    for line in lacking:
        print(f"note: {line}: what it gives is missing here.", file=sys.stderr)
    for line in _exports(found):
        print(line)
    return EXIT_OK


def teardown_stage(context: Context, options: Namespace) -> int:
    """teardown"""
    if context.local:
        raise InfrastructureError(
            "teardown is for an AWS account: nothing bills here, and what is kept is in the folder of `local status`."
        )
    stage = _stage(context, options.stage)
    clients = Clients(context.client("cloudformation"), context.sagemaker)
    found = list(bills(clients, stage))
    context.console.line("What still costs money:" if found else "Nothing of this stage costs money any more.")
    for bill in found:
        context.console.line(f"  {bill.what}: {bill.why}")
    if not options.yes:
        context.console.line("Nothing was removed: add --yes to delete the endpoints and the stacks.")
        return EXIT_OK
    tear_down(clients, stage, context.console.line)
    return EXIT_OK


COMMANDS: dict[str, Callable[[Context, Namespace], int]] = {
    "bootstrap": bootstrap_stage,
    "environment": print_environment,
    "teardown": teardown_stage,
}


def _stage(context: Context, name: str) -> Stage:
    """A stage with what the YAML asks of it."""
    partition = context.environment.role_arn.split(":")[1]
    return read_stage(context.settings.name, name, query=query_parameters(context.settings.query, partition))


def _bootstrap_locally(context: Context, stage: Stage, dry_run: bool) -> int:
    """The bucket, and the roles of the template in local IAM; the rest of a stage needs no setting up here."""
    account, console = _local_account(context, stage), context.console
    wanted, iam = roles(account), context.client("iam")
    for name in wanted:
        console.line(f"{name}: {'gets what the template says' if is_there(iam, name) else 'is new'}")
    if dry_run:
        console.line("Nothing was changed: leave out --dry-run to apply this.")
        return EXIT_OK
    context.bucket_client()
    put_roles(iam, wanted.values())
    for line in _exports(environment_of(_local_outputs(context, account), stage.given)):
        console.line(line)
    if context.server is None or not context.server.enforces:
        print(
            "note: this local SageMaker forbids nothing: `run_pipeline.py local down`, then `local up --enforce-iam`.",
            file=sys.stderr,
        )
    return EXIT_OK


def _local_account(context: Context, stage: Stage) -> Account:
    """The account of local SageMaker, whatever account the environment's roles are of."""
    account = account_of(context.settings.name, context.environment, context.settings.query)
    in_vpc = account.in_vpc or bool(stage.given.get("SubnetIds"))
    return replace(account, account=ACCOUNT, stage=stage.name, in_vpc=in_vpc)


def _local_outputs(context: Context, account: Account) -> dict[str, str]:
    """What the stacks would give, where the roles are there."""
    kinds = {"ExecutionRoleArn": "execution", "ServingRoleArn": "serving", "RemovalRoleArn": "removal"}
    names = {output: f"{account.project}-{account.stage}-{kind}" for output, kind in kinds.items()}
    if not is_there(context.client("iam"), names["ExecutionRoleArn"]):
        return {}
    arns = {output: role_arn(account, name) for output, name in names.items()}
    return {"BucketName": account.bucket, **arns, **({"KmsKeyArn": account.key_arn} if account.key_arn else {})}


def _exports(variables: dict[str, str]) -> list[str]:
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
