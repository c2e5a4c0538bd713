"""Clients never see a shift: a bounded load goes on while fleets change, are taken back and are killed."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.conftest import LocalServer
from tests.local_sagemaker.api.test_endpoints import configure, make_model, wait_for
from tests.local_sagemaker.api.test_rollouts import HANDLERS, TWO, alarm, canary, create, settled

pytestmark = pytest.mark.e2e
SECONDS = 600 if os.environ.get("SOAK") else 0  # one round at least
CLIENTS = 4
PAUSE_SECONDS = 0.05  # between two requests of a client
ENDPOINT = "under-load"
Step = Callable[[int], None]


class Clients:
    """Clients that ask all the time. Where the connection is refused or lost they ask again, as the SDKs do."""

    def __init__(self, server: LocalServer) -> None:
        self.words: list[str] = []
        self.pids: list[int] = []
        self.refusals: list[str] = []
        self._runtimes = [server.client("sagemaker-runtime") for _ in range(CLIENTS)]
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on, args=(each,)) for each in self._runtimes]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def answered(self, word: str) -> None:
        """Wait until some more requests have been answered, the last ones with a word."""
        known = len(self.words)
        wait_for(lambda: len(self.words) > known + 20 and set(self.words[-10:]) == {word})

    def _ask_on(self, runtime: Any) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            try:
                answer = runtime.invoke_endpoint(EndpointName=ENDPOINT, Body=b"x")["Body"].read().decode()
            except ClientError as error:
                self.refusals.append(str(error))
                continue
            except BotoCoreError:  # nobody is there: the server was killed
                continue
            word, pid = answer.split()
            self.words.append(word)
            self.pids.append(int(pid))


def test_no_request_fails_but_those_that_a_killed_worker_was_answering(fast: LocalServer) -> None:
    aws, cloudwatch = fast.client("sagemaker"), fast.client("cloudwatch")
    model = partial(make_model, aws, fast.client("s3"), code=HANDLERS)
    models = {word: model(word) for word in ("one", "two")}
    configs = {word: configure(aws, models[word], ProductionVariants=[TWO]) for word in models}
    serving = ["one"]
    create(aws, ENDPOINT, configs["one"])

    def shift(rolled_back: bool) -> None:
        old, new = serving[0], "two" if serving[0] == "one" else "one"
        name = alarm(cloudwatch, f"{ENDPOINT}-{new}", ENDPOINT, configs[new])
        update = canary(3600 if rolled_back else 120, [name])
        aws.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=configs[new], DeploymentConfig=update)
        if rolled_back:
            wait_for(lambda: "Baking" in json.dumps(aws.describe_endpoint(EndpointName=ENDPOINT), default=str))
            cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="enough")
        serving[0] = old if rolled_back else new
        assert settled(aws, ENDPOINT)["EndpointConfigName"] == configs[serving[0]]
        clients.answered(serving[0])

    def kill_a_worker() -> None:
        known = len(clients.refusals)
        os.kill(clients.pids[-1], signal.SIGKILL)
        clients.answered(serving[0])
        lost = clients.refusals[known:]
        assert len(lost) <= CLIENTS, lost
        assert all("ModelError" in each for each in lost), lost
        del clients.refusals[known:]

    def kill_the_server() -> None:
        os.kill(fast.up().pid, signal.SIGKILL)
        fast.up()
        assert settled(aws, ENDPOINT)["EndpointConfigName"] == configs[serving[0]]
        clients.answered(serving[0])

    end = time.monotonic() + SECONDS
    with Clients(fast) as clients:
        clients.answered("one")
        while True:
            for step in (partial(shift, False), partial(shift, True), kill_a_worker, kill_the_server):
                step()
                assert clients.refusals == []
            if time.monotonic() >= end:
                break
    assert {"one", "two"} == set(clients.words)
