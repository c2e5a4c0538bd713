"""What a data set needs is forecast, and what cannot fit into a machine is refused by step and setting."""

from typing import Any

import pytest

from pipelines.checks.capacity import TELLS, Amount, LastRun, capacity_faults, needs
from pipelines.checks.instance_memory import memory_gib
from pipelines.document.walk import service_model
from pipelines.settings.settings import Settings, default_config, load_settings

SETTINGS = load_settings(default_config())


def on(instance_type: str, **machine: Any) -> Settings:
    processing = SETTINGS.jobs.processing.model_copy(update={"instance_type": instance_type, **machine})
    return SETTINGS.model_copy(update={"jobs": SETTINGS.jobs.model_copy(update={"processing": processing})})


@pytest.mark.parametrize(
    ("name", "memory"),
    [
        ("ml.m5.large", 8),
        ("ml.m5.xlarge", 16),
        ("ml.c5.9xlarge", 72),
        ("ml.r5.24xlarge", 768),
        ("ml.m6i.2xlarge", 32),
        ("ml.t3.medium", 4),
        ("ml.m4.16xlarge", 256),
        ("ml.trn1.2xlarge", None),
    ],
)
def test_the_memory_of_an_instance_follows_from_its_name(name: str, memory: float | None) -> None:
    assert memory_gib(name) == memory


def test_all_general_compute_and_memory_instances_of_the_service_are_known() -> None:
    offered = service_model().shape_for("ProcessingInstanceType").enum
    unknown = [name for name in offered if name[3] in "mcr" and name[4] in "56789" and memory_gib(name) is None]
    assert unknown == []


def test_the_default_data_fits_into_the_default_machines_and_into_a_large() -> None:
    amount = Amount(21_613, 0.001, 0, 0.001)
    for settings in (SETTINGS, on("ml.m5.large")):
        assert list(capacity_faults(needs(amount, settings), amount.rows)) == []
    assert [need.step for need in needs(amount, SETTINGS)] == ["ValidateData", "Preprocess", "Train", "Evaluate"]


def test_ten_gigabytes_do_not_fit_into_a_large() -> None:
    """Neither as Parquet, of which they are 260 million rows, nor as CSV, nor as few rows of much text."""
    for amount in (Amount(260_000_000, 10, 0, 0.1), Amount(90_000_000, 10, 10, 0), Amount(1000, 10, 10, 0)):
        found = list(capacity_faults(needs(amount, on("ml.m5.large")), amount.rows))
        assert found[0].step == "ValidateData"
        assert found[0].path == "jobs.processing.instance_type"
        assert f"{amount.rows:,} rows need about" in found[0].message
        assert "ml.m5.large has 7.7 for a job" in found[0].message


def test_hosts_that_train_together_share_the_rows() -> None:
    training = SETTINGS.jobs.training.model_copy(update={"instance_count": 4})
    four = SETTINGS.model_copy(update={"jobs": SETTINGS.jobs.model_copy(update={"training": training})})
    memory, seconds = {}, {}
    for name, settings in (("one", SETTINGS), ("four", four)):
        found = {need.step: need for need in needs(Amount(4_000_000_000), settings)}["Train"]
        memory[name], seconds[name] = found.memory, found.seconds
    assert memory["one"] / 4 < memory["four"] < memory["one"] / 3.9
    assert seconds["four"] == seconds["one"]


def test_each_host_that_preprocesses_has_all_rows() -> None:
    one, four = (needs(Amount(4_000_000), on("ml.m5.xlarge", instance_count=count)) for count in (1, 4))
    assert one == four


def test_the_smallest_machine_that_fits_is_named() -> None:
    def fix(memory: float) -> str:
        return next(capacity_faults(needs(Amount(0, 0, memory / 3, 0), on("ml.m5.large")), 0)).fix

    assert fix(10) == "take ml.m5.xlarge (16 GiB), or fewer rows"
    assert fix(500) == "take ml.r5.24xlarge (768 GiB), or fewer rows"
    assert fix(2000) == "no instance type has as much: give fewer rows"


def test_needs_grow_with_rows_and_an_unknown_machine_refuses_nothing() -> None:
    few, many = (needs(Amount(rows), SETTINGS) for rows in (1_000_000, 2_000_000))
    for one, two in zip(few, many, strict=True):
        assert (one.memory, one.seconds, one.disk) < (two.memory, two.seconds, two.disk)
    strange = needs(Amount(10**9), on("ml.trn1.2xlarge", volume_gb=100_000))
    assert {fault.step for fault in capacity_faults(strange, 10**9)} == {"Train"}


def test_a_volume_that_is_too_small_is_said() -> None:
    found = list(capacity_faults(needs(Amount(100, 50.0), on("ml.m5.24xlarge", volume_gb=40)), 100))
    assert [(fault.step, fault.path) for fault in found] == [("ValidateData", "jobs.processing.volume_gb")]
    assert found[0].fix == "set it to 61"


def test_the_time_goes_on_from_that_of_the_last_run() -> None:
    rows = 1_000_000
    measured = {need.step: need.seconds for need in needs(Amount(rows), SETTINGS)}
    last = {"Train": LastRun("e1", rows, measured["Train"] / 4)}
    for amount in (rows // 100, rows * TELLS):
        before, after = ({need.step: need for need in needs(Amount(amount), SETTINGS, runs)} for runs in (None, last))
        assert after["Train"].seconds == pytest.approx(before["Train"].seconds / 4)
        assert after["Train"].last == last["Train"]
        assert (after["Train"].memory, after["Train"].disk) == (before["Train"].memory, before["Train"].disk)
        assert after["Evaluate"] == before["Evaluate"]


def test_a_run_on_a_few_rows_says_nothing_of_many() -> None:
    amount = Amount(1_000_000)
    told, not_told = (
        next(need for need in needs(amount, SETTINGS, {"Train": LastRun("e1", rows, 1.0)}) if need.step == "Train")
        for rows in (amount.rows // TELLS, amount.rows // TELLS - 1)
    )
    assert told.last is not None
    assert not_told == next(need for need in needs(amount, SETTINGS) if need.step == "Train")
