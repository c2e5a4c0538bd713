"""Endpoints: behind each stand real model processes."""

import logging
import threading
import time
from typing import Any

from local_sagemaker.api.endpoint_description import described
from local_sagemaker.api.listing import page
from local_sagemaker.api.models import Models
from local_sagemaker.api.resources import Resources
from local_sagemaker.errors import LONGEST_REASON, ServiceError, invalid, reason_of, unsupported
from local_sagemaker.hosting.data_capture import CaptureSettings
from local_sagemaker.hosting.deployment import Variant
from local_sagemaker.hosting.endpoint_host import EndpointHost
from local_sagemaker.hosting.model_process import ModelFailedToStart
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Request

LOG = logging.getLogger("local_sagemaker.hosting")
DELETE_SECONDS = 5.0  # for which DeleteEndpoint waits, so that mostly the endpoint is gone when it answers


class Endpoints:
    """Create, Describe, List, Update and Delete of endpoints.

    An endpoint's record has two plans (see Models.plan): `Serving`, and while it changes `Pending`.
    """

    def __init__(self, records: Records, resources: Resources, host: EndpointHost, models: Models) -> None:
        self._records = records
        self._resources = resources
        self._host = host
        self._models = models

    def create_endpoint(self, request: Request, caller: Caller) -> Request:
        """Start the model processes of a configuration; the endpoint is InService once they answer /ping."""
        _check_deployment(request.get("DeploymentConfig"))
        plan = self._models.plan(request["EndpointConfigName"], caller)
        document = {**request, "EndpointStatus": "Creating", "Pending": _pending(plan)}
        response = self._resources.create("Endpoint", document, caller)
        self._deploy_in_background(request["EndpointName"], plan)
        return response

    def update_endpoint(self, request: Request, caller: Caller) -> Request:
        """Replace the variants: the old ones answer until the new ones pass /ping, and stay where they do not."""
        name = request["EndpointName"]
        _check_deployment(request.get("DeploymentConfig"))
        with self._records.lock:
            endpoint = self._changeable(name, caller)
            plan = self._models.plan(request["EndpointConfigName"], caller)
            if request.get("RetainAllVariantProperties"):
                excluded = request.get("ExcludeRetainedVariantProperties", [])
                _retain(plan, endpoint["Serving"], {each["VariantPropertyType"] for each in excluded})
            self._change(
                name,
                EndpointStatus="Updating",
                FailureReason=None,
                Pending=_pending(plan),
                DeploymentConfig=request.get("DeploymentConfig"),
            )
        self._deploy_in_background(name, plan)
        return {"EndpointArn": endpoint["EndpointArn"]}

    def update_endpoint_weights_and_capacities(self, request: Request, caller: Caller) -> Request:
        """Change the variants' weights at once; one process serves a variant, whatever its instance count is."""
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
                if desired.get("DesiredInstanceCount") == 0:
                    raise invalid(f"DesiredInstanceCount of the variant {desired['VariantName']} must be at least 1.")
                if "ServerlessUpdateConfig" in desired:
                    raise unsupported("serverless variants (ServerlessUpdateConfig)")
                variant = variants[desired["VariantName"]]
                variant["Weight"] = desired.get("DesiredWeight", variant["Weight"])
                variant["InstanceCount"] = desired.get("DesiredInstanceCount", variant["InstanceCount"])
            self._change(name, Serving=plan, FailureReason=None)
            self._host.set_weights(name, {key: variant["Weight"] for key, variant in variants.items()})
        return {"EndpointArn": endpoint["EndpointArn"]}

    def delete_endpoint(self, request: Request, caller: Caller) -> Request:
        """Stop an endpoint's processes, once they have answered what they were asked, and forget it."""
        name = request["EndpointName"]
        with self._records.lock:
            endpoint = self._resources.get("Endpoint", name, caller)
            if endpoint["EndpointStatus"] not in ("InService", "Failed"):
                raise invalid(f'Cannot delete in-progress endpoint "{endpoint["EndpointArn"]}".')
            self._change(name, EndpointStatus="Deleting")
        removal = threading.Thread(target=self._remove, args=(name,), name=f"delete-{name}", daemon=True)
        removal.start()
        removal.join(DELETE_SECONDS)
        return {}

    def describe_endpoint(self, request: Request, caller: Caller) -> Request:
        """One endpoint with the variants that serve, how they stand, and what is to take their place."""
        name = request["EndpointName"]
        endpoint = self._resources.get("Endpoint", name, caller)
        return described(endpoint, self._host.health(name), self._host.captures(name))

    def list_endpoints(self, request: Request, caller: Caller) -> Request:
        """Endpoints, newest first."""
        endpoints = self._resources.all("Endpoint")
        return page(endpoints, request, result="Endpoints", name="EndpointName", status="EndpointStatus")

    def recover(self) -> None:
        """After a restart: what served comes back serving, what was being created is created, an update is undone."""
        for endpoint in self._resources.all("Endpoint"):
            name, pending = endpoint["EndpointName"], endpoint.get("Pending")
            if endpoint["EndpointStatus"] == "Deleting":
                self._records.delete("Endpoint", name)
            elif "Serving" in endpoint:
                reason = endpoint.get("FailureReason")
                if pending is not None:
                    reason = f"Local SageMaker stopped during the update to {pending['EndpointConfigName']}."
                self._change(name, EndpointStatus="Updating", Pending=None, FailureReason=reason)
                self._deploy_in_background(name, endpoint["Serving"], reason)
            elif endpoint["EndpointStatus"] == "Creating" and pending is not None:
                self._deploy_in_background(name, pending)

    def _changeable(self, name: str, caller: Caller) -> Request:
        endpoint = self._resources.get("Endpoint", name, caller)
        if endpoint["EndpointStatus"] == "Failed":  # then the service allows DeleteEndpoint only
            raise invalid(f'Cannot update failed endpoint "{endpoint["EndpointArn"]}": delete it.')
        if endpoint["EndpointStatus"] != "InService":
            raise invalid(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
        return endpoint

    def _deploy_in_background(self, name: str, plan: dict[str, Any], reason: str | None = None) -> None:
        threading.Thread(target=self._deploy, args=(name, plan, reason), name=f"deploy-{name}", daemon=True).start()

    def _deploy(self, name: str, plan: dict[str, Any], reason: str | None) -> None:
        """Deploy a plan; once it serves, `reason` is the FailureReason of what went before."""
        try:
            variants = [
                Variant(found["VariantName"], found["Weight"], found["Containers"], found["StartSeconds"])
                for found in plan["Variants"]
            ]
            self._host.deploy(name, variants, CaptureSettings.of(plan["DataCaptureConfig"]))
        except (ModelFailedToStart, ServiceError, LookupError, ValueError, OSError) as error:
            self._deployment_failed(name, str(error))
        except Exception as error:  # a fault of ours; without this the endpoint would be changing for ever
            LOG.exception("the endpoint %s could not be deployed", name)
            self._deployment_failed(name, f"InternalServerError: {reason_of(error)}")
        else:
            serving = {
                "EndpointStatus": "InService",
                "EndpointConfigName": plan["EndpointConfigName"],
                "FailureReason": reason,
                "Serving": plan,
                "Pending": None,
            }
            self._records.insist(lambda: self._change(name, **serving))

    def _deployment_failed(self, name: str, reason: str) -> None:
        # After an update that failed, the service says InService, with the old configuration and a FailureReason.
        status = "InService" if self._host.serves(name) else "Failed"
        changes = {"EndpointStatus": status, "FailureReason": reason[:LONGEST_REASON], "Pending": None}
        self._records.insist(lambda: self._change(name, **changes))

    def _remove(self, name: str) -> None:
        self._host.remove(name)
        self._records.insist(lambda: self._records.delete("Endpoint", name))

    def _change(self, name: str, **changes: Any) -> None:
        self._records.update("Endpoint", name, LastModifiedTime=time.time(), **changes)


def _check_deployment(config: dict[str, Any] | None) -> None:
    """Refuse what a deployment that shifts all traffic at once does not do."""
    if config is None:
        return
    if "RollingUpdatePolicy" in config:
        raise unsupported("rolling deployments (DeploymentConfig.RollingUpdatePolicy)")
    if config.get("AutoRollbackConfiguration", {}).get("Alarms"):
        raise unsupported("a rollback by CloudWatch alarms (DeploymentConfig.AutoRollbackConfiguration)")
    routing = config.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    if routing.get("Type", "ALL_AT_ONCE") != "ALL_AT_ONCE":
        raise unsupported(f"traffic routing of the type {routing['Type']} (use ALL_AT_ONCE)")


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
