"""The values that a training job has logged, as metrics of CloudWatch."""

from pathlib import Path

from local_sagemaker.metrics.store import MetricName, MetricStore
from local_sagemaker.processes.log_events import Event, LogFile
from local_sagemaker.work.job_metrics import NAMESPACE, TrainingMetrics

NOW = 1_800_000_000.0
JOB = {
    "TrainingJobName": "a",
    "AlgorithmSpecification": {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]},
}
LOSS = MetricName(NAMESPACE, "loss", (("TrainingJobName", "a"),))


class Lines(LogFile):
    """A log whose lines were written at given moments."""

    def __init__(self, *lines: tuple[float, str]) -> None:
        super().__init__(Path("log"))
        self.lines = lines

    def events(self, *_: object, **__: object):  # type: ignore[no-untyped-def]
        return iter(Event(0, 0, int(moment * 1000), text) for moment, text in self.lines)


def test_every_value_of_all_hosts_is_kept_at_its_moment() -> None:
    store = MetricStore(lambda: NOW)
    hosts = [Lines((NOW - 60, "loss=3"), (NOW - 20, "loss=1")), Lines((NOW - 40, "loss=2"), (NOW - 30, "nothing"))]
    TrainingMetrics(store).ended(JOB, hosts)
    found = [(point.moment - NOW, point.values) for point in store.points(LOSS, 0, NOW + 1)]
    assert found == [(-60, [3.0]), (-40, [2.0]), (-20, [1.0])]


def test_what_is_older_than_the_store_keeps_is_left_out() -> None:
    store = MetricStore(lambda: NOW)
    TrainingMetrics(store).ended(JOB, [Lines((NOW - 10_801, "loss=3"), (NOW - 10_799, "loss=2"))])
    assert [point.values for point in store.points(LOSS, 0, NOW + 1)] == [[2.0]]


def test_a_job_without_metrics_adds_none() -> None:
    store = MetricStore(lambda: NOW)
    TrainingMetrics(store).ended({"TrainingJobName": "a", "AlgorithmSpecification": {}}, [Lines((NOW, "loss=3"))])
    assert list(store.names()) == []
