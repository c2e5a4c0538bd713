"""What runs inside the evaluation job; may import steps."""

import steps  # noqa: F401 - before numpy, see there
