"""How a fault reads: one line, with what was probably meant."""

from typing import Any

import pytest

from local_sagemaker.definition.faults import Fault, did_you_mean, shown


def test_a_fault_is_one_line_with_its_path_in_front_if_it_has_one() -> None:
    assert str(Fault("Steps[0]", "Name is missing")) == "Steps[0]: Name is missing"
    assert str(Fault("", "The definition is not JSON.")) == "The definition is not JSON."
    assert str(Fault("Steps[0]", "a\x07\n is not a step")) == "Steps[0]: a\\x07\\n is not a step"
    assert Fault("Steps[0]", "x").only_on_aws is False


@pytest.mark.parametrize(
    ("name", "end"),
    [("Procesing", "; did you mean Processing?"), ("Lambda", ""), (None, ""), (["Processing"], "")],
)
def test_the_closest_known_name_is_offered_for_a_text(name: Any, end: str) -> None:
    assert did_you_mean(name, ["Training", "Processing"]) == end


def test_a_long_value_is_cut_and_a_placeholder_is_told_as_such() -> None:
    assert shown("x" * 58) == repr("x" * 58)
    assert shown("x" * 59) == f"'{'x' * 56}..."
    assert shown("${Role}").startswith("'${Role}': a template fills in ${...}")
    assert shown({"${Role}": 1}) == "{'${Role}': 1}"
