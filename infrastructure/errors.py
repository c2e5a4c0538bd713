"""What goes wrong for the person who sets an account up, in one sentence that says what to do about it."""


class InfrastructureError(Exception):
    """A fault that the person at the command line can fix; its text is shown after `error: `."""
