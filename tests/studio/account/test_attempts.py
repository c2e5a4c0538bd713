"""What could not be read is one sentence; a fault of the program is not hidden."""

import pytest
from botocore.exceptions import ClientError

from studio.account.attempts import attempt, attempts_for, is_missing, sentence


def refused(code: str, message: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "DescribeThing",
    )


def failing(error: Exception) -> object:
    raise error


def test_a_refusal_is_named_by_its_operation() -> None:
    answer = attempt(lambda: failing(refused("AccessDenied", "not  you\n")))
    assert (answer.ok, answer.problem) == (False, "DescribeThing: not you")
    with pytest.raises(ClientError):
        answer.required()


def test_a_page_of_html_is_not_shown() -> None:
    assert sentence(refused("500", "<!doctype html>", 500)) == "DescribeThing is not answered here (status 500)."


def test_a_fault_of_the_program_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        attempts_for([1, 0], lambda number: 1 / number)


@pytest.mark.parametrize(
    ("code", "message", "missing"),
    [
        ("ResourceNotFound", "", True),
        ("NoSuchKey", "", True),
        ("ValidationException", "Could not find model package", True),
        ("ValidationException", "is too long", False),
        ("AccessDeniedException", "role does not exist", False),
    ],
)
def test_what_is_not_there_is_told_from_what_is_refused(code: str, message: str, missing: bool) -> None:
    assert is_missing(refused(code, message)) is missing
