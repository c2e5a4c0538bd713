"""A SageMaker with a registry and endpoints, whose failures a test chooses."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from command_line import session
from tests.aws_stub import Refusal, StubAws, arn, now, stub_aws

GROUP = "house-prices"


class Hosting:
    """Models, configurations, endpoints, packages and tags, with the service's rules and messages.

    `fail_next` is the reason why the next creation or update of an endpoint fails; `polls` is how many
    times an endpoint is seen to change before it has changed.
    """

    def __init__(self, aws: StubAws) -> None:
        self.aws = aws
        self.models: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.packages: list[dict[str, Any]] = []
        self.tags: dict[str, dict[str, str]] = {}
        self.targets: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.fail_next: str | None = None
        self.polls = 1
        self._clock = itertools.count()
        for name in [name for name in dir(self) if name[0].isupper()]:
            aws.answers[name] = getattr(self, name)

    @property
    def sagemaker(self) -> Any:
        """A client."""
        return self.aws.client("sagemaker")

    def register(self, approval: str = "Approved", commit: str | None = "0123456789abcdef") -> str:
        """Register the next version and return its ARN."""
        version = len(self.packages) + 1
        package = {
            "ModelPackageName": GROUP,
            "ModelPackageGroupName": GROUP,
            "ModelPackageVersion": version,
            "ModelPackageArn": arn(f"model-package/{GROUP}/{version}"),
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": []},
            "ModelApprovalStatus": approval,
            "CreationTime": now(),
        }
        if commit:
            package["CustomerMetadataProperties"] = {"git_commit": commit}
        self.packages.append(package)
        return str(package["ModelPackageArn"])

    def set_approval(self, version: int, approval: str) -> None:
        """Approve or reject a version."""
        self.packages[version - 1]["ModelApprovalStatus"] = approval

    def ListModelPackages(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.packages:
            raise Refusal(
                "ValidationException", f"ModelPackageGroup {request['ModelPackageGroupName']} does not exist."
            )
        return {"ModelPackageSummaryList": self.packages}

    def DescribeModelPackage(self, request: dict[str, Any]) -> dict[str, Any]:
        for package in self.packages:
            if package["ModelPackageArn"] == request["ModelPackageName"]:
                return package
        raise Refusal("ValidationException", f"ModelPackage {request['ModelPackageName']} does not exist.")

    def UpdateModelPackage(self, request: dict[str, Any]) -> dict[str, Any]:
        package = next(each for each in self.packages if each["ModelPackageArn"] == request["ModelPackageArn"])
        properties = {**package.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
        package |= {**request, "CustomerMetadataProperties": properties}
        return {"ModelPackageArn": package["ModelPackageArn"]}

    def CreateModel(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._create(self.models, "model", "Model", request)

    def CreateEndpointConfig(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._create(self.configs, "endpoint-config", "EndpointConfig", request)

    def CreateEndpoint(self, request: dict[str, Any]) -> dict[str, Any]:
        self._get(self.configs, "endpoint-config", request["EndpointConfigName"])
        request = {**request, "EndpointStatus": "Creating", "LastModifiedTime": now()}
        response = self._create(self.endpoints, "endpoint", "Endpoint", request)
        self._begin(request["EndpointName"], request["EndpointConfigName"], "Failed")
        return response

    def UpdateEndpoint(self, request: dict[str, Any]) -> dict[str, Any]:
        endpoint = self._get(self.endpoints, "endpoint", request["EndpointName"])
        if endpoint["EndpointStatus"] != "InService":
            raise Refusal("ValidationException", "Cannot update in-progress endpoint.")
        self._get(self.configs, "endpoint-config", request["EndpointConfigName"])
        endpoint["EndpointStatus"] = "Updating"
        self._begin(request["EndpointName"], request["EndpointConfigName"], "InService")
        return {"EndpointArn": endpoint["EndpointArn"]}

    def UpdateEndpointWeightsAndCapacities(self, request: dict[str, Any]) -> dict[str, Any]:
        endpoint = self._get(self.endpoints, "endpoint", request["EndpointName"])
        if endpoint["EndpointStatus"] != "InService":
            raise Refusal("ValidationException", "Cannot update in-progress endpoint.")
        desired = request["DesiredWeightsAndCapacities"]
        endpoint["weights"] = {each["VariantName"]: each["DesiredWeight"] for each in desired}
        return {"EndpointArn": endpoint["EndpointArn"]}

    def DescribeModel(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._get(self.models, "model", request["ModelName"])

    def DescribeEndpointConfig(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._get(self.configs, "endpoint-config", request["EndpointConfigName"])

    def DescribeEndpoint(self, request: dict[str, Any]) -> dict[str, Any]:
        endpoint = self._get(self.endpoints, "endpoint", request["EndpointName"])
        change = endpoint.get("change")
        if change is not None:
            change["polls"] -= 1
            if change["polls"] < 0:
                endpoint.update(change["result"], LastModifiedTime=now())
                if "EndpointConfigName" in change["result"]:
                    endpoint.pop("weights", None)
                del endpoint["change"]
        answer = {key: value for key, value in endpoint.items() if key not in ("change", "Tags", "weights")}
        variants = self.configs.get(endpoint["EndpointConfigName"], {}).get("ProductionVariants", [])
        if len(variants) > 1:
            initial = {each["VariantName"]: each["InitialVariantWeight"] for each in variants}
            weights = endpoint.get("weights", initial)
            answer["ProductionVariants"] = [{"VariantName": key, "DesiredWeight": weights[key]} for key in initial]
        return answer

    def ListEndpointConfigs(self, request: dict[str, Any]) -> dict[str, Any]:
        found = [config for name, config in self.configs.items() if request["NameContains"] in name]
        return {"EndpointConfigs": sorted(found, key=lambda config: -config["CreationTime"])}

    def DeleteModel(self, request: dict[str, Any]) -> dict[str, Any]:
        self._get(self.models, "model", request["ModelName"])
        del self.models[request["ModelName"]]
        return {}

    def DeleteEndpointConfig(self, request: dict[str, Any]) -> dict[str, Any]:
        self._get(self.configs, "endpoint-config", request["EndpointConfigName"])
        del self.configs[request["EndpointConfigName"]]
        return {}

    def DeleteEndpoint(self, request: dict[str, Any]) -> dict[str, Any]:
        self._get(self.endpoints, "endpoint", request["EndpointName"])
        del self.endpoints[request["EndpointName"]]
        return {}

    def RegisterScalableTarget(self, request: dict[str, Any]) -> dict[str, Any]:
        self.targets[request["ResourceId"]] = {**request, "RoleARN": arn("role/x"), "CreationTime": now()}
        return {}

    def DeregisterScalableTarget(self, request: dict[str, Any]) -> dict[str, Any]:
        del self.targets[request["ResourceId"]]
        self.policies.pop(request["ResourceId"], None)
        return {}

    def DescribeScalableTargets(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"ScalableTargets": [self.targets[name] for name in request["ResourceIds"] if name in self.targets]}

    def PutScalingPolicy(self, request: dict[str, Any]) -> dict[str, Any]:
        self.policies[request["ResourceId"]] = {**request, "PolicyARN": arn("policy/x"), "CreationTime": now()}
        return {"PolicyARN": arn("policy/x"), "Alarms": []}

    def DescribeScalingPolicies(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"ScalingPolicies": [each for name, each in self.policies.items() if name == request["ResourceId"]]}

    def AddTags(self, request: dict[str, Any]) -> dict[str, Any]:
        tags = self.tags.setdefault(request["ResourceArn"], {})
        tags.update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
        return {"Tags": []}

    def DeleteTags(self, request: dict[str, Any]) -> dict[str, Any]:
        for key in request["TagKeys"]:
            self.tags.get(request["ResourceArn"], {}).pop(key, None)
        return {}

    def ListTags(self, request: dict[str, Any]) -> dict[str, Any]:
        tags = self.tags.get(request["ResourceArn"], {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _begin(self, name: str, config: str, status_if_failed: str) -> None:
        result = {"EndpointStatus": "InService", "EndpointConfigName": config, "FailureReason": None}
        if self.fail_next is not None:
            result = {"EndpointStatus": status_if_failed, "FailureReason": self.fail_next}
            self.fail_next = None
        self.endpoints[name]["change"] = {"polls": self.polls, "result": result}

    def _create(
        self, table: dict[str, dict[str, Any]], kind: str, field: str, request: dict[str, Any]
    ) -> dict[str, Any]:
        name = request[f"{field}Name"]
        identity = arn(f"{kind}/{name}")
        if name in table:
            raise Refusal("ValidationException", f'Cannot create already existing {kind} "{identity}".')
        table[name] = {**request, f"{field}Arn": identity, "CreationTime": now() + next(self._clock) * 1e-3}
        self.tags[identity] = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        return {f"{field}Arn": identity}

    def _get(self, table: dict[str, dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
        if name not in table:
            raise Refusal("ValidationException", f'Could not find {kind} "{arn(f"{kind}/{name}")}".')
        return table[name]


@pytest.fixture(scope="session")
def aws() -> Iterator[StubAws]:
    """The socket, shared by all tests: a server costs more than a test."""
    with stub_aws() as stub:
        yield stub


@pytest.fixture
def hosting(aws: StubAws) -> Hosting:
    """A SageMaker without models or endpoints, and a bucket without a history of them."""
    for name in [name for name in aws.objects if name[1].startswith(f"{GROUP}/history/")]:
        del aws.objects[name]
    aws.answers.clear()
    aws.models.clear()
    aws.calls.clear()
    aws.schedules.clear()
    return Hosting(aws)


@pytest.fixture
def account(hosting: Hosting, monkeypatch: pytest.MonkeyPatch) -> Hosting:
    """The environment of an AWS account that is the stub."""
    for name, value in {
        "AWS_ENDPOINT_URL": hosting.aws.url,
        "AWS_ACCESS_KEY_ID": "stub",
        "AWS_SECRET_ACCESS_KEY": "stub",
        "AWS_REGION": "eu-west-1",
        "AWS_MAX_ATTEMPTS": "1",
        "SAGEMAKER_ROLE_ARN": "arn:aws:iam::123456789012:role/serve",
        "SAGEMAKER_BUCKET": "houses",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(session, "AWS_POLL_SECONDS", 0.001)
    hosting.aws.models[f"{GROUP}-staging"] = lambda body, kind: (
        b'{"predictions": [{"score": 543210.4}]}',
        "application/json",
    )
    return hosting
