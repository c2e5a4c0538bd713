"""How many instances a stage has by its traffic: what Application Auto Scaling is to do, and what it does. As requests.

A variant that is scaled keeps the count that scaling chose over an update, and is deregistered only where the service
asks for it: for another instance type, or a variant that is taken away.
https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deployment.endpoint import describe_endpoint
from deployment.packages import SageMakerClient
from deployment.specification import VARIANT

ScalingClient = Any  # boto3's client of application-autoscaling
Requests = Sequence[tuple[str, dict[str, Any]]]  # operation and request, in their order
METRIC = "SageMakerVariantInvocationsPerInstance"
POLICY = "invocations-per-instance"


@dataclass(frozen=True)
class Autoscaling:
    """What is wanted: bounds of the number of instances, invocations a minute and instance, cooldowns in seconds."""

    min_instances: int
    max_instances: int
    invocations_per_instance: float
    scale_in_cooldown_seconds: int = 300
    scale_out_cooldown_seconds: int = 300

    @property
    def bounds(self) -> dict[str, int]:
        """Those of RegisterScalableTarget."""
        return {"MinCapacity": self.min_instances, "MaxCapacity": self.max_instances}

    @property
    def policy(self) -> dict[str, Any]:
        """The TargetTrackingScalingPolicyConfiguration."""
        return {
            "TargetValue": float(self.invocations_per_instance),
            "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
            "ScaleInCooldown": self.scale_in_cooldown_seconds,
            "ScaleOutCooldown": self.scale_out_cooldown_seconds,
        }

    def __str__(self) -> str:
        return (
            f"{self.min_instances} to {self.max_instances} instances, "
            f"{self.invocations_per_instance:g} invocations a minute each"
        )


@dataclass(frozen=True)
class LiveScaling:
    """What there is: the scalable target, its policies, and the instance type that serves; None and empty for none."""

    target: Mapping[str, Any] | None = None
    policies: Sequence[Mapping[str, Any]] = ()
    instance_type: str | None = None

    def keeps(self, instance_type: str | None) -> bool:
        """Whether a configuration with this type may take over while the variant is registered."""
        return self.target is not None and self.instance_type == instance_type

    def without(self, wanted: Autoscaling) -> list[str]:
        """How it differs from what is wanted, a text for each."""
        if self.target is None:
            return ["it is not scaled"]
        found = {key: self.target.get(key) for key in wanted.bounds}
        texts = []
        if found != wanted.bounds:
            texts.append(f"it is scaled between {found['MinCapacity']} and {found['MaxCapacity']} instances")
        configurations = [each.get("TargetTrackingScalingPolicyConfiguration") for each in self.policies]
        if configurations != [wanted.policy]:
            texts.append(f"its scaling policies are {configurations or 'none'}")
        return texts


class VariantScaling:
    """The scaling of one endpoint's variant."""

    def __init__(self, client: ScalingClient, sagemaker: SageMakerClient, endpoint: str) -> None:
        self._client = client
        self._sagemaker = sagemaker
        self._endpoint = endpoint
        self._left: LiveScaling | None = None  # what was deregistered, until it is there again

    def live(self) -> LiveScaling:
        """What there is now."""
        where = {"ServiceNamespace": "sagemaker", "ScalableDimension": self._variant["ScalableDimension"]}
        name = self._variant["ResourceId"]
        targets = self._client.describe_scalable_targets(ResourceIds=[name], **where)["ScalableTargets"]
        if not targets:
            return LiveScaling()
        policies = self._client.describe_scaling_policies(ResourceId=name, **where)["ScalingPolicies"]
        return LiveScaling(targets[0], policies, self._instance_type())

    def before(self, live: LiveScaling, instance_type: str | None) -> tuple[Requests, dict[str, Any]]:
        """What must be asked before an update to an instance type, and what UpdateEndpoint is asked beside it."""
        if live.target is None:
            return [], {}
        if live.keeps(instance_type):
            return [], {"RetainAllVariantProperties": True}
        return [("DeregisterScalableTarget", self._variant)], {}

    def after(self, live: LiveScaling, wanted: Autoscaling | None) -> Requests:
        """What makes the scaling as it is wanted; nothing where it is."""
        if wanted is None:
            return [("DeregisterScalableTarget", self._variant)] if live.target is not None else []
        if not live.without(wanted):
            return []
        others = [
            ("DeleteScalingPolicy", {**self._variant, "PolicyName": each["PolicyName"]})
            for each in live.policies
            if each["PolicyName"] != POLICY
        ]
        policy = {
            **self._variant,
            "PolicyName": POLICY,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": wanted.policy,
        }
        return [("RegisterScalableTarget", {**self._variant, **wanted.bounds}), *others, ("PutScalingPolicy", policy)]

    def planned(
        self, instance_type: str | None, wanted: Autoscaling | None
    ) -> tuple[Requests, dict[str, Any], Requests]:
        """What an update would ask before, with, and after UpdateEndpoint."""
        live = self.live()
        first, update = self.before(live, instance_type)
        return first, update, self.after(LiveScaling() if first else live, wanted)

    def prepare(self, instance_type: str | None) -> dict[str, Any]:
        """Make an update to an instance type possible; what UpdateEndpoint is asked for, so that counts stay."""
        live = self.live()
        requests, update = self.before(live, instance_type)
        if requests:
            self._left = live
        self._send(requests)
        return update

    def restore(self) -> None:
        """Register again what was deregistered for an update that did not go through."""
        left, self._left = self._left, None
        if left is None or left.target is None:
            return
        bounds = {key: left.target[key] for key in ("MinCapacity", "MaxCapacity")}
        keys = ("PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration")
        policies = [
            ("PutScalingPolicy", {**self._variant, **{key: each[key] for key in keys if key in each}})
            for each in left.policies
        ]
        self._send([("RegisterScalableTarget", {**self._variant, **bounds}), *policies])

    def apply(self, wanted: Autoscaling | None) -> bool:
        """Make it as it is wanted; whether anything had to change."""
        self._left = None
        requests = self.after(self.live(), wanted)
        self._send(requests)
        return bool(requests)

    def differences(self, wanted: Autoscaling | None) -> list[str]:
        """How what there is now differs from what is wanted."""
        live = self.live()
        if wanted is None:
            return ["it is scaled"] if live.target is not None else []
        return live.without(wanted)

    def _send(self, requests: Requests) -> None:
        from botocore import xform_name

        for operation, request in requests:
            getattr(self._client, xform_name(operation))(**request)

    def _instance_type(self) -> str | None:
        found = describe_endpoint(self._sagemaker, self._endpoint)
        if found is None:
            return None
        return instance_type_of(self._sagemaker, found["EndpointConfigName"])

    @property
    def _variant(self) -> dict[str, Any]:
        return {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{self._endpoint}/variant/{VARIANT}",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }


def instance_type_of(sagemaker: SageMakerClient, config: str) -> str | None:
    """The instance type of the variant in a configuration; None where it has none, or is not there."""
    found = sagemaker.describe_endpoint_config(EndpointConfigName=config)
    types = [each.get("InstanceType") for each in found["ProductionVariants"] if each["VariantName"] == VARIANT]
    return types[0] if types else None


@dataclass
class Scaled:
    """The scaling of an endpoint, and what is wanted of it, as a deployment takes both."""

    variant: VariantScaling
    wanted: Autoscaling | None = field(default=None)
