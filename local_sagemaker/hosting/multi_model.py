"""One instance of a multi-model variant: models are loaded as they are asked for, and leave when memory is short.

https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoints.html
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from local_sagemaker.hosting.model_cache_metrics import ModelCacheMetrics
from local_sagemaker.hosting.model_chain import Death, ModelChain
from local_sagemaker.hosting.model_process import (
    ModelFailedToStart,
    ModelProcess,
    ModelRequest,
    ModelResponse,
    ModelUnavailable,
)
from local_sagemaker.hosting.outstanding import Outstanding
from local_sagemaker.processes.memory import resident_bytes
from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.storage import ObjectStore, split_s3_uri

LOADING_SECONDS = 60.0  # for which a request waits for its model
INTERNAL_ERROR = 500
# From a number, a container definition with the model's own ModelDataUrl: the process of one model.
MakeProcess = Callable[[int, Mapping[str, Any]], ModelProcess]


class TargetRefused(Exception):
    """There is no such target model, or the endpoint takes none; the message is the service's."""


class ModelNotReady(Exception):
    """The target model is still being loaded."""


class LoadedModel:
    """A model that is loaded, or is being: `ready` is set once it can be asked, or `fault` says why it cannot."""

    def __init__(self, target: str, process: ModelProcess, start_seconds: float) -> None:
        self.target = target
        self.process = process
        self.chain = ModelChain([process], start_seconds)
        self.outstanding = Outstanding()
        self.ready = threading.Event()
        self.fault: Exception | None = None

    @property
    def idle(self) -> bool:
        """Whether it is loaded, and is being asked nothing."""
        return self.ready.is_set() and not self.outstanding.count


class MultiModel:
    """The models of one container definition with the Mode MultiModel, whose ModelDataUrl is a prefix.

    `memory` is how many bytes the processes of the models may have together; where they have more, those that have not
    been asked for longest are unloaded.
    """

    def __init__(
        self,
        container: Mapping[str, Any],
        make: MakeProcess,
        store: ObjectStore,
        start_seconds: float,
        memory: int,
        metrics: ModelCacheMetrics,
    ) -> None:
        self.last_death: Death | None = None
        self._container = container
        self._prefix = f"{str(container['ModelDataUrl']).rstrip('/')}/"
        self._caches = container.get("MultiModelConfig", {}).get("ModelCacheSetting") != "Disabled"
        self._make = make
        self._own = make(0, container)  # of no model: the log, and whether the image serves at all
        self._store = store
        self._start_seconds = start_seconds
        self._memory = memory
        self._metrics = metrics
        self._lock = threading.Lock()
        self._models: OrderedDict[str, LoadedModel] = OrderedDict()  # the one that was asked last stands last
        self._count = 0
        self._stopped = False

    @property
    def loaded(self) -> list[str]:
        """The target models in memory, the one that was asked last at the end."""
        with self._lock:
            return [model.target for model in self._models.values() if model.ready.is_set()]

    def start(self) -> None:
        """Nothing is loaded yet; ModelFailedToStart where no model of this image can be."""
        self._own.require_server()

    def stop(self) -> None:
        """End all models for good."""
        with self._lock:
            self._stopped = True
            models = list(self._models.values())
            self._models.clear()
        for model in models:
            model.chain.stop()

    def alive(self) -> bool:
        """Whether it can be asked: it needs no process for that."""
        return not self._stopped

    def say(self, text: str) -> None:
        """Write a line into the log."""
        self._own.say(text)

    def revive_in_background(self) -> None:
        """Start again the models that have died."""
        with self._lock:
            models = [model for model in self._models.values() if model.ready.is_set()]
        for model in models:
            model.chain.revive_in_background()
            self.last_death = model.chain.last_death or self.last_death

    def invoke(self, request: ModelRequest) -> ModelResponse:
        """Ask the target model, which is loaded first where it is not.

        TargetRefused where there is no such object; ModelNotReady where loading takes too long, and goes on. A model
        that does not load answers 500, and is loaded anew by the next request.
        """
        target = str(request.target_model)
        began = time.monotonic()
        with ExitStack() as asked:
            with self._lock:
                model, hit = self._models.get(target), target in self._models
                if model is None:
                    model = self._begin(target)
                self._models.move_to_end(target)
                if not self._caches:
                    asked.callback(self._unload, model)
                asked.enter_context(model.outstanding.one())
            if not model.ready.wait(LOADING_SECONDS):
                raise ModelNotReady(f"The model {target} is still being loaded.")
            self._metrics.asked(hit, time.monotonic() - began)
            if isinstance(model.fault, ModelFailedToStart):
                return ModelResponse(INTERNAL_ERROR, "text/plain", str(model.fault).encode(), {})
            if model.fault is not None:
                raise model.fault
            return model.chain.invoke(request)

    def _begin(self, target: str) -> LoadedModel:
        if self._stopped:
            raise ModelUnavailable("The instance stops.")
        self._count += 1
        process = self._make(self._count, {**self._container, "ModelDataUrl": f"{self._prefix}{target}"})
        model = self._models[target] = LoadedModel(target, process, self._start_seconds)
        threading.Thread(target=self._load, args=(model,), name=f"load-{target}", daemon=True).start()
        return model

    def _load(self, model: LoadedModel) -> None:
        began = time.monotonic()
        try:
            self._require_object(model.target)
            self._make_room(model)
            model.chain.start()
        except Exception as fault:
            with self._lock:
                model.fault = fault
                if self._models.get(model.target) is model:
                    del self._models[model.target]
            model.chain.stop()
        else:
            self._own.say(f"Loaded the model {model.target} in {time.monotonic() - began:.2f} s.")
        if self._stopped:
            model.chain.stop()
        model.ready.set()
        if model.fault is None:
            self._metrics.loaded(time.monotonic() - began, len(self.loaded))
        self._make_room(model)

    def _require_object(self, target: str) -> None:
        try:
            bucket, key = split_s3_uri(f"{self._prefix}{target}")
            found = key in self._store.list(bucket, key)
        except (ClientFault, LookupError) as fault:
            raise TargetRefused(str(fault)) from None
        if not found:
            raise TargetRefused(
                f"Failed to download model data(bucket: {bucket}, key: {key}). Please ensure that there is an object "
                "located at the URL and that the role passed to CreateModel has permissions to download the model."
            )

    def _make_room(self, kept: LoadedModel) -> None:
        """Unload what has not been asked for longest, until all have no more memory than they may."""
        while self._used() > self._memory:
            with self._lock:
                idle = [each for each in self._models.values() if each is not kept and each.idle]
            if not idle or not self._unload(idle[0]):
                return

    def _used(self) -> int:
        with self._lock:
            models = list(self._models.values())
        return resident_bytes([pid for model in models if (pid := model.process.pid) is not None])

    def _unload(self, model: LoadedModel) -> bool:
        """Unload a model, unless it is being asked just now; whether it was."""
        with self._lock:
            if self._models.get(model.target) is not model or not model.idle:
                return False
            del self._models[model.target]
        began = time.monotonic()
        model.chain.stop()
        self._own.say(f"Unloaded the model {model.target}.")
        self._metrics.unloaded(time.monotonic() - began, len(self.loaded))
        return True
