"""What looks too good to be true: the R2 of the model, or of a line of numbers that together hold the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from steps.data_checks import Finding

CHECK = "telling together"


def too_good(r2: float, findings: Sequence[Finding]) -> dict[str, Any]:
    """The larger of both as `value`; `name` says of which columns it is, and is empty where it is the model's.

    A model may miss what a line of the same columns finds, such as a sum, and pass.
    """
    found = {"value": r2, "name": ""}
    for finding in findings:
        if finding.check == CHECK and finding.severity != "ok":
            name, value = next(iter(finding.values.items()))
            found = {"value": value, "name": name} if value > r2 else found
    return found
