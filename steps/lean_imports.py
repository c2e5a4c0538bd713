"""Import a library without what it would import only if it can: what no job uses takes seconds of each of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """While the block imports a library, the modules named are not there for it, and after it they are.

    None in sys.modules means that a module cannot be imported. One that is loaded already costs nothing, and stays.
    """
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
