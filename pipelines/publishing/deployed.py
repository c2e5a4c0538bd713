"""What is deployed under a pipeline's name: its definition, its tags, and the code that it names."""

import hashlib
import io
import json
import re
import tarfile
from dataclasses import dataclass, field
from typing import Any

from pipelines.clients import split_uri
from pipelines.definition.bundle import ARCHIVE, merged
from pipelines.errors import PipelineError

BUNDLE_URI = re.compile(r"s3://[^\s\"'\\]+/" + re.escape(ARCHIVE))
MISSING = ("404", "NoSuchKey", "NoSuchBucket")
REFUSED = ("403", "AccessDenied")
FINGERPRINT = "definition-sha256"  # the tag that says which definition an upsert wrote


@dataclass(frozen=True)
class DeployedCode:
    """The archives that the deployed definition names.

    `files` are the contents of all of them by path; None where they could not be read, and `problem` then says why.
    """

    uris: tuple[str, ...]
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

    @property
    def by_hand(self) -> str | None:
        """How it came to be there without an upsert of this project; None where an upsert wrote it."""
        if "git-commit" not in self.tags:
            return "not of this project (it has no git-commit tag): deployed by hand or by another tool"
        written = self.tags.get(FINGERPRINT)
        if written is not None and written != fingerprint(self.definition_text):
            return f"changed by hand since the upsert of {origin(self.tags)}"
        return None


def describe_deployed(sagemaker: Any, name: str) -> dict[str, Any] | None:
    """DescribePipeline's answer; None where there is no such pipeline."""
    from botocore.exceptions import ClientError

    try:
        return dict(sagemaker.describe_pipeline(PipelineName=name))
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFound":
            return None
        raise


def read_tags(sagemaker: Any, arn: str) -> dict[str, str]:
    """The tags of a resource by key."""
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def fingerprint(definition: str) -> str:
    """SHA-256 of a definition's text, hexadecimal."""
    return hashlib.sha256(definition.encode()).hexdigest()


def origin(tags: dict[str, str]) -> str:
    """Where a deployment comes from, in a few words."""
    if "git-commit" not in tags:
        return "by hand or by another tool"
    build = f", build {tags['build-id']}" if tags.get("build-id", "none") != "none" else ""
    commit, dash, rest = tags["git-commit"].partition("-")
    return f"commit {commit[:9]}{dash}{rest} on {tags.get('git-branch', 'unknown')}{build}"


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
    return Deployed(
        definition_text=text,
        definition=definition,
        role_arn=pipeline.get("RoleArn", ""),
        description=pipeline.get("PipelineDescription", ""),
        tags=read_tags(sagemaker, pipeline["PipelineArn"]),
    )


def bundle_uris(definition_text: str) -> list[str]:
    """The archives that a definition names, each once, in its order."""
    return list(dict.fromkeys(BUNDLE_URI.findall(definition_text)))


def read_code(s3: Any, definition_text: str) -> DeployedCode:
    """Download the archives that a definition names."""
    uris = tuple(bundle_uris(definition_text))
    if not uris:
        return DeployedCode((), None, f"the deployed definition names no {ARCHIVE}")
    archives = []
    for uri in uris:
        files, problem = _read_archive(s3, uri)
        if files is None:
            return DeployedCode(uris, None, f"{uri}: {problem}")
        archives.append(files)
    return DeployedCode(uris, merged(archives))


def _read_archive(s3: Any, uri: str) -> tuple[dict[str, bytes] | None, str | None]:
    """Its files, or what is wrong with it."""
    from botocore.exceptions import ClientError

    bucket, key = split_uri(uri)
    try:
        return _unpack(s3.get_object(Bucket=bucket, Key=key)["Body"].read()), None
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in MISSING:
            return None, "it is missing in S3: an execution of what is deployed would fail"
        if code in REFUSED:
            return None, "these credentials may not read it (s3:GetObject)"
        raise
    except (tarfile.TarError, OSError, EOFError):
        return None, "it is not a tar.gz archive"


def _unpack(content: bytes) -> dict[str, bytes]:
    files = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                files[member.name.removeprefix("./")] = stream.read()
    return files
