"""The versions of pipelines: each changed definition is kept, under a number and the aliases given to it."""

import re
import time
from collections.abc import Iterable
from typing import Literal

from local_sagemaker.errors import ServiceError, invalid, not_found
from local_sagemaker.state.record_kinds import PIPELINE_VERSION
from local_sagemaker.state.record_types import PipelineRecord, PipelineVersionRecord
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Request

ALIAS = re.compile(r"(?!\d+$)[A-Za-z0-9._-]{1,128}")
MOST_ALIASES = 10
NAMES: tuple[Literal["PipelineVersionDisplayName", "PipelineVersionDescription"], ...] = (
    "PipelineVersionDisplayName",
    "PipelineVersionDescription",
)


class PipelineVersions:
    """The versions of every pipeline, numbered from 1."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add(self, arn: str, number: int, definition: str, aliases: list[str]) -> None:
        """A new version of the pipeline with this ARN."""
        self._refuse_aliases(arn, aliases, [])
        now = time.time()
        version: PipelineVersionRecord = {
            "PipelineArn": arn,
            "PipelineVersionId": number,
            "PipelineDefinition": definition,
            "PipelineVersionAliases": aliases,
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        self._records.put(PIPELINE_VERSION, f"{arn}/{number}", version)

    def get(self, pipeline: PipelineRecord, request: Request) -> PipelineVersionRecord:
        """The version that a request names by PipelineVersionId or PipelineVersionAlias, or the latest."""
        arn, number = pipeline["PipelineArn"], request.get("PipelineVersionId", pipeline["PipelineVersionId"])
        alias = request.get("PipelineVersionAlias")
        if alias is None:
            version = self._records.get(PIPELINE_VERSION, f"{arn}/{number}")
            if version is None:
                raise not_found(f"Version {number} of the pipeline {arn} does not exist.")
            return version
        if "PipelineVersionId" in request:
            raise invalid("Give PipelineVersionId or PipelineVersionAlias, not both.")
        for version in self.all(arn):
            if alias in version["PipelineVersionAliases"]:
                return version
        raise not_found(f"No version of the pipeline {arn} has the alias {alias}.")

    def all(self, arn: str) -> list[PipelineVersionRecord]:
        """Every version of a pipeline, oldest first."""
        return self._records.all(PIPELINE_VERSION, prefix=f"{arn}/")

    def aliases(self, arn: str, number: int | None) -> list[str]:
        """The aliases that a version has now."""
        version = self._records.get(PIPELINE_VERSION, f"{arn}/{number}")
        return list(version["PipelineVersionAliases"]) if version else []

    def executed(self, arn: str, number: int, execution_arn: str) -> None:
        """An execution of a version has started."""
        changes = PipelineVersionRecord(LastExecutionPipelineExecutionArn=execution_arn)
        self._records.update(PIPELINE_VERSION, f"{arn}/{number}", changes)

    def update(self, pipeline: PipelineRecord, request: Request) -> None:
        """Change the names and the aliases of a version, as UpdatePipelineVersion asks."""
        version = self.get(pipeline, request)
        arn, number = version["PipelineArn"], version["PipelineVersionId"]
        operations = request.get("PipelineVersionAliasOperations", {})
        removed = operations.get("Remove", [])
        for alias in removed:
            if alias not in version["PipelineVersionAliases"]:
                raise invalid(f"Version {number} of the pipeline {arn} has no alias {alias}.")
        kept = [alias for alias in version["PipelineVersionAliases"] if alias not in removed]
        self._refuse_aliases(arn, operations.get("Add", []), kept)
        changes: PipelineVersionRecord = {
            "PipelineVersionAliases": [*kept, *operations.get("Add", [])],
            "LastModifiedTime": time.time(),
        }
        for field in NAMES:
            if field in request:
                changes[field] = request[field]
        self._records.update(PIPELINE_VERSION, f"{arn}/{number}", changes)

    def forget(self, arn: str) -> None:
        """Every version of a pipeline."""
        self._records.delete_all(PIPELINE_VERSION, prefix=f"{arn}/")

    def _refuse_aliases(self, arn: str, added: Iterable[str], kept: list[str]) -> None:
        """ValidationException or ConflictException where a version cannot have these aliases."""
        taken = {alias: v["PipelineVersionId"] for v in self.all(arn) for alias in v["PipelineVersionAliases"]}
        names = list(added)
        for alias in names:
            if not ALIAS.fullmatch(alias):
                raise invalid(
                    f"The alias {alias!r} must have 1 to 128 letters, digits, '.', '_' or '-', and not digits only."
                )
            if alias in taken or names.count(alias) > 1:
                owner = f"version {taken[alias]}" if alias in taken else "this request twice"
                raise ServiceError("ConflictException", f"The alias {alias} of the pipeline {arn} is taken by {owner}.")
        if len(kept) + len(names) > MOST_ALIASES:
            raise invalid(f"A pipeline version has at most {MOST_ALIASES} aliases.")
