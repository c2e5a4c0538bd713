"""What every part of the settings is: unknown keys and wrong types are faults, and nothing changes it."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the YAML with keys of its own; its schema is built with that of the whole, when it is needed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)
