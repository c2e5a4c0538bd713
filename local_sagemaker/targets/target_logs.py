"""The logs of targets as CloudWatch has them: a group for each build project and function, a stream for each run."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from local_sagemaker.processes.host import is_resource_name
from local_sagemaker.processes.log_events import LogFile, LogStream
from local_sagemaker.targets.registrations import FOLDER

SERVICES = ("codebuild", "lambda")


class TargetLogs:
    """The files `state`/targets/SERVICE/NAME/RUN.log."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER

    def names(self) -> list[str]:
        """Every group that has a log."""
        found = (path for service in SERVICES for path in (self._folder / service).glob("*") if path.is_dir())
        return sorted(f"/aws/{path.parent.name}/{path.name}" for path in found)

    def source(self, group: str) -> Callable[[str], Iterable[LogStream]] | None:
        """What lists the streams of a group; None where it is no target's."""
        service, _, name = group.removeprefix("/aws/").partition("/")
        if not group.startswith("/aws/") or service not in SERVICES or not (self._folder / service / name).is_dir():
            return None
        return partial(self._streams, service, name) if is_resource_name(name.replace("_", "-")) else None

    def _streams(self, service: str, name: str, prefix: str) -> Iterator[LogStream]:
        for path in sorted((self._folder / service / name).glob("*.log")):
            log = LogFile(path)
            if path.stem.startswith(prefix) and log.created is not None:
                yield LogStream(path.stem, log, ended=False)
