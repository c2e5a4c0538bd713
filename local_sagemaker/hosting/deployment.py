"""The variants that serve an endpoint together: which one is asked, and how they leave."""

import logging
import secrets
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, NamedTuple

from local_sagemaker.hosting.data_capture import DataCapture, Event
from local_sagemaker.hosting.endpoint_logs import stream_name
from local_sagemaker.hosting.fleet import DRAIN_SECONDS, Fleet, Instance
from local_sagemaker.hosting.invocation_metrics import CLIENT_ERROR, InvocationMetrics, Source
from local_sagemaker.hosting.model_chain import Death
from local_sagemaker.hosting.model_process import NO_ANSWER, ModelRequest, ModelResponse, ModelUnavailable
from local_sagemaker.hosting.multi_model import ModelNotReady, TargetRefused
from local_sagemaker.hosting.outstanding import Outstanding
from local_sagemaker.hosting.serverless import Throttled

LOG = logging.getLogger("local_sagemaker.hosting")
RANDOM = secrets.SystemRandom()
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
SHADOW_THREADS = 4
MOST_COPIES = 100  # of requests that wait for a shadow variant; further ones are not copied
UNAVAILABLE, THROTTLED = 503, 429


@dataclass(frozen=True)
class Variant:
    """A variant; several containers are a chain, each one's answer the next one's request.

    With `concurrency` it is serverless, and has as many instances as requests need at the moment.
    """

    name: str
    weight: float
    containers: list[dict[str, Any]]
    start_seconds: float = 240.0
    instances: int = 1
    concurrency: int | None = None

    @property
    def multi_model(self) -> bool:
        """Whether its container loads the models that requests name."""
        return self.containers[0].get("Mode") == "MultiModel"


@dataclass(frozen=True)
class Invocation:
    """What InvokeEndpoint is asked."""

    body: bytes
    content_type: str = "application/octet-stream"
    accept: str = "*/*"
    target_variant: str | None = None
    custom_attributes: str | None = None
    inference_id: str | None = None
    target_model: str | None = None
    timeout_seconds: float | None = None
    asynchronous: bool = False
    received: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Health:
    """How a variant's processes stand: how many of its `size` instances answer."""

    alive: bool
    last_death: Death | None
    instances: int = 1
    size: int = 1


class AsynchronousOnly(Exception):
    """The endpoint takes asynchronous invocations alone."""


class Answered(NamedTuple):
    """The name of the variant that was asked, what it answered, and the log stream of its instance."""

    variant: str
    response: ModelResponse
    log_stream: str


class Deployment:
    """Running variants, the requests that they are answering, and what is captured of them.

    A shadow variant gets copies of the requests to the production variant; nobody waits for its answers.
    """

    def __init__(
        self,
        generation: int,
        fleets: Sequence[tuple[Variant, Fleet]],
        shadows: Sequence[tuple[Variant, Fleet]] = (),
        endpoint: str = "",
        config: str = "",
        metrics: InvocationMetrics | None = None,
        *,
        asynchronous: bool = False,
    ) -> None:
        self.asynchronous = asynchronous
        self.generation = generation  # 1 is the first deployment of the endpoint
        self.config = config
        self.capture: DataCapture | None = None
        self._endpoint = endpoint
        self._metrics = metrics
        self._fleets = {variant.name: fleet for variant, fleet in fleets}
        self._multi_model = {variant.name for variant, _ in fleets if variant.multi_model}
        self._shadows = {variant.name: fleet for variant, fleet in shadows}
        self._weights = {variant.name: variant.weight for variant, _ in fleets}
        self._shadow_weights = {variant.name: variant.weight for variant, _ in shadows}
        self._copies = ThreadPoolExecutor(SHADOW_THREADS, "shadow") if shadows else None
        self._waiting_copies = threading.Semaphore(MOST_COPIES)
        self.outstanding = Outstanding()

    def start(self) -> None:
        """Start all variants; where one does not start, none is left running, and ModelFailedToStart is raised."""
        try:
            for fleet in self._all_fleets():
                fleet.start()
        except BaseException:
            self.stop()
            raise

    def invoke(self, invocation: Invocation) -> Answered:
        """Ask the target variant, or one by weight; LookupError where there is none.

        Throttled where a serverless variant is busy; TargetRefused and ModelNotReady of a multi-model one. The caller
        has `outstanding` count it.
        """
        name = self._choose(invocation.target_variant)
        self._check_target(name, invocation.target_model)
        answered = self._ask(name, self._fleets[name], invocation)
        for shadow, fleet in self._shadows.items():
            self._copy(shadow, fleet, invocation, self._weights[name])
        return answered

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Change the weights of some variants, from the next request on."""
        self._weights = {**self._weights, **weights}

    def resize(self, counts: Mapping[str, int]) -> None:
        """Change how many instances some variants have; ModelFailedToStart where a new one does not start."""
        for name, count in counts.items():
            self._fleets[name].resize(count)

    def revive(self) -> None:
        """See to it that what has died is started again."""
        for fleet in self._all_fleets():
            fleet.revive()

    def health(self) -> dict[str, Health]:
        """How each variant stands."""
        return {name: _health(fleet) for name, fleet in [*self._fleets.items(), *self._shadows.items()]}

    def sizes(self) -> dict[str, int]:
        """How many instances each variant has that answers; a shadow keeps those it was created with."""
        return {name: _health(fleet).size for name, fleet in self._fleets.items()}

    def retire(self, seconds: float = DRAIN_SECONDS) -> None:
        """Stop once the requests that have begun are answered, or after a while."""
        self.outstanding.wait(seconds)
        self.stop()

    def stop(self) -> None:
        """End all processes for good, and write what was captured."""
        if self._copies is not None:
            self._copies.shutdown(cancel_futures=True)
        for fleet in self._all_fleets():
            fleet.retire(0)
        if self.capture is not None:
            self.capture.close()

    def _all_fleets(self) -> list[Fleet]:
        return [*self._fleets.values(), *self._shadows.values()]

    def _ask(self, name: str, fleet: Fleet, invocation: Invocation) -> Answered:
        """Ask one variant; its answer is captured and counted."""
        moment, began = datetime.now(timezone.utc), time.monotonic()
        status = UNAVAILABLE
        try:
            instance, response = self._answer(fleet, invocation)
            status = response.status
        except (Throttled, ModelNotReady):
            status = THROTTLED
            raise
        except TargetRefused:
            status = CLIENT_ERROR
            raise
        finally:
            now = time.monotonic()
            if self._metrics is not None:
                source = Source(self._endpoint, name, self.config, self.asynchronous)
                self._metrics.observe(source, status, now - began, now - invocation.received, fleet.size)
        if self.capture is not None and response.succeeded:
            self.capture.take(
                Event(
                    variant=name,
                    moment=moment,
                    request=invocation.body,
                    request_type=invocation.content_type,
                    answer=response.body,
                    answer_type=response.content_type,
                    custom_attributes=invocation.custom_attributes,
                    inference_id=invocation.inference_id,
                )
            )
        return Answered(name, response, stream_name(name, self.generation, instance.number if instance else 1))

    def _answer(self, fleet: Fleet, invocation: Invocation) -> tuple[Instance | None, ModelResponse]:
        """ModelUnavailable where no process was asked; one that dies over the request has no answer."""
        headers = {ATTRIBUTES: invocation.custom_attributes} if invocation.custom_attributes else {}
        request = ModelRequest(
            invocation.body,
            invocation.content_type,
            invocation.accept,
            headers,
            invocation.timeout_seconds,
            invocation.target_model,
        )
        try:
            return fleet.invoke(request)
        except ModelUnavailable as fault:
            if not fault.reached:
                raise
            return None, ModelResponse(NO_ANSWER, "text/plain", str(fault).encode(), {})

    def _copy(self, name: str, fleet: Fleet, invocation: Invocation, weight: float) -> None:
        """Send a copy of a request to a shadow variant: of as many as its weight is a share of production's."""
        share = self._shadow_weights[name] / weight if weight else 0.0
        if self._copies is None or RANDOM.random() >= share or not self._waiting_copies.acquire(blocking=False):
            return
        copy = Invocation(
            invocation.body,
            invocation.content_type,
            invocation.accept,
            custom_attributes=invocation.custom_attributes,
            inference_id=invocation.inference_id,
        )

        def ask() -> None:
            try:
                self._ask(name, fleet, copy)
            except (ModelUnavailable, Throttled) as fault:  # it is counted; nobody waits for the answer
                LOG.debug("the shadow variant %s did not answer: %s", name, fault)
            finally:
                self._waiting_copies.release()

        try:
            self._copies.submit(ask)
        except RuntimeError:  # the deployment has just been stopped
            self._waiting_copies.release()

    def _check_target(self, variant: str, target: str | None) -> None:
        if variant in self._multi_model and target is None:
            raise TargetRefused(f"Request {uuid.uuid4()} is missing a target model header.")
        if variant not in self._multi_model and target is not None:
            raise TargetRefused(
                f"Endpoint {self._endpoint} is not a multi-model endpoint and does not support target model header."
            )

    def _choose(self, target: str | None) -> str:
        if target is not None:
            if target not in self._fleets:
                raise LookupError(
                    f"Variant {target} not found for Request: the endpoint has {', '.join(self._fleets)}."
                )
            return target
        weights = self._weights
        if len(weights) == 1 and (only := next(iter(weights))) and weights[only] > 0:
            return only
        if sum(weights.values()) <= 0:
            raise LookupError("none of its variants has a weight above 0: name one as target variant.")
        return RANDOM.choices(list(weights), list(weights.values()))[0]


def _health(fleet: Fleet) -> Health:
    alive = fleet.alive()
    return Health(alive > 0, fleet.last_death, alive, fleet.size)
