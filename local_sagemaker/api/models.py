"""Models and endpoint configurations: what an endpoint, or a batch transform job, is made of."""

from typing import Any

from local_sagemaker.api.listing import page
from local_sagemaker.api.registry import Registry
from local_sagemaker.api.resources import Resources
from local_sagemaker.errors import invalid, unsupported
from local_sagemaker.state.record_kinds import ENDPOINT_CONFIG, MODEL
from local_sagemaker.wire.dispatch import Caller, Request

REFUSED_IN_CONFIGS = {
    "ExplainerConfig": "online explanations",
    "CrossRegionTrafficConfig": "inference routers",
}
REFUSED_IN_VARIANTS = {
    "ManagedInstanceScaling": "managed instance scaling",
    "InstancePools": "instance pools",
    "CapacityReservationConfig": "capacity reservations",
    "CoreDumpConfig": "core dumps",
}
MEMORY_STEP = 1024  # MB: the memory of a serverless variant is 1 to 6 of it
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
            _check_multi_model(container, len(given[0]) > 1)
            self._packaged(container)
        return self._resources.create(MODEL, request, caller)

    def create_endpoint_config(self, request: Request, caller: Caller) -> Request:
        """Record an endpoint configuration."""
        for field, what in REFUSED_IN_CONFIGS.items():
            if request.get(field):
                raise unsupported(f"{what} ({field})")
        shadows = request.get("ShadowProductionVariants", [])
        names = [variant["VariantName"] for variant in [*request["ProductionVariants"], *shadows]]
        if len(set(names)) < len(names):
            raise invalid(f"The names of the production variants must differ: {', '.join(names)}.")
        if shadows and (len(shadows) > 1 or len(request["ProductionVariants"]) > 1):
            raise invalid("With a shadow variant there is one production variant, and no second shadow variant.")
        for variant in [*request["ProductionVariants"], *shadows]:
            _check_capacity(variant)
            for field, what in REFUSED_IN_VARIANTS.items():
                if field in variant:
                    raise unsupported(f"{what} ({field} of the variant {variant['VariantName']})")
            if "ModelName" not in variant:
                raise unsupported(f"inference components (the variant {variant['VariantName']} has no ModelName)")
            self._resources.get(MODEL, variant["ModelName"], caller)
        _check_serverless(request)
        _check_asynchronous(request)
        models = [variant["ModelName"] for variant in [*request["ProductionVariants"], *shadows]]
        if any(_is_multi_model(each) for model in models for each in self.containers(model, caller)):
            _check_with_multi_model(request)
        return self._resources.create(ENDPOINT_CONFIG, request, caller)

    def containers(self, model_name: str, caller: Caller) -> list[dict[str, Any]]:
        """The containers of a model, those of its model packages among them, in the order of their invocation."""
        model = self._resources.get(MODEL, model_name, caller)
        return [found for container in _containers(model) for found in self._packaged(container)]

    def plan(self, config_name: str, caller: Caller) -> dict[str, Any]:
        """All that serving a configuration takes, so that it stays even where config or model are deleted."""
        config = self._resources.get(ENDPOINT_CONFIG, config_name, caller)
        return {
            "EndpointConfigName": config_name,
            "Variants": [self._planned(variant, caller) for variant in config["ProductionVariants"]],
            "Shadows": [self._planned(variant, caller) for variant in config.get("ShadowProductionVariants", [])],
            "DataCaptureConfig": config.get("DataCaptureConfig"),
            "AsyncInferenceConfig": config.get("AsyncInferenceConfig"),
        }

    def _planned(self, variant: dict[str, Any], caller: Caller) -> dict[str, Any]:
        serverless = variant.get("ServerlessConfig")
        return {
            "VariantName": variant["VariantName"],
            "InstanceType": variant.get("InstanceType"),
            "Weight": variant.get("InitialVariantWeight", 1.0),
            "InstanceCount": variant.get("InitialInstanceCount", 1),
            "ServerlessConfig": serverless,
            "MaxConcurrency": serverless["MaxConcurrency"] if serverless is not None else None,
            "Role": self._resources.get(MODEL, variant["ModelName"], caller).get("ExecutionRoleArn"),
            "StartSeconds": variant.get("ContainerStartupHealthCheckTimeoutInSeconds", START_SECONDS),
            "Containers": self.containers(variant["ModelName"], caller),
        }

    def describe_model(self, request: Request, caller: Caller) -> Request:
        """One model."""
        return self._resources.get(MODEL, request["ModelName"], caller)

    def describe_endpoint_config(self, request: Request, caller: Caller) -> Request:
        """One endpoint configuration."""
        return self._resources.get(ENDPOINT_CONFIG, request["EndpointConfigName"], caller)

    def list_models(self, request: Request, caller: Caller) -> Request:
        """Models, newest first."""
        models = self._resources.all(MODEL)
        return page(models, request, result="Models", name="ModelName")

    def list_endpoint_configs(self, request: Request, caller: Caller) -> Request:
        """Endpoint configurations, newest first."""
        configs = self._resources.all(ENDPOINT_CONFIG)
        return page(configs, request, result="EndpointConfigs", name="EndpointConfigName")

    def delete_model(self, request: Request, caller: Caller) -> Request:
        """Delete a model; the endpoints that serve it go on."""
        return self._resources.delete(MODEL, request["ModelName"], caller)

    def delete_endpoint_config(self, request: Request, caller: Caller) -> Request:
        """Delete an endpoint configuration; the endpoints that serve it go on."""
        return self._resources.delete(ENDPOINT_CONFIG, request["EndpointConfigName"], caller)

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


def _is_multi_model(container: dict[str, Any]) -> bool:
    return container.get("Mode") == "MultiModel"


def _check_multi_model(container: dict[str, Any], in_series: bool) -> None:
    """Refuse a multi-model container that has no prefix of models, or is one of several."""
    if not _is_multi_model(container):
        if "MultiModelConfig" in container:
            raise invalid("MultiModelConfig is for a container with the Mode MultiModel.")
        return
    if in_series:
        raise unsupported("multi-model containers in an inference pipeline (Mode MultiModel of one of several)")
    for field in ("ModelPackageName", "ModelDataSource"):
        if field in container:
            raise invalid(f"A container with the Mode MultiModel takes no {field}: give the prefix as ModelDataUrl.")
    if "ModelDataUrl" not in container:
        raise invalid("A container with the Mode MultiModel needs ModelDataUrl, the prefix of its models in S3.")


def _check_capacity(variant: Request) -> None:
    """Refuse a variant that is both serverless and has instances, or has a capacity that the service does not have."""
    serverless, name = variant.get("ServerlessConfig"), variant["VariantName"]
    if serverless is None:
        return
    given = [field for field in ("InstanceType", "InitialInstanceCount") if field in variant]
    if given:
        raise invalid(f"The variant {name} has ServerlessConfig, and so may not have {' and '.join(given)}.")
    if serverless["MemorySizeInMB"] % MEMORY_STEP:
        raise invalid(f"MemorySizeInMB of the variant {name} must be a multiple of {MEMORY_STEP}.")
    if "ProvisionedConcurrency" in serverless:
        raise unsupported(f"provisioned concurrency (ProvisionedConcurrency of the variant {name})")


def _check_with_multi_model(request: Request) -> None:
    """Refuse what the service does not have for multi-model containers."""
    for field, what in (("AsyncInferenceConfig", "asynchronous endpoints"), ("ShadowProductionVariants", "shadows")):
        if request.get(field):
            raise invalid(f"Multi-model containers do not support {what} ({field}).")
    if any("ServerlessConfig" in variant for variant in request["ProductionVariants"]):
        raise invalid("Serverless variants do not support multi-model containers (Mode MultiModel).")


def _check_asynchronous(request: Request) -> None:
    """Refuse an asynchronous endpoint whose answers go nowhere, or that has what the service does not have with it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests-create.html names what shadow variants go with.
    """
    if "AsyncInferenceConfig" not in request:
        return
    output = request["AsyncInferenceConfig"]["OutputConfig"]
    if "S3OutputPath" not in output and "SuccessTopic" not in output.get("NotificationConfig", {}):
        raise invalid("OutputConfig of AsyncInferenceConfig needs S3OutputPath, or a SuccessTopic for the answers.")
    if request.get("ShadowProductionVariants"):
        raise invalid("Asynchronous endpoints (AsyncInferenceConfig) do not support shadow variants.")
    if any("ServerlessConfig" in variant for variant in request["ProductionVariants"]):
        raise invalid("Serverless variants do not support asynchronous inference (AsyncInferenceConfig).")


def _check_serverless(request: Request) -> None:
    """Refuse what the service does not have with serverless variants.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
    """
    if all("ServerlessConfig" not in variant for variant in request["ProductionVariants"]):
        return
    if len(request["ProductionVariants"]) > 1 or request.get("ShadowProductionVariants"):
        raise invalid("A serverless variant must be the only variant of its endpoint.")
    if request.get("DataCaptureConfig", {}).get("EnableCapture", "DataCaptureConfig" in request):
        raise invalid("Serverless variants do not support data capture (DataCaptureConfig).")
