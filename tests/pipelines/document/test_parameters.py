"""Values for parameters are checked before anything starts."""

import pytest

from pipelines.document.parameters import check_parameters, parse_parameter, parse_parameters
from pipelines.errors import PipelineError
from tests.pipelines.conftest import PARAMETERS, PIPELINE

DATA = {"InputDataUri": "s3://bucket/data.csv"}


def check(**given: str) -> None:
    check_parameters(PARAMETERS, {**DATA, **given}, PIPELINE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("A=1", ("A", "1")), ("A=b=c", ("A", "b=c")), ("A=", ("A", "")), (" A =1 ", ("A", "1 "))],
)
def test_a_parameter_is_split_at_its_first_equals_sign(text: str, expected: tuple[str, str]) -> None:
    assert parse_parameter(text) == expected


@pytest.mark.parametrize("text", ["A", "=1", "", " =1"])
def test_what_is_not_name_and_value_is_refused(text: str) -> None:
    with pytest.raises(PipelineError, match="is not NAME=VALUE"):
        parse_parameter(text)


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(PipelineError, match="MaxMape is given twice"):
        parse_parameters(["MaxMape=1", "MaxMape=2"])


@pytest.mark.parametrize(
    "given",
    [
        {"TrainingInstanceCount": "+3"},
        {"MaxMape": "1e-3"},
        {"MaxMape": "1"},
        {"Shuffle": "True"},
        {"ModelApprovalStatus": "Approved"},
        {},
    ],
)
def test_values_of_the_declared_type_pass(given: dict[str, str]) -> None:
    check(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"TrainingInstanceCount": "1.5"}, "TrainingInstanceCount is an Integer and '1.5' is not"),
        ({"TrainingInstanceCount": "1_0"}, "is an Integer"),
        ({"MaxMape": "much"}, "MaxMape is a Float and 'much' is not"),
        ({"MaxMape": "nan"}, "is a Float"),
        ({"MaxMape": "1_0.0"}, "is a Float"),
        ({"Shuffle": "yes"}, "Shuffle is a Boolean"),
        ({"ModelApprovalStatus": "approved"}, "cannot be 'approved': give one of PendingManualApproval, Approved"),
        ({"TrainingInstanceCout": "1"}, "no parameter TrainingInstanceCout: did you mean TrainingInstanceCount?"),
        ({"maxmape": "1"}, "did you mean MaxMape?"),
        ({"Zzz": "1"}, "no parameter Zzz: it has InputDataUri, MaxMape, ModelApprovalStatus, Shuffle"),
    ],
)
def test_other_values_are_refused_by_name_value_and_type(given: dict[str, str], message: str) -> None:
    with pytest.raises(PipelineError) as caught:
        check(**given)
    assert message in str(caught.value)


def test_a_parameter_without_a_default_must_be_given() -> None:
    with pytest.raises(PipelineError, match=r"needs a value for InputDataUri.*-p InputDataUri=VALUE"):
        check_parameters(PARAMETERS, {}, PIPELINE)
