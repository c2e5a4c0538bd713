"""Inputs of processing jobs that are queries (DatasetDefinition): a user's handler answers them in place of Athena.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DatasetDefinition.html
"""

import tempfile
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.handlers.handlers import HandlerCall, HandlerFailed
from local_sagemaker.processes.host import Host
from local_sagemaker.processes.inputs import Source
from local_sagemaker.processes.outcome import ClientFault, JobStopped, StopReason
from local_sagemaker.processes.outputs import folder_files, upload_folder
from local_sagemaker.processes.storage import ObjectStore

KEYS = ("AthenaDatasetDefinition", "RedshiftDatasetDefinition")
# What a file of these formats begins with. Text and JSON begin with anything.
BEGINNINGS = {"PARQUET": b"PAR1", "ORC": b"ORC", "AVRO": b"Obj\x01"}
POLL_SECONDS = 0.1
StartCall = Callable[[str, Path], HandlerCall]  # of the handler of a key; its log is a file


@dataclass(frozen=True)
class Query:
    """An input that is a query: `key` names the field with its definition, and the handler that answers it."""

    name: str
    key: str
    definition: Mapping[str, Any]
    sharded: bool

    def lack(self, keys: Container[str], step: str | None = None) -> str | None:
        """What is not supported where no handler of these keys answers it: the query, and how to give a handler."""
        if self.key in keys:
            return None
        where = f" of the step {step}" if step else ""
        return (
            f"the query of the input {self.name}{where} without a handler: register one for {self.key} "
            "(docs/local_sagemaker.md)"
        )


def queries(arguments: Mapping[str, Any]) -> Iterator[Query]:
    """The inputs of a CreateProcessingJob request that are queries, but not those that the job manages itself."""
    inputs = arguments.get("ProcessingInputs")
    for each in inputs if isinstance(inputs, list) else []:
        dataset = each.get("DatasetDefinition") if isinstance(each, Mapping) and not each.get("AppManaged") else None
        for key in KEYS if isinstance(dataset, Mapping) else ():
            if isinstance(dataset, Mapping) and isinstance(dataset.get(key), Mapping):
                sharded = dataset.get("DataDistributionType", "ShardedByS3Key") == "ShardedByS3Key"
                yield Query(str(each.get("InputName", "")), key, dataset[key], sharded)


class Answers:
    """The results of a job's queries: each is asked once, by the first host, and downloaded by every one.

    The files lie below the definition's OutputS3Uri in a folder of the job's name. What a handler prints is in the log
    of the host. `limit_seconds` counts from now.
    """

    def __init__(self, job: Mapping[str, Any], store: ObjectStore, start: StartCall, limit_seconds: float | None):
        self._job = job
        self._store = store
        self._start = start
        self._deadline = None if limit_seconds is None else time.monotonic() + limit_seconds
        self._found = {query.name: query for query in queries(job)}
        self._places: dict[str, str] = {}

    def source(self, name: str, host: Host, stop: threading.Event) -> Source:
        """Where the result of an input's query lies.

        ClientFault where the query fails, or gives no file, or one of another format. JobStopped where it was ended.
        """
        query = self._found[name]
        if name not in self._places:
            place = f"{query.definition['OutputS3Uri'].rstrip('/')}/{self._job['ProcessingJobName']}/"
            with tempfile.TemporaryDirectory(dir=host.private.temporary) as folder:
                self._ask(query, Path(folder), host, stop)
                upload_folder(self._store, Path(folder), place)
            self._places[name] = place
        return Source(self._places[name], sharded=query.sharded)

    def _ask(self, query: Query, folder: Path, host: Host, stop: threading.Event) -> None:
        call = self._start(query.key, host.log)
        event = {**query.definition, "ResultFolder": str(folder)}
        context = {"input_name": query.name, "processing_job_arn": self._job["ProcessingJobArn"]}
        failed = f"The query of the input {query.name} failed"
        try:
            with self._ended_with(stop, call):
                answer = call.answer(event, context)
        except HandlerFailed as error:
            raise ClientFault(f"{failed}. {error}") from None
        if "error" in answer:
            raise ClientFault(f"{failed}: {answer['error']}")
        _refuse_other_formats(query, folder)

    @contextmanager
    def _ended_with(self, stop: threading.Event, call: HandlerCall) -> Iterator[None]:
        """Meanwhile, end a call when the job is stopped or out of time; then JobStopped in place of its failure."""
        done = threading.Event()

        def reason() -> StopReason | None:
            if stop.is_set():
                return "asked"
            return "time" if self._deadline is not None and time.monotonic() >= self._deadline else None

        def watch() -> None:
            while not done.wait(POLL_SECONDS):
                if reason():
                    call.stop()
                    return

        watcher = threading.Thread(target=watch, name="query", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
            if why := reason():
                raise JobStopped(why)


def _refuse_other_formats(query: Query, folder: Path) -> None:
    files = list(folder_files(folder))
    if not files:
        raise ClientFault(f"The handler of {query.key} wrote no file into ResultFolder for the input {query.name}.")
    wanted = str(query.definition["OutputFormat"])
    beginning = BEGINNINGS.get(wanted, b"")
    for name, path in files:
        with path.open("rb") as stream:
            if stream.read(len(beginning)) != beginning:
                raise ClientFault(f"The handler of {query.key} wrote {name}, which is not {wanted}, the OutputFormat.")
