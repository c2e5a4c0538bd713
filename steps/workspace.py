"""The memory that linear algebra works in, which a job takes before its memory is limited."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lu_factor


def take_workspace() -> None:
    """Let numpy's and scipy's OpenBLAS have their buffers, which stay: where memory is used up, they ask for ever."""
    square = np.eye(512)
    lu_factor(square @ square)
