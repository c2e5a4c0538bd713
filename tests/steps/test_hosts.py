"""Who the hosts of a job are; that a processing step starts on one of them alone; what one host adds up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from steps.failure import JobError
from steps.hosts import ALONE, Hosts, hosts_of, refuse_several


def configured(folder: Path, current: str, hosts: object) -> Path:
    path = folder / "resourceconfig.json"
    path.write_text(json.dumps({"current_host": current, "hosts": hosts}), encoding="utf-8")
    return path


def test_hosts_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    hosts = hosts_of(configured(tmp_path, "algo-10", ["algo-10", "algo-2", "algo-1"]))
    assert (hosts.names, hosts.number, hosts.is_first) == (("algo-1", "algo-2", "algo-10"), 2, False)
    assert hosts_of(tmp_path / "none.json") == ALONE
    assert ALONE.is_first


@pytest.mark.parametrize("hosts", [None, 7])
def test_a_configuration_without_hosts_is_named(tmp_path: Path, hosts: object) -> None:
    with pytest.raises(JobError, match=r"resourceconfig\.json does not say which hosts"):
        hosts_of(configured(tmp_path, "algo-1", hosts))


def test_a_processing_step_refuses_a_second_host(tmp_path: Path) -> None:
    refuse_several(configured(tmp_path, "algo-1", ["algo-1"]))
    with pytest.raises(JobError, match="its job has 2, which would all do the same work: set InstanceCount to 1"):
        refuse_several(configured(tmp_path, "algo-2", ["algo-1", "algo-2"]))


def test_one_host_gets_back_what_it_gives() -> None:
    values = np.array([0.1, 0.2])
    assert ALONE.total(values) is values
    assert ALONE.gathered(values) is values
    assert ALONE.told({"a": 1}) == [{"a": 1}]
    assert Hosts(("a", "b"), "b").number == 1
