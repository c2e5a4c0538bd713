from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from monitoring.truth import other_scale, read_truth


def line(key: str, price: object) -> str:
    return json.dumps({"groundTruthData": {"data": str(price), "encoding": "CSV"}, "eventMetadata": {"eventId": key}})


def test_prices_are_read_in_the_order_of_the_files_and_the_last_one_counts(tmp_path: Path) -> None:
    (tmp_path / "2026" / "07").mkdir(parents=True)
    (tmp_path / "2026" / "08").mkdir()
    (tmp_path / "2026" / "07" / "a.jsonl").write_text(f"{line('a', 1)}\n{line('b', 2)}\n\n{line('b', 2)}\n")
    (tmp_path / "2026" / "08" / "a.jsonl").write_text(f"{line('a', 3)}\nno json\n{line('c', 'nan')}\n")
    truth = read_truth(tmp_path)
    assert truth.prices == {"a": 3.0, "b": 2.0}
    assert (truth.repeated, truth.contradicted, truth.unreadable) == (2, 1, 2)


@pytest.mark.parametrize(
    ("factor", "told"),
    [
        (1.0, None),
        (1.2, None),
        (2.99, None),
        (0.34, None),
        (4.5, 4.5),
        (0.3, 0.3),
        (1000.0, 1000.0),
        (0.01, 0.01),
        (900.0, 1000.0),
    ],
)
def test_prices_of_another_scale_are_told_from_a_model_that_is_wrong(factor: float, told: float | None) -> None:
    actual = np.exp(np.random.default_rng(1).normal(12, 0.5, 100))
    found = other_scale(actual, actual * factor)
    assert found == (told if told is None else pytest.approx(told))
