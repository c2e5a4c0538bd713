"""Where a pipeline is to run: what differs between AWS accounts comes from the environment, never from the YAML."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.errors import PipelineError

PLACEHOLDER_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"
ROLE = re.compile(r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")  # botocore's pattern of RoleArn
FUNCTIONS = re.compile(r"arn:aws[a-z\-]*:lambda:[a-z0-9-]+:\d{12}:function:[a-zA-Z0-9_-]+")
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class Environment:
    """Region, roles, bucket, key and network of the jobs and of the endpoints.

    An endpoint's containers have the serving role; where there is none, that of the jobs. A stage that removes itself
    is deleted by the removal role.

    `placeholders` names the variables that were not set and stand at values of the account 000000000000:
    enough to compile and to run on local SageMaker, not to publish to AWS.
    """

    region: str
    role_arn: str
    bucket: str
    kms_key: str | None = None
    subnets: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()
    serving_role_arn: str | None = None
    removal_role_arn: str | None = None
    functions: str | None = None

    def function_arn(self, project: str, name: str) -> str:
        """The ARN of a Lambda function of the pipelines; where none is named, of the account of the jobs' role."""
        account = self.role_arn.split(":")[4]
        beginning = self.functions or f"arn:aws:lambda:{self.region}:{account}:function:{project}-monitoring"
        return f"{beginning}-{name}"

    @classmethod
    def from_env(cls, variables: Mapping[str, str] = os.environ) -> "Environment":
        """Read the environment; PipelineError for a value that cannot be one.

        SAGEMAKER_ROLE_ARN, SAGEMAKER_SERVING_ROLE_ARN, SAGEMAKER_REMOVAL_ROLE_ARN, SAGEMAKER_BUCKET, SAGEMAKER_KMS_KEY,
        SAGEMAKER_SUBNETS, SAGEMAKER_SECURITY_GROUP_IDS (the last two separated by commas),
        SAGEMAKER_MONITORING_FUNCTIONS and AWS_REGION.
        """
        region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
        defaults = {
            "SAGEMAKER_ROLE_ARN": f"arn:aws:iam::{PLACEHOLDER_ACCOUNT}:role/SageMakerPipelineRole",
            "SAGEMAKER_BUCKET": f"sagemaker-{region}-{PLACEHOLDER_ACCOUNT}",
        }
        missing = tuple(name for name in defaults if not variables.get(name))
        for name in ("SAGEMAKER_ROLE_ARN", "SAGEMAKER_SERVING_ROLE_ARN", "SAGEMAKER_REMOVAL_ROLE_ARN"):
            _require(variables, name, ROLE, "the ARN of a role, as in arn:aws:iam::111122223333:role/NAME")
        _require(variables, "SAGEMAKER_MONITORING_FUNCTIONS", FUNCTIONS, "what the ARNs of both functions begin with")
        _require(variables, "SAGEMAKER_BUCKET", BUCKET, "the name of a bucket alone, without s3://")
        return cls(
            region=region,
            role_arn=variables.get("SAGEMAKER_ROLE_ARN") or defaults["SAGEMAKER_ROLE_ARN"],
            bucket=variables.get("SAGEMAKER_BUCKET") or defaults["SAGEMAKER_BUCKET"],
            kms_key=variables.get("SAGEMAKER_KMS_KEY") or None,
            subnets=_listed(variables.get("SAGEMAKER_SUBNETS", "")),
            security_group_ids=_listed(variables.get("SAGEMAKER_SECURITY_GROUP_IDS", "")),
            placeholders=missing,
            functions=variables.get("SAGEMAKER_MONITORING_FUNCTIONS") or None,
            serving_role_arn=variables.get("SAGEMAKER_SERVING_ROLE_ARN") or None,
            removal_role_arn=variables.get("SAGEMAKER_REMOVAL_ROLE_ARN") or None,
        )


def _require(variables: Mapping[str, str], name: str, form: re.Pattern[str], what: str) -> None:
    if variables.get(name) and not form.fullmatch(variables[name]):
        raise PipelineError(f"{name} is {variables[name]!r}: set it to {what}.")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())
