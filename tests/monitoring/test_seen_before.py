from __future__ import annotations

import pytest

from monitoring import seen_before
from monitoring.seen_before import SeenBefore


def test_an_id_is_known_from_its_second_time_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_before, "RECENT", 8)
    before = SeenBefore()
    assert not any(before.has(f"event-{number}") for number in range(100))
    assert all(before.has(f"event-{number}") for number in range(100))
    assert not before.has("event-100")
