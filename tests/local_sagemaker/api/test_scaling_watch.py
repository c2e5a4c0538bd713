"""Which policy is followed where several ask for different numbers of instances."""

import pytest

from local_sagemaker.api.scaling_watch import Proposal, choose


def proposals(*numbers: int, tracks: bool = True) -> list[Proposal]:
    return [Proposal(number, "cause", tracks) for number in numbers]


@pytest.mark.parametrize(
    ("asked", "tracking", "chosen"),
    [
        ([], 1, None),
        (proposals(4, 6, 1), 3, 6),  # more instances go before fewer, and the most of them
        (proposals(1, 2), 2, 2),  # all that track ask for fewer: the most of these
        (proposals(1), 2, None),  # another one that tracks does not
        (proposals(1, tracks=False), 1, 1),  # steps wait for nobody
        (proposals(1) + proposals(2, tracks=False), 2, 2),
        (proposals(0), 1, 0),
    ],
)
def test_the_most_instances_win_and_fewer_need_all_that_track(
    asked: list[Proposal], tracking: int, chosen: int | None
) -> None:
    found = choose(asked, 3, tracking)
    assert (None if found is None else found.number) == chosen
