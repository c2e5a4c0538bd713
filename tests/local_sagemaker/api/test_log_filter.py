"""Filter patterns on lines."""

import pytest

from local_sagemaker.api.log_filter import LogFilter
from local_sagemaker.errors import ServiceError


@pytest.mark.parametrize(
    ("pattern", "line", "wanted"),
    [
        ("", "anything", True),
        ("ERROR disk", "ERROR: the disk is full", True),
        ("ERROR disk", "ERROR: no memory", False),
        ('"is full"', "the disk is full", True),
        ('"is full"', "full is the disk", False),
        ("ERROR -disk", "ERROR: the disk is full", False),
        ("ERROR -disk", "ERROR: no memory", True),
        ("?ERROR ?WARN", "WARN: slow", True),
        ("?ERROR ?WARN", "INFO: fine", False),
        (r"%loss=\d+%", "loss=12", True),
        (r"%loss=\d+%", "loss=none", False),
    ],
)
def test_a_line_is_wanted_or_not(pattern: str, line: str, wanted: bool) -> None:
    assert LogFilter(pattern).matches(line) is wanted


def test_patterns_of_fields_are_refused_by_name() -> None:
    with pytest.raises(ServiceError, match=r"does not support the filter pattern '\{ \$\.level"):
        LogFilter("{ $.level = 1 }")
    with pytest.raises(ServiceError, match="bad regular expression"):
        LogFilter("%(%")
