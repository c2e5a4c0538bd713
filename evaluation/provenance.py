"""What the job knows of where its inputs come from: the configuration that SageMaker gives to each processing job."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

JOB_CONFIG = Path("/opt/ml/config/processingjobconfig.json")
EXECUTION = re.compile(r"^pipelines-([a-z0-9]+)-")  # how Pipelines names its jobs
INPUTS = {"model": "Model file", "code": "Code", "test": "Test rows", "champion": "Champion's model file"}


def provenance(path: Path = JOB_CONFIG) -> dict[str, str]:
    """Execution, job and the S3 locations of the inputs, by what people call them; empty outside a job.

    The report holds them, and evaluation.json does not: its numbers are the same wherever they are computed.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    name = str(config.get("ProcessingJobName", ""))
    found = EXECUTION.match(name)
    facts = {"Execution": found.group(1) if found else "", "Job": name}
    places = _places(config)
    facts |= {title: places.get(key, "") for key, title in INPUTS.items()}
    return {title: value for title, value in facts.items() if value and not value.endswith("/none.json")}


def _places(config: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(entry.get("InputName")): str(entry["S3Input"]["S3Uri"])
        for entry in config.get("ProcessingInputs") or []
        if "S3Input" in entry
    }
