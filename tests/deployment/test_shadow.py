"""A shadow: the exact requests, and what became of it in words."""

import dataclasses
from datetime import datetime, timezone
from typing import Any

import pytest

from deployment.after_check import differences
from deployment.shadow import Versions, page, sentences
from deployment.specification import Capture
from tests.deployment.conftest import Hosting
from tests.deployment.test_deploy import deploy
from tests.deployment.test_guard import check
from tests.deployment.test_specification import PACKAGE, specification

pytestmark = pytest.mark.e2e

EIGHT = dataclasses.replace(PACKAGE, arn=PACKAGE.arn[:-1] + "8", version=8)
VERSIONS = Versions("production", 3, 8, datetime(2026, 6, 1, tzinfo=timezone.utc))
FOUND: dict[str, Any] = {
    "pairs": 200,
    "production": 210,
    "shadow": 205,
    "limit": 0.1,
    "enough": True,
    "why": "",
    "mean": 0.012,
    "mean_interval": [0.004, 0.02],
    "quantiles": {"0.05": -0.05, "0.5": 0.01, "0.95": 0.06},
    "moved": 10,
    "moved_interval": [0.02, 0.08],
    "overlap": {"pairs": 200, "overlapping": 198, "common": 0.8},
    "segments": [{"segment": "quarter a", "rows": 50, "moved": 5, "median": 0.02}],
    "latency_ms": {"production": {"p50": 1.0, "p99": 2.0}, "shadow": None},
}


def test_the_configuration_has_both_variants_and_both_models_are_made() -> None:
    wanted = specification(shadow=EIGHT, capture=Capture("s3://bucket/capture"))
    config = wanted.config_request()
    check("sagemaker", "CreateEndpointConfig", config)
    (production,), (shadow,) = config["ProductionVariants"], config["ShadowProductionVariants"]
    assert {**production, "VariantName": "Shadow", "ModelName": shadow["ModelName"]} == shadow
    models = wanted.model_requests()
    assert [each["ModelName"] for each in models] == [production["ModelName"], shadow["ModelName"]]
    assert models[1]["PrimaryContainer"]["ModelPackageName"] == EIGHT.arn
    for model in models:
        check("sagemaker", "CreateModel", model)
    assert wanted.config_name != specification(capture=Capture("s3://bucket/capture")).config_name
    assert wanted.model_name == specification().model_name


def test_a_shadow_comes_and_goes_with_the_configuration(hosting: Hosting) -> None:
    package, other = hosting.register(), hosting.register()
    first = deploy(hosting, package)
    described = dataclasses.replace(PACKAGE, arn=other, version=2)
    shadowed = deploy(hosting, package, shadow=described)
    assert (shadowed.action, shadowed.model) == ("updated", first.model)
    assert len(hosting.models) == 2
    ended = deploy(hosting, package)
    assert (ended.action, ended.config) == ("updated", first.config)


def test_a_shadow_that_is_not_there_or_should_not_be_is_told() -> None:
    wanted = specification(shadow=EIGHT)
    live: dict[str, Any] = {"EndpointConfigName": wanted.config_name, "ProductionVariants": []}
    assert differences(wanted, live) == ["its shadow variants are none"]
    assert differences(wanted, {**live, "ShadowProductionVariants": [{"VariantName": "Shadow"}]}) == []
    plain = specification()
    live["EndpointConfigName"] = plain.config_name
    assert differences(plain, {**live, "ShadowProductionVariants": [{"VariantName": "x"}]}) == [
        "its shadow variants are x"
    ]


def test_the_sentences_say_what_is_more_than_chance() -> None:
    said = " ".join(sentences(VERSIONS, FOUND))
    assert "Version 8 as the shadow of version 3 at production: 200 pairs of 210 and 205 captured answers." in said
    assert "+1.20% on average (+0.40% to +2.00%): the average difference is significant." in said
    assert "10 of 200 (5.0%; 2.0% to 8.0%) differ by more than 10%" in said
    assert "differ by more than 0.5%;" in " ".join(sentences(VERSIONS, {**FOUND, "limit": 0.005}))
    assert "198 of 200 intervals overlap; on average 80% of both overlap." in said
    assert "Latency of the model: production 1.0 ms in the middle, 2.0 ms at the 99th percentile." in said
    assert "there is no significant difference on average" in " ".join(
        sentences(VERSIONS, {**FOUND, "mean_interval": [0.0, 0.02]})
    )


@pytest.mark.parametrize("overlap", [None, FOUND["overlap"]])
def test_the_page_has_the_segments_where_there_is_something_to_show(overlap: Any) -> None:
    assert "| quarter a | 50 | 5 | 10% | +2.00% |" in page(VERSIONS, {**FOUND, "overlap": overlap})
    nothing = {"pairs": 0, "production": 5, "shadow": 0, "limit": 0.1, "enough": False, "why": "no request"}
    text = page(VERSIONS, nothing)
    assert "There is not enough data: no request." in text
    assert "| segment |" not in text
