"""Named resources with an ARN and tags, as models, endpoint configurations and endpoints are."""

import time
from typing import Any, cast

from local_sagemaker.errors import invalid
from local_sagemaker.state.record_kinds import ENDPOINT, ENDPOINT_CONFIG, MODEL
from local_sagemaker.state.records import D, Kind, Records
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.tags import Tags

ARN_TYPES = {MODEL: "model", ENDPOINT_CONFIG: "endpoint-config", ENDPOINT: "endpoint"}
WORDS = {MODEL: "model", ENDPOINT_CONFIG: "endpoint configuration", ENDPOINT: "endpoint"}


class Resources:
    """The records of each kind, and the service's words where one is there already, or is not there."""

    def __init__(self, records: Records, tags: Tags) -> None:
        self._records = records
        self._tags = tags

    def create(self, kind: Kind[D], request: Request, caller: Caller) -> Request:
        """Record a resource with its tags; returns its ARN, as the Create operations answer."""
        name, now = request[f"{kind}Name"], time.time()
        arn = caller.arn(f"{ARN_TYPES[kind]}/{name}")
        document = {**request, f"{kind}Arn": arn, "CreationTime": now, "LastModifiedTime": now}
        with self._records.lock:
            if not self._records.create(kind, name, cast(D, document)):
                raise invalid(f'Cannot create already existing {WORDS[kind]} "{arn}".')
            self._tags.set(arn, request.get("Tags", []))
        return {f"{kind}Arn": arn}

    def get(self, kind: Kind[D], name: str, caller: Caller) -> D:
        """The record of one resource; ValidationException where there is none."""
        document = self._records.get(kind, name)
        if document is None:
            raise invalid(f'Could not find {WORDS[kind]} "{caller.arn(f"{ARN_TYPES[kind]}/{name}")}".')
        return document

    def all(self, kind: Kind[D]) -> list[D]:
        """The records of a kind, oldest first."""
        return self._records.all(kind)

    def delete(self, kind: Kind[Any], name: str, caller: Caller) -> Request:
        """Forget a resource; ValidationException where there is none."""
        self.get(kind, name, caller)
        self._records.delete(kind, name)
        return {}
