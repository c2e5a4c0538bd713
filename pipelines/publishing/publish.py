"""Publishing: code and wheels first, the definition last, and only what differs from what is there."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.clients import exists
from pipelines.definition.champion_input import MARKER
from pipelines.definition.compilation import Compiled
from pipelines.definition.revision import Revision
from pipelines.errors import PipelineError
from pipelines.publishing.deployed import FINGERPRINT, describe_deployed, fingerprint, origin, read_tags
from pipelines.settings.environment import Environment

NOTHING_KEPT = b'{"kept": "none"}\n'


@dataclass(frozen=True)
class Published:
    """What an upsert did: `action` is created, updated or unchanged; `version` is the pipeline's, if there is one."""

    arn: str
    action: str
    uploaded: bool
    version: int | None = None


@dataclass(frozen=True)
class Upsert:
    """One deployment: what is to be there, and what was there when the command began (None: nothing).

    `seen` is an answer of DescribePipeline. Unless `force` is set, an upsert refuses to replace what another one
    deployed since then, or what comes from a newer commit. SageMaker's UpdatePipeline takes no precondition, so a
    window of one call remains between the last look and the update. `wheels` gives the files of a list of
    wheels; on local SageMaker there are none, as the environment has what the list names.
    """

    compiled: Compiled
    environment: Environment
    revision: Revision
    seen: dict[str, Any] | None
    force: bool = False
    wheels: Callable[[bytes], Sequence[Path]] = lambda _list: ()

    def run(self, sagemaker: Any, s3: Any) -> Published:
        """Upload what is not there (code, wheels, champion marker), then create or update the pipeline in one call.

        A deployment that holds just this is left alone, tags included: they name the build that made it.
        """
        if self.seen is not None and self._is_wanted(self.seen):
            return Published(self.seen["PipelineArn"], "unchanged", self._publish_code(s3))
        if not self.force:
            self._refuse_if_older(sagemaker)
        uploaded = self._publish_code(s3)
        definition = self._definition(sagemaker, s3)
        now = describe_deployed(sagemaker, self.compiled.name)
        if now is not None and self._is_wanted(now):
            return Published(now["PipelineArn"], "unchanged", uploaded)
        if not self.force and _moment(now) != _moment(self.seen):
            raise PipelineError(self._overtaken(sagemaker, now))
        request = {
            "PipelineName": self.compiled.name,
            "PipelineDescription": self.compiled.description,
            "RoleArn": self.environment.role_arn,
            **definition,
        }
        if now is None:
            return self._create(sagemaker, request, uploaded)
        # Before the update: should it fail, the next upsert still finds a difference, and fixes both.
        sagemaker.add_tags(ResourceArn=now["PipelineArn"], Tags=self._tags())
        answer = sagemaker.update_pipeline(**request)
        return Published(answer["PipelineArn"], "updated", uploaded, answer.get("PipelineVersionId"))

    def _is_wanted(self, deployed: dict[str, Any]) -> bool:
        wanted = {
            "PipelineDefinition": self.compiled.definition,
            "PipelineDescription": self.compiled.description,
            "RoleArn": self.environment.role_arn,
        }
        return all(deployed.get(name, "") == value for name, value in wanted.items())

    def _create(self, sagemaker: Any, request: dict[str, Any], uploaded: bool) -> Published:
        from botocore.exceptions import ClientError

        token = hashlib.sha256(f"{self.compiled.name}\n{self.compiled.definition}".encode()).hexdigest()
        try:
            answer = sagemaker.create_pipeline(**request, ClientRequestToken=token, Tags=self._tags())
        except ClientError as error:
            if "already exists" not in error.response["Error"].get("Message", ""):
                raise
            found = describe_deployed(sagemaker, self.compiled.name)
            raise PipelineError(self._overtaken(sagemaker, found)) from None
        return Published(answer["PipelineArn"], "created", uploaded, 1)

    def _refuse_if_older(self, sagemaker: Any) -> None:
        """A build that was slower than the build of a later commit must not bring the earlier one back."""
        if self.seen is None or self.revision.committed is None:
            return
        tags = read_tags(sagemaker, self.seen["PipelineArn"])
        deployed = _parsed(tags.get("git-committed", ""))
        if deployed is not None and deployed > self.revision.committed:
            raise PipelineError(
                f"{self.compiled.name} is deployed from a newer one, {origin(tags)} of {deployed:%Y-%m-%d %H:%M:%S}; "
                f"this is {self.revision.commit[:9]} of {self.revision.committed:%Y-%m-%d %H:%M:%S}: "
                "check out the newer one, or go back to this with `upsert --force`."
            )

    def _overtaken(self, sagemaker: Any, now: dict[str, Any] | None) -> str:
        if now is None:
            return f"{self.compiled.name} was deleted while this upsert was under way: run it again to create it."
        when = _moment(now)
        at = f" at {when:%Y-%m-%d %H:%M:%S}" if when else ""
        return (
            f"{self.compiled.name} was deployed by another upsert{at} while this one was under way "
            f"({origin(read_tags(sagemaker, now['PipelineArn']))}): look at `plan`, then run `upsert` again, "
            "or replace it with `upsert --force`."
        )

    def _definition(self, sagemaker: Any, s3: Any) -> dict[str, Any]:
        """The definition as the call carries it: inline, or in S3 where it is longer than the API takes."""
        text = self.compiled.definition
        limit = sagemaker.meta.service_model.shape_for("PipelineDefinition").metadata["max"]
        if len(text) <= limit:
            return {"PipelineDefinition": text}
        bucket, key = self.environment.bucket, f"{self.compiled.prefix}/definitions/{fingerprint(text)}.json"
        if not exists(s3, bucket, key):
            s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json")
        return {"PipelineDefinitionS3Location": {"Bucket": bucket, "ObjectKey": key}}

    def _publish_code(self, s3: Any) -> bool:
        """Upload the archives that are not there, and the wheels unless their list is; whether any archive was not."""
        bucket, code = self.environment.bucket, self.compiled.code
        for list_key, wheel_list in code.wheel_lists.items():
            if not exists(s3, bucket, list_key):
                for path in self.wheels(wheel_list):
                    s3.upload_file(str(path), bucket, f"{list_key.rpartition('/')[0]}/{path.name}")
                s3.put_object(Bucket=bucket, Key=list_key, Body=wheel_list)
        if code.kept_marker and not exists(s3, bucket, code.kept_marker):
            s3.put_object(Bucket=bucket, Key=code.kept_marker, Body=NOTHING_KEPT)
        missing = {key: bundle for key, bundle in code.archives.items() if not exists(s3, bucket, key)}
        if missing:
            # The marker first: an archive that is there says that the marker is.
            s3.put_object(Bucket=bucket, Key=self.compiled.champion_marker, Body=MARKER)
        for key, bundle in missing.items():
            s3.put_object(Bucket=bucket, Key=key, Body=bundle.archive())
        return bool(missing)

    def _tags(self) -> list[dict[str, str]]:
        tags = {**self.revision.tags(), FINGERPRINT: fingerprint(self.compiled.definition)}
        return [{"Key": key, "Value": value} for key, value in tags.items()]


def create_bucket_if_local(s3: Any, environment: Environment) -> None:
    """Local SageMaker starts without buckets; on AWS the bucket is made by the infrastructure."""
    from botocore.exceptions import ClientError

    location = {} if environment.region == "us-east-1" else {"LocationConstraint": environment.region}
    try:
        s3.head_bucket(Bucket=environment.bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        options = {"CreateBucketConfiguration": location} if location else {}
        s3.create_bucket(Bucket=environment.bucket, **options)


def require_role(iam: Any, role_arn: str) -> None:
    """PipelineError where the role is not there; a caller who may not look (iam:GetRole) is let through.

    SageMaker itself says only much later, in the first step, that it cannot assume a role.
    """
    from botocore.exceptions import ClientError

    name = role_arn.rpartition("/")[2]
    fix = "create it (`make bootstrap` does), or fix SAGEMAKER_ROLE_ARN."
    try:
        found = iam.get_role(RoleName=name)["Role"]["Arn"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            raise PipelineError(f"The role {role_arn} does not exist: {fix}") from None
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 403:
            return
        raise
    if found != role_arn:
        raise PipelineError(f"The role {role_arn} does not exist; this account has {found}: {fix}")


def _moment(deployed: dict[str, Any] | None) -> datetime | None:
    return deployed["LastModifiedTime"] if deployed else None


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
