"""The logs of endpoints as CloudWatch has them: one stream for each model process, VARIANT/INSTANCE."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from local_sagemaker.processes.host import is_resource_name
from local_sagemaker.processes.log_events import LogFile, LogStream


def stream_name(variant: str, generation: int) -> str:
    """The log stream of a variant's process in one deployment of its endpoint."""
    return f"{variant}/i-{generation:017x}"


class EndpointLogs:
    """The files `folder`/endpoint/generation/variant/output.log; a generation is an instance of the variant."""

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
            generation, variant = path.parts[-3:-1]
            name, log = stream_name(variant, int(generation)), LogFile(path)
            if name.startswith(prefix) and log.created is not None:
                yield LogStream(name, log, ended=False)
