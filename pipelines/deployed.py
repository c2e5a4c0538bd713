"""What is deployed under a pipeline's name: its definition, its tags, and the code bundle that it names."""

import io
import json
import re
import tarfile
from dataclasses import dataclass, field
from typing import Any

from pipelines.bundle import ARCHIVE
from pipelines.errors import PipelineError
from pipelines.evaluation_report import split_uri
from pipelines.publish import describe_deployed

BUNDLE_URI = re.compile(r"s3://[^\s\"'\\]+/" + re.escape(ARCHIVE))
MISSING = ("404", "NoSuchKey", "NoSuchBucket")
REFUSED = ("403", "AccessDenied")


@dataclass(frozen=True)
class DeployedBundle:
    """The archive that the deployed definition names.

    `files` are its contents by path; None where they could not be read, and `problem` then says why.
    """

    uri: str | None
    files: dict[str, bytes] | None
    problem: str | None = None


@dataclass(frozen=True)
class Deployed:
    """A pipeline as the service knows it; tags by key."""

    definition_text: str
    definition: dict[str, Any]
    role_arn: str
    description: str
    tags: dict[str, str] = field(default_factory=dict)


def read_deployed(sagemaker: Any, name: str) -> Deployed | None:
    """The deployed pipeline, whoever deployed it; None where there is none."""
    pipeline = describe_deployed(sagemaker, name)
    if pipeline is None:
        return None
    text = pipeline["PipelineDefinition"]
    try:
        definition = json.loads(text)
        if not isinstance(definition, dict):
            raise ValueError("it is not an object")
    except ValueError as error:
        raise PipelineError(f"The deployed definition of {name} is not JSON ({error}): run `upsert`.") from None
    tags = sagemaker.list_tags(ResourceArn=pipeline["PipelineArn"])["Tags"]
    return Deployed(
        definition_text=text,
        definition=definition,
        role_arn=pipeline.get("RoleArn", ""),
        description=pipeline.get("PipelineDescription", ""),
        tags={tag["Key"]: tag["Value"] for tag in tags},
    )


def bundle_uris(definition_text: str) -> list[str]:
    """The archives that a definition names, each once, in its order."""
    return list(dict.fromkeys(BUNDLE_URI.findall(definition_text)))


def read_bundle(s3: Any, definition_text: str, wanted_uri: str) -> DeployedBundle:
    """Download the archive that a definition names.

    Where it names several, as definitions of other tools do, it is the wanted one or else the first.
    """
    from botocore.exceptions import ClientError

    uris = bundle_uris(definition_text)
    if not uris:
        return DeployedBundle(None, None, f"the deployed definition names no {ARCHIVE}")
    uri = wanted_uri if wanted_uri in uris else uris[0]
    bucket, key = split_uri(uri)
    try:
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in MISSING:
            return DeployedBundle(uri, None, "it is missing in S3: an execution of what is deployed would fail")
        if code in REFUSED:
            return DeployedBundle(uri, None, "these credentials may not read it (s3:GetObject)")
        raise
    try:
        return DeployedBundle(uri, _unpack(content))
    except (tarfile.TarError, OSError, EOFError):
        return DeployedBundle(uri, None, "it is not a tar.gz archive")


def _unpack(content: bytes) -> dict[str, bytes]:
    files = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                files[member.name.removeprefix("./")] = stream.read()
    return files
