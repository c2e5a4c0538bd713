#!/usr/bin/env python3
"""The deployment from the command line: see command_line/deployment.py."""

import sys

from command_line.deployment import main

if __name__ == "__main__":
    sys.exit(main())
