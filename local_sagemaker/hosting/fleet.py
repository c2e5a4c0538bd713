"""The instances of one variant: each has model processes of its own, and requests are spread over those that live."""

import secrets
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from local_sagemaker.hosting.model_chain import Death
from local_sagemaker.hosting.model_process import ModelRequest, ModelResponse, ModelUnavailable
from local_sagemaker.hosting.outstanding import Outstanding

DRAIN_SECONDS = 60.0  # for which an instance answers what it was asked before it ends
RANDOM = secrets.SystemRandom()


class Chain(Protocol):
    """What an instance runs: a chain of processes, or those of several models."""

    @property
    def last_death(self) -> Death | None:
        """The last time that a process died."""

    def start(self) -> None:
        """Start it; ModelFailedToStart where it does not start."""

    def stop(self) -> None:
        """End it for good."""

    def say(self, text: str) -> None:
        """Write a line into the log."""

    def alive(self) -> bool:
        """Whether it can be asked."""

    def invoke(self, request: ModelRequest) -> ModelResponse:
        """What it answers; ModelUnavailable where it does not."""

    def revive_in_background(self) -> None:
        """See to it that what has died is started again."""


MakeChain = Callable[[int], Chain]  # from the number of an instance, 1 and on, to its processes


class Instance:
    """One instance: its number within the variant, its processes, and the requests that it is answering."""

    def __init__(self, number: int, chain: Chain) -> None:
        self.number = number
        self.chain = chain
        self.outstanding = Outstanding()

    def invoke(self, request: ModelRequest) -> ModelResponse:
        """As ModelChain.invoke."""
        with self.outstanding.one():
            return self.chain.invoke(request)

    def retire(self, seconds: float = DRAIN_SECONDS) -> None:
        """Stop once what it was asked is answered, or after a while."""
        self.outstanding.wait(seconds)
        self.chain.stop()


class Fleet:
    """As many instances as are wanted; `resize` changes that while requests go on."""

    def __init__(self, make: MakeChain, count: int) -> None:
        self._make = make
        self._resizing = threading.Lock()
        self._stopped = False
        self._number = count
        self._instances: tuple[Instance, ...] = tuple(Instance(n, make(n)) for n in range(1, count + 1))

    @property
    def size(self) -> int:
        """How many instances there are, those that are just down among them."""
        return len(self._instances)

    @property
    def instances(self) -> Sequence[Instance]:
        """The instances as they are now."""
        return self._instances

    @property
    def last_death(self) -> Death | None:
        """The last time that a process died."""
        deaths = [each.chain.last_death for each in self._instances if each.chain.last_death is not None]
        return max(deaths, key=lambda death: death.moment) if deaths else None

    def alive(self) -> int:
        """How many instances answer."""
        return sum(instance.chain.alive() for instance in self._instances)

    def start(self) -> None:
        """Start all at once; ModelFailedToStart of the first that does not."""
        _start(self._instances)

    def resize(self, count: int) -> None:
        """Start further instances and then let them in, or let the last ones finish and end."""
        with self._resizing:
            before = self._instances
            if count > len(before) and not self._stopped:
                added = [
                    Instance(n, self._make(n)) for n in range(self._number + 1, self._number + count - len(before) + 1)
                ]
                self._number += len(added)
                _start(added)
                self._instances = (*before, *added)
                if self._stopped:
                    for instance in added:
                        instance.chain.stop()
            elif count < len(before):
                self._instances = before[:count]
                for instance in before[count:]:
                    instance.retire()

    def invoke(self, request: ModelRequest) -> tuple[Instance, ModelResponse]:
        """Ask one of the instances; ModelUnavailable where none can be asked, or the one asked dies."""
        while True:
            instance = self._choose()
            if instance is None:
                raise ModelUnavailable("No instance serves this variant.")
            try:
                return instance, instance.invoke(request)
            except ModelUnavailable as fault:
                if fault.reached or instance.chain.alive() or not self._another(instance):
                    raise

    def revive(self) -> None:
        """See to it that what has died is started again."""
        for instance in self._instances:
            instance.chain.revive_in_background()

    def retire(self, seconds: float = DRAIN_SECONDS) -> None:
        """Stop all for good, once what they were asked is answered, or after a while."""
        self._stopped = True
        for instance in self._instances:  # at once also where instances are just being added: their start fails then
            instance.retire(seconds)

    def _choose(self) -> Instance | None:
        instances = self._instances
        if len(instances) == 1:
            return instances[0]
        living = [instance for instance in instances if instance.chain.alive()] or list(instances)
        if not living:
            return None
        in_any_order = RANDOM.sample(living, len(living))  # and each is looked at once, for requests end meanwhile
        return min(in_any_order, key=lambda instance: instance.outstanding.count)

    def _another(self, dead: Instance) -> bool:
        return any(instance is not dead and instance.chain.alive() for instance in self._instances)


def _start(instances: Sequence[Instance]) -> None:
    """Start several at once; where one does not start, all are stopped and its fault is raised."""
    faults: list[BaseException] = []

    def start(instance: Instance) -> None:
        try:
            instance.chain.start()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=start, args=(each,), name="instance", daemon=True) for each in instances[1:]]
    for thread in threads:
        thread.start()
    if instances:
        start(instances[0])
    for thread in threads:
        thread.join()
    if faults:
        for instance in instances:
            instance.chain.stop()
        raise faults[0]
