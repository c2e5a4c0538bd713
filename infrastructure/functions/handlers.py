"""This project's handlers for local SageMaker: the code that Lambda runs, by the end of a function's name; queries."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from infrastructure import local_query
from infrastructure.functions import act, collect_window

FUNCTIONS = {"collect": collect_window.handler, "act": act.handler}


def function(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Any Lambda step: the function that its name ends with."""
    ending = str(context.function_name).rpartition("-")[2]
    if ending not in FUNCTIONS:
        raise LookupError(f"this project has no function {context.function_name}: it has {', '.join(FUNCTIONS)}")
    return FUNCTIONS[ending](event, context)


HANDLERS = {"Lambda": function, "AthenaDatasetDefinition": local_query.answer}
