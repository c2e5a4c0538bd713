"""The endpoints of this machine: variants with weights, each served by its model processes."""

import logging
import secrets
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.hosting.model_process import (
    ModelFailedToStart,
    ModelProcess,
    ModelResponse,
    ModelUnavailable,
)
from local_sagemaker.jobs.host import is_resource_name
from local_sagemaker.jobs.images import ImageMap
from local_sagemaker.jobs.isolation import Isolation, isolation_here
from local_sagemaker.jobs.leftovers import RECORD, kill_recorded
from local_sagemaker.jobs.storage import ObjectStore

LOG = logging.getLogger("local_sagemaker.hosting")
DRAIN_SECONDS = 60.0  # for which the old processes answer what was asked before the swap
RANDOM = secrets.SystemRandom()


@dataclass(frozen=True)
class Variant:
    """A production variant; several containers are a chain, each one's answer the next one's request."""

    name: str
    weight: float
    containers: list[dict[str, Any]]


class EndpointHost:
    """Endpoint names to running variants. The logs are `folder`/endpoint/generation/variant/output.log."""

    def __init__(
        self,
        folder: Path,
        store: ObjectStore,
        images: ImageMap,
        environment: Mapping[str, str],
        isolation: Isolation | None = None,
    ) -> None:
        self._folder = folder
        self._store = store
        self._images = images
        self._environment = environment
        self._isolation = isolation or isolation_here()
        self._lock = threading.Lock()
        self._serving: dict[str, _Deployment] = {}
        self._closed = False
        for record in folder.glob(f"*/*/*/algo-1/{RECORD}"):  # of a server that was killed
            kill_recorded(record)
        for private in folder.glob("*/*/*/algo-1/"):
            shutil.rmtree(private)

    def deploy(self, endpoint_name: str, variants: list[Variant]) -> None:
        """Start the variants' processes; once all answer, they take over and the old ones are stopped.

        ModelFailedToStart where one does not start: then the old ones go on serving.
        """
        for name in (endpoint_name, *(variant.name for variant in variants)):
            if not is_resource_name(name):
                raise ModelFailedToStart(f"{name!r} is no name of an endpoint or a variant.")
        folder = self._new_generation(endpoint_name)
        deployment = _Deployment([_Running(variant, self._processes(folder, variant)) for variant in variants])
        deployment.start()
        with self._lock:
            closed, old = self._closed, self._serving.get(endpoint_name)
            if not closed:
                self._serving[endpoint_name] = deployment
        if closed:
            deployment.stop()
            raise ModelFailedToStart(f"The server stopped while the endpoint {endpoint_name} was starting.")
        if old is not None:
            old.retire()

    def invoke(
        self,
        endpoint_name: str,
        body: bytes,
        content_type: str,
        accept: str,
        target_variant: str | None,
        headers: Mapping[str, str],
    ) -> tuple[str, ModelResponse]:
        """Ask the target variant, or one by weight; its name and answer.

        LookupError where there is no such endpoint or variant; ModelUnavailable where the process dies
        while it answers. A process that has died is started again by the next request.
        """
        with self._lock:
            deployment = self._serving.get(endpoint_name)
            if deployment is None:
                raise LookupError(f"no model serves the endpoint {endpoint_name}.")
            running = deployment.choose(target_variant)
            deployment.enter()
        try:
            return running.variant.name, running.invoke(body, content_type, accept, headers)
        finally:
            deployment.leave()

    def serves(self, endpoint_name: str) -> bool:
        """Whether the endpoint has processes that answer."""
        with self._lock:
            return endpoint_name in self._serving

    def remove(self, endpoint_name: str) -> None:
        """Stop an endpoint's processes, if it has any."""
        with self._lock:
            deployment = self._serving.pop(endpoint_name, None)
        if deployment is not None:
            deployment.retire()

    def close(self) -> None:
        """Stop all processes; what is being deployed is stopped when it has started."""
        with self._lock:
            self._closed = True
            deployments = list(self._serving.values())
            self._serving.clear()
        for deployment in deployments:
            deployment.stop()

    def _new_generation(self, endpoint: str) -> Path:
        """1, 2, ...: each deployment of an endpoint has its own logs."""
        with self._lock:
            found = [int(path.name) for path in (self._folder / endpoint).glob("*") if path.name.isdecimal()]
            folder = self._folder / endpoint / str(max(found, default=0) + 1)
            folder.mkdir(parents=True)
            return folder

    def _processes(self, folder: Path, variant: Variant) -> list[ModelProcess]:
        names = (
            [variant.name]
            if len(variant.containers) == 1
            else [f"{variant.name}-{number}" for number, _ in enumerate(variant.containers, start=1)]
        )
        return [
            ModelProcess(name, container, folder, self._store, self._images, self._environment, self._isolation)
            for name, container in zip(names, variant.containers, strict=True)
        ]


class _Running:
    """A variant and its processes."""

    def __init__(self, variant: Variant, processes: list[ModelProcess]) -> None:
        self.variant = variant
        self.processes = processes
        self._starting = threading.Lock()

    def invoke(self, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]) -> ModelResponse:
        self._restart_dead()
        for process in self.processes:
            try:
                response = process.invoke(body, content_type, accept, headers)
            except ModelUnavailable as fault:
                if fault.reached:
                    raise
                self._restart_dead()
                response = process.invoke(body, content_type, accept, headers)
            if response.status >= 400:
                return response
            body, content_type = response.body, response.content_type
        return response

    def _restart_dead(self) -> None:
        for process in self.processes:
            if process.alive():
                continue
            with self._starting:
                if not process.alive():
                    LOG.warning(
                        "the process of the model %s has died and is started again: see %s", process.name, process.log
                    )
                    try:
                        process.start()
                    except ModelFailedToStart as error:
                        raise ModelUnavailable(str(error)) from None


class _Deployment:
    """The variants that serve an endpoint together, and how many requests they are answering."""

    def __init__(self, running: list[_Running]) -> None:
        self._running = {variant.variant.name: variant for variant in running}
        self._requests = 0
        self._idle = threading.Condition()

    def start(self) -> None:
        try:
            for process in self._processes():
                process.start()
        except BaseException:
            self.stop()
            raise

    def choose(self, target: str | None) -> _Running:
        if target is not None:
            if target not in self._running:
                raise LookupError(f"it has no variant {target}, but {', '.join(self._running)}.")
            return self._running[target]
        weights = [running.variant.weight for running in self._running.values()]
        if sum(weights) <= 0:
            raise LookupError("none of its variants has a weight above 0: name one as target variant.")
        return RANDOM.choices(list(self._running.values()), weights)[0]

    def enter(self) -> None:
        with self._idle:
            self._requests += 1

    def leave(self) -> None:
        with self._idle:
            self._requests -= 1
            self._idle.notify_all()

    def retire(self) -> None:
        with self._idle:
            self._idle.wait_for(lambda: self._requests == 0, DRAIN_SECONDS)
        self.stop()

    def stop(self) -> None:
        for process in self._processes():
            process.stop()

    def _processes(self) -> list[ModelProcess]:
        return [process for running in self._running.values() for process in running.processes]
