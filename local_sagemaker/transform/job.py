"""One batch transform job: the model's processes, each input object through them, each output to S3."""

import gzip
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local_sagemaker.errors import LONGEST_REASON
from local_sagemaker.hosting.model_chain import ModelChain
from local_sagemaker.hosting.model_process import (
    ModelFailedToStart,
    ModelProcess,
    ModelRequest,
    ModelResponse,
    ModelUnavailable,
)
from local_sagemaker.processes.folders import remove_folder
from local_sagemaker.processes.host import is_resource_name
from local_sagemaker.processes.images import ImageMap
from local_sagemaker.processes.inputs import Share, Source, download
from local_sagemaker.processes.isolation import Isolation, isolation_here
from local_sagemaker.processes.leftovers import kill_leftovers
from local_sagemaker.processes.log_events import append_line
from local_sagemaker.processes.outcome import ClientFault, JobStopped, Outcome, client_error
from local_sagemaker.processes.outputs import upload_file
from local_sagemaker.processes.storage import ObjectStore
from local_sagemaker.transform.data_processing import DataProcessing
from local_sagemaker.transform.records import DEFAULT_PAYLOAD_MB, Splitting, assembled

START_SECONDS = 240.0
TIMEOUT_SECONDS = 600  # the service's own default of ModelClientConfig
RETRIES = 3  # likewise
RETRY_PAUSE_SECONDS = 0.2  # before the first retry; it doubles
TRANSFER = "transfer"  # the folder of a job's inputs and outputs


class BadStatus(Exception):
    """The model did not accept a payload, or failed at it, also when asked again."""

    def __init__(self, response: ModelResponse) -> None:
        text = response.body.decode(errors="replace").strip()
        super().__init__(f"Bad HTTP status received from algorithm: {response.status} {text}"[:LONGEST_REASON])
        self.by_client = 400 <= response.status < 500


class TransformRuntime:
    """Runs each job in folder/<job name>/, where `output.log` is its log, as the other jobs do."""

    def __init__(
        self,
        folder: Path,
        store: ObjectStore,
        images: ImageMap,
        environment: Mapping[str, str],
        isolation: Isolation | None = None,
    ) -> None:
        self._folder = folder
        self._store = store
        self._images = images
        self._environment = environment
        self._isolation = isolation or isolation_here()

    def reap(self) -> None:
        """After a kill -9 of the server: kill what still runs of its jobs, and delete their unfinished files."""
        kill_leftovers(self._folder, "*/*")
        for leftover in (*self._folder.glob(f"*/{TRANSFER}/"), *self._folder.glob("*/algo-*/")):
            remove_folder(leftover, self._folder)

    def run(self, request: dict[str, Any], containers: Sequence[dict[str, Any]], stop: threading.Event) -> Outcome:
        """Run a CreateTransformJob request with the containers of its model to its end; `stop` ends it early."""
        name = str(request["TransformJobName"])
        if not is_resource_name(name):  # of a state that an older version has made
            return Outcome("Failed", client_error(f"{name!r} is not a valid name of a job."))
        folder = self._folder / name
        remove_folder(folder, self._folder, ignore_errors=True)
        (folder / TRANSFER).mkdir(parents=True)
        log = folder / "output.log"
        log.touch()
        chain = ModelChain(self._processes(request, containers), START_SECONDS)
        ended = threading.Event()
        watcher = threading.Thread(target=_stop_chain, args=(chain, stop, ended), daemon=True)
        watcher.start()
        try:
            return TransformJob(request, chain, self._store, folder / TRANSFER, log, stop).run()
        except JobStopped:
            return Outcome("Stopped")
        except ClientFault as fault:
            _say(log, client_error(str(fault)))
            return Outcome("Failed", client_error(str(fault)))
        except (ModelFailedToStart, ModelUnavailable) as fault:
            return Outcome("Stopped") if stop.is_set() else _failed("AlgorithmError", str(fault))
        finally:
            ended.set()
            watcher.join()
            chain.stop()
            remove_folder(folder / TRANSFER, self._folder, ignore_errors=True)

    def _processes(self, request: dict[str, Any], containers: Sequence[dict[str, Any]]) -> list[ModelProcess]:
        # https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
        told = {
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(request.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB)),
            "SAGEMAKER_BATCH_STRATEGY": request.get("BatchStrategy", "MultiRecord").replace("R", "_R").upper(),
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(request.get("MaxConcurrentTransforms", 1)),
        }
        name = str(request["TransformJobName"])
        return [
            ModelProcess(
                name,
                {
                    **container,
                    "Environment": {**told, **container.get("Environment", {}), **request.get("Environment", {})},
                },
                self._folder,
                self._store,
                self._images,
                self._environment,
                self._isolation,
                host=f"algo-{number}",
            )
            for number, container in enumerate(containers, start=1)
        ]


class TransformJob:
    """The files of one job, one after another; within a file, MaxConcurrentTransforms payloads at once."""

    def __init__(
        self,
        request: dict[str, Any],
        chain: ModelChain,
        store: ObjectStore,
        folder: Path,
        log: Path,
        stop: threading.Event,
    ) -> None:
        self._splitting = Splitting.of(request)
        self._processing = DataProcessing.of(request)
        self._input = request["TransformInput"]
        self._output = request["TransformOutput"]
        self._client = request.get("ModelClientConfig", {})
        self._concurrent = request.get("MaxConcurrentTransforms", 1) or 1
        self._chain = chain
        self._store = store
        self._folder = folder
        self._log = log
        self._stop = stop

    def run(self) -> Outcome:
        """Transform every file; one that fails has no output and fails the job, and the others are transformed."""
        inputs = self._folder / "input"
        source = self._input["DataSource"]["S3DataSource"]
        gzipped = self._input.get("CompressionType") == "Gzip"
        download(self._store, Source(source["S3Uri"], source["S3DataType"]), inputs, Share(), self._stop)
        if not self._stop.is_set():
            self._chain.start()
        faults: list[tuple[str, str]] = []
        with ThreadPoolExecutor(self._concurrent) as pool:
            for path in sorted(path for path in inputs.rglob("*") if path.is_file()):
                name = path.relative_to(inputs).as_posix()
                try:
                    self._transform(_decompressed(path, name) if gzipped else path, name, pool)
                except (ClientFault, BadStatus) as fault:
                    by_client = not isinstance(fault, BadStatus) or fault.by_client
                    faults.append(("ClientError" if by_client else "AlgorithmError", f"{name}: {fault}"))
                    _say(self._log, faults[-1][1])
        return _failed(*faults[0]) if faults else Outcome("Completed")

    def _transform(self, path: Path, name: str, pool: ThreadPoolExecutor) -> None:
        result = self._folder / "result"
        by_line = self._output.get("AssembleWith") == "Line"
        with result.open("wb") as stream:
            for answer in _in_order(pool, self._ask, self._splitting.batches(path), self._concurrent):
                stream.write(assembled(answer, by_line))
        upload_file(self._store, result, f"{self._output['S3OutputPath'].rstrip('/')}/{name}.out")

    def _ask(self, records: Sequence[bytes]) -> bytes:
        payload = b"".join(records) if self._processing is None else self._processing.payload(records)
        retries = self._client.get("InvocationsMaxRetries", RETRIES)
        for attempt in range(retries + 1):
            if self._stop.is_set():
                raise JobStopped("asked")
            response = self._invoke(payload)
            if response.succeeded:
                return self._result(records, response)
            if 400 <= response.status < 500:
                break  # the same payload is as wrong the next time
            if attempt < retries:
                self._stop.wait(RETRY_PAUSE_SECONDS * 2**attempt)
        raise BadStatus(response)

    def _result(self, records: Sequence[bytes], response: ModelResponse) -> bytes:
        if self._processing is None:
            return response.body
        return self._processing.result(records, response.body, response.content_type)

    def _invoke(self, payload: bytes) -> ModelResponse:
        content_type = self._input.get("ContentType") or "application/octet-stream"
        timeout = float(self._client.get("InvocationsTimeoutInSeconds", TIMEOUT_SECONDS))
        try:
            accept = self._output.get("Accept") or "*/*"
            return self._chain.invoke(ModelRequest(payload, content_type, accept, timeout_seconds=timeout))
        except ModelUnavailable as fault:
            if self._stop.is_set():
                raise JobStopped("asked") from None
            if not fault.reached:
                raise
            return ModelResponse(0, "text/plain", str(fault).encode(), {})


def _in_order(pool: ThreadPoolExecutor, function: Any, items: Iterable[Sequence[bytes]], ahead: int) -> Iterator[bytes]:
    """The results in the order of the items, of which no more than `ahead` are in memory."""
    running: deque[Future[bytes]] = deque()
    try:
        for item in items:
            running.append(pool.submit(function, item))
            if len(running) >= ahead:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        for future in running:
            future.cancel()


def _decompressed(path: Path, name: str) -> Path:
    plain = path.with_name(f".{path.name}.plain")
    try:
        with gzip.open(path, "rb") as compressed, plain.open("wb") as stream:
            shutil.copyfileobj(compressed, stream)
    except (gzip.BadGzipFile, EOFError) as error:
        raise ClientFault(f"{name} is not compressed with gzip, as the job's input says: {error}.") from None
    return plain


def _stop_chain(chain: ModelChain, stop: threading.Event, ended: threading.Event) -> None:
    """A request to stop ends the model at once, also while it starts or answers."""
    while not ended.is_set():
        if stop.wait(0.1):
            chain.stop()
            return


def _failed(kind: str, detail: str) -> Outcome:
    # The service says no more than the first sentence.
    return Outcome("Failed", f"{kind}: See job logs for more information. {detail}"[:LONGEST_REASON])


def _say(log: Path, line: str) -> None:
    append_line(log, f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())} [sagemaker] {line}")
