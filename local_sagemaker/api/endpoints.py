"""Endpoints: behind each stand real model processes."""

import logging
import threading
import time
from typing import Any, Unpack

from local_sagemaker.api.endpoint_description import described
from local_sagemaker.api.listing import page
from local_sagemaker.api.models import Models
from local_sagemaker.api.resources import Resources
from local_sagemaker.clock import Clock
from local_sagemaker.errors import LONGEST_REASON, ServiceError, invalid, reason_of, unsupported
from local_sagemaker.hosting.data_capture import CaptureSettings
from local_sagemaker.hosting.deployment import Deployment, Variant
from local_sagemaker.hosting.endpoint_host import EndpointHost, Route
from local_sagemaker.hosting.model_process import ModelFailedToStart
from local_sagemaker.hosting.rollout import Interrupted, Phase, RolledBack, Rollout
from local_sagemaker.hosting.rollout_plan import RolloutPlan, plan_rollout
from local_sagemaker.moto_services.alarms import Alarms
from local_sagemaker.state.record_kinds import ASYNC_REQUEST, ENDPOINT, SCALABLE_TARGET
from local_sagemaker.state.record_types import EndpointRecord
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Request

LOG = logging.getLogger("local_sagemaker.hosting")
DELETE_SECONDS = 5.0  # for which DeleteEndpoint waits, so that mostly the endpoint is gone when it answers
MOST_INSTANCES = 32  # of an endpoint; each is a model process, or several


class Endpoints:
    """Create, Describe, List, Update and Delete of endpoints.

    An endpoint's record has two plans (see Models.plan): `Serving`, and while it changes `Pending`.
    """

    def __init__(
        self,
        records: Records,
        resources: Resources,
        host: EndpointHost,
        models: Models,
        alarms: Alarms,
        clock: Clock,
    ) -> None:
        self._records = records
        self._resources = resources
        self._host = host
        self._models = models
        self._alarms = alarms
        self._clock = clock
        self._phases: dict[str, Phase] = {}  # where the updates stand, by endpoint

    def create_endpoint(self, request: Request, caller: Caller) -> Request:
        """Start the model processes of a configuration; the endpoint is InService once they answer /ping."""
        plan = self._models.plan(request["EndpointConfigName"], caller)
        _check_room(plan)
        self._plan_rollout(request.get("DeploymentConfig"), plan, plan, caller)
        document = {**request, "EndpointStatus": "Creating", "Pending": _pending(plan)}
        response = self._resources.create(ENDPOINT, document, caller)
        self._deploy_in_background(request["EndpointName"], plan)
        return response

    def update_endpoint(self, request: Request, caller: Caller) -> Request:
        """Replace the variants as DeploymentConfig says; the old ones stay if the new ones fail.

        Without RetainDeploymentConfig, an update that names no DeploymentConfig shifts all requests at once.
        """
        name = request["EndpointName"]
        with self._records.lock:
            endpoint = self._changeable(name, caller)
            plan = self._models.plan(request["EndpointConfigName"], caller)
            config = request.get("DeploymentConfig")
            if config is None and request.get("RetainDeploymentConfig"):
                config = endpoint.get("DeploymentConfig")
            if request.get("RetainAllVariantProperties"):
                excluded = request.get("ExcludeRetainedVariantProperties", [])
                _retain(plan, endpoint["Serving"], {each["VariantPropertyType"] for each in excluded})
            _check_room(plan)
            self._require_unscaled(name, endpoint["Serving"], plan)
            rollout = self._plan_rollout(config, endpoint["Serving"], plan, caller)
            self._change(
                name,
                EndpointStatus="Updating",
                FailureReason=None,
                Pending=_pending(plan),
                DeploymentConfig=config,
            )
        self._deploy_in_background(name, plan, rollout=rollout, region=caller.region)
        return {"EndpointArn": endpoint["EndpointArn"]}

    def update_endpoint_weights_and_capacities(self, request: Request, caller: Caller) -> Request:
        """Change the variants' weights at once, and their instance counts while the endpoint is Updating."""
        name = request["EndpointName"]
        with self._records.lock:
            endpoint = self._changeable(name, caller)
            plan = endpoint["Serving"]
            variants = {variant["VariantName"]: variant for variant in plan["Variants"]}
            for desired in request["DesiredWeightsAndCapacities"]:
                if desired["VariantName"] not in variants:
                    raise invalid(
                        f"The endpoint {name} has no variant {desired['VariantName']}: {', '.join(variants)}."
                    )
                if desired.get("DesiredInstanceCount") == 0 and plan.get("AsyncInferenceConfig") is None:
                    raise invalid(
                        f"DesiredInstanceCount of the variant {desired['VariantName']} must be at least 1: only "
                        "asynchronous endpoints may have no instances."
                    )
                if "ServerlessUpdateConfig" in desired:
                    raise unsupported("a change of serverless variants in place (ServerlessUpdateConfig)")
                variant = variants[desired["VariantName"]]
                variant["Weight"] = desired.get("DesiredWeight", variant["Weight"])
                variant["InstanceCount"] = desired.get("DesiredInstanceCount", variant["InstanceCount"])
            _check_room(plan)
            counts = _counts(plan)
            health = self._host.health(name)
            resized = {key: count for key, count in counts.items() if key in health and health[key].size != count}
            self._change(name, Serving=plan, FailureReason=None, EndpointStatus="Updating" if resized else "InService")
            self._host.set_weights(name, {key: variant["Weight"] for key, variant in variants.items()})
        if resized:
            threading.Thread(target=self._resize, args=(name, resized), name=f"resize-{name}", daemon=True).start()
        return {"EndpointArn": endpoint["EndpointArn"]}

    def delete_endpoint(self, request: Request, caller: Caller) -> Request:
        """Delete an endpoint; its processes answer their current requests and stop."""
        name = request["EndpointName"]
        with self._records.lock:
            endpoint = self._resources.get(ENDPOINT, name, caller)
            if endpoint["EndpointStatus"] not in ("InService", "Failed"):
                raise invalid(f'Cannot delete in-progress endpoint "{endpoint["EndpointArn"]}".')
            self._change(name, EndpointStatus="Deleting")
        removal = threading.Thread(target=self._remove, args=(name,), name=f"delete-{name}", daemon=True)
        removal.start()
        removal.join(DELETE_SECONDS)
        return {}

    def describe_endpoint(self, request: Request, caller: Caller) -> Request:
        """One endpoint: the variants that serve, their status, and a deployment in progress."""
        name = request["EndpointName"]
        endpoint = self._resources.get(ENDPOINT, name, caller)
        return described(endpoint, self._host.health(name), self._host.captures(name), self._phases.get(name))

    def list_endpoints(self, request: Request, caller: Caller) -> Request:
        """Endpoints, newest first."""
        endpoints = self._resources.all(ENDPOINT)
        return page(endpoints, request, result="Endpoints", name="EndpointName", status="EndpointStatus")

    def recover(self) -> None:
        """After a restart: what served comes back serving, what was being created is created, an update is undone."""
        for endpoint in self._resources.all(ENDPOINT):
            name, pending = endpoint["EndpointName"], endpoint.get("Pending")
            if endpoint["EndpointStatus"] == "Deleting":
                self._forget(name)
            elif "Serving" in endpoint:
                reason = endpoint.get("FailureReason")
                if pending is not None:
                    reason = f"Local SageMaker stopped during the update to {pending['EndpointConfigName']}."
                self._change(name, EndpointStatus="Updating", Pending=None, FailureReason=reason)
                self._deploy_in_background(name, endpoint["Serving"], reason)
            elif endpoint["EndpointStatus"] == "Creating" and pending is not None:
                self._deploy_in_background(name, pending)

    def _changeable(self, name: str, caller: Caller) -> EndpointRecord:
        endpoint = self._resources.get(ENDPOINT, name, caller)
        if endpoint["EndpointStatus"] == "Failed":  # then the service allows DeleteEndpoint only
            raise invalid(f'Cannot update failed endpoint "{endpoint["EndpointArn"]}": delete it.')
        if endpoint["EndpointStatus"] != "InService":
            raise invalid(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
        return endpoint

    def _require_unscaled(self, name: str, serving: dict[str, Any], plan: dict[str, Any]) -> None:
        """A variant that is scaled keeps its name and its instance type."""
        types = {variant["VariantName"]: variant.get("InstanceType") for variant in plan["Variants"]}
        for variant in serving["Variants"]:
            key = variant["VariantName"]
            if self._records.get(SCALABLE_TARGET, f"endpoint/{name}/variant/{key}") is None:
                continue
            if types.get(key) != variant.get("InstanceType"):
                what = "be removed" if key not in types else "get another instance type"
                raise invalid(
                    f"The variant {key} of the endpoint {name} cannot {what} while it is a scalable target: deregister "
                    "it first (DeregisterScalableTarget)."
                )

    def _plan_rollout(
        self, config: dict[str, Any] | None, old: dict[str, Any], new: dict[str, Any], caller: Caller
    ) -> RolloutPlan:
        """The steps of an update; ValidationException where the service refuses them, or an alarm does not exist."""
        serverless = any(variant.get("MaxConcurrency") is not None for variant in [*old["Variants"], *new["Variants"]])
        try:
            rollout = plan_rollout(config, _counts(old), _counts(new), serverless)
        except ValueError as fault:
            raise invalid(str(fault)) from None
        missing = self._alarms.missing(caller.region, rollout.alarms)
        if missing:
            raise invalid(f"The alarms {', '.join(missing)} of AutoRollbackConfiguration do not exist.")
        return rollout

    def _deploy_in_background(
        self,
        name: str,
        plan: dict[str, Any],
        reason: str | None = None,
        rollout: RolloutPlan | None = None,
        region: str = "",
    ) -> None:
        arguments = (name, plan, reason, rollout, region)
        threading.Thread(target=self._deploy, args=arguments, name=f"deploy-{name}", daemon=True).start()

    def _deploy(
        self, name: str, plan: dict[str, Any], reason: str | None, rollout: RolloutPlan | None, region: str
    ) -> None:
        """Deploy a plan; once it serves, `reason` is the FailureReason of what went before."""
        try:
            self._start(name, plan, rollout, region)
        except (RolledBack, ModelFailedToStart, ServiceError, LookupError, ValueError, OSError) as error:
            self._deployment_failed(name, str(error))
        except Interrupted:  # the record says what was under way, and `recover` finds it
            LOG.info("the update of the endpoint %s was not finished: the server stops", name)
        except Exception as error:  # a fault of ours; without this the endpoint would be changing for ever
            LOG.exception("the endpoint %s could not be deployed", name)
            self._deployment_failed(name, f"InternalServerError: {reason_of(error)}")
        else:
            serving: EndpointRecord = {
                "EndpointStatus": "InService",
                "EndpointConfigName": plan["EndpointConfigName"],
                "FailureReason": reason,
                "Serving": plan,
                "Pending": None,
            }
            self._records.insist(lambda: self._change(name, **serving))
        finally:
            self._phases.pop(name, None)

    def _start(self, name: str, plan: dict[str, Any], rollout: RolloutPlan | None, region: str) -> None:
        old = self._host.current(name)
        first = rollout.steps[0].green if rollout is not None and old is not None else _counts(plan)
        self._tell(name, Phase("Creating", 0.0, "The instances are started."))
        new = self._host.prepare(
            name,
            [_variant(found, first.get(found["VariantName"])) for found in plan["Variants"]],
            CaptureSettings.of(plan["DataCaptureConfig"]),
            [_variant(found) for found in plan.get("Shadows", [])],
            plan["EndpointConfigName"],
            asynchronous=plan.get("AsyncInferenceConfig") is not None,
        )
        if old is None or rollout is None:
            self._replace(name, new)
            return
        Rollout(
            self._host,
            name,
            rollout,
            self._clock,
            lambda alarms, since: self._alarms.raised(region, alarms, since),
            lambda phase: self._tell(name, phase),
        ).run(old, new, old.sizes())

    def _replace(self, name: str, new: Deployment) -> None:
        for left in self._host.route(name, [Route(new, 1.0)]):
            left.retire()

    def _tell(self, name: str, phase: Phase) -> None:
        self._phases[name] = phase

    def _resize(self, name: str, counts: dict[str, int]) -> None:
        """Change how many instances serve; where one does not start, the endpoint says why and has those it had."""
        reason = None
        current = self._host.current(name)
        try:
            if current is not None:
                current.resize(counts)
        except ModelFailedToStart as fault:
            reason = str(fault)[:LONGEST_REASON]
        self._records.insist(lambda: self._resized(name, reason))

    def _resized(self, name: str, reason: str | None) -> None:
        with self._records.lock:
            endpoint = self._records.get(ENDPOINT, name)
            if endpoint is None:
                return
            sizes = {key: health.size for key, health in self._host.health(name).items()}
            for variant in endpoint["Serving"]["Variants"]:
                if reason is not None and variant.get("MaxConcurrency") is None:
                    variant["InstanceCount"] = sizes.get(variant["VariantName"], variant["InstanceCount"])
            self._change(name, EndpointStatus="InService", FailureReason=reason, Serving=endpoint["Serving"])

    def _deployment_failed(self, name: str, reason: str) -> None:
        # After an update that failed, the service says InService, with the old configuration and a FailureReason.
        status = "InService" if self._host.serves(name) else "Failed"
        changes: EndpointRecord = {"EndpointStatus": status, "FailureReason": reason[:LONGEST_REASON], "Pending": None}
        self._records.insist(lambda: self._change(name, **changes))

    def _remove(self, name: str) -> None:
        self._host.remove(name)
        self._records.insist(lambda: self._forget(name))

    def _forget(self, name: str) -> None:
        with self._records.lock:
            self._records.delete_all(ASYNC_REQUEST, f"{name}/")
            self._records.delete(ENDPOINT, name)

    def _change(self, name: str, **changes: Unpack[EndpointRecord]) -> None:
        self._records.update(ENDPOINT, name, EndpointRecord(LastModifiedTime=time.time(), **changes))


def _counts(plan: dict[str, Any]) -> dict[str, int]:
    """How many instances each variant is to have; a serverless one counts as one."""
    return {variant["VariantName"]: variant["InstanceCount"] for variant in plan["Variants"]}


def _check_room(plan: dict[str, Any]) -> None:
    total = sum(variant["InstanceCount"] for variant in [*plan["Variants"], *plan.get("Shadows", [])])
    if total > MOST_INSTANCES:
        raise ServiceError(
            "ResourceLimitExceeded",
            f"Local SageMaker starts at most {MOST_INSTANCES} instances for an endpoint, each a process of its own; "
            f"this configuration asks for {total}.",
        )


def _variant(found: dict[str, Any], instances: int | None = None) -> Variant:
    return Variant(
        found["VariantName"],
        found["Weight"],
        found["Containers"],
        found["StartSeconds"],
        found["InstanceCount"] if instances is None else instances,
        found.get("MaxConcurrency"),
    )


def _pending(plan: dict[str, Any]) -> dict[str, Any]:
    return {**plan, "StartTime": time.time()}


def _retain(plan: dict[str, Any], serving: dict[str, Any], excluded: set[str]) -> None:
    """Keep weights and instance counts of the variants that go on; the data capture is always the new one's.

    The service does not support DataCaptureConfig as a property to retain either.
    """
    old = {variant["VariantName"]: variant for variant in serving["Variants"]}
    kept = [
        key
        for key, name in (("Weight", "DesiredWeight"), ("InstanceCount", "DesiredInstanceCount"))
        if name not in excluded
    ]
    for variant in plan["Variants"]:
        variant.update({key: old[variant["VariantName"]][key] for key in kept if variant["VariantName"] in old})
