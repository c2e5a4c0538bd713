#!/usr/bin/env python3
"""The pipelines from the command line: see command_line/pipeline.py."""

import sys

from command_line.pipeline import main

if __name__ == "__main__":
    sys.exit(main())
