"""The logs of endpoints as CloudWatch has them: one stream for each model process, VARIANT/INSTANCE.

Their files are in folders named VARIANT, for the first instance of a deployment, and VARIANT.2 and on for the others.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from local_sagemaker.processes.host import is_resource_name
from local_sagemaker.processes.log_events import LogFile, LogStream

INSTANCE_BITS = 32  # of the number in a stream's name, which keep generations of any instance apart


def stream_name(variant: str, generation: int, instance: int = 1) -> str:
    """The log stream of one instance of a variant in one deployment of its endpoint."""
    return f"{variant}/i-{((instance - 1) << INSTANCE_BITS) + generation:017x}"


def folder_name(process: str, instance: int) -> str:
    """The folder of a process's log; a variant's name has no dot."""
    return process if instance == 1 else f"{process}.{instance}"


class EndpointLogs:
    """The files `folder`/endpoint/generation/variant/output.log; a generation is a deployment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> Iterable[str]:
        """Every endpoint that has logged something, also those that are deleted."""
        return sorted(path.name for path in self._folder.glob("*") if path.is_dir())

    def streams(self, endpoint: str, prefix: str) -> Iterator[LogStream]:
        """The streams of an endpoint whose names start with a prefix."""
        if not is_resource_name(endpoint):
            return
        for path in sorted(self._folder.glob(f"{endpoint}/*/*/output.log")):
            generation, folder = path.parts[-3:-1]
            variant, _, instance = folder.partition(".")
            name, log = stream_name(variant, int(generation), int(instance or 1)), LogFile(path)
            if name.startswith(prefix) and log.created is not None:
                yield LogStream(name, log, ended=False)
