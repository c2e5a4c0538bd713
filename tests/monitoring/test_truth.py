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
    assert truth.prices.of("abcz") == {"a": 3.0, "b": 2.0}
    assert ("a" in truth.prices, "c" in truth.prices, len(truth.prices)) == (True, False, 2)
    assert (truth.repeated, truth.contradicted, truth.unreadable) == (2, 1, 2)


def test_of_many_prices_each_is_found_and_takes_sixteen_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("".join(f"{line(f'h{number}', number)}\n" for number in range(2_000)))
    prices = read_truth(tmp_path).prices
    found = prices.of(f"h{number}" for number in range(-5, 2_005))
    assert found == {f"h{number}": float(number) for number in range(2_000)}
    assert sum(each.nbytes for each in vars(prices).values()) == 16 * 2_000


def test_without_prices_none_is_known(tmp_path: Path) -> None:
    truth = read_truth(tmp_path / "none")
    assert (len(truth.prices), truth.prices.of("a"), truth.repeated) == (0, {}, 0)


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
