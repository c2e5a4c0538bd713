"""How many workers a container asks for."""

import pytest

from local_sagemaker.toolkits.dispatchers import CannotStart
from local_sagemaker.toolkits.workers import wanted


def test_one_worker_where_nothing_is_said_and_its_threads_are_its_own_matter() -> None:
    environment: dict[str, str] = {}
    assert wanted(environment) == 1
    assert not environment


def test_several_workers_have_one_thread_each_unless_the_container_says_otherwise() -> None:
    environment = {"SAGEMAKER_MODEL_SERVER_WORKERS": " 64"}
    assert wanted(environment) == 64
    assert environment["OMP_NUM_THREADS"] == "1"
    environment = {"SAGEMAKER_MODEL_SERVER_WORKERS": "2", "OMP_NUM_THREADS": "3"}
    assert wanted(environment) == 2
    assert environment["OMP_NUM_THREADS"] == "3"


@pytest.mark.parametrize("said", ["", "0", "65", "-1", "1.5", "two", "²"])
def test_what_is_no_number_of_workers_is_refused(said: str) -> None:
    with pytest.raises(
        CannotStart, match=r"SAGEMAKER_MODEL_SERVER_WORKERS is '.*': set it to a whole number from 1 to"
    ):
        wanted({"SAGEMAKER_MODEL_SERVER_WORKERS": said})
