"""Which instance of a variant is asked."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import cast

from local_sagemaker.hosting.fleet import Chain, Fleet
from local_sagemaker.hosting.model_process import ModelRequest
from local_sagemaker.hosting.outstanding import Outstanding

REQUEST = ModelRequest(b"", "text/csv", "*/*")


def fleet(count: int) -> Fleet:
    """Instances that answer with nothing, and are not started."""
    chain = SimpleNamespace(alive=lambda: True, invoke=lambda _: None)
    return Fleet(cast(Callable[[int], Chain], lambda _: chain), count)


def test_the_one_with_the_fewest_requests_is_asked_and_any_of_several_such() -> None:
    three = fleet(3)
    with three.instances[1].outstanding.one():
        asked = {three.invoke(REQUEST)[0].number for _ in range(200)}
    assert asked == {1, 3}


class Ending:
    """Requests one of which ends at each look."""

    left = 1000

    @property
    def count(self) -> int:
        """How many there are."""
        Ending.left -= 1
        return Ending.left

    def one(self) -> AbstractContextManager[None]:
        """Another one."""
        return nullcontext()


def test_requests_that_end_while_one_is_chosen_do_no_harm() -> None:
    two = fleet(2)
    for instance in two.instances:
        instance.outstanding = cast(Outstanding, Ending())
    assert two.invoke(REQUEST)[0].number in (1, 2)
