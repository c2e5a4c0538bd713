"""The commands that a person is told to run next are about the pipeline that was meant."""

import pytest

from command_line.context import Context


@pytest.mark.parametrize(
    ("chosen", "named"),
    [(None, ""), ("training", ""), ("validation", " --pipeline validation"),
     ("house-prices-validation", " --pipeline validation")],
)  # fmt: skip
def test_a_command_on_an_execution_names_the_pipeline_where_it_is_not_the_first(chosen: str | None, named: str) -> None:
    context = Context(config=None, local=True, log_folder=None, chosen_pipeline=chosen)
    assert context.execution_command.endswith(f"run_pipeline.py --local{named}")
