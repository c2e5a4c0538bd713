"""The calls of each role, as they were recorded: infrastructure/calls.json, the same for every account."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infrastructure.roles import Account
from infrastructure.template import FOLDER
from local_sagemaker.iam.access import Access

CALLS = FOLDER / "calls.json"
# What differs from run to run: names with an execution's id, hashes and numbers.
GENERAL = (
    (re.compile(r"(-job|model)/pipelines-[^/]*$"), r"\1/pipelines-x"),
    (re.compile(r"/execution/[^/]*$"), "/execution/x"),
    (re.compile(r"(/executions/)[^/]+/"), r"\1x/"),
    (re.compile(r"(model-package/[^/]+)/\d+$"), r"\1/1"),
    (re.compile(r"-v\d+-[0-9a-f]{8}(?=$|-)"), "-v1-x"),
    (re.compile(r"-v\d+-\d{14}-[0-9a-f]{4}(?=$|/)"), "-v1-x"),
    (re.compile(r"(:::[^/]+/[^/]+/(?:batch|capture|champion|code|data|definitions|looks|models|wheels))/.+$"), r"\1/x"),
    (re.compile(r"(:::[^/]+/[^/]+/reserve)/.+$"), r"\1/x"),
    (re.compile(r"(:::[^/]+/[^/]+/history/[^/]+)/.+$"), r"\1/x"),
    (re.compile(r"(:::[^/]+/[^/]+/executions)/(?!.+/(?:golden|monitoring)\.json$).+$"), r"\1/x"),
    # A group of an endpoint without a stream stays: metric filters are made on it.
    (
        re.compile(r":log-group:(?!/aws/sagemaker/Endpoints/[^:]+$)(/aws/sagemaker/[^:/]+)(/[^:]*)?(:log-stream:.*)?$"),
        r":log-group:\1:log-stream:x",
    ),
)
# Condition keys that no policy here asks for.
LEFT_OUT = re.compile(
    r"aws:RequestTag/|aws:TagKeys|sagemaker:(CustomerMetadata|Instance|Vpc|Max|Network|Output|Volume)"
)


@dataclass(frozen=True)
class Call:
    """An access that a role, by its kind such as `deploy`, needs for some operations."""

    role: str
    access: Access
    operations: tuple[str, ...]


def general(recorded: Iterable[Mapping[str, Any]], account: Account) -> dict[str, list[dict[str, Any]]]:
    """A record of calls in the form of calls.json: without what was denied, and what differs from run to run."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    prefix = f"{account.project}-{account.stage}-"
    for line in recorded:
        if line.get("denied") or not line["identity"].startswith(prefix):
            continue
        context = {
            key: [value.replace(account.project, "{project}") for value in values]
            for key, values in line.get("context", {}).items()
            if not LEFT_OUT.match(key)
        }
        entry = {"action": line["action"], "resource": _general(line["resource"], account)}
        entry |= {"context": context} if context else {}
        entries = found.setdefault(line["identity"].removeprefix(prefix), {})
        kept = entries.setdefault(json.dumps(entry, sort_keys=True), {**entry, "operations": []})
        if line["operation"] not in kept["operations"]:
            kept["operations"] = sorted([*kept["operations"], line["operation"]])
    return {role: [entries[key] for key in sorted(entries)] for role, entries in sorted(found.items())}


def calls(account: Account) -> Iterator[Call]:
    """Every recorded call, on the resources of an account; without a key and a network, without theirs."""
    document = json.loads(CALLS.read_text(encoding="utf-8"))
    for role, entries in document.items():
        for entry in entries:
            service = entry["action"].partition(":")[0]
            if (service == "kms" and not account.kms_key) or (service == "ec2" and not account.in_vpc):
                continue
            context = {
                key: tuple(value.replace("{project}", account.project) for value in values)
                for key, values in entry.get("context", {}).items()
            }
            resource = _particular(entry["resource"], account)
            yield Call(role, Access(entry["action"], resource, context), tuple(entry["operations"]))


def _names(account: Account) -> dict[str, str]:
    names = {
        "{key}": account.key_arn or "",
        "{bucket}": account.bucket,
        "{stage}": f"{account.project}-{account.stage}-",
        "{project}": account.project,
        "{account}": account.account,
        "{region}": account.region,
    }
    return {placeholder: value for placeholder, value in names.items() if value}


def _general(resource: str, account: Account) -> str:
    for pattern, replacement in GENERAL:
        resource = pattern.sub(replacement, resource)
    for placeholder, value in _names(account).items():
        resource = resource.replace(value, placeholder)
    return resource


def _particular(resource: str, account: Account) -> str:
    for placeholder, value in _names(account).items():
        resource = resource.replace(placeholder, value)
    return resource
