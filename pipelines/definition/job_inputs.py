"""What a job is given and what it leaves: inputs and outputs of a processing job, channels of a training job."""

from dataclasses import dataclass
from typing import Any

from sagemaker.core.shapes import (
    Channel,
    DatasetDefinition,
    DataSource,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    S3DataSource,
)

from pipelines.definition.bundle import ARCHIVE
from pipelines.settings.query_settings import QuerySettings

INPUT = "/opt/ml/processing/input"
OUTPUT = "/opt/ml/processing/output"
CHANNELS = "/opt/ml/input/data"
KEPT = "kept"  # an input and an output at one place: what a job leaves there, the next one is given
# The archive, then the module and its arguments: the entrypoint of every job that may have one.
UNPACK_AND_RUN = 'mkdir -p /opt/ml/code && cd /opt/ml/code && tar -xzf "$0" && exec python3 -m "$@"'
SHARDED = "train"  # the channel of which each host of a training job gets its own parts


@dataclass(frozen=True)
class Manifest:
    """An input of the objects that a manifest lists, each under its name there; `uri` is where the manifest lies."""

    uri: Any


@dataclass(frozen=True)
class Query:
    """An input that is the result of a query, which is put below `uri` first."""

    settings: QuerySettings
    uri: Any
    kms_key: str | None = None


def training_channel(name: str, uri: Any) -> Channel:
    """Everything for every host, but of the training rows to each host its own parts: one host gets them all."""
    how = "ShardedByS3Key" if name == SHARDED else "FullyReplicated"
    source = S3DataSource(s3_data_type="S3Prefix", s3_uri=uri, s3_data_distribution_type=how)
    return Channel(channel_name=name, data_source=DataSource(s3_data_source=source))


def processing_input(name: str, uri: Any) -> ProcessingInput:
    """Everything below a URI, what a manifest lists, or what a query gives, in a folder of the input's name."""
    if isinstance(uri, Query):
        return ProcessingInput(input_name=name, dataset_definition=DatasetDefinition(local_path=f"{INPUT}/{name}"))
    source, kind = (uri.uri, "ManifestFile") if isinstance(uri, Manifest) else (uri, "S3Prefix")
    location = ProcessingS3Input(s3_uri=source, local_path=f"{INPUT}/{name}", s3_data_type=kind, s3_input_mode="File")
    return ProcessingInput(input_name=name, s3_input=location)


def dataset_definition(name: str, query: Query) -> dict[str, Any]:
    """The query of an input as the request has it: every host gets the whole result, as Parquet files."""
    athena = {
        "Catalog": query.settings.catalog,
        "Database": query.settings.database,
        "WorkGroup": query.settings.work_group,
        "QueryString": query.settings.sql,
        "OutputS3Uri": query.uri,
        "OutputFormat": "PARQUET",
        "OutputCompression": "SNAPPY",
        **({"KmsKeyId": query.kms_key} if query.kms_key else {}),
    }
    how = {"LocalPath": f"{INPUT}/{name}", "DataDistributionType": "FullyReplicated", "InputMode": "File"}
    return {"AthenaDatasetDefinition": athena, **how}


def processing_output(name: str, uri: Any) -> ProcessingOutput:
    """What a job leaves in the folder of the output's name, uploaded when it has ended."""
    location = ProcessingS3Output(s3_uri=uri, local_path=f"{OUTPUT}/{name}", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=location)


def entrypoint(inputs: str, module: str) -> list[str]:
    """The command that runs a module of the archive that is the input `code`."""
    return ["sh", "-c", UNPACK_AND_RUN, f"{inputs}/code/{ARCHIVE}", module]
