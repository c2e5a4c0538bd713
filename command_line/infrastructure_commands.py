"""The commands that set an account up and remove what they made: bootstrap, environment, teardown."""

import shlex
from argparse import Namespace
from collections.abc import Callable

from command_line.context import Context
from infrastructure.bootstrap import Bootstrap, outputs_of
from infrastructure.errors import InfrastructureError
from infrastructure.stacks import Stage, environment_of, read_stage
from infrastructure.teardown import Clients, bills, tear_down
from pipelines.exit_codes import EXIT_OK


def bootstrap_stage(context: Context, options: Namespace) -> int:
    """bootstrap"""
    stage = _stage(context, options)
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
    stage = _stage(context, options)
    cloudformation, outputs = context.client("cloudformation"), dict[str, str]()
    for stack in stage.stacks:
        outputs |= outputs_of(cloudformation, stack.name)
    found = environment_of(outputs, stage.given)
    if not found:
        raise InfrastructureError(
            f"The stage {stage.name} has no outputs in {context.environment.region}: "
            f"set it up with `make bootstrap STAGE={stage.name}`, or check AWS_REGION and AWS_PROFILE."
        )
    for line in _exports(found):
        print(line)
    return EXIT_OK


def teardown_stage(context: Context, options: Namespace) -> int:
    """teardown"""
    stage = _stage(context, options)
    clients = Clients(context.client("cloudformation"), context.sagemaker)
    found = list(bills(clients, stage))
    context.console.line("What still bills:" if found else "Nothing of this stage bills any more.")
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


def _stage(context: Context, options: Namespace) -> Stage:
    if context.local:
        raise InfrastructureError(
            f"{options.command} is for an AWS account: local SageMaker needs no bucket, role or build beforehand."
        )
    return read_stage(context.settings.name, options.stage)


def _exports(variables: dict[str, str]) -> list[str]:
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
