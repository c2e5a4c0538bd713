"""Whether the roles of infrastructure/roles.yaml may do what the steps do, and what each role was recorded doing."""

import json
from collections.abc import Iterator
from pathlib import Path

from infrastructure.permissions import PIPELINE_ROLE, Lack, lacks_of_roles, lacks_of_step, pipeline_role
from infrastructure.roles import ROLES, Account, roles
from pipelines.checks.fault import Fault
from pipelines.document.cache_forecast import defaults, resolved
from pipelines.document.walk import OPERATIONS, steps
from pipelines.settings.environment import Environment
from pipelines.settings.query_settings import QuerySettings


def permission_faults(
    text: str,
    project: str,
    environment: Environment,
    template: Path = ROLES,
    query: QuerySettings | None = None,
) -> Iterator[Fault]:
    """A fault for each action that a role lacks: for a step of the definition, else for what it was recorded doing."""
    account = account_of(project, environment, query)
    known = roles(account, template)
    definition = readable(text)
    values, told = defaults(definition), set[tuple[str, str]]()
    for step in steps(definition):
        if step.type in OPERATIONS:
            arguments = resolved(step.arguments, values)
            for lack in lacks_of_step(OPERATIONS[step.type], arguments, pipeline_role(known), account):
                told.add((lack.role.logical_id, lack.access.action))
                yield _fault(lack, template, step.name, step.path)
    for lack in lacks_of_roles(account, known):
        # What a step already names is not told a second time.
        if not (lack.role.logical_id == PIPELINE_ROLE and (PIPELINE_ROLE, lack.access.action) in told):
            yield _fault(lack, template, None, f"{template.parent.name}/{template.name}")


def account_of(project: str, environment: Environment, query: QuerySettings | None = None) -> Account:
    """The account, region, bucket, key and network of the environment, and what the YAML's query asks of the roles."""
    return Account(
        account=environment.role_arn.split(":")[4],
        region=environment.region,
        project=project,
        bucket=environment.bucket,
        kms_key=environment.kms_key,
        in_vpc=bool(environment.subnets),
        query=query_parameters(query, environment.role_arn.split(":")[1]),
    )


def query_parameters(query: QuerySettings | None, partition: str = "aws") -> dict[str, str]:
    """The parameters of infrastructure/query.yaml for a query; none without one."""
    if query is None:
        return {}
    places = [uri.removeprefix("s3://").partition("/") for uri in query.reads]
    folders = [(bucket, f"{key.rstrip('/')}/".lstrip("/")) for bucket, _, key in places]
    return {
        "QueryDatabase": query.database,
        "QueryCatalog": query.catalog,
        "QueryWorkGroup": query.work_group,
        "QueryFiles": ",".join(f"arn:{partition}:s3:::{bucket}/{folder}*" for bucket, folder in folders),
        "QueryBuckets": ",".join(dict.fromkeys(f"arn:{partition}:s3:::{bucket}" for bucket, _ in folders)),
        "QueryPrefixes": ",".join(dict.fromkeys(f"{folder.rstrip('/')}*" for _, folder in folders)),
    }


def _fault(lack: Lack, template: Path, step: str | None, path: str) -> Fault:
    role, access = lack.role.logical_id, lack.access
    needed = "" if step else f", which {lack.needed_by} needs"
    place = f"{role} of {template.parent.name}/{template.name}"
    message = f"the role {place} may not do {access.action} on {access.resource}{needed}"
    return Fault(step, path, message, f"add {access.action} to the policies of {role}")


def readable(text: str) -> dict[str, object]:
    """A definition, empty where the text is not one, which another check reports."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
