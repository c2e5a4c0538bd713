"""Whether the images of the jobs exist in the region, by the SDK's own tables of registries and versions."""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from pipelines.checks.fault import Fault
from pipelines.document.walk import steps, values

URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[^:@]+)(?P<tag>.*)"
)


def image_faults(definition: Mapping[str, Any], region: str, account: str) -> Iterator[Fault]:
    """Images of another region, and images of AWS's that its tables do not have; one's own account is trusted."""
    for step in steps(definition):
        for found in values(step):
            if found.path.endswith(("ImageUri", "TrainingImage", ".Image")) and isinstance(found.value, str):
                fault = image_fault(found.value, region, account)
                if fault:
                    yield Fault(step.name, found.path, *fault)


def image_fault(uri: str, region: str, account: str) -> tuple[str, str] | None:
    """What is wrong with an image, and what to do."""
    parts = URI.fullmatch(uri)
    if parts is None:
        return f"{uri} is not an image in Amazon ECR", "SageMaker pulls from ECR: push the image there"
    if parts["region"] != region:
        return f"{uri} lies in {parts['region']}, and the jobs run in {region}", f"take the image of {region}"
    if parts["account"] == account:
        return None
    tables = _tables(parts["name"])
    if not tables:
        return (
            f"the SDK's tables have no image {parts['name']}, and account {parts['account']} is not that of the role",
            "fix the name, or let that account share its repository",
        )
    known = {version: table["registries"] for table in tables for version, table in _versions(table).items()}
    version = _version(parts["tag"].lstrip(":@"), known)
    if version is None:
        tag = parts["tag"].lstrip(":@")
        close = get_close_matches(tag, known, n=1)
        mean = f"did you mean {close[0]}? " if close else ""
        return f"{parts['name']} has no version {tag}", f"{mean}fix jobs.image_version: {', '.join(sorted(known))}"
    if known[version].get(region) != parts["account"]:
        return f"{parts['name']} {version} is not in {region} under {parts['account']}", "fix the region"
    return None


def known_versions(framework: str, region: str) -> list[str]:
    """The versions of a framework's image that a region has, newest last."""
    table = json.loads((_folder() / f"{framework}.json").read_text())
    return [version for version, entry in _versions(table).items() if region in entry["registries"]]


def _version(tag: str, known: Mapping[str, Any]) -> str | None:
    """The version that a tag such as 3.0-5 or 2.1.0-cpu-py310 is of."""
    fitting = [version for version in known if tag == version or tag.startswith(f"{version}-")]
    return max(fitting, key=len) if fitting else None


def _versions(table: Any) -> dict[str, Any]:
    """Every entry of a table that has registries, by version; of two scopes the first is enough."""
    scopes = [table] if "versions" in table else [entry for entry in table.values() if isinstance(entry, dict)]
    found: dict[str, Any] = {}
    for scope in scopes:
        for version, entry in scope.get("versions", {}).items():
            merged = found.setdefault(version, {"registries": {}})
            merged["registries"] = {**entry.get("registries", {}), **merged["registries"]}
    return found


@cache
def _tables(repository: str) -> list[Any]:
    """The SDK's tables that name a repository."""
    texts = (path.read_text() for path in _folder().glob("*.json"))
    return [json.loads(text) for text in texts if f'"{repository}"' in text]


def _folder() -> Path:
    # The files of the package, which takes seconds to import.
    return Path(str(distribution("sagemaker-core").locate_file("sagemaker/core/image_uri_config")))
