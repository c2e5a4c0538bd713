"""The functions of the project as Lambda runs them: each with its own role, and with the topic of the stack."""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from infrastructure.functions.handlers import function

PREFIX = "house-prices-dev"


def as_its_role(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A function, called with the role that its name ends with."""
    account, region = context.invoked_function_arn.split(":")[4], context.invoked_function_arn.split(":")[3]
    os.environ["AWS_ACCESS_KEY_ID"] = f"local:{PREFIX}-{context.function_name.rpartition('-')[2]}:lambda"
    os.environ["MONITORING_TOPIC"] = f"arn:aws:sns:{region}:{account}:{PREFIX}-monitoring"
    return function(event, context)


HANDLERS = {"Lambda": as_its_role}
