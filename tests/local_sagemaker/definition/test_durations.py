"""Durations as ExpireAfter writes them."""

import pytest

from local_sagemaker.definition.durations import seconds

DAY = 86400.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P30D", 30 * DAY),
        ("30d", 30 * DAY),
        ("T16m", 16 * 60.0),
        ("P1M", 30 * DAY),
        ("PT1M", 60.0),
        ("P1Y2M3W4DT5H6M7S", (365 + 60 + 21 + 4) * DAY + 5 * 3600 + 6 * 60 + 7),
        ("P0D", 0.0),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "30", "P1.5D", "-P1D", "P1H", "P1D ", "P1D2Y"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text!r} is not a duration such as P30D or T16M$"):
        seconds(text)
