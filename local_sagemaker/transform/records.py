"""From a file to the payloads of its invocations, and from their answers to a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.processes.outcome import ClientFault

MEGABYTE = 1024 * 1024
DEFAULT_PAYLOAD_MB = 6
LARGEST_TOTAL_MB = 100  # of the concurrent payloads together; the service's own limit
REFUSED_SPLITS = ("RecordIO", "TFRecord")


@dataclass(frozen=True)
class Splitting:
    """How a file becomes payloads: whole, a line each, or as many lines as a payload holds."""

    by_line: bool
    single: bool
    limit: int | None  # bytes of a payload; None where MaxPayloadInMB is 0

    @classmethod
    def of(cls, request: dict[str, Any]) -> "Splitting":
        """The splitting of a CreateTransformJob request; ClientFault for one that is not supported here."""
        kind = request["TransformInput"].get("SplitType", "None")
        if kind in REFUSED_SPLITS:
            raise ClientFault(f"Local SageMaker does not support the SplitType {kind}: use Line or None.")
        megabytes = request.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB)
        if megabytes * request.get("MaxConcurrentTransforms", 1) > LARGEST_TOTAL_MB:
            raise ClientFault(
                f"MaxConcurrentTransforms * MaxPayloadInMB exceeds {LARGEST_TOTAL_MB} MB: make one of them smaller."
            )
        single = request.get("BatchStrategy", "MultiRecord") == "SingleRecord"
        return cls(kind == "Line", single, megabytes * MEGABYTE or None)

    def batches(self, path: Path) -> Iterator[Sequence[bytes]]:
        """The records of each payload, lines with their line ends; blank lines are left out.

        ClientFault where one record is larger than a payload may be.
        """
        if not self.by_line:
            self._check(path.stat().st_size, path.name)
            yield [path.read_bytes()]
            return
        waiting: list[bytes] = []
        size = 0
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                self._check(len(line), f"line {number}")
                if waiting and (self.single or (self.limit is not None and size + len(line) > self.limit)):
                    yield waiting
                    waiting, size = [], 0
                waiting.append(line)
                size += len(line)
        if waiting:
            yield waiting

    def _check(self, size: int, what: str) -> None:
        if self.limit is not None and size > self.limit:
            raise ClientFault(
                f"Too much data for max payload size: {what} has {size} bytes, MaxPayloadInMB allows {self.limit}."
            )


def assembled(answer: bytes, by_line: bool) -> bytes:
    """An answer as it goes to the output file: AssembleWith Line ends each with a line end."""
    return answer + b"\n" if by_line and answer and not answer.endswith(b"\n") else answer
