"""The stages of the settings, as both command lines speak of them."""

from collections.abc import Iterable


def no_stage(name: str | None, stages: Iterable[str]) -> str:
    """The sentence for a stage that the settings do not have."""
    return f"There is no stage {name}: the settings have {', '.join(stages) or 'none'} (stages: in the YAML)."
