"""Model cards: versions by content, statuses, and what Search finds in them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.model_cards import ModelCards, latest
from local_sagemaker.errors import ServiceError
from local_sagemaker.state.database import Database
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.tags import Tags

CALLER = Caller("000000000000", "us-east-1")
CONTENT = json.dumps({"model_overview": {"model_id": "m-1"}, "intended_uses": {"risk_rating": "Low"}})


@pytest.fixture(name="records")
def records_fixture(tmp_path: Path) -> Iterator[Records]:
    database = Database(tmp_path / "state.db")
    yield Records(database)
    database.close()


@pytest.fixture(name="cards")
def cards_fixture(records: Records) -> ModelCards:
    cards = ModelCards(records, Tags(records))
    request = {"ModelCardName": "houses", "Content": CONTENT, "ModelCardStatus": "Draft", "Tags": []}
    cards.create_model_card(request, CALLER)
    return cards


def described(cards: ModelCards, **request: Any) -> dict[str, Any]:
    return cards.describe_model_card({"ModelCardName": "houses", **request}, CALLER)


def test_another_content_is_another_version_and_another_status_is_not(cards: ModelCards) -> None:
    cards.update_model_card({"ModelCardName": "houses", "ModelCardStatus": "Approved"}, CALLER)
    assert (described(cards)["ModelCardVersion"], described(cards)["ModelCardStatus"]) == (1, "Approved")
    for number in range(2, 12):
        cards.update_model_card({"ModelCardName": "houses", "Content": json.dumps({"n": number})}, CALLER)
    assert (described(cards)["ModelCardVersion"], described(cards)["Content"]) == (11, '{"n": 11}')
    assert described(cards, ModelCardVersion=1)["Content"] == CONTENT
    versions = cards.list_model_card_versions({"ModelCardName": "houses"}, CALLER)["ModelCardVersionSummaryList"]
    assert [each["ModelCardVersion"] for each in versions] == list(range(11, 0, -1))


def test_cards_are_listed_as_their_last_versions_are(cards: ModelCards) -> None:
    cards.create_model_card({"ModelCardName": "other", "Content": "{}", "ModelCardStatus": "Archived"}, CALLER)
    cards.update_model_card({"ModelCardName": "houses", "Content": "{}"}, CALLER)

    def listed(**request: Any) -> list[str]:
        return [each["ModelCardName"] for each in cards.list_model_cards(request, CALLER)["ModelCardSummaries"]]

    assert sorted(listed()) == ["houses", "other"]
    assert listed(ModelCardStatus="Draft") == ["houses"]
    assert listed(NameContains="oth") == ["other"]


def test_search_finds_the_model_and_its_risk(cards: ModelCards, records: Records) -> None:
    (card,) = latest(records)
    assert (card["ModelId"], card["RiskRating"]) == ("m-1", "Low")
    cards.update_model_card({"ModelCardName": "houses", "Content": '{"model_overview": 1}'}, CALLER)
    assert "ModelId" not in latest(records)[0]


def test_a_deleted_card_is_gone_with_its_versions(cards: ModelCards) -> None:
    cards.update_model_card({"ModelCardName": "houses", "Content": "{}"}, CALLER)
    cards.delete_model_card({"ModelCardName": "houses"}, CALLER)
    with pytest.raises(ServiceError, match="There is no model card houses") as missing:
        described(cards)
    assert missing.value.code == "ResourceNotFound"


@pytest.mark.parametrize(
    ("operation", "fields", "words"),
    [
        ("create", {"Content": "{}", "ModelCardStatus": "Draft"}, "exists already"),
        ("create", {"ModelCardName": "new", "Content": "{", "ModelCardStatus": "Draft"}, "is not JSON"),
        ("create", {"ModelCardName": "new", "Content": "[]", "ModelCardStatus": "Draft"}, "is not a JSON object"),
        ("update", {}, "give one of them"),
        ("update", {"Content": "{}", "ModelCardStatus": "Draft"}, "give one of them"),
        ("update", {"Content": "1"}, "is not a JSON object"),
        ("describe", {"ModelCardVersion": 2}, "has no version 2"),
    ],
)
def test_what_cannot_be_is_refused(cards: ModelCards, operation: str, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        getattr(cards, f"{operation}_model_card")({"ModelCardName": "houses", **fields}, CALLER)
