"""The variants that serve an endpoint together: which one is asked, and how they leave."""

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from local_sagemaker.hosting.data_capture import DataCapture, Event
from local_sagemaker.hosting.model_chain import Death, ModelChain
from local_sagemaker.hosting.model_process import NO_ANSWER, ModelResponse, ModelUnavailable

DRAIN_SECONDS = 60.0  # for which the old processes answer what was asked before the swap
RANDOM = secrets.SystemRandom()
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


@dataclass(frozen=True)
class Variant:
    """A production variant; several containers are a chain, each one's answer the next one's request."""

    name: str
    weight: float
    containers: list[dict[str, Any]]
    start_seconds: float = 240.0


@dataclass(frozen=True)
class Invocation:
    """What InvokeEndpoint is asked."""

    body: bytes
    content_type: str = "application/octet-stream"
    accept: str = "*/*"
    target_variant: str | None = None
    custom_attributes: str | None = None
    inference_id: str | None = None


@dataclass(frozen=True)
class Health:
    """How a variant's processes stand."""

    alive: bool
    last_death: Death | None


class Deployment:
    """Running variants, the requests that they are answering, and what is captured of them."""

    def __init__(self, generation: int, chains: Sequence[tuple[Variant, ModelChain]]) -> None:
        self.generation = generation  # 1 is the first deployment of the endpoint
        self.capture: DataCapture | None = None
        self._chains = {variant.name: chain for variant, chain in chains}
        self._weights = {variant.name: variant.weight for variant, _ in chains}
        self._requests = 0
        self._idle = threading.Condition()

    def start(self) -> None:
        """Start all variants; where one does not start, none is left running, and ModelFailedToStart is raised."""
        try:
            for chain in self._chains.values():
                chain.start()
        except BaseException:
            self.stop()
            raise

    def invoke(self, invocation: Invocation) -> tuple[str, ModelResponse]:
        """The name and the answer of the target variant, or of one by weight; LookupError where there is none.

        The caller has called `enter`, and calls `leave` whatever happens.
        """
        name = self._choose(invocation.target_variant)
        moment = datetime.now(timezone.utc)
        response = self._answer(name, invocation)
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
        return name, response

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Change the weights of some variants, from the next request on."""
        self._weights = {**self._weights, **weights}

    def revive(self) -> None:
        """See to it that what has died is started again."""
        for chain in self._chains.values():
            chain.revive_in_background()

    def health(self) -> dict[str, Health]:
        """How each variant stands."""
        return {name: Health(chain.alive(), chain.last_death) for name, chain in self._chains.items()}

    def enter(self) -> None:
        """A request begins."""
        with self._idle:
            self._requests += 1

    def leave(self) -> None:
        """A request has ended."""
        with self._idle:
            self._requests -= 1
            self._idle.notify_all()

    def retire(self, seconds: float = DRAIN_SECONDS) -> None:
        """Stop once the requests that have begun are answered, or after a while."""
        with self._idle:
            self._idle.wait_for(lambda: self._requests == 0, seconds)
        self.stop()

    def stop(self) -> None:
        """End all processes for good, and write what was captured."""
        for chain in self._chains.values():
            chain.stop()
        if self.capture is not None:
            self.capture.close()

    def _answer(self, name: str, invocation: Invocation) -> ModelResponse:
        """ModelUnavailable where no process was asked; one that dies over the request has no answer."""
        headers = {ATTRIBUTES: invocation.custom_attributes} if invocation.custom_attributes else {}
        try:
            return self._chains[name].invoke(invocation.body, invocation.content_type, invocation.accept, headers)
        except ModelUnavailable as fault:
            if not fault.reached:
                raise
            return ModelResponse(NO_ANSWER, "text/plain", str(fault).encode(), {})

    def _choose(self, target: str | None) -> str:
        if target is not None:
            if target not in self._chains:
                raise LookupError(
                    f"Variant {target} not found for Request: the endpoint has {', '.join(self._chains)}."
                )
            return target
        weights = self._weights
        if len(weights) == 1 and (only := next(iter(weights))) and weights[only] > 0:
            return only
        if sum(weights.values()) <= 0:
            raise LookupError("none of its variants has a weight above 0: name one as target variant.")
        return RANDOM.choices(list(weights), list(weights.values()))[0]
