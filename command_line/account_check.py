"""`check --account`: what of the account would stop a run of these settings, as faults; what is unknown as warnings."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from command_line.permission_check import account_of
from infrastructure.account_check import Wanted, account_findings, instances_of
from pipelines.checks.fault import Fault
from pipelines.document.walk import steps, values
from pipelines.settings.environment import Environment
from pipelines.settings.settings import Settings


def account_faults(
    client: Callable[[str], Any], definition: Mapping[str, Any], settings: Settings, environment: Environment
) -> Iterator[tuple[bool, Fault]]:
    """Each finding as a fault, and whether it is known to be one; AWS is asked, and only read."""
    wanted = Wanted(
        account=replace(
            account_of(settings.name, environment, settings.query), stage=stage_of(environment.role_arn, settings.name)
        ),
        role_arn=environment.role_arn,
        serving_role_arn=environment.serving_role_arn,
        images=tuple(dict.fromkeys(_images(definition))),
        subnets=environment.subnets,
        instances=instances_wanted(settings),
    )
    for finding in account_findings(client, wanted):
        yield finding.known, Fault(None, f"account.{finding.about}", finding.message, finding.fix)


def instances_wanted(settings: Settings) -> dict[tuple[str, str], int]:
    """How many instances the settings want, by use and type."""
    jobs, at_once = settings.jobs, settings.tuning.max_parallel_jobs if settings.tuning else 1
    return instances_of(
        {
            "training": (jobs.training.instance_type, jobs.training.instance_count * at_once),
            "processing": (jobs.processing.instance_type, jobs.processing.instance_count),
        },
        [(stage.instance_type, stage.instance_count) for stage in settings.stages.values()],
    )


def stage_of(role_arn: str, project: str) -> str:
    """The stage whose role it is, such as dev of NAME-dev-execution; dev for a role of another name."""
    found = re.fullmatch(rf"{re.escape(project)}-(?P<stage>[a-z0-9-]+)-execution", role_arn.rpartition("/")[2])
    return found["stage"] if found else "dev"


def _images(definition: Mapping[str, Any]) -> Iterator[str]:
    """The images in Amazon ECR that the steps name."""
    for step in steps(definition):
        for found in values(step):
            if isinstance(found.value, str) and ".dkr.ecr." in found.value:
                yield found.value
