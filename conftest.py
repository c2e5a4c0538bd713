"""Which process runs which tests, where pytest-xdist runs them in several, and the Python in which commands are warm.

A file's tests stay together, and so do all files that need a fixture which takes long to make; those begin first.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
import pytest
from xdist.scheduler import LoadFileScheduling

# The first run on the house prices, and the account that the studio shows.
MADE_ONCE = ("first_run", "studio: Served")
# A process has nothing beside a file of these for minutes: they begin before all others.
LONGEST = ("test_lessons.py", "test_replay.py", "test_buildspec.py", "test_another_data_set.py", "test_image.py")


@cache
def together(file: str) -> str:
    """What the tests of a file must be in one process with: a fixture, else nothing but the file itself."""
    text = Path(file).read_text(encoding="utf-8")
    return next((fixture for fixture in MADE_ONCE if fixture in text), file)


# Every session reads the services' models anew, which costs a test more than what it does with them.
botocore.session.create_loader = cache(botocore.loaders.create_loader)


class Together(LoadFileScheduling):
    """Gives a process the tests of a file, or of all files that share a fixture."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """In place of the one that --dist names."""
    return Together(config, log)


@pytest.hookimpl(trylast=True)  # by then each test has its marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is slow goes first, so that no process has it left when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("e2e")}
    ranks = {
        path: (
            LONGEST.index(path.name) if path.name in LONGEST and path in slow else len(LONGEST),
            together(str(path)) not in MADE_ONCE,
            path not in slow,
        )
        for path in {item.path for item in items}
    }
    items.sort(key=lambda item: ranks[item.path])


@pytest.fixture(scope="session")
def warm() -> Iterator[str]:
    """A Python for the project's commands that has imported what they need."""
    from tests.warm.python import warm_python  # found only after pytest has read setup.cfg's pythonpath

    with warm_python(Path(__file__).parent) as python:
        yield python
