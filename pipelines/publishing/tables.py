"""The tables of a query on local SageMaker: files of this machine, brought to its S3, and a list of where each lies."""

import json
from pathlib import Path
from typing import Any

from pipelines.errors import PipelineError
from pipelines.publishing.dataset import Tell, upload_data
from pipelines.settings.environment import Environment
from pipelines.settings.query_settings import QuerySettings
from pipelines.settings.settings import Settings


def tables_key(project: str, query: QuerySettings) -> str:
    """Where the list of a database's tables lies: `{table: S3 URI of its file, or of its folder with a slash}`.

    infrastructure/local_query.py, which answers the queries, reads it there.
    """
    return f"{project}/tables/{query.catalog}/{query.database}.json"


def publish_tables(s3: Any, settings: Settings, environment: Environment, tell: Tell = lambda _line: None) -> None:
    """Upload the files of a query's tables, unless they are there, and the list; nothing without a query.

    PipelineError where the YAML names no files, or one that cannot be used.
    """
    query = settings.query
    if query is None:
        return
    if not query.tables:
        raise PipelineError(
            "query.tables is missing: on this machine DuckDB answers the query, so name the file or folder of each "
            f"table of {query.database} there, such as `tables: {{sales: data/house_prices.parquet}}`."
        )
    places = {}
    for table, path in query.tables.items():
        if not Path(path).exists():
            raise PipelineError(f"query.tables.{table}: there is no file or folder {path}.")
        places[table] = upload_data(s3, Path(path), settings, environment, tell)
    content = json.dumps(places, indent=2, sort_keys=True).encode()
    s3.put_object(Bucket=environment.bucket, Key=tables_key(settings.name, query), Body=content)
