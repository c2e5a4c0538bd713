"""The examples of settings can be read, and differ from the project's own where they say so."""

from pathlib import Path

from pipelines.settings.settings import default_config, load_settings

PRODUCTION = Path(__file__).parents[3] / "docs" / "examples" / "production.yaml"


def test_a_production_has_four_eyes_and_differs_from_the_default_in_approval_and_stages_alone() -> None:
    production, default = load_settings(PRODUCTION), load_settings(default_config())
    assert production.approval.four_eyes
    assert not default.approval.four_eyes
    assert production.model_dump(exclude={"approval", "stages"}) == default.model_dump(exclude={"approval", "stages"})
    assert production.approval_stage == "staging"
    assert production.stages["production"].promote_from == "staging"
    assert production.stages["production"].deployment.guarded
    assert [name for name, stage in production.stages.items() if stage.stay is not None] == ["dev"]
