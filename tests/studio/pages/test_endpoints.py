"""How the traffic of an endpoint is shown."""

from typing import Any

import pytest

from studio.pages.captured import Captured
from studio.pages.endpoints import newest_of_each, variants_of


def variant(name: str, weight: float | None) -> dict[str, Any]:
    return {"VariantName": name, **({} if weight is None else {"CurrentWeight": weight})}


@pytest.mark.parametrize(("old", "new", "shares"), [
    (1.0, None, [1.0, 0.0]), (0.5, 0.5, [0.5, 0.5]), (0.9, 0.1, [0.9, 0.1]), (0.0, 1.0, [0.0, 1.0])])  # fmt: skip
def test_a_canary_has_its_share_of_the_requests(old: float, new: float | None, shares: list[float]) -> None:
    endpoint = {
        "ProductionVariants": [variant("main", old)],
        "PendingDeploymentSummary": {"ProductionVariants": [variant("main", new)]},
    }
    assert [each["share"] for each in variants_of(endpoint, {})] == pytest.approx(shares)


def test_a_shadow_has_no_share_and_two_variants_share_by_weight() -> None:
    endpoint = {
        "ProductionVariants": [variant("a", 3.0), variant("b", 1.0)],
        "ShadowProductionVariants": [variant("s", 1.0)],
    }
    assert [each["share"] for each in variants_of(endpoint, {})] == [0.75, 0.25, None]


def test_many_requests_of_one_variant_hide_none_of_another() -> None:
    captured = [Captured(str(n), "", "busy", "", "") for n in range(20)] + [Captured("x", "", "shadow", "", "")]
    found = newest_of_each(captured)
    assert [each.variant for each in found].count("busy") == 10
    assert found[0].when == "0"
    assert found[-1].variant == "shadow"
