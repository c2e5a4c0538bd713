"""What goes wrong for the person who runs a pipeline, in one sentence that says what to do about it."""


class PipelineError(Exception):
    """A fault that the person at the command line can fix; its text is shown after `error: `."""
