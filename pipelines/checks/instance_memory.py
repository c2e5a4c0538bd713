"""The memory of SageMaker's instance types.

Of the general, compute and memory families it follows from the size: so many GiB for each virtual CPU, two of them in
a `large`, four times N in an `Nxlarge` (https://aws.amazon.com/sagemaker/ai/pricing/). Common types that follow no such
rule are listed; of all others it is unknown.
"""

import re

PER_CPU = {"m": 4.0, "c": 2.0, "r": 8.0}
# Families of the fifth generation and later: m5, m5d, c6i, m7i, r7gd, ...
TYPE = re.compile(r"ml\.(?P<family>[mcr])(?P<generation>[5-9])[a-z-]*\.(?P<size>(?:\d*x)?large)")
OTHERS = {
    "ml.t3.medium": 4.0,
    "ml.t3.large": 8.0,
    "ml.t3.xlarge": 16.0,
    "ml.t3.2xlarge": 32.0,
    "ml.m4.xlarge": 16.0,
    "ml.m4.2xlarge": 32.0,
    "ml.m4.4xlarge": 64.0,
    "ml.m4.10xlarge": 160.0,
    "ml.m4.16xlarge": 256.0,
    "ml.g4dn.xlarge": 16.0,
    "ml.g4dn.2xlarge": 32.0,
    "ml.p3.2xlarge": 61.0,
}


def memory_gib(instance_type: str) -> float | None:
    """GiB of memory of one instance; None where it is not known."""
    found = TYPE.fullmatch(instance_type)
    if found is None:
        return OTHERS.get(instance_type)
    multiple = found["size"].removesuffix("large")
    cpus = 2 if not multiple else 4 * int(multiple.removesuffix("x") or 1)
    return PER_CPU[found["family"]] * cpus
