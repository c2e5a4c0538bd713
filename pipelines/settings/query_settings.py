"""The section query of the YAML: the data as the result of a query, in place of files."""

from typing import Annotated

from pydantic import Field

from pipelines.settings.section import Section

S3Prefix = Annotated[str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]+/.*$")]
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
    reads: list[S3Prefix] = Field(default=[])
    tables: dict[Name, str] = Field(default={})
