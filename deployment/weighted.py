"""A weighted shift: for its time the old and the new version are two variants of the endpoint. Pure.

It begins and ends with the configurations that any other strategy has: only between them stands one of its own.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployment.errors import DeploymentError
from deployment.specification import TAG_ENDPOINT, TAG_VERSION, VARIANT, Specification, name_beginning, tag_list

CANDIDATE = "Candidate"  # the variant of the new version; the old one stays VARIANT
ENDING = "-shift"  # of the names of configurations that serve for the time of a shift
LONGEST_ENDING = 26
TAG_FROM, TAG_TO = "shifts-from", "shifts-to"  # the configurations before and after it
TAG_CONTROL = "shift-control"  # what a person wants of it
PAUSED, RUNS, ABORTED = "paused", "runs", "aborted"


def shares(size_percent: int) -> list[int]:
    """The percentages of the requests that the new version gets, one step after another; the last is 100."""
    return [*range(size_percent, 100, size_percent), 100]


def is_shift(config: str | None) -> bool:
    """Whether a configuration, by its name, serves for the time of a shift."""
    return config is not None and config.endswith(ENDING)


def update_request(endpoint: str, config: str) -> dict[str, Any]:
    """UpdateEndpoint's request that begins a shift: the old variant keeps as many instances as it has."""
    return {"EndpointName": endpoint, "EndpointConfigName": config, "RetainAllVariantProperties": True}


def weights_request(endpoint: str, percent: int) -> dict[str, Any]:
    """UpdateEndpointWeightsAndCapacities' request, by which the new version gets so many percent of the requests."""
    weights = ((VARIANT, (100 - percent) / 100), (CANDIDATE, percent / 100))
    desired = [{"VariantName": variant, "DesiredWeight": weight} for variant, weight in weights]
    return {"EndpointName": endpoint, "DesiredWeightsAndCapacities": desired}


def percent_of(description: Mapping[str, Any]) -> int | None:
    """How much of the requests the new version gets, from DescribeEndpoint's answer; None without such a variant."""
    variants = description.get("ProductionVariants", [])
    weights = {each["VariantName"]: float(each.get("DesiredWeight", 0.0)) for each in variants}
    total = sum(weights.values())
    if CANDIDATE not in weights or not total:
        return None
    return round(100 * weights[CANDIDATE] / total)


@dataclass(frozen=True)
class ShiftConfig:
    """The configuration with both variants, between that which serves (DescribeEndpointConfig) and the one wanted."""

    wanted: Specification
    before: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Such as house-prices-staging-v3-5a6b7c8d-shift."""
        names = f"{self.before['EndpointConfigName']} {self.wanted.config_name}"
        ending = f"-v{self.wanted.package.version}-{hashlib.sha256(names.encode()).hexdigest()[:8]}{ENDING}"
        return name_beginning(self.wanted.endpoint, len(ending)) + ending

    def request(self) -> dict[str, Any]:
        """CreateEndpointConfig's request: the new version is there and gets no requests yet.

        DeploymentError where what serves is not one variant on instances.
        """
        old = self.before["ProductionVariants"]
        if [each["VariantName"] for each in old] != [VARIANT] or "InstanceType" not in old[0]:
            kinds = ", ".join(each["VariantName"] for each in old)
            raise DeploymentError(
                f"{self.wanted.endpoint} serves with {self.before['EndpointConfigName']} ({kinds}): a weighted shift "
                f"needs one variant {VARIANT} on instances. Deploy once with the strategy all_at_once."
            )
        wanted = self.wanted.config_request()
        [new] = wanted["ProductionVariants"]
        return {
            **wanted,
            "EndpointConfigName": self.name,
            "ProductionVariants": [
                {**old[0], "InitialVariantWeight": 1.0},
                {**new, "VariantName": CANDIDATE, "InitialVariantWeight": 0.0},
            ],
            "Tags": tag_list(
                {
                    TAG_ENDPOINT: self.wanted.endpoint,
                    TAG_VERSION: str(self.wanted.package.version),
                    TAG_FROM: self.before["EndpointConfigName"],
                    TAG_TO: self.wanted.config_name,
                    TAG_CONTROL: RUNS,
                }
            ),
        }
