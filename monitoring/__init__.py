"""What runs inside the monitoring job: files in, a decision with its reasons and a report out."""

import steps  # noqa: F401 - before numpy, see there
