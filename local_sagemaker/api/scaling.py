"""Application Auto Scaling of endpoint variants: scalable targets and their policies."""

import re
import time
import uuid
from typing import NamedTuple

from local_sagemaker.api.listing import cut
from local_sagemaker.api.scaling_policies import FIELDS, STEPS, TRACKING, checked
from local_sagemaker.errors import ServiceError, invalid, unsupported
from local_sagemaker.metrics.target_tracking import HIGH, LOW, Tracked, Tracking
from local_sagemaker.moto_services.alarms import Alarms
from local_sagemaker.state.record_kinds import ENDPOINT, SCALABLE_TARGET, SCALING_POLICY
from local_sagemaker.state.records import Kind, Records
from local_sagemaker.wire.dispatch import Caller, Request

NAMESPACE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
RESOURCE = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
BURSTABLE = "ml.t2."
MOST_ACTIVITIES = 50
ROLE = (
    "arn:aws:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


class Resource(NamedTuple):
    """What a ResourceId names."""

    endpoint: str
    variant: str

    @property
    def dimensions(self) -> dict[str, str]:
        """Those of its metrics."""
        return {"EndpointName": self.endpoint, "VariantName": self.variant}


class Scaling:
    """The operations; `ScalingWatch` is what acts on them."""

    def __init__(self, records: Records, alarms: Alarms) -> None:
        self._records = records
        self._alarms = alarms

    def register_scalable_target(self, request: Request, caller: Caller) -> Request:
        """Say between which numbers of instances a variant may be scaled, or change that."""
        least = self._least(resource_of(request))
        name = request["ResourceId"]
        with self._records.lock:
            found = self._records.get(SCALABLE_TARGET, name)
            before = found or {}
            low, high = (request.get(key, before.get(key)) for key in ("MinCapacity", "MaxCapacity"))
            if low is None or high is None:
                raise invalid("MinCapacity and MaxCapacity are needed to register a scalable target.")
            if not least <= low <= high:
                raise invalid(
                    f"MinCapacity {low} and MaxCapacity {high}: {least} <= MinCapacity <= MaxCapacity is needed"
                    f"{'; only asynchronous endpoints scale to 0 instances' if low == 0 else ''}."
                )
            document = {
                "ServiceNamespace": NAMESPACE,
                "ResourceId": name,
                "ScalableDimension": DIMENSION,
                "RoleARN": ROLE.format(account=caller.account),
                "CreationTime": time.time(),
                "ScalableTargetARN": f"arn:aws:application-autoscaling:{caller.region}:{caller.account}:"
                f"scalable-target/{uuid.uuid4().hex[:28]}",
                **before,
                "MinCapacity": low,
                "MaxCapacity": high,
                "SuspendedState": {**_suspended({}), **before.get("SuspendedState", {}), **_suspended(request)},
                "Region": caller.region,
            }
            self._put(SCALABLE_TARGET, name, document, found)
        return {"ScalableTargetARN": document["ScalableTargetARN"]}

    def describe_scalable_targets(self, request: Request, _: Caller) -> Request:
        """Scalable targets, those of ResourceIds where that is given."""
        _require_namespace(request)
        wanted = request.get("ResourceIds")
        found = [each for each in self._records.all(SCALABLE_TARGET) if not wanted or each["ResourceId"] in wanted]
        return cut(found, request, result="ScalableTargets", name="ResourceId", default_size=50)

    def deregister_scalable_target(self, request: Request, caller: Caller) -> Request:
        """Forget a target with its policies and their alarms."""
        resource_of(request)
        if self._records.get(SCALABLE_TARGET, request["ResourceId"]) is None:
            raise _not_registered(request)
        self.forget(request["ResourceId"], caller.region)
        return {}

    def put_scaling_policy(self, request: Request, caller: Caller) -> Request:
        """Track a metric with two alarms, or scale by steps that alarms of the client call for."""
        resource, name = resource_of(request), request["ResourceId"]
        kind, configuration = checked(request)
        if self._records.get(SCALABLE_TARGET, name) is None:
            raise _not_registered(request)
        key = _key(name, request["PolicyName"])
        before = self._records.get(SCALING_POLICY, key)
        if before is not None and before["PolicyType"] != kind:
            raise invalid(
                f"The policy {request['PolicyName']} of {name} is of the type {before['PolicyType']}: delete it, or "
                "take another name."
            )
        if kind == TRACKING:
            self._require_only_one(resource, request, configuration)
        arn = (before or {}).get("PolicyARN") or (
            f"arn:aws:autoscaling:{caller.region}:{caller.account}:scalingPolicy:{uuid.uuid4()}:resource/sagemaker/"
            f"{name}:policyName/{request['PolicyName']}"
        )
        alarms = (before or {}).get("Alarms") or (_alarms(name, caller) if kind == TRACKING else [])
        document = {
            "PolicyARN": arn,
            "PolicyName": request["PolicyName"],
            "ServiceNamespace": NAMESPACE,
            "ResourceId": name,
            "ScalableDimension": DIMENSION,
            "PolicyType": kind,
            FIELDS[kind]: configuration,
            "Alarms": alarms,
            "CreationTime": (before or {}).get("CreationTime", time.time()),
        }
        if kind == TRACKING:
            tracking, tracked = Tracking.of(configuration), Tracked.of(configuration, resource.dimensions)
            for which, alarm in zip((HIGH, LOW), alarms, strict=True):
                self._alarms.put(caller.region, tracking.alarm(which, alarm["AlarmName"], tracked, arn))
        self._put(SCALING_POLICY, key, document, before)
        return {"PolicyARN": arn, "Alarms": alarms}

    def describe_scaling_policies(self, request: Request, caller: Caller) -> Request:
        """Policies, those of one target or of some names where these are given; with the alarms that call them."""
        _require_namespace(request)
        names = request.get("PolicyNames")
        found = [
            {**each, "Alarms": self._calling(each, caller.region)}
            for each in self._policies(request.get("ResourceId"))
            if not names or each["PolicyName"] in names
        ]
        return cut(found, request, result="ScalingPolicies", name="PolicyARN", default_size=50)

    def delete_scaling_policy(self, request: Request, caller: Caller) -> Request:
        """Forget a policy and its alarms; the instances stay as they are."""
        resource_of(request)
        key = _key(request["ResourceId"], request["PolicyName"])
        policy = self._records.get(SCALING_POLICY, key)
        if policy is None:
            raise ServiceError("ObjectNotFoundException", f"No scaling policy {request['PolicyName']} was found.")
        self._forget_policy(policy, caller.region)
        return {}

    def describe_scaling_activities(self, request: Request, _: Caller) -> Request:
        """What was scaled, the newest first."""
        _require_namespace(request)
        targets = [
            each
            for each in self._records.all(SCALABLE_TARGET)
            if request.get("ResourceId") in (None, each["ResourceId"])
        ]
        found = [activity for each in targets for activity in each.get("Activities", [])]
        found.sort(key=lambda each: -each["StartTime"])
        return cut(found, request, result="ScalingActivities", name="ActivityId", default_size=50)

    def forget(self, resource: str, region: str) -> None:
        """A target, its policies and their alarms, where there are any."""
        for policy in self._policies(resource):
            self._forget_policy(policy, region)
        self._records.delete(SCALABLE_TARGET, resource)

    def _require_only_one(self, resource: Resource, request: Request, configuration: Request) -> None:
        metric = Tracked.of(configuration, resource.dimensions).metric
        for other in self._policies(request["ResourceId"]):
            if other["PolicyName"] == request["PolicyName"] or other["PolicyType"] != TRACKING:
                continue
            if Tracked.of(other[FIELDS[TRACKING]], resource.dimensions).metric == metric:
                raise invalid(
                    f"{request['ResourceId']} has the policy {other['PolicyName']}, which tracks {metric.name} too: "
                    "only one policy may track a metric."
                )

    def _calling(self, policy: Request, region: str) -> list[dict[str, str]]:
        """A policy's own alarms; for one of steps those of the client that name it."""
        if policy["PolicyType"] != STEPS:
            own: list[dict[str, str]] = policy["Alarms"]
            return own
        named = self._alarms.naming(region, policy["PolicyARN"])
        return [{"AlarmName": alarm.name, "AlarmARN": alarm.alarm_arn} for alarm in named]

    def _forget_policy(self, policy: Request, region: str) -> None:
        self._alarms.remove(region, [each["AlarmName"] for each in policy["Alarms"]])
        self._records.delete(SCALING_POLICY, _key(policy["ResourceId"], policy["PolicyName"]))

    def _policies(self, resource: str | None) -> list[Request]:
        return [each for each in self._records.all(SCALING_POLICY) if resource in (None, each["ResourceId"])]

    def _put(self, kind: Kind[Request], key: str, document: Request, before: Request | None) -> None:
        if before is None:
            self._records.create(kind, key, document)
        else:
            self._records.update(kind, key, document)

    def _least(self, resource: Resource) -> int:
        """The smallest MinCapacity that a variant may have; ServiceError where it cannot be scaled."""
        endpoint = self._records.get(ENDPOINT, resource.endpoint)
        plan = (endpoint.get("Serving") or endpoint.get("Pending")) if endpoint is not None else None
        found = [each for each in (plan or {}).get("Variants", []) if each["VariantName"] == resource.variant]
        if not found:
            raise invalid(f"Could not find the variant {resource.variant} of the endpoint {resource.endpoint}.")
        if found[0].get("MaxConcurrency") is not None:
            raise unsupported("the scaling of a serverless variant's provisioned concurrency")
        if str(found[0].get("InstanceType", "")).startswith(BURSTABLE):
            raise invalid(f"The instance type {found[0]['InstanceType']} is burstable, and cannot be scaled.")
        return 0 if (plan or {}).get("AsyncInferenceConfig") is not None else 1


def resource_of(request: Request) -> Resource:
    """What a request, or a target, is about; ServiceError for what is not a variant of an endpoint."""
    _require_namespace(request)
    if request.get("ScalableDimension") != DIMENSION:
        raise unsupported(f"the scalable dimension {request.get('ScalableDimension')}")
    found = RESOURCE.fullmatch(request["ResourceId"])
    if found is None:
        raise invalid(f"ResourceId {request['ResourceId']} is not of the form endpoint/NAME/variant/NAME.")
    return Resource(*found.groups())


def _require_namespace(request: Request) -> None:
    if request["ServiceNamespace"] != NAMESPACE:
        raise unsupported(f"the scaling of {request['ServiceNamespace']} (ServiceNamespace)")


def _alarms(resource: str, caller: Caller) -> list[dict[str, str]]:
    """The two alarms of a policy that tracks a metric: HIGH and LOW."""
    names = [f"TargetTracking-{resource}-{kind}-{uuid.uuid4()}" for kind in (HIGH, LOW)]
    arn = f"arn:aws:cloudwatch:{caller.region}:{caller.account}:alarm"
    return [{"AlarmName": name, "AlarmARN": f"{arn}:{name}"} for name in names]


def _suspended(request: Request) -> dict[str, bool]:
    given: dict[str, bool] | None = request.get("SuspendedState")
    names = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    return dict.fromkeys(names, False) if given is None and not request else given or {}


def _key(resource: str, policy: str) -> str:
    return f"{resource}:{policy}"


def _not_registered(request: Request) -> ServiceError:
    return ServiceError(
        "ObjectNotFoundException",
        f"No scalable target registered for service namespace: {NAMESPACE}, resource ID: {request['ResourceId']}, "
        f"scalable dimension: {DIMENSION}",
    )
