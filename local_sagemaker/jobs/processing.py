"""Processing jobs: the container contract of CreateProcessingJob.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from threading import Event
from typing import Any

from local_sagemaker.errors import LONGEST_REASON
from local_sagemaker.jobs.admission import admit_processing_job, without_effect
from local_sagemaker.jobs.contract import Machine, RunCommand
from local_sagemaker.jobs.queries import Answers
from local_sagemaker.jobs.synchronisation import FolderSynchroniser
from local_sagemaker.processes.environment import clean_environment, with_interpreter
from local_sagemaker.processes.host import Host
from local_sagemaker.processes.inputs import Source, download
from local_sagemaker.processes.outcome import (
    ClientFault,
    Outcome,
    StopReason,
    algorithm_error,
    client_error,
)
from local_sagemaker.processes.outputs import each_of
from local_sagemaker.processes.overlay import make_overlay
from local_sagemaker.processes.process import Command, Ended

PROCESSING_FOLDER = PurePosixPath("/opt/ml/processing")
MESSAGE = "/opt/ml/output/message"
JOB_CONFIG = "/opt/ml/config/processingjobconfig.json"
RESOURCE_CONFIG = "/opt/ml/config/resourceconfig.json"


class ProcessingJob:
    """One processing job, from a resolved CreateProcessingJob request plus its ProcessingJobArn."""

    def __init__(self, request: Mapping[str, Any], machine: Machine, threads: Callable[[], int]) -> None:
        admit_processing_job(request, machine.handlers.commands)
        self.name = str(request["ProcessingJobName"])
        self.instance_count = int(_cluster(request).get("InstanceCount", 1))
        self.limit_seconds = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
        self._request = request
        self._machine = machine
        self._all_threads = threads
        outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
        self._outputs = [_S3Output(output) for output in outputs if not output.get("AppManaged")]
        self._synchroniser = FolderSynchroniser(machine.store)
        ask = partial(machine.call, role=request.get("RoleArn"))
        self._answers = Answers(request, machine.store, ask, self.limit_seconds)

    def prepare(self, host: Host, stop: Event, run: RunCommand) -> Command:  # noqa: ARG002
        """Download the inputs, make the output folders, write the two configuration files."""
        application = self._request["AppSpecification"]
        runtime = self._machine.runtime(application["ImageUri"], host)
        entrypoint = application.get("ContainerEntrypoint") or runtime.entrypoint
        if not entrypoint:
            raise ClientFault(
                f"The image {application['ImageUri']} only runs scripts here: "
                "give AppSpecification.ContainerEntrypoint, such as [python3, /opt/ml/processing/input/code/run.py]."
            )
        if host.name == host.names[0]:
            for name in without_effect(self._request):
                host.say(f"warning: {name} has no effect on this machine")
        for document in self._request.get("ProcessingInputs", []):
            self._download(document, host, stop)
        for output in self._outputs:
            host.folder(output.folder)
        host.folder(str(PurePosixPath(MESSAGE).parent))
        host.write_config(JOB_CONFIG, _describable(self._request))
        host.write_config(RESOURCE_CONFIG, {"current_host": host.name, "hosts": list(host.names)})
        layers = [self._machine.variables(self._request.get("RoleArn")), self._request.get("Environment", {})]
        overlay = make_overlay(host.overlay, runtime)
        environment = clean_environment(host.private, overlay, self._threads, layers)
        arguments = [*entrypoint, *application.get("ContainerArguments", [])]
        return Command(with_interpreter(arguments, overlay), environment)

    @property
    def _threads(self) -> int:
        """The share of one host, as late as may be: another job may have started meanwhile."""
        return max(1, self._all_threads() // self.instance_count)

    def synchronise(self, hosts: Sequence[Host]) -> None:
        """Upload the outputs whose S3UploadMode is Continuous."""
        for output in self._outputs:
            if output.continuous:
                for host in hosts:
                    self._synchroniser.upload(host.private.path(output.folder), output.uri)

    def upload(self, hosts: Sequence[Host]) -> None:
        """Upload the outputs of every host, also of a job that failed: what it wrote tells why.

        The service documents no rule; its SDK's local mode uploads either way, and training does too.
        """
        each_of(
            [
                partial(self._synchroniser.upload, host.private.path(output.folder), output.uri)
                for output in self._outputs
                for host in hosts
            ]
        )

    def outcome(self, hosts: Sequence[Host], ended: Ended, stopped: StopReason | None) -> Outcome:
        """A job that reaches its time limit is Stopped, without a reason, as one that was asked to stop.

        What several hosts say alike is told once.
        """
        try:
            said = dict.fromkeys(filter(None, (_message(host) for host in hosts)))
            message = "".join(said)[:LONGEST_REASON] or None
        except UnicodeDecodeError:
            return Outcome("Failed", client_error(f"{MESSAGE} is not UTF-8 text."), exit_code=ended.exit_code)
        if stopped is not None:
            return Outcome("Stopped", None, message, ended.exit_code)
        if ended.exit_code != 0:
            return Outcome("Failed", algorithm_error(message, ended.exit_code), message, ended.exit_code)
        return Outcome("Completed", None, message, 0)

    def _download(self, document: Mapping[str, Any], host: Host, stop: Event) -> None:
        name = document.get("InputName", "")
        if document.get("AppManaged"):
            return  # the job reads it by itself
        field = "DatasetDefinition" if "DatasetDefinition" in document else "S3Input"
        if field not in document:
            raise ClientFault(f"The input {name} has no S3Input: give one.")
        folder = host.folder(_local_path(document[field].get("LocalPath"), f"The input {name}"))
        source = _s3_source(document[field]) if field == "S3Input" else self._answers.source(name, host, stop)
        download(self._machine.store, source, folder, host.share, stop)
        host.private.rewrite_code(folder)


def _s3_source(s3: Mapping[str, Any]) -> Source:
    return Source(
        s3["S3Uri"],
        s3.get("S3DataType", "S3Prefix"),
        s3.get("S3DataDistributionType") == "ShardedByS3Key",
        s3.get("S3CompressionType") == "Gzip",
    )


class _S3Output:
    """Where an output lies in the container, and where it goes."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.name = document["OutputName"]
        if "S3Output" not in document:
            raise ClientFault(f"The output {self.name} has no S3Output: give one.")
        self.uri = str(document["S3Output"]["S3Uri"])
        self.continuous = document["S3Output"].get("S3UploadMode") == "Continuous"
        self.folder = _local_path(document["S3Output"].get("LocalPath"), f"The output {self.name}")


def _local_path(path: str | None, what: str) -> str:
    inside = PurePosixPath(path or "")
    if not inside.is_relative_to(PROCESSING_FOLDER) or ".." in inside.parts:
        raise ClientFault(f"{what} has the LocalPath {path!r}, which is not under {PROCESSING_FOLDER}.")
    return str(inside)


def _cluster(request: Mapping[str, Any]) -> Mapping[str, Any]:
    cluster: Mapping[str, Any] = request.get("ProcessingResources", {}).get("ClusterConfig", {})
    return cluster


def _describable(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request as the container is told of it."""
    return {name: value for name, value in request.items() if name not in ("Tags", "ExperimentConfig")}


def _message(host: Host) -> str | None:
    path = host.private.path(MESSAGE)
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        content = stream.read(4 * LONGEST_REASON + 3)  # a character has at most 4 bytes
    text = content.decode("utf-8", "strict" if path.stat().st_size == len(content) else "ignore")
    return text
