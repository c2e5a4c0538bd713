"""More hosts than can work are refused before anything starts."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.checks.hosts import check_hosts, host_faults
from pipelines.errors import PipelineError
from pipelines.settings.candidate_settings import LightGBMSettings
from pipelines.settings.query_settings import QuerySettings
from pipelines.settings.settings import Settings, default_config, load_settings


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(default_config())


def declared(processing: int = 1, training: int = 1) -> list[dict[str, Any]]:
    return [
        {"Name": "ProcessingInstanceCount", "Type": "Integer", "DefaultValue": processing},
        {"Name": "TrainingInstanceCount", "Type": "Integer", "DefaultValue": training},
        {"Name": "Rounds", "Type": "Integer", "DefaultValue": 9},
    ]


def test_counts_that_can_work_pass(settings: Settings) -> None:
    """The training rows are four parts; a host of Preprocess more checks the rows."""
    assert not list(host_faults({"Parameters": declared(processing=5, training=4)}, settings))
    check_hosts(declared(), {"ProcessingInstanceCount": "5", "TrainingInstanceCount": "4", "Rounds": "99"}, settings)


def test_a_default_that_cannot_work_is_a_fault_at_its_place(settings: Settings) -> None:
    (fault,) = host_faults({"Parameters": declared(processing=6)}, settings)
    assert fault.path == "Parameters[0].DefaultValue"
    assert fault.message == "6 hosts are more than the 5 among which 21,613 rows can be divided"
    (fault,) = host_faults({"Parameters": declared(training=5)}, settings)
    assert fault.message == "5 hosts are more than the 4 among which 21,613 rows can be divided"


def test_a_start_that_cannot_work_is_refused(settings: Settings) -> None:
    with pytest.raises(PipelineError, match=r"ProcessingInstanceCount: 6 hosts .*set it to 5 or less \(jobs.proc"):
        check_hosts(declared(), {"ProcessingInstanceCount": "6"}, settings)
    with pytest.raises(PipelineError, match=r"TrainingInstanceCount: 5 hosts .*set it to 4 or less \(jobs.training"):
        check_hosts(declared(), {"TrainingInstanceCount": "5"}, settings)


@pytest.mark.parametrize("count", [0, -3])
@pytest.mark.parametrize("name", ["ProcessingInstanceCount", "TrainingInstanceCount"])
def test_a_job_has_a_host(name: str, count: int, settings: Settings) -> None:
    with pytest.raises(PipelineError, match=rf"^{name}: {count} hosts are asked for, .*: set it to 1 or more \(jobs\."):
        check_hosts(declared(), {name: str(count)}, settings, own_data=True)
    faults = list(host_faults({"Parameters": [{"Name": name, "DefaultValue": count}]}, settings))
    assert [fault.message for fault in faults] == [f"{count} hosts are asked for, and a job has one at least"]


def test_of_other_data_nobody_knows_the_rows_yet(settings: Settings) -> None:
    check_hosts(declared(), {"TrainingInstanceCount": "5"}, settings, own_data=True)
    check_hosts(declared(), {"TrainingInstanceCount": "5", "InputDataUri": "s3://b/k"}, settings)


def test_another_librarys_candidate_trains_on_one_host(settings: Settings) -> None:
    candidates = settings.candidates.model_copy(update={"lightgbm": LightGBMSettings()})
    named = settings.model_copy(update={"candidates": candidates})
    with pytest.raises(PipelineError, match="the candidate lightgbm trains on one host, and 2 are asked for"):
        check_hosts(declared(), {"TrainingInstanceCount": "2"}, named)


def test_how_many_rows_a_query_gives_is_not_known_before(settings: Settings) -> None:
    queried = settings.model_copy(update={"query": QuerySettings(sql="SELECT 1", database="houses")})
    assert not list(host_faults({"Parameters": declared(training=5)}, queried))
    check_hosts(declared(training=5), {}, queried)
