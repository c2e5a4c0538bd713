"""What cannot be simulated is said before anything runs."""

from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import pytest

from command_line.monitoring_simulation import simulate
from pipelines.errors import PipelineError
from pipelines.settings.settings import default_config, load_settings


def options(**given: Any) -> Namespace:
    names = ("since", "until", "data", "stage", "rows", "seed")
    return Namespace(**{**dict.fromkeys(names), "simulate": "none", **given})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"seed": -1}, "--seed is -1: it must be 0 or more."),
        ({"rows": 19}, "--rows is 19: fewer than 20 houses tell nothing."),
        ({"rows": 0}, "--rows is 0: fewer than 20 houses tell nothing."),
        ({"stage": "staging"}, "leave out --since, --until, --data and --stage."),
        ({"simulate": "storm"}, "--simulate: 'storm' is not a drill"),
    ],
)
def test_what_cannot_be_simulated_is_said(given: dict[str, Any], said: str) -> None:
    context: Any = SimpleNamespace(local=True, settings=load_settings(default_config()))
    with pytest.raises(PipelineError, match=said):
        simulate(context, options(**given))
