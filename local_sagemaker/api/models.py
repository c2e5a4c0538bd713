"""Models and endpoint configurations: what an endpoint, or a batch transform job, is made of."""

from typing import Any

from local_sagemaker.api.listing import page
from local_sagemaker.api.registry import Registry
from local_sagemaker.api.resources import Resources
from local_sagemaker.errors import invalid, unsupported
from local_sagemaker.wire.dispatch import Caller, Request

REFUSED_IN_CONFIGS = {
    "AsyncInferenceConfig": "asynchronous endpoints",
    "ShadowProductionVariants": "shadow variants",
    "ExplainerConfig": "online explanations",
    "CrossRegionTrafficConfig": "inference routers",
}
REFUSED_IN_VARIANTS = {
    "ServerlessConfig": "serverless variants",
    "ManagedInstanceScaling": "managed instance scaling",
    "InstancePools": "instance pools",
    "CapacityReservationConfig": "capacity reservations",
    "CoreDumpConfig": "core dumps",
}
START_SECONDS = 240  # for which a model may take to answer /ping, unless its variant says otherwise


class Models:
    """Create, Describe, List and Delete of models and endpoint configurations."""

    def __init__(self, resources: Resources, registry: Registry) -> None:
        self._resources = resources
        self._registry = registry

    def create_model(self, request: Request, caller: Caller) -> Request:
        """Record a model: one container, or several in series; a container may name a model package."""
        given = request.get("Containers", []), request.get("PrimaryContainer")
        if bool(given[0]) == bool(given[1]):
            raise invalid("A model needs either PrimaryContainer or Containers.")
        if request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct":
            raise unsupported("direct invocation of containers (InferenceExecutionConfig.Mode Direct)")
        for container in _containers(request):
            if container.get("Mode") == "MultiModel" or "MultiModelConfig" in container:
                raise unsupported("multi-model containers (Mode MultiModel)")
            self._packaged(container)
        return self._resources.create("Model", request, caller)

    def create_endpoint_config(self, request: Request, caller: Caller) -> Request:
        """Record an endpoint configuration."""
        for field, what in REFUSED_IN_CONFIGS.items():
            if request.get(field):
                raise unsupported(f"{what} ({field})")
        names = [variant["VariantName"] for variant in request["ProductionVariants"]]
        if len(set(names)) < len(names):
            raise invalid(f"The names of the production variants must differ: {', '.join(names)}.")
        for variant in request["ProductionVariants"]:
            for field, what in REFUSED_IN_VARIANTS.items():
                if field in variant:
                    raise unsupported(f"{what} ({field} of the variant {variant['VariantName']})")
            if "ModelName" not in variant:
                raise unsupported(f"inference components (the variant {variant['VariantName']} has no ModelName)")
            self._resources.get("Model", variant["ModelName"], caller)
        return self._resources.create("EndpointConfig", request, caller)

    def containers(self, model_name: str, caller: Caller) -> list[dict[str, Any]]:
        """The containers of a model, those of its model packages among them, in the order of their invocation."""
        model = self._resources.get("Model", model_name, caller)
        return [found for container in _containers(model) for found in self._packaged(container)]

    def plan(self, config_name: str, caller: Caller) -> dict[str, Any]:
        """All that serving a configuration takes, so that it stays even where config or model are deleted."""
        config = self._resources.get("EndpointConfig", config_name, caller)
        variants = [
            {
                "VariantName": variant["VariantName"],
                "InstanceType": variant.get("InstanceType"),
                "Weight": variant.get("InitialVariantWeight", 1.0),
                "InstanceCount": variant.get("InitialInstanceCount", 1),
                "StartSeconds": variant.get("ContainerStartupHealthCheckTimeoutInSeconds", START_SECONDS),
                "Containers": self.containers(variant["ModelName"], caller),
            }
            for variant in config["ProductionVariants"]
        ]
        return {
            "EndpointConfigName": config_name,
            "Variants": variants,
            "DataCaptureConfig": config.get("DataCaptureConfig"),
        }

    def describe_model(self, request: Request, caller: Caller) -> Request:
        """One model."""
        return self._resources.get("Model", request["ModelName"], caller)

    def describe_endpoint_config(self, request: Request, caller: Caller) -> Request:
        """One endpoint configuration."""
        return self._resources.get("EndpointConfig", request["EndpointConfigName"], caller)

    def list_models(self, request: Request, caller: Caller) -> Request:
        """Models, newest first."""
        return page(self._resources.all("Model"), request, result="Models", name="ModelName")

    def list_endpoint_configs(self, request: Request, caller: Caller) -> Request:
        """Endpoint configurations, newest first."""
        configs = self._resources.all("EndpointConfig")
        return page(configs, request, result="EndpointConfigs", name="EndpointConfigName")

    def delete_model(self, request: Request, caller: Caller) -> Request:
        """Forget a model; the endpoints that serve it go on."""
        return self._resources.delete("Model", request["ModelName"], caller)

    def delete_endpoint_config(self, request: Request, caller: Caller) -> Request:
        """Forget an endpoint configuration; the endpoints that serve it go on."""
        return self._resources.delete("EndpointConfig", request["EndpointConfigName"], caller)

    def _packaged(self, container: dict[str, Any]) -> list[dict[str, Any]]:
        if "ModelPackageName" not in container:
            return [container]
        package = self._registry.package(container["ModelPackageName"])
        if "InferenceSpecification" not in package:
            raise invalid(f"ModelPackage {container['ModelPackageName']} has no InferenceSpecification to deploy.")
        own = container.get("Environment", {})
        return [
            {**packaged, "Environment": {**packaged.get("Environment", {}), **own}}
            for packaged in package["InferenceSpecification"]["Containers"]
        ]


def _containers(model: Request) -> list[dict[str, Any]]:
    return model.get("Containers") or [model["PrimaryContainer"]]
