"""Multi-model variants: models that are loaded when they are asked for, and leave when memory is short."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.configuration import configured_model_memory
from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.hosting import multi_model
from local_sagemaker.hosting.deployment import Invocation, Variant
from local_sagemaker.hosting.endpoint_host import EndpointHost
from local_sagemaker.hosting.model_process import ModelFailedToStart
from local_sagemaker.hosting.multi_model import TargetRefused
from local_sagemaker.metrics.store import MetricName, MetricStore
from local_sagemaker.processes.images import ImageMap
from local_sagemaker.processes.memory import resident_bytes

pytestmark = pytest.mark.e2e
PROGRAM = """
import os
def model_fn(model_dir): return open(model_dir + "/model.txt").read()
def transform_fn(model, body, content_type, accept):
    if body == "die": os._exit(1)
    return f"{model}({body}) {os.getpid()}"
"""
Container = Callable[..., dict[str, Any]]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Models:
    """The endpoint `many` of a host, whose models are what is in s3://models/."""

    def __init__(self, folder: Path, store: Any, container: Container) -> None:
        self.points = MetricStore(lambda: 1000.0)
        self.host = EndpointHost(folder, store, ImageMap(), {}, points=self.points)
        self.host.start()
        self._container = container
        self._log = folder / "many/1/main/output.log"
        for name in ("a", "b"):
            container(PROGRAM, name, name)

    def deploy(self, **changes: Any) -> None:
        container = {**self._container(PROGRAM, "other", "other"), "Mode": "MultiModel", **changes}
        self.host.deploy("many", [Variant("main", 1.0, [{**container, "ModelDataUrl": "s3://models"}])])

    def ask(self, target: str | None, body: str = "x", endpoint: str = "many") -> tuple[str, str]:
        """The answer, and the process that gave it; or the status of what is none, and its text."""
        invocation = Invocation(body.encode(), "text/csv", "text/csv", target_model=target)
        response = self.host.invoke(endpoint, invocation).response
        text = response.body.decode()
        return (text.split()[0], text.split()[1]) if response.status == 200 else (str(response.status), text)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def count(self, name: str, namespace: str = "AWS/SageMaker") -> list[float]:
        """The values of a metric."""
        dimensions = (("EndpointName", "many"), ("VariantName", "main"))
        return [
            value
            for point in self.points.points(MetricName(namespace, name, dimensions), 0, 2000)
            for value in point.values
        ]


@pytest.fixture(name="models")
def models_fixture(store: Any, container: Container, tmp_path: Path) -> Iterator[Models]:
    models = Models(tmp_path / "endpoints", store, container)
    yield models
    models.host.close()


def test_a_model_is_loaded_by_its_first_request_and_stays(models: Models) -> None:
    models.deploy()
    first, pid = models.ask("a.tar.gz")
    assert first == "a(x)"
    assert models.ask("a.tar.gz", "y") == ("a(y)", pid)
    assert models.ask("b.tar.gz")[0] == "b(x)"
    assert models.log.count("Loaded the model a.tar.gz") == 1
    assert models.count("ModelCacheHit") == [0.0, 1.0, 0.0]
    assert models.count("LoadedModelCount", "/aws/sagemaker/Endpoints") == [1.0, 2.0]


def test_one_load_answers_all_that_ask_meanwhile(models: Models) -> None:
    models.deploy()
    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(lambda _: models.ask("a.tar.gz"), range(8)))
    assert len(answers) == 1
    assert models.log.count("Loaded the model a.tar.gz") == 1


def test_the_model_that_was_not_asked_for_longest_leaves_when_memory_is_short(
    models: Models, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_LOCAL_MODEL_MEMORY", "2")
    monkeypatch.setattr(multi_model, "resident_bytes", lambda pids: len(pids) << 20)
    container(PROGRAM, "c", "c")
    models.deploy()
    first, second = (models.ask(f"{name}.tar.gz")[1] for name in "ab")
    assert models.ask("a.tar.gz")[1] == first
    assert models.ask("c.tar.gz")[0] == "c(x)"
    wait_for(lambda: "Unloaded the model b.tar.gz" in models.log)
    assert models.ask("a.tar.gz")[1] == first
    assert models.ask("b.tar.gz")[1] != second
    wait_for(lambda: models.log.count("Unloaded") == len(models.count("ModelUnloadingTime")) == 2)


def test_one_model_stays_however_much_memory_it_has(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_LOCAL_MODEL_MEMORY", "1")
    models.deploy()
    pid = models.ask("a.tar.gz")[1]
    assert resident_bytes([int(pid)]) > 1 << 20
    assert models.ask("a.tar.gz")[1] == pid


def test_without_a_cache_a_model_leaves_with_its_answer(models: Models) -> None:
    models.deploy(MultiModelConfig={"ModelCacheSetting": "Disabled"})
    assert models.ask("a.tar.gz")[1] != models.ask("a.tar.gz")[1]


def test_a_model_that_dies_is_started_again(models: Models) -> None:
    models.deploy()
    pid = models.ask("a.tar.gz")[1]
    assert models.ask("a.tar.gz", "die")[0] == "0"
    answer, other = models.ask("a.tar.gz")
    assert (answer, other != pid) == ("a(x)", True)


def test_what_is_no_model_is_refused_and_may_come_later(models: Models, container: Container) -> None:
    models.deploy()
    with pytest.raises(TargetRefused, match=r"Failed to download model data\(bucket: models, key: late.tar.gz\)"):
        models.ask("late.tar.gz")
    with pytest.raises(TargetRefused, match="missing a target model header"):
        models.ask(None)
    with pytest.raises(TargetRefused, match=r"key: \.\./models/a.tar.gz"):
        models.ask("../models/a.tar.gz")
    container(PROGRAM, "late", "late")
    assert models.ask("late.tar.gz")[0] == "late(x)"


def test_a_model_that_does_not_load_answers_500_and_is_tried_again(models: Models, container: Container) -> None:
    models.deploy()
    container("raise RuntimeError('cannot load')", "bad", "bad")
    status, text = models.ask("bad.tar.gz")
    assert status == "500"
    assert "cannot load" in text
    container(PROGRAM, "mended", "bad")
    assert models.ask("bad.tar.gz")[0] == "mended(x)"


def test_a_single_model_takes_no_target(models: Models, container: Container) -> None:
    models.host.deploy("one", [Variant("main", 1.0, [container(PROGRAM)])])
    with pytest.raises(TargetRefused, match="Endpoint one is not a multi-model endpoint and does not support"):
        models.ask("a.tar.gz", endpoint="one")


def test_an_image_that_does_not_serve_here_fails_the_deployment(models: Models) -> None:
    with pytest.raises(ModelFailedToStart, match="has tensorflow, which this server's environment lacks"):
        models.deploy(Image="763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-inference:2.13-cpu")


def test_the_memory_is_a_number_of_mb(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configured_model_memory() is None
    monkeypatch.setenv("SAGEMAKER_LOCAL_MODEL_MEMORY", "2")
    assert configured_model_memory() == 2 << 20
    for wrong in ("0", "-1", "2 GB", ""):
        monkeypatch.setenv("SAGEMAKER_LOCAL_MODEL_MEMORY", wrong)
        with pytest.raises(LocalSageMakerError, match="a number of MB"):
            configured_model_memory()
