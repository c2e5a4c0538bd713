"""What an endpoint is to be: the requests that make it, and names that say what is in them. Pure."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from deployment.packages import Package

NAME_LENGTH = 63  # characters that a model, an endpoint configuration or an endpoint may have
VARIANT = "AllTraffic"
SHADOW = "Shadow"  # the variant that gets a copy of the requests, and whose answers nobody waits for
PERSONAL = "PERSONAL_COLUMNS"  # what the model's server refuses while requests are captured, see steps/personal.py
TAG_ENDPOINT = "endpoint"
TAG_PACKAGE = "model-package"
TAG_VERSION = "model-package-version"
TAG_COMMIT = "git-commit"
TAG_STAGE = "stage"
TAG_DEPLOYED = "deployed-at"
TAG_ROLLED_BACK = "rolled-back-at"


@dataclass(frozen=True)
class Capture:
    """Where requests and answers are captured, and which share of them."""

    destination: str
    sampling_percent: int = 100


@dataclass(frozen=True)
class Serverless:
    """A serverless variant in place of instances."""

    memory_mb: int
    max_concurrency: int


@dataclass(frozen=True)
class Hosting:
    """The machines of an endpoint, the role of its containers, and where the account wants them to run.

    `personal` are the columns that its requests may not hold while they are captured.
    """

    instance_type: str
    instance_count: int
    role_arn: str
    kms_key: str | None = None
    subnets: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    capture: Capture | None = None
    serverless: Serverless | None = None
    personal: tuple[str, ...] = ()
    shadow: Package | None = None  # a version that gets a copy of all requests

    @property
    def machines(self) -> str:
        """As people read it: 2 x ml.m5.large."""
        if self.serverless is not None:
            return f"serverless, {self.serverless.memory_mb} MB, at most {self.serverless.max_concurrency} at once"
        return f"{self.instance_count} x {self.instance_type}"


@dataclass(frozen=True)
class Specification:
    """One version of the model on one endpoint.

    The names of the model and of the endpoint configuration hold the version and a hash of their content:
    the same deployment has the same names, and a name never stands for two contents.
    """

    endpoint: str
    stage: str
    package: Package
    hosting: Hosting

    @cached_property
    def model_name(self) -> str:
        """Such as house-prices-staging-v3-1f2e3d4c."""
        return self._name(self._model)

    @cached_property
    def config_name(self) -> str:
        """Such as house-prices-staging-v3-5a6b7c8d; another hash than the model's."""
        return self._name(self._config)

    @property
    def tags(self) -> dict[str, str]:
        """What the model, the configuration and the endpoint are tagged with."""
        tags = {
            TAG_ENDPOINT: self.endpoint,
            TAG_STAGE: self.stage,
            TAG_PACKAGE: self.package.arn,
            TAG_VERSION: str(self.package.version),
        }
        return {**tags, TAG_COMMIT: self.package.git_commit} if self.package.git_commit else tags

    def model_requests(self) -> list[dict[str, Any]]:
        """The requests of CreateModel: of the version, and of its shadow."""
        return [self.model_request(), *([self._shadowing.model_request()] if self._shadowing is not None else [])]

    def model_request(self) -> dict[str, Any]:
        """The request of CreateModel."""
        return {"ModelName": self.model_name, **self._model, "Tags": tag_list(self.tags)}

    def config_request(self) -> dict[str, Any]:
        """The request of CreateEndpointConfig."""
        return {"EndpointConfigName": self.config_name, **self._config, "Tags": tag_list(self.tags)}

    @property
    def _shadowing(self) -> "Specification | None":
        """The shadow as a version of its own: its model, and its tags."""
        shadow = self.hosting.shadow
        return replace(self, package=shadow, hosting=replace(self.hosting, shadow=None)) if shadow is not None else None

    @property
    def _model(self) -> dict[str, Any]:
        container: dict[str, Any] = {"ModelPackageName": self.package.arn}
        if self.hosting.capture is not None and self.hosting.personal:
            container["Environment"] = {PERSONAL: json.dumps(self.hosting.personal)}
        model: dict[str, Any] = {"ExecutionRoleArn": self.hosting.role_arn, "PrimaryContainer": container}
        if self.hosting.subnets:
            model["VpcConfig"] = {
                "Subnets": list(self.hosting.subnets),
                "SecurityGroupIds": list(self.hosting.security_group_ids),
            }
        return model

    @property
    def _config(self) -> dict[str, Any]:
        variant: dict[str, Any] = {"VariantName": VARIANT, "ModelName": self.model_name, "InitialVariantWeight": 1.0}
        serverless, capture = self.hosting.serverless, self.hosting.capture
        if serverless is not None:
            variant["ServerlessConfig"] = {
                "MemorySizeInMB": serverless.memory_mb,
                "MaxConcurrency": serverless.max_concurrency,
            }
        else:
            variant["InstanceType"] = self.hosting.instance_type
            variant["InitialInstanceCount"] = self.hosting.instance_count
        config: dict[str, Any] = {"ProductionVariants": [variant]}
        if self._shadowing is not None:
            shadow = {"VariantName": SHADOW, "ModelName": self._shadowing.model_name}
            config["ShadowProductionVariants"] = [{**variant, **shadow}]
        if capture is not None:
            config["DataCaptureConfig"] = {
                "EnableCapture": True,
                "InitialSamplingPercentage": capture.sampling_percent,
                "DestinationS3Uri": capture.destination,
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
                **({"KmsKeyId": self.hosting.kms_key} if self.hosting.kms_key else {}),
            }
        return {**config, "KmsKeyId": self.hosting.kms_key} if self.hosting.kms_key else config

    def _name(self, content: dict[str, Any]) -> str:
        # The endpoint is hashed too: two long endpoint names may be cut to the same beginning.
        document = json.dumps({"endpoint": self.endpoint, **content}, sort_keys=True)
        ending = f"-v{self.package.version}-{hashlib.sha256(document.encode()).hexdigest()[:8]}"
        return name_beginning(self.endpoint, len(ending)) + ending


def name_beginning(endpoint: str, room: int) -> str:
    """The endpoint's name, cut so that `room` more characters fit."""
    return endpoint[: NAME_LENGTH - room].rstrip("-")


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags in the shape of AWS requests."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
