"""The sentence for a stage that is not there names those that are."""

from command_line.stages import no_stage


def test_a_stage_that_is_not_there_is_told_with_those_that_are() -> None:
    assert no_stage("prod", ["staging", "production"]) == (
        "There is no stage prod: the settings have staging, production (stages: in the YAML)."
    )
    assert no_stage("prod", []) == "There is no stage prod: the settings have none (stages: in the YAML)."
