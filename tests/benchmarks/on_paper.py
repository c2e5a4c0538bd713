"""What rows that nobody has run would take: instances, hours and cost, from the slopes of `plan --data` and its prices.

`python tests/benchmarks/on_paper.py` prints the table of docs/scale.md. Seconds are those of two cores, whatever the
instance has; only Train is spread over hosts, each doubling of which is FASTER times as fast. Sizes of a family whose
price is not in the table are taken to cost in proportion to their memory.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

from pipelines.checks.capacity import GIB, USABLE, Amount, StepNeed, needs
from pipelines.checks.instance_memory import memory_gib
from pipelines.publishing.cost_forecast import prices
from pipelines.settings.settings import Settings, default_config, load_settings

REGION = "us-east-1"
TYPES = [f"ml.m5.{size}" for size in ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge")]
TYPES += ["ml.r5.24xlarge"]
FASTER = 1.40  # two hosts with one thread each against one, measured with XGBoost alone
PLANS = {10_000_000: 1, 100_000_000: 8, 1_000_000_000: 32}  # rows, and hosts of Train


def lines(rows: int, hosts: int, settings: Settings) -> Iterator[str]:
    """A row of the table for each step, and one for their sum."""
    training = settings.jobs.training.model_copy(update={"instance_count": hosts})
    jobs = settings.jobs.model_copy(update={"training": training})
    hours, costs = 0.0, list[float | None]()
    for need in needs(Amount(rows), settings.model_copy(update={"jobs": jobs})):
        count = hosts if need.step == "Train" else 1
        time = need.seconds / 3600 / FASTER ** (count.bit_length() - 1)
        kind = _smallest(need)
        price = _price(kind)
        cost = None if price is None else price * count * time
        hours += time
        costs.append(cost)
        told = f"{count} x {kind}" if count > 1 else kind
        yield f"| {rows:,} | {need.step} | {need.memory:,.0f} GB | {told} | {time:.1f} | {_amount(cost)} |"
    known = [cost for cost in costs if cost is not None]
    yield f"| {rows:,} | all | | | {hours:.1f} | {_amount(sum(known))}{' and the unknown' if None in costs else ''} |"


def _smallest(need: StepNeed) -> str:
    fitting = (kind for kind in TYPES if (memory_gib(kind) or 0) * GIB * USABLE >= need.memory)
    return next(fitting, "none")


def _price(kind: str) -> float | None:
    known = prices()["regions"][REGION]
    if kind in known:
        return float(known[kind])
    memory = memory_gib(kind)
    return None if memory is None or not kind.startswith("ml.m5.") else known["ml.m5.xlarge"] * memory / 16


def _amount(cost: float | None) -> str:
    return "unknown" if cost is None else f"${cost:,.2f}"


if __name__ == "__main__":
    print(f"prices of {REGION}, {prices()['date']} ({prices()['source']})\n")
    print("| rows | step | memory of a host | instances | hours | cost |\n" + "| --- " * 6 + "|")
    for total, count in PLANS.items():
        print("\n".join(lines(total, count, load_settings(default_config()))))
