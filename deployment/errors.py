"""What goes wrong for the person who deploys, in one sentence that says what to do about it."""


class DeploymentError(Exception):
    """A fault that the person at the command line can fix; its text is shown after `error: `."""


class RolledBack(DeploymentError):
    """SageMaker has brought the old version back, or did not let the new one take over."""


class Inconclusive(RolledBack):
    """Too few requests came to tell whether the new version is good: it does not serve."""
