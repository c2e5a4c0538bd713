"""The endpoints of this machine: each name is served by a deployment, whose dead processes are started again."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from local_sagemaker.clock import Clock
from local_sagemaker.configuration import configured_model_memory
from local_sagemaker.hosting.data_capture import CaptureSettings, DataCapture
from local_sagemaker.hosting.deployment import (
    RANDOM,
    Answered,
    AsynchronousOnly,
    Deployment,
    Health,
    Invocation,
    Variant,
)
from local_sagemaker.hosting.endpoint_logs import folder_name, stream_name
from local_sagemaker.hosting.fleet import Chain, Fleet
from local_sagemaker.hosting.invocation_metrics import InvocationMetrics
from local_sagemaker.hosting.model_cache_metrics import ModelCacheMetrics
from local_sagemaker.hosting.model_chain import ModelChain
from local_sagemaker.hosting.model_process import ModelFailedToStart, ModelProcess
from local_sagemaker.hosting.multi_model import MultiModel
from local_sagemaker.hosting.serverless import ServerlessFleet
from local_sagemaker.metrics.store import MetricStore
from local_sagemaker.processes.folders import remove_folder
from local_sagemaker.processes.host import is_resource_name
from local_sagemaker.processes.images import ImageMap
from local_sagemaker.processes.isolation import Isolation, isolation_here
from local_sagemaker.processes.leftovers import kill_leftovers
from local_sagemaker.processes.memory import machine_bytes
from local_sagemaker.processes.storage import ObjectStore

LOG = logging.getLogger("local_sagemaker.hosting")
WATCH_SECONDS = 1.0  # after which a process that has died is noticed, also without a request
CLOSE_SECONDS = 5.0  # for which a server that stops lets requests be answered


@dataclass(frozen=True)
class Route:
    """A deployment, and its share of an endpoint's requests (between 0 and 1)."""

    deployment: Deployment
    share: float


class EndpointHost:
    """Endpoint names to running variants. The logs are `folder`/endpoint/generation/variant/output.log."""

    def __init__(
        self,
        folder: Path,
        store: ObjectStore,
        images: ImageMap,
        environment: Mapping[str, str],
        isolation: Isolation | None = None,
        points: MetricStore | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._folder = folder
        self._store = store
        self._images = images
        self._environment = environment
        self._isolation = isolation or isolation_here()
        self._points = points or MetricStore(time.time)
        self._metrics = InvocationMetrics(self._points)
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._routes: dict[str, tuple[Route, ...]] = {}
        self._closed = threading.Event()

    def start(self) -> None:
        """End and delete what a server that was killed has left, and begin to watch the processes."""
        for hosts in ("*/*/*/algo-1", "*/*/*/model-*"):
            kill_leftovers(self._folder, hosts)
            for private in self._folder.glob(f"{hosts}/"):
                remove_folder(private, self._folder)
        threading.Thread(target=self._watch, name="endpoints", daemon=True).start()

    def deploy(self, endpoint_name: str, variants: list[Variant], capture: CaptureSettings | None = None) -> None:
        """Start the variants' processes; once all answer, they take over and the old ones are stopped.

        ModelFailedToStart where one does not start: then the old ones go on serving.
        """
        deployment = self.prepare(endpoint_name, variants, capture)
        for old in self.route(endpoint_name, [Route(deployment, 1.0)]):
            old.retire()

    def prepare(
        self,
        endpoint_name: str,
        variants: list[Variant],
        capture: CaptureSettings | None = None,
        shadows: list[Variant] | None = None,
        config: str = "",
        *,
        asynchronous: bool = False,
    ) -> Deployment:
        """Start the variants' processes, which get no requests before `route` sends them some.

        ModelFailedToStart where one does not start.
        """
        shadows = shadows or []
        for name in (endpoint_name, *(variant.name for variant in [*variants, *shadows])):
            if not is_resource_name(name):
                raise ModelFailedToStart(f"{name!r} is not a valid name of an endpoint or a variant.")
        folder = self._new_generation(endpoint_name)
        deployment = Deployment(
            int(folder.name),
            [(variant, self._fleet(folder, variant)) for variant in variants],
            [(variant, self._fleet(folder, variant)) for variant in shadows],
            endpoint_name,
            config,
            self._metrics,
            asynchronous=asynchronous,
        )
        deployment.start()
        if capture is not None:
            deployment.capture = DataCapture(capture, endpoint_name, self._store)
            deployment.capture.start()
        return deployment

    def route(self, endpoint_name: str, routes: Sequence[Route]) -> list[Deployment]:
        """Spread the next requests over deployments by their shares; those that got some and get none any more.

        ModelFailedToStart where the server has stopped meanwhile; then the new deployments are stopped, too.
        """
        with self._lock:
            closed, before = self._closed.is_set(), self._routes.get(endpoint_name, ())
            if not closed:
                self._routes[endpoint_name] = tuple(routes)
        kept = [route.deployment for route in routes]
        if closed:
            for deployment in kept:
                deployment.stop()
            raise ModelFailedToStart(f"The server stopped while the endpoint {endpoint_name} was starting.")
        return [route.deployment for route in before if route.deployment not in kept]

    @property
    def closed(self) -> bool:
        """Whether the server stops."""
        return self._closed.is_set()

    def current(self, endpoint_name: str) -> Deployment | None:
        """What serves an endpoint; the older one while an update shifts its requests."""
        with self._lock:
            routes = self._routes.get(endpoint_name)
        return routes[0].deployment if routes else None

    def invoke(self, endpoint_name: str, invocation: Invocation) -> Answered:
        """Ask the target variant, or one by weight.

        LookupError where there is no such endpoint or variant; ModelUnavailable where its process has died and
        cannot be started again; Throttled where a serverless variant is busy; AsynchronousOnly where the endpoint has a
        queue and the invocation is not of it. A process that has died is started
        again by the next request, or a second later.
        """
        with ExitStack() as request:
            with self._lock:
                routes = self._routes.get(endpoint_name)
                if not routes:
                    raise LookupError(f"no model serves the endpoint {endpoint_name}.")
                deployment = _chosen(routes)
                if deployment.asynchronous and not invocation.asynchronous:
                    raise AsynchronousOnly(endpoint_name)
                request.enter_context(deployment.outstanding.one())
            return deployment.invoke(invocation)

    def serves(self, endpoint_name: str) -> bool:
        """Whether the endpoint has processes that answer."""
        return self.current(endpoint_name) is not None

    def health(self, endpoint_name: str) -> dict[str, Health]:
        """How each variant of an endpoint stands; nothing where no model serves it."""
        deployment = self.current(endpoint_name)
        return {} if deployment is None else deployment.health()

    def log_stream(self, endpoint_name: str, variant: str) -> str:
        """The name of the log stream of the first instance of a variant that serves an endpoint."""
        deployment = self.current(endpoint_name)
        return stream_name(variant, deployment.generation if deployment is not None else 0)

    def captures(self, endpoint_name: str) -> bool:
        """Whether what is to be captured of the endpoint can be written."""
        deployment = self.current(endpoint_name)
        return deployment is not None and deployment.capture is not None and deployment.capture.works

    def set_weights(self, endpoint_name: str, weights: Mapping[str, float]) -> None:
        """Change the weights of some variants, from the next request on."""
        deployment = self.current(endpoint_name)
        if deployment is not None:
            deployment.set_weights(weights)

    def remove(self, endpoint_name: str) -> None:
        """Stop an endpoint's processes, if it has any, once what they were asked is answered."""
        with self._lock:
            routes = self._routes.pop(endpoint_name, ())
        for route in routes:
            route.deployment.retire()

    def close(self) -> None:
        """Stop all processes; what is being deployed is stopped when it has started."""
        with self._lock:
            self._closed.set()
            deployments = [route.deployment for routes in self._routes.values() for route in routes]
            self._routes.clear()
        for deployment in deployments:
            deployment.retire(CLOSE_SECONDS)

    def _watch(self) -> None:
        while not self._closed.wait(WATCH_SECONDS):
            with self._lock:
                deployments = [route.deployment for routes in self._routes.values() for route in routes]
            for deployment in deployments:
                deployment.revive()

    def _new_generation(self, endpoint: str) -> Path:
        """1, 2, ...: each deployment of an endpoint has its own logs."""
        with self._lock:
            found = [int(path.name) for path in (self._folder / endpoint).glob("*") if path.name.isdecimal()]
            folder = self._folder / endpoint / str(max(found, default=0) + 1)
            folder.mkdir(parents=True)
            return folder

    def _fleet(self, folder: Path, variant: Variant) -> Fleet:
        make = partial(self._chain, folder, variant, endpoint=folder.parent.name)
        if variant.concurrency is not None:
            return ServerlessFleet(make, variant.concurrency, self._clock)
        return Fleet(make, variant.instances)

    def _chain(self, folder: Path, variant: Variant, instance: int, endpoint: str) -> Chain:
        if variant.multi_model:
            return self._models(folder, variant, instance, endpoint)
        names = (
            [variant.name]
            if len(variant.containers) == 1
            else [f"{variant.name}-{number}" for number, _ in enumerate(variant.containers, start=1)]
        )
        processes = [
            self._process(folder, folder_name(name, instance), container)
            for name, container in zip(names, variant.containers, strict=True)
        ]
        return ModelChain(processes, variant.start_seconds)

    def _models(self, folder: Path, variant: Variant, instance: int, endpoint: str) -> MultiModel:
        def make(number: int, container: Mapping[str, Any]) -> ModelProcess:
            return self._process(folder, folder_name(variant.name, instance), container, f"model-{number}")

        metrics = ModelCacheMetrics(self._points, endpoint, variant.name)
        memory = configured_model_memory() or machine_bytes() // 2
        return MultiModel(variant.containers[0], make, self._store, variant.start_seconds, memory, metrics)

    def _process(self, folder: Path, name: str, container: Mapping[str, Any], host: str = "algo-1") -> ModelProcess:
        return ModelProcess(
            name, container, folder, self._store, self._images, self._environment, self._isolation, host
        )


def _chosen(routes: Sequence[Route]) -> Deployment:
    if len(routes) == 1:
        return routes[0].deployment
    return RANDOM.choices(routes, [route.share for route in routes])[0].deployment
