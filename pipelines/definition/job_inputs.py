"""What a job is given and what it leaves: inputs and outputs of a processing job, channels of a training job."""

from dataclasses import dataclass
from typing import Any

from sagemaker.core.shapes import (
    Channel,
    DataSource,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    S3DataSource,
)

INPUT = "/opt/ml/processing/input"
OUTPUT = "/opt/ml/processing/output"
CHANNELS = "/opt/ml/input/data"
KEPT = "kept"  # an input and an output at one place: what a job leaves there, the next one is given
SHARDED = "train"  # the channel of which each host of a training job gets its own parts


@dataclass(frozen=True)
class Manifest:
    """An input of the objects that a manifest lists, each under its name there; `uri` is where the manifest lies."""

    uri: Any


def training_channel(name: str, uri: Any) -> Channel:
    """Everything for every host, but of the training rows to each host its own parts: one host gets them all."""
    how = "ShardedByS3Key" if name == SHARDED else "FullyReplicated"
    source = S3DataSource(s3_data_type="S3Prefix", s3_uri=uri, s3_data_distribution_type=how)
    return Channel(channel_name=name, data_source=DataSource(s3_data_source=source))


def processing_input(name: str, uri: Any) -> ProcessingInput:
    """Everything below a URI, or what a manifest lists, in a folder of the input's name."""
    source, kind = (uri.uri, "ManifestFile") if isinstance(uri, Manifest) else (uri, "S3Prefix")
    location = ProcessingS3Input(s3_uri=source, local_path=f"{INPUT}/{name}", s3_data_type=kind, s3_input_mode="File")
    return ProcessingInput(input_name=name, s3_input=location)


def processing_output(name: str, uri: Any) -> ProcessingOutput:
    """What a job leaves in the folder of the output's name, uploaded when it has ended."""
    location = ProcessingS3Output(s3_uri=uri, local_path=f"{OUTPUT}/{name}", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=location)
