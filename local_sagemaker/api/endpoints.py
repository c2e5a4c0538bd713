"""Models, endpoint configurations and endpoints; behind an endpoint stand real model processes."""

import threading
import time
from typing import Any

from local_sagemaker.api.dispatch import Caller, Request
from local_sagemaker.api.listing import page
from local_sagemaker.api.registry import Registry
from local_sagemaker.api.tags import Tags
from local_sagemaker.errors import ServiceError, invalid, unsupported
from local_sagemaker.hosting.endpoint_host import EndpointHost, Variant
from local_sagemaker.hosting.model_process import ModelFailedToStart
from local_sagemaker.records import Records

REFUSED_CONFIGS = {
    "AsyncInferenceConfig": "asynchronous endpoints",
    "ShadowProductionVariants": "shadow variants",
    "ExplainerConfig": "online explanations",
}


class Endpoints:
    """Create, Describe, List, Update and Delete of models, endpoint configurations and endpoints."""

    def __init__(self, records: Records, host: EndpointHost, registry: Registry, tags: Tags) -> None:
        self._records = records
        self._host = host
        self._registry = registry
        self._tags = tags

    def create_model(self, request: Request, caller: Caller) -> Request:
        """Record a model; its container may name a model package."""
        containers = request.get("Containers") or [request.get("PrimaryContainer", {})]
        if len(containers) > 1:
            raise unsupported("models of more than one container (inference pipelines)")
        self._container(containers[0])
        return self._create("Model", request, caller)

    def create_endpoint_config(self, request: Request, caller: Caller) -> Request:
        """Record an endpoint configuration."""
        for field, what in REFUSED_CONFIGS.items():
            if field in request:
                raise unsupported(f"{what} ({field})")
        if request.get("DataCaptureConfig", {}).get("EnableCapture"):
            raise unsupported("data capture (DataCaptureConfig)")
        for variant in request["ProductionVariants"]:
            if "ServerlessConfig" in variant:
                raise unsupported(f"serverless variants (ServerlessConfig of {variant['VariantName']})")
            self._get("Model", variant["ModelName"], caller)
        return self._create("EndpointConfig", request, caller)

    def create_endpoint(self, request: Request, caller: Caller) -> Request:
        """Start the model processes of a configuration; the endpoint is InService once they answer /ping."""
        self._get("EndpointConfig", request["EndpointConfigName"], caller)
        response = self._create("Endpoint", {**request, "EndpointStatus": "Creating"}, caller)
        self._deploy_in_background(request["EndpointName"], request["EndpointConfigName"], caller)
        return response

    def update_endpoint(self, request: Request, caller: Caller) -> Request:
        """Replace the variants: the old ones answer until the new ones pass /ping, and stay where they do not."""
        name = request["EndpointName"]
        with self._records.lock:
            endpoint = self._get("Endpoint", name, caller)
            self._get("EndpointConfig", request["EndpointConfigName"], caller)
            if endpoint["EndpointStatus"] not in ("InService", "Failed"):
                raise invalid(f"Cannot update in-progress endpoint {endpoint['EndpointArn']!r}.")
            self._change(name, EndpointStatus="Updating", FailureReason=None)
        self._deploy_in_background(name, request["EndpointConfigName"], caller)
        return {"EndpointArn": endpoint["EndpointArn"]}

    def delete_endpoint(self, request: Request, caller: Caller) -> Request:
        """Stop an endpoint's processes and forget it."""
        self._get("Endpoint", request["EndpointName"], caller)
        self._records.delete("Endpoint", request["EndpointName"])
        self._host.remove(request["EndpointName"])
        return {}

    def delete_model(self, request: Request, caller: Caller) -> Request:
        """Forget a model."""
        return self._delete("Model", request["ModelName"], caller)

    def delete_endpoint_config(self, request: Request, caller: Caller) -> Request:
        """Forget an endpoint configuration."""
        return self._delete("EndpointConfig", request["EndpointConfigName"], caller)

    def describe_model(self, request: Request, caller: Caller) -> Request:
        """One model."""
        return self._get("Model", request["ModelName"], caller)

    def describe_endpoint_config(self, request: Request, caller: Caller) -> Request:
        """One endpoint configuration."""
        return self._get("EndpointConfig", request["EndpointConfigName"], caller)

    def describe_endpoint(self, request: Request, caller: Caller) -> Request:
        """One endpoint with the variants that serve."""
        return self._get("Endpoint", request["EndpointName"], caller)

    def list_models(self, request: Request, caller: Caller) -> Request:
        """Models, newest first."""
        return page(self._records.all("Model"), request, result="Models", name="ModelName")

    def list_endpoint_configs(self, request: Request, caller: Caller) -> Request:
        """Endpoint configurations, newest first."""
        configs = self._records.all("EndpointConfig")
        return page(configs, request, result="EndpointConfigs", name="EndpointConfigName")

    def list_endpoints(self, request: Request, caller: Caller) -> Request:
        """Endpoints, newest first."""
        endpoints = self._records.all("Endpoint")
        return page(endpoints, request, result="Endpoints", name="EndpointName", status="EndpointStatus")

    def recover(self, caller: Caller) -> None:
        """After a restart: endpoints that served come back serving, half-made ones are Failed and say so."""
        for endpoint in self._records.all("Endpoint"):
            name = endpoint["EndpointName"]
            if endpoint["EndpointStatus"] == "Creating":
                self._change(
                    name,
                    EndpointStatus="Failed",
                    FailureReason="Local SageMaker stopped during the creation.",
                )
            elif "ProductionVariants" in endpoint:
                self._change(name, EndpointStatus="Updating")
                self._deploy_in_background(name, endpoint["EndpointConfigName"], caller)

    def _deploy_in_background(self, name: str, config_name: str, caller: Caller) -> None:
        threading.Thread(target=self._deploy, args=(name, config_name, caller), daemon=True).start()

    def _deploy(self, name: str, config_name: str, caller: Caller) -> None:
        try:
            config = self._get("EndpointConfig", config_name, caller)
            self._host.deploy(name, [self._variant(variant, caller) for variant in config["ProductionVariants"]])
        except (ModelFailedToStart, ServiceError, LookupError, ValueError, OSError) as error:
            self._deployment_failed(name, str(error))
        else:
            if self._records.get("Endpoint", name) is None:  # deleted meanwhile
                self._host.remove(name)
                return
            self._change(
                name,
                EndpointStatus="InService",
                EndpointConfigName=config_name,
                FailureReason=None,
                ProductionVariants=[_serving(variant) for variant in config["ProductionVariants"]],
            )

    def _deployment_failed(self, name: str, reason: str) -> None:
        endpoint = self._records.get("Endpoint", name)
        if endpoint is not None:
            serves = "ProductionVariants" in endpoint and self._host.serves(name)
            self._change(name, EndpointStatus="InService" if serves else "Failed", FailureReason=reason[:1024])

    def _variant(self, variant: dict[str, Any], caller: Caller) -> Variant:
        model = self._get("Model", variant["ModelName"], caller)
        container = (model.get("Containers") or [model["PrimaryContainer"]])[0]
        weight = variant.get("InitialVariantWeight", 1.0)
        return Variant(name=variant["VariantName"], weight=weight, containers=[self._container(container)])

    def _container(self, container: dict[str, Any]) -> dict[str, Any]:
        if "ModelPackageName" not in container:
            return container
        package = self._registry.package(container["ModelPackageName"])
        packaged = package["InferenceSpecification"]["Containers"][0]
        environment = {**packaged.get("Environment", {}), **container.get("Environment", {})}
        return {**packaged, "Environment": environment}

    def _create(self, kind: str, request: Request, caller: Caller) -> Request:
        name, now = request[f"{kind}Name"], time.time()
        arn = caller.arn(f"{_arn_type(kind)}/{name}")
        document = {**request, f"{kind}Arn": arn, "CreationTime": now, "LastModifiedTime": now}
        if not self._records.create(kind, name, document):
            raise invalid(f'Cannot create already existing {_words(kind)} "{arn}".')
        self._tags.add_tags({"ResourceArn": arn, "Tags": request.get("Tags", [])}, caller)
        return {f"{kind}Arn": arn}

    def _get(self, kind: str, name: str, caller: Caller) -> Request:
        document = self._records.get(kind, name)
        if document is None:
            raise invalid(f'Could not find {_words(kind)} "{caller.arn(f"{_arn_type(kind)}/{name}")}".')
        return document

    def _delete(self, kind: str, name: str, caller: Caller) -> Request:
        self._get(kind, name, caller)
        self._records.delete(kind, name)
        return {}

    def _change(self, name: str, **changes: Any) -> None:
        self._records.update("Endpoint", name, LastModifiedTime=time.time(), **changes)


def _serving(variant: dict[str, Any]) -> dict[str, Any]:
    weight, count = variant.get("InitialVariantWeight", 1.0), variant.get("InitialInstanceCount", 1)
    return {
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }


def _arn_type(kind: str) -> str:
    return {"Model": "model", "EndpointConfig": "endpoint-config", "Endpoint": "endpoint"}[kind]


def _words(kind: str) -> str:
    return _arn_type(kind).replace("endpoint-config", "endpoint configuration")
