"""Which rows of a data file are the test part: what says so is hashed, so that looks at the same one can be counted."""

import hashlib
import json
from typing import Any

from pipelines.settings.settings import Settings

PARAMETER = "EarlierLooks"
ARGUMENT = "--test_part"
LENGTH = 16


def part_of_test(settings: Settings) -> str:
    """A hash of the split's rule; the data file is the other half of what the test part is.

    The share of the validation part, features and models are no part of it: other models meet the same test rows. Nor
    are the expectations of the data, by which a few rows may come or go.
    """
    split, data = settings.split, settings.data
    found: dict[str, Any] = {"target": data.target, "by": split.by, "test": split.test}
    if split.by == "time" and split.reserve:  # the newest days are shared with it, by hash
        found |= {"reserve": split.reserve, "seed": split.seed, "keys": list(data.split_keys)}
    found |= {"date": data.date} if split.by == "time" else {"seed": split.seed, "keys": list(data.split_keys)}
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:LENGTH]
