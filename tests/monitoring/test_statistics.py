from __future__ import annotations

from monitoring.sample import Sample
from monitoring.statistics import mape, measured


def test_the_mape_alone_is_that_of_all_statistics(reference: Sample) -> None:
    assert mape(reference) == measured(reference)["mape"]
