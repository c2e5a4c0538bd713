"""Import a library in less time than its import statement alone would take: seconds of each job."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lean(*absent: str) -> Iterator[None]:
    """While the block imports a library, the modules named are not there for it, and after it they are.

    They are what it would import only if it can, and no job uses. None in sys.modules means that a module cannot be
    imported. One that is loaded already costs nothing, and stays.

    Nor is garbage collected: what an import makes is there to stay, and Python would look through it again and again.
    """
    names = [name for name in absent if name not in sys.modules]
    for name in names:
        sys.modules[name] = None  # type: ignore[assignment]
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()
        for name in names:
            del sys.modules[name]
