"""What docs/aws.md promises, and how each is known: the table there is made of this and of the records of real runs.

`python -m infrastructure.evidence.promises` writes it anew.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrastructure.errors import InfrastructureError
from infrastructure.template import FOLDER

PAGE = FOLDER.parent / "docs" / "aws.md"
RECORDS = FOLDER.parent / "docs" / "evidence"
HEAD = "| claim | how it is known |\n| --- | --- |\n"
FORMAT = 1
ON_AWS, ON_LOCAL = "aws", "local"


@dataclass(frozen=True)
class Promise:
    """One row. `known` is how it is known without a run on AWS, and `open` what only a run can show.

    `observed` names what a record must have seen; None where no run shows it.
    """

    text: str
    known: str
    open: str = ""
    observed: str | None = None


PROMISES = (
    Promise(
        "the pipeline's definition, requests and names",
        "seen here; requests against botocore's shapes",
        observed="execution",
    ),
    Promise(
        "each role can do its part: upsert, start, approve, deploy, undo, rollback", "replay, with a key and a VPC"
    ),
    Promise(
        "no role can do more, apart from listed exceptions with reasons",
        "replay (`tests/infrastructure/test_roles.py`)",
    ),
    Promise(
        "what AWS does on a caller's behalf (grants, roles, interfaces)",
        "read (`local_sagemaker/iam/dependent_actions.py` names each page)",
    ),
    Promise(
        "jobs in the image: artifacts, reasons, no package index",
        "seen here, under AWS's own toolkit and without a network ([image_test.md](image_test.md))",
        observed="jobs",
    ),
    Promise(
        "the endpoint in the image answers as the evaluation did",
        "seen here, under AWS's own toolkit: predictions, statuses, bodies ([image_test.md](image_test.md))",
        observed="endpoint",
    ),
    Promise(
        "Train's metrics are with its job, in CloudWatch and in Studio", "seen here", "not verified on AWS", "metrics"
    ),
    Promise(
        "the jobs' role may ask a query: its work group, the tables of its database, the files in `reads`, no more",
        "the policy is decided in a test; cfn-lint; which actions that takes is read (AWS's policy "
        "AmazonSageMakerFullAccess, a public report that the job makes a database `sagemaker_processing`)",
        "not verified on AWS",
    ),
    Promise("the input that is a query", "seen here, with DuckDB", "what Athena gives is not verified on AWS"),
    Promise("which ARN ListModelPackages asks for", "the roles allow both forms", "not verified on AWS"),
    Promise("a step cannot approve; who deploys cannot approve", "replay; the condition key is read in AWS's table"),
    Promise(
        "with four eyes, the maker of a version cannot get it deployed, however it was approved",
        "seen here",
        "that a pipeline's version keeps MetadataProperties is read",
        "made_by",
    ),
    Promise(
        "where a version is stands in the registry (ModelLifeCycle)", "seen here", "not verified on AWS", "life_cycle"
    ),
    Promise("the templates of storage, roles, build and budget", "cfn-lint; set up on moto", observed="stacks"),
    Promise(
        "the template of the monitoring",
        "cfn-lint; set up on moto, but for its schedule and its alarm",
        "not verified on AWS",
    ),
    Promise("the template of the deployment", "cfn-lint", "not verified on AWS", "deployment_stack"),
    Promise(
        "the template of Studio, and what people may do in it",
        "cfn-lint; decided in a test, after AWS's managed policy",
        "not verified on AWS",
        "studio_stack",
    ),
    Promise("a stack without a change is quiet; a broken one is named", "seen here, on moto and on a stub"),
    Promise(
        "the approval rule acts on approvals and rejections only",
        "seen here",
        "that AWS's event has UpdatedModelPackageFields is known from public code alone",
        "approval_build",
    ),
    Promise("the event of a version that is registered as Approved has no such field", "", "not verified on AWS"),
    Promise(
        "`check --account`",
        "seen here, on moto and on a stub; the quotas' names are those of refusals by AWS",
        "that Service Quotas lists them under these names is not verified",
        "quotas",
    ),
    Promise("builds of GitHub, GitLab, Bitbucket, CodeCommit", "read", observed="build"),
    Promise(
        "the endpoint of a stage with remove_after removes itself",
        "seen here; replay; that a schedule calls DeleteEndpoint is read",
        observed="removal",
    ),
    Promise("two builds side by side wait for each other", "seen here; S3's conditional writes are read"),
    Promise("a deployment and its undo end before the build's limit", "seen here: a test compares the limits"),
    Promise(
        "accounts that deploy each other's versions",
        "the policies of both accounts, decided in a test",
        "not verified on AWS",
        "other_account",
    ),
    Promise("idle spaces of Studio stop", "read"),
    Promise("prices", "public copies of AWS's list"),
)


def records(folder: Path = RECORDS) -> dict[str, Mapping[str, Any]]:
    """The records in a folder, by the names of their files; InfrastructureError for a file that is not one."""
    found: dict[str, Mapping[str, Any]] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            whole = document["format"] == FORMAT and document["where"] in (ON_AWS, ON_LOCAL)
            whole = whole and isinstance(document["seen"], dict) and isinstance(document["date"], str)
        except (ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            raise InfrastructureError(f"{path} is not a record of `aws-evidence`: remove it, or write it again.")
        found[path.name] = document
    return found


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The table, of which only records of AWS turn a row into "seen on AWS"; the newest of them is named."""
    return HEAD + "".join(f"| {promise.text} | {_how(promise, found)} |\n" for promise in PROMISES)


def rewritten(page: str, found: Mapping[str, Mapping[str, Any]]) -> str:
    """The page with the table as the records make it; InfrastructureError where it has no such table."""
    before, head, after = page.partition(HEAD)
    if not head:
        raise InfrastructureError(f"{PAGE} has no table that begins with {HEAD.splitlines()[0]!r}.")
    return before + table(found) + "".join(_after_table(after.splitlines(keepends=True)))


def seen_by(record: Mapping[str, Any]) -> Iterable[Promise]:
    """The promises that a record, were it of AWS, would turn into seen."""
    return [promise for promise in PROMISES if promise.observed in record["seen"]]


def _how(promise: Promise, found: Mapping[str, Mapping[str, Any]]) -> str:
    on_aws = {name: record for name, record in found.items() if record["where"] == ON_AWS}
    proofs = [name for name, record in on_aws.items() if promise.observed in record["seen"]]
    if not proofs:
        return "; ".join(filter(None, (promise.known, promise.open)))
    newest = max(proofs, key=lambda name: on_aws[name]["date"])
    seen = f"**seen on AWS**, {on_aws[newest]['date']}: {on_aws[newest]['seen'][promise.observed]} "
    return "; ".join(filter(None, (f"{seen}([record](evidence/{newest}))", promise.known)))


def _after_table(lines: list[str]) -> Iterator[str]:
    rows = next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))
    yield from lines[rows:]


def main() -> None:
    """Write the table of docs/aws.md anew."""
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), records()), encoding="utf-8")


if __name__ == "__main__":
    main()
