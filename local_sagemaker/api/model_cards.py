"""Model cards: what is known of a model, in versions; kept as they are given, and exported by nobody here."""

import json
import time
from collections.abc import Mapping
from typing import Any

from local_sagemaker.api.listing import page
from local_sagemaker.errors import ServiceError, invalid, not_found
from local_sagemaker.state.record_kinds import MODEL_CARD
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.tags import Tags


class ModelCards:
    """Create, Describe, Update, List and Delete of model cards. Each version is a record."""

    def __init__(self, records: Records, tags: Tags) -> None:
        self._records = records
        self._tags = tags

    def create_model_card(self, request: Request, caller: Caller) -> Request:
        """Record a model card, as version 1; its content is a JSON object."""
        name, now = request["ModelCardName"], time.time()
        _check_content(request["Content"])
        arn = caller.arn(f"model-card/{name}")
        card = {
            **request,
            "ModelCardArn": arn,
            "ModelCardVersion": 1,
            "CreationTime": now,
            "CreatedBy": caller.user_context,
            "LastModifiedTime": now,
            "LastModifiedBy": caller.user_context,
        }
        with self._records.lock:
            if not self._records.create(MODEL_CARD, _key(name, 1), card):
                raise ServiceError("ConflictException", f"A model card with the name {name} exists already: {arn}.")
            self._tags.set(arn, request.get("Tags", []))
        return {"ModelCardArn": arn}

    def update_model_card(self, request: Request, caller: Caller) -> Request:
        """Another content, as the next version, or another status of the last one; not both."""
        if ("Content" in request) == ("ModelCardStatus" in request):
            raise invalid("UpdateModelCard changes either Content or ModelCardStatus: give one of them.")
        with self._records.lock:
            card = self._versions(request["ModelCardName"])[-1]
            changed = {**card, "LastModifiedTime": time.time(), "LastModifiedBy": caller.user_context}
            if "Content" in request:
                _check_content(request["Content"])
                changed |= {"Content": request["Content"], "ModelCardVersion": card["ModelCardVersion"] + 1}
            else:
                changed |= {"ModelCardStatus": request["ModelCardStatus"]}
            self._records.put(MODEL_CARD, _key(card["ModelCardName"], changed["ModelCardVersion"]), changed)
        return {"ModelCardArn": card["ModelCardArn"]}

    def describe_model_card(self, request: Request, caller: Caller) -> Request:
        """One version of a model card, the last one unless ModelCardVersion names another."""
        versions = self._versions(request["ModelCardName"])
        number = request.get("ModelCardVersion", versions[-1]["ModelCardVersion"])
        for card in versions:
            if card["ModelCardVersion"] == number:
                return card
        raise not_found(f"The model card {versions[0]['ModelCardName']} has no version {number}.")

    def list_model_cards(self, request: Request, caller: Caller) -> Request:
        """Model cards, newest first, as their last versions have them."""
        return page(
            latest(self._records),
            _by_status(request),
            result="ModelCardSummaries",
            name="ModelCardName",
            status="ModelCardStatus",
        )

    def list_model_card_versions(self, request: Request, caller: Caller) -> Request:
        """The versions of one model card, newest first."""
        found = self._versions(request["ModelCardName"])
        versions = [{**each, "CreationTime": each["LastModifiedTime"]} for each in reversed(found)]
        return page(
            versions,
            {**_by_status(request), "SortBy": "CreationTime"},
            result="ModelCardVersionSummaryList",
            name="ModelCardVersion",
            status="ModelCardStatus",
        )

    def delete_model_card(self, request: Request, caller: Caller) -> Request:
        """Forget a model card with all its versions."""
        with self._records.lock:
            name = self._versions(request["ModelCardName"])[0]["ModelCardName"]
            self._records.delete_all(MODEL_CARD, f"{name}/")
        return {}

    def _versions(self, name: str) -> list[Request]:
        """Every version, the first one first; ResourceNotFound where there is no such card."""
        found = self._records.all(MODEL_CARD, prefix=f"{name.rpartition('/')[2]}/")
        if not found:
            raise not_found(f"There is no model card {name}.")
        return sorted(found, key=lambda card: int(card["ModelCardVersion"]))


def latest(records: Records) -> list[Request]:
    """The last version of each model card, with what Search finds of its content."""
    last: dict[str, Request] = {}
    for card in records.all(MODEL_CARD):
        before = last.get(card["ModelCardName"])
        if before is None or card["ModelCardVersion"] > before["ModelCardVersion"]:
            last[card["ModelCardName"]] = card
    return [card | searched(json.loads(card["Content"])) for card in last.values()]


def searched(content: Mapping[str, Any]) -> Request:
    """What Search and the events have of a card's content."""
    found = {
        "ModelId": _text(content, "model_overview", "model_id"),
        "RiskRating": _text(content, "intended_uses", "risk_rating"),
        "ModelPackageGroupName": _text(content, "model_package_details", "model_package_group_name"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _text(content: Any, *path: str) -> str | None:
    for part in path:
        content = content.get(part) if isinstance(content, Mapping) else None
    return str(content) if content is not None else None


def _check_content(text: str) -> None:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise invalid(f"Content is not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise invalid("Content is not a JSON object, as the schema of model cards has it.")


def _by_status(request: Request) -> Request:
    status = request.get("ModelCardStatus")
    return {**request, "StatusEquals": status} if status is not None else request


def _key(name: str, version: int) -> str:
    return f"{name}/{version}"
