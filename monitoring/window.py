"""What CollectWindow found: the window, the versions, and what each downloaded file is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.memory import Acknowledgement
from steps.failure import JobError

FILE = "window.json"


@dataclass(frozen=True)
class Window:
    """The time from `since` to before `until`, both with a time zone, and what served then.

    versions: identity of a model -> its version. live: the version that is judged. captured_since: how far back
    requests were collected. sampling: the share of requests that is captured, in per cent; None where capture is off
    or there is no endpoint. changed: when the endpoint was last changed. captured, truth: the folders of captured
    requests and of prices, below that of the downloaded files; others: the archives of other approved versions there,
    by version. notes: sentences about what was not there. raised, acknowledged: see monitoring/memory.py. history: of
    each window before, while the same version served, its end and the changes of the level of its segments.
    """

    stage: str
    endpoint: str
    since: datetime
    until: datetime
    live: int
    captured_since: datetime
    versions: Mapping[str, int] = field(default_factory=dict)
    sampling: int | None = None
    changed: datetime | None = None
    captured: str = ""
    truth: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    raised: Mapping[str, str] = field(default_factory=dict)
    acknowledged: tuple[Acknowledgement, ...] = ()
    history: Sequence[Mapping[str, Any]] = ()

    @property
    def days(self) -> float:
        """How long it is."""
        return (self.until - self.since).total_seconds() / 86400

    @property
    def title(self) -> str:
        """As people read it, in UTC."""
        form = "%Y-%m-%d" if self.since.time() == self.until.time() == datetime.min.time() else "%Y-%m-%d %H:%M"
        return f"{self.since:{form}} to {self.until:{form}}"

    def to_json(self) -> dict[str, Any]:
        """The content of window.json; times as text."""

        def plain(value: Any) -> Any:
            if isinstance(value, datetime):
                return value.isoformat()
            if isinstance(value, dict):
                return {key: plain(each) for key, each in value.items()}
            return [plain(each) for each in value] if isinstance(value, list | tuple) else value

        return {name: plain(value) for name, value in asdict(self).items()}

    @classmethod
    def read(cls, folder: Path) -> Window:
        """Read the one window.json below a folder. Raises JobError where it is missing or cannot be used."""
        try:
            (path,) = folder.rglob(FILE)
            document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            times = {name: datetime.fromisoformat(document[name]) for name in ("since", "until", "captured_since")}
            changed = document.get("changed")
            return cls(
                **{
                    **document,
                    **times,
                    "notes": tuple(document.get("notes", ())),
                    "acknowledged": tuple(map(Acknowledgement.from_json, document.get("acknowledged", ()))),
                    "changed": datetime.fromisoformat(changed) if changed else None,
                }
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JobError(f"{FILE} of the window cannot be used: {error}; run the monitoring again.") from error
