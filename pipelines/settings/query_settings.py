"""The section query of the YAML: the data as the result of a query, in place of files."""

import re
from typing import Annotated

from pydantic import Field, field_validator

from pipelines.settings.section import Section

S3_PREFIX = re.compile(r"s3://[a-z0-9][a-z0-9.-]+/.*")
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$", max_length=255)]


class QuerySettings(Section):
    """What Athena is asked on AWS, and DuckDB on local SageMaker, each time when an execution starts.

    reads: where the files of the tables lie in S3, beside the project's own prefix: what the jobs' role may read.
    tables: for local SageMaker, the file or folder of each table that the query names, from where the command runs.
    """

    sql: str = Field(min_length=1, max_length=4096)
    database: Name
    catalog: str = Field(default="AwsDataCatalog", pattern=r"^[A-Za-z0-9_@-]+$", max_length=256)
    work_group: str = Field(default="primary", pattern=r"^[a-zA-Z0-9._-]{1,128}$")
    reads: list[str] = Field(default=[])
    tables: dict[Name, str] = Field(default={})

    @field_validator("reads")
    @classmethod
    def _are_prefixes(cls, reads: list[str]) -> list[str]:
        wrong = [each for each in reads if not S3_PREFIX.fullmatch(each)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no prefix in S3, such as s3://lake/houses/sales/.")
        return reads
