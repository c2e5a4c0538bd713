"""A ClientRequestToken gets the same answer again, and the operation happens once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from local_sagemaker.api.request_tokens import RequestTokens
from local_sagemaker.errors import ServiceError, invalid
from local_sagemaker.state.database import Database
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Request

TOKEN: Request = {"ClientRequestToken": "t" * 32}


@pytest.fixture(name="tokens")
def tokens_fixture(tmp_path: Path) -> RequestTokens:
    return RequestTokens(Records(Database(tmp_path / "state.db")))


def counting() -> Callable[[], Request]:
    """What answers 1, then 2, and so on."""
    calls: list[None] = []

    def act() -> Request:
        calls.append(None)
        return {"Number": len(calls)}

    return act


def test_the_same_token_gets_the_earlier_answer_and_another_token_or_none_acts_again(tokens: RequestTokens) -> None:
    act = counting()
    answers = [tokens.once("arn", "Start", request, act) for request in (TOKEN, TOKEN, {}, {})]
    answers.append(tokens.once("arn", "Start", {"ClientRequestToken": "u" * 32}, act))
    assert [answer["Number"] for answer in answers] == [1, 1, 2, 3, 4]


def test_a_token_is_that_of_one_resource_and_one_operation(tokens: RequestTokens) -> None:
    act = counting()
    places = (("arn", "Start"), ("arn", "Stop"), ("other", "Start"))
    assert [tokens.once(*place, TOKEN, act)["Number"] for place in places] == [1, 2, 3]


def test_a_token_of_what_was_refused_is_not_used_up(tokens: RequestTokens) -> None:
    def refuse() -> Request:
        raise invalid("no")

    with pytest.raises(ServiceError):
        tokens.once("arn", "Start", TOKEN, refuse)
    assert tokens.once("arn", "Start", TOKEN, counting()) == {"Number": 1}


def test_the_tokens_of_a_resource_are_forgotten_with_it_and_those_of_others_stay(tokens: RequestTokens) -> None:
    act = counting()
    for resource in ("arn", "arn2"):
        tokens.once(resource, "Start", TOKEN, act)
    tokens.forget("arn")
    assert [tokens.once(resource, "Start", TOKEN, act)["Number"] for resource in ("arn2", "arn")] == [2, 3]
