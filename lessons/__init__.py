"""Seven lessons, from an empty console to a watched endpoint, and a check for each: `python -m lessons`."""
