"""Endpoints with variants: deploying, swapping, weights, faults, through real processes."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.hosting.data_capture import CaptureSettings
from local_sagemaker.hosting.deployment import Invocation, Variant
from local_sagemaker.hosting.endpoint_host import EndpointHost
from local_sagemaker.hosting.model_process import NO_ANSWER, ModelFailedToStart, ModelUnavailable
from local_sagemaker.processes.images import ImageMap

Container = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.e2e

SAY = """
import os, time
def model_fn(model_dir): return open(model_dir + "/model.txt").read()
def transform_fn(model, body, content_type, accept):
    if body == "pid": return str(os.getpid())
    if body == "die": os._exit(1)
    if body == "bad":
        error = ValueError(); error.status_code, error.message = 400, "bad input"; raise error
    if body == "slow": time.sleep(1)
    return f"{model}({body})"
"""


@pytest.fixture(name="host")
def host_fixture(store: Any, tmp_path: Path) -> Iterator[EndpointHost]:
    host = EndpointHost(tmp_path / "endpoints", store, ImageMap(), {})
    yield host
    host.close()


@pytest.fixture(name="variant")
def variant_fixture(container: Container) -> Callable[..., Variant]:
    def make(text: str, name: str = "AllTraffic", weight: float = 1.0, program: str = SAY) -> Variant:
        return Variant(name, weight, [container(program, text, f"{name}-{text}")])

    return make


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ask(host: EndpointHost, body: str = "x", target: str | None = None, name: str = "houses") -> tuple[str, str]:
    variant, response = host.invoke(name, Invocation(body.encode(), "text/csv", "text/csv", target))
    return variant, response.body.decode()


def test_an_endpoint_answers_until_it_is_removed(host: EndpointHost, variant: Callable[..., Variant]) -> None:
    assert not host.serves("houses")
    host.deploy("houses", [variant("a")])
    assert host.serves("houses")
    assert ask(host) == ("AllTraffic", "a(x)")
    pid = int(ask(host, "pid")[1])
    host.remove("houses")
    assert not host.serves("houses")
    with pytest.raises(LookupError, match="no model serves the endpoint houses"):
        ask(host)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    host.remove("houses")  # a second time is not a fault


def test_an_update_swaps_without_losing_a_request(host: EndpointHost, variant: Callable[..., Variant]) -> None:
    host.deploy("houses", [variant("a")])
    old = int(ask(host, "pid")[1])
    answers: list[str] = []
    done = threading.Event()

    def client() -> None:
        while not done.is_set():
            answers.append(ask(host)[1])

    slow = threading.Thread(target=lambda: answers.append(ask(host, "slow")[1]))
    thread = threading.Thread(target=client)
    thread.start()
    time.sleep(0.1)
    slow.start()
    host.deploy("houses", [variant("b")])
    time.sleep(0.1)
    done.set()
    thread.join()
    slow.join()
    assert set(answers) <= {"a(x)", "b(x)", "a(slow)", "b(slow)"}
    assert (answers[0], ask(host)[1]) == ("a(x)", "b(x)")
    with pytest.raises(ProcessLookupError):
        os.kill(old, 0)


def test_a_failed_update_leaves_the_old_model_serving(host: EndpointHost, variant: Callable[..., Variant]) -> None:
    host.deploy("houses", [variant("a")])
    with pytest.raises(ModelFailedToStart, match="has no model_fn"):
        host.deploy("houses", [variant("b"), variant("c", "Broken", program="x = 1")])
    assert ask(host) == ("AllTraffic", "a(x)")


def test_requests_go_by_weight_or_to_the_target(host: EndpointHost, variant: Callable[..., Variant]) -> None:
    host.deploy("houses", [variant("a", "Champion", 9), variant("b", "Challenger", 1), variant("c", "Silent", 0)])
    chosen = [ask(host)[0] for _ in range(300)]
    assert chosen.count("Silent") == 0
    assert 5 <= chosen.count("Challenger") <= 75  # 30 are expected; the bounds are beyond one in a million
    assert ask(host, target="Silent") == ("Silent", "c(x)")
    with pytest.raises(
        LookupError, match="Variant Nobody not found for Request: the endpoint has Champion, Challenger, Silent"
    ):
        ask(host, target="Nobody")


def test_a_model_that_died_is_started_again_and_the_fault_is_logged(
    host: EndpointHost, variant: Callable[..., Variant], caplog: pytest.LogCaptureFixture
) -> None:
    host.deploy("houses", [variant("a")])
    os.kill(int(ask(host, "pid")[1]), signal.SIGKILL)
    time.sleep(0.1)
    with caplog.at_level(logging.WARNING):
        assert ask(host) == ("AllTraffic", "a(x)")
    assert "AllTraffic died (signal 9) and is started again" in caplog.text
    assert host.invoke("houses", Invocation(b"die", "text/csv"))[1].status == NO_ANSWER
    assert ask(host) == ("AllTraffic", "a(x)")


def test_a_model_that_died_is_started_again_without_a_request_and_that_shows(
    host: EndpointHost, variant: Callable[..., Variant], tmp_path: Path
) -> None:
    host.deploy("houses", [variant("a")])
    assert host.health("houses")["AllTraffic"].last_death is None
    pid = int(ask(host, "pid")[1])
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: host.health("houses")["AllTraffic"].last_death is not None)
    wait_for(lambda: host.health("houses")["AllTraffic"].alive)
    death = host.health("houses")["AllTraffic"].last_death
    assert death is not None
    assert "AllTraffic died (signal 9) and is started again" in death.message
    assert "died (signal 9)" in (tmp_path / "endpoints/houses/1/AllTraffic/output.log").read_text()
    assert int(ask(host, "pid")[1]) != pid


def test_a_model_that_cannot_be_started_again_is_not_tried_at_each_request(
    host: EndpointHost, variant: Callable[..., Variant], tmp_path: Path
) -> None:
    once = (
        SAY + "\nif os.path.exists(__file__ + '.used'): raise RuntimeError('only once')\nopen(__file__ + '.used', 'w')"
    )
    host.deploy("houses", [variant("a", program=once)])
    os.kill(int(ask(host, "pid")[1]), signal.SIGKILL)
    wait_for(lambda: not host.health("houses")["AllTraffic"].alive)
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match="only once"):
            ask(host)
    log = (tmp_path / "endpoints/houses/1/AllTraffic/output.log").read_text()
    assert log.count("RuntimeError: only once") < 3
    assert not host.health("houses")["AllTraffic"].alive


def test_weights_change_without_a_deployment(host: EndpointHost, variant: Callable[..., Variant]) -> None:
    host.deploy("houses", [variant("a", "Champion", 1), variant("b", "Challenger", 0)])
    assert {ask(host)[0] for _ in range(20)} == {"Champion"}
    host.set_weights("houses", {"Champion": 0, "Challenger": 2})
    assert {ask(host)[0] for _ in range(20)} == {"Challenger"}
    host.set_weights("houses", {"Challenger": 0})
    with pytest.raises(LookupError, match="name one as target variant"):
        ask(host)


def test_what_is_captured_just_before_a_stop_is_not_lost(
    host: EndpointHost, variant: Callable[..., Variant], store: Any
) -> None:
    options = [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]
    capture = {"InitialSamplingPercentage": 100, "DestinationS3Uri": "s3://captured", "CaptureOptions": options}
    host.deploy("houses", [variant("a")], CaptureSettings.of(capture))
    ask(host)
    host.close()
    assert len(store.list("captured", "houses/AllTraffic/")) == 1


def test_several_containers_are_a_chain(host: EndpointHost, container: Container) -> None:
    accepted = SAY.replace("{body})", "{body}) as {accept}")
    chain = [container(accepted, "first", "first"), container(accepted, "second", "second")]
    host.deploy("houses", [Variant("AllTraffic", 1, chain)])
    assert ask(host) == ("AllTraffic", "second(first(x) as application/json) as text/csv")
    _, response = host.invoke("houses", Invocation(b"bad", "text/csv", "text/csv"))
    assert (response.status, response.body) == (400, b"bad input")


def test_each_deployment_has_its_own_logs(host: EndpointHost, variant: Callable[..., Variant], tmp_path: Path) -> None:
    for text in ("a", "b"):
        host.deploy("houses", [variant(text)])
    logs = sorted(path.relative_to(tmp_path / "endpoints").as_posix() for path in tmp_path.glob("endpoints/**/*.log"))
    assert logs == ["houses/1/AllTraffic/output.log", "houses/2/AllTraffic/output.log"]


def test_close_stops_every_process_and_what_is_deployed_afterwards(
    host: EndpointHost, variant: Callable[..., Variant]
) -> None:
    host.deploy("houses", [variant("a")])
    pid = int(ask(host, "pid")[1])
    host.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(ModelFailedToStart, match="The server stopped"):
        host.deploy("houses", [variant("b")])
    assert not host.serves("houses")


@pytest.mark.parametrize("name", ["../outside", "a/b", ""])
def test_a_name_that_is_no_folder_is_refused(host: EndpointHost, variant: Callable[..., Variant], name: str) -> None:
    with pytest.raises(ModelFailedToStart, match="is not a valid name of an endpoint"):
        host.deploy(name, [variant("a")])
    with pytest.raises(ModelFailedToStart, match="is not a valid name of an endpoint"):
        host.deploy("houses", [variant("a", "../v")])
