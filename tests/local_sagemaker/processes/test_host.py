"""Hosts and their names."""

import pytest

from local_sagemaker.processes.host import host_names, is_resource_name


def test_hosts_are_listed_as_the_service_lists_them() -> None:
    assert host_names(1) == ("algo-1",)
    assert host_names(11)[:3] == ("algo-1", "algo-10", "algo-11")


@pytest.mark.parametrize("name", ["a", "pipelines-1a-Train-x9", "A" * 63])
def test_names_of_the_service_are_names(name: str) -> None:
    assert is_resource_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "a.b", "a/b", "..", "a\n", "A" * 64, "ä"])
def test_other_names_are_not(name: str) -> None:
    assert not is_resource_name(name)
