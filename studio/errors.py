"""What a person is told in one sentence."""


class StudioError(Exception):
    """The message is one sentence for the person who looks at the page or typed the command."""


class ReadOnly(StudioError):
    """A change where only reading is allowed."""
