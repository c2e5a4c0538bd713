"""The endpoints of this machine: each name is served by a deployment, whose dead processes are started again."""

import logging
import threading
from collections.abc import Mapping
from pathlib import Path

from local_sagemaker.hosting.data_capture import CaptureSettings, DataCapture
from local_sagemaker.hosting.deployment import Deployment, Health, Invocation, Variant
from local_sagemaker.hosting.endpoint_logs import stream_name
from local_sagemaker.hosting.model_chain import ModelChain
from local_sagemaker.hosting.model_process import ModelFailedToStart, ModelProcess, ModelResponse
from local_sagemaker.processes.folders import remove_folder
from local_sagemaker.processes.host import is_resource_name
from local_sagemaker.processes.images import ImageMap
from local_sagemaker.processes.isolation import Isolation, isolation_here
from local_sagemaker.processes.leftovers import RECORD, kill_recorded
from local_sagemaker.processes.storage import ObjectStore

LOG = logging.getLogger("local_sagemaker.hosting")
WATCH_SECONDS = 1.0  # after which a process that has died is noticed, also without a request
CLOSE_SECONDS = 5.0  # for which a server that stops lets requests be answered


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
        self._serving: dict[str, Deployment] = {}
        self._closed = threading.Event()
        for record in folder.glob(f"*/*/*/algo-1/{RECORD}"):  # of a server that was killed
            kill_recorded(record)
        for private in folder.glob("*/*/*/algo-1/"):
            remove_folder(private, folder)
        threading.Thread(target=self._watch, name="endpoints", daemon=True).start()

    def deploy(self, endpoint_name: str, variants: list[Variant], capture: CaptureSettings | None = None) -> None:
        """Start the variants' processes; once all answer, they take over and the old ones are stopped.

        ModelFailedToStart where one does not start: then the old ones go on serving.
        """
        for name in (endpoint_name, *(variant.name for variant in variants)):
            if not is_resource_name(name):
                raise ModelFailedToStart(f"{name!r} is not a valid name of an endpoint or a variant.")
        folder = self._new_generation(endpoint_name)
        deployment = Deployment(int(folder.name), [(variant, self._chain(folder, variant)) for variant in variants])
        deployment.start()
        if capture is not None:
            deployment.capture = DataCapture(capture, endpoint_name, self._store)
        with self._lock:
            closed, old = self._closed.is_set(), self._serving.get(endpoint_name)
            if not closed:
                self._serving[endpoint_name] = deployment
        if closed:
            deployment.stop()
            raise ModelFailedToStart(f"The server stopped while the endpoint {endpoint_name} was starting.")
        if old is not None:
            old.retire()

    def invoke(self, endpoint_name: str, invocation: Invocation) -> tuple[str, ModelResponse]:
        """Ask the target variant, or one by weight; its name and answer.

        LookupError where there is no such endpoint or variant; ModelUnavailable where its process has died and
        cannot be started again. A process that has died is started again by the next request, or a second later.
        """
        with self._lock:
            deployment = self._serving.get(endpoint_name)
            if deployment is None:
                raise LookupError(f"no model serves the endpoint {endpoint_name}.")
            deployment.enter()
        try:
            return deployment.invoke(invocation)
        finally:
            deployment.leave()

    def serves(self, endpoint_name: str) -> bool:
        """Whether the endpoint has processes that answer."""
        with self._lock:
            return endpoint_name in self._serving

    def health(self, endpoint_name: str) -> dict[str, Health]:
        """How each variant of an endpoint stands; nothing where no model serves it."""
        with self._lock:
            deployment = self._serving.get(endpoint_name)
        return {} if deployment is None else deployment.health()

    def log_stream(self, endpoint_name: str, variant: str) -> str:
        """The name of the log stream of a variant that serves an endpoint."""
        with self._lock:
            deployment = self._serving.get(endpoint_name)
        return stream_name(variant, deployment.generation if deployment is not None else 0)

    def captures(self, endpoint_name: str) -> bool:
        """Whether what is to be captured of the endpoint can be written."""
        with self._lock:
            deployment = self._serving.get(endpoint_name)
        return deployment is not None and deployment.capture is not None and deployment.capture.works

    def set_weights(self, endpoint_name: str, weights: Mapping[str, float]) -> None:
        """Change the weights of some variants, from the next request on."""
        with self._lock:
            deployment = self._serving.get(endpoint_name)
        if deployment is not None:
            deployment.set_weights(weights)

    def remove(self, endpoint_name: str) -> None:
        """Stop an endpoint's processes, if it has any, once what they were asked is answered."""
        with self._lock:
            deployment = self._serving.pop(endpoint_name, None)
        if deployment is not None:
            deployment.retire()

    def close(self) -> None:
        """Stop all processes; what is being deployed is stopped when it has started."""
        with self._lock:
            self._closed.set()
            deployments = list(self._serving.values())
            self._serving.clear()
        for deployment in deployments:
            deployment.retire(CLOSE_SECONDS)

    def _watch(self) -> None:
        while not self._closed.wait(WATCH_SECONDS):
            with self._lock:
                deployments = list(self._serving.values())
            for deployment in deployments:
                deployment.revive()

    def _new_generation(self, endpoint: str) -> Path:
        """1, 2, ...: each deployment of an endpoint has its own logs."""
        with self._lock:
            found = [int(path.name) for path in (self._folder / endpoint).glob("*") if path.name.isdecimal()]
            folder = self._folder / endpoint / str(max(found, default=0) + 1)
            folder.mkdir(parents=True)
            return folder

    def _chain(self, folder: Path, variant: Variant) -> ModelChain:
        names = (
            [variant.name]
            if len(variant.containers) == 1
            else [f"{variant.name}-{number}" for number, _ in enumerate(variant.containers, start=1)]
        )
        processes = [
            ModelProcess(name, container, folder, self._store, self._images, self._environment, self._isolation)
            for name, container in zip(names, variant.containers, strict=True)
        ]
        return ModelChain(processes, variant.start_seconds)
