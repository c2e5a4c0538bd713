"""Training jobs: the container contract of CreateTrainingJob and the script mode of the framework images.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import Event
from typing import Any

from local_sagemaker.errors import LONGEST_REASON
from local_sagemaker.jobs.admission import admit_training_job, without_effect
from local_sagemaker.jobs.algorithm import PROGRAM, logged_metrics, trains_itself
from local_sagemaker.jobs.contract import Machine, RunCommand
from local_sagemaker.jobs.entry_point import PACKAGE, command_of, is_command
from local_sagemaker.jobs.metrics import final_metrics, metric_definitions
from local_sagemaker.jobs.script_mode import TOOLKIT_EXIT_CODE, Script, script_variables, toolkit_failure
from local_sagemaker.jobs.synchronisation import FolderSynchroniser
from local_sagemaker.processes.archives import pack, unpack
from local_sagemaker.processes.environment import IMAGE, clean_environment, with_interpreter
from local_sagemaker.processes.host import Host
from local_sagemaker.processes.images import Runtime
from local_sagemaker.processes.inputs import Source, download
from local_sagemaker.processes.log_events import LogFile
from local_sagemaker.processes.outcome import ClientFault, Outcome, StopReason, algorithm_error
from local_sagemaker.processes.outputs import each_of, upload_file, upload_folder
from local_sagemaker.processes.overlay import Overlay, make_overlay
from local_sagemaker.processes.process import Command, Ended
from local_sagemaker.processes.requirements import REQUIREMENTS, install_missing, install_package
from local_sagemaker.processes.storage import fetch

CONFIG = "/opt/ml/input/config"
CODE = "/opt/ml/code"
MODEL = "/opt/ml/model"
OUTPUT_DATA = "/opt/ml/output/data"
FAILURE = "/opt/ml/output/failure"
CHECKPOINTS = "/opt/ml/checkpoints"


class TrainingJob:
    """One training job, from a resolved CreateTrainingJob request plus its TrainingJobArn."""

    def __init__(self, request: Mapping[str, Any], machine: Machine, threads: Callable[[], int]) -> None:
        admit_training_job(request)
        self.name = str(request["TrainingJobName"])
        self.instance_count = int(request.get("ResourceConfig", {}).get("InstanceCount", 1))
        self.limit_seconds = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
        self._request = request
        self._machine = machine
        self._all_threads = threads
        self._hyperparameters = {name: str(value) for name, value in request.get("HyperParameters", {}).items()}
        path = str(request["OutputDataConfig"]["S3OutputPath"]).rstrip("/")
        self._output = f"{path}/{self.name}/output"
        self._compressed = request["OutputDataConfig"].get("CompressionType", "GZIP") == "GZIP"
        self._artifacts: str | None = None
        self._script: list[str] | None = None  # the command of script mode
        self._toolkit: str | None = None  # which runs it in the image
        self._script_log = 0  # bytes of the first host's log that are the script's
        self._synchroniser = FolderSynchroniser(machine.store)
        self._metrics = metric_definitions(logged_metrics(request["AlgorithmSpecification"], self._hyperparameters))

    def prepare(self, host: Host, stop: Event, run: RunCommand) -> Command:
        """Write the configuration files, download the channels and the code."""
        algorithm = self._request["AlgorithmSpecification"]
        runtime = self._machine.runtime(algorithm["TrainingImage"], host)
        if host.name == host.names[0]:
            for name in without_effect(self._request):
                host.say(f"warning: {name} has no effect on this machine")
        for folder in (MODEL, OUTPUT_DATA, CODE):
            host.folder(folder)
        resources, channels = self._write_config(host)
        for channel in self._request.get("InputDataConfig", []):
            self._download(channel, host, stop)
        self._download_checkpoints(host, stop)
        script = Script(
            job_name=self.name,
            hyperparameters=self._hyperparameters,
            resources=resources,
            channels=channels,
            processors=self._threads,
        )
        named = {
            "TRAINING_JOB_NAME": self.name,
            "TRAINING_JOB_ARN": str(self._request.get("TrainingJobArn", "")),
            IMAGE: str(algorithm.get("TrainingImage", "")),
        }
        by_toolkit = {} if algorithm.get("ContainerEntrypoint") else script_variables(script)
        role = self._machine.variables(self._request.get("RoleArn"))
        layers = [named, role, by_toolkit, self._request.get("Environment", {})]
        overlay = make_overlay(host.overlay, runtime)
        environment = clean_environment(host.private, overlay, self._threads, layers)
        entrypoint = [*algorithm.get("ContainerEntrypoint", []), *algorithm.get("ContainerArguments", [])]
        if algorithm.get("ContainerEntrypoint"):
            return Command(with_interpreter(entrypoint, overlay), environment)
        if runtime.entrypoint:  # an image with an entrypoint of its own is run with the argument train
            return Command(with_interpreter([*runtime.entrypoint, "train"], overlay), environment)
        if trains_itself(algorithm["TrainingImage"], self._hyperparameters):
            return Command([*overlay.python, str(PROGRAM)], environment, MODEL)
        return self._script_command(script, host, overlay, runtime, environment, run)

    def _script_command(
        self,
        script: Script,
        host: Host,
        overlay: Overlay,
        runtime: Runtime,
        environment: dict[str, str],
        run: RunCommand,
    ) -> Command:
        """Script mode: unpack the code, install what it needs, run it."""
        if script.program is None or script.submit_directory is None:
            raise ClientFault(
                f"The image {self._request['AlgorithmSpecification']['TrainingImage']} only runs scripts: give the "
                "hyperparameters sagemaker_program and sagemaker_submit_directory, or "
                "AlgorithmSpecification.ContainerEntrypoint."
            )
        environment["PYTHONPATH"] = CODE
        self._unpack_code(script.submit_directory, host)
        code = host.private.path(CODE)
        arguments = command_of(runtime.family, script.program, code, overlay.python, script.arguments)

        def install(command: list[str]) -> int:
            return run(host, Command(command, environment, CODE)).exit_code

        if not is_command(runtime.family, script.program, code):  # whose requirements the image leaves to itself
            if (code / PACKAGE).is_file():
                install_package(overlay, install)
            if (code / REQUIREMENTS).is_file():
                install_missing(code / REQUIREMENTS, overlay, install)
        self._script, self._toolkit = arguments, runtime.family.training
        return Command(arguments, environment, CODE)

    @property
    def _threads(self) -> int:
        """The share of one host, as late as may be: another job may have started meanwhile."""
        return max(1, self._all_threads() // self.instance_count)

    def synchronise(self, hosts: Sequence[Host]) -> None:
        """Upload the checkpoints that are new."""
        checkpoint = self._request.get("CheckpointConfig")
        if not checkpoint:
            return
        for host in hosts:
            folder = host.private.path(checkpoint.get("LocalPath", CHECKPOINTS))
            self._synchroniser.upload(folder, checkpoint["S3Uri"])

    def upload(self, hosts: Sequence[Host]) -> None:
        """Upload model, output data and checkpoints, also of a job that failed or was stopped, as the service does.

        A fault in one leaves the others alone; the first of them is raised.
        """
        self._script_log = LogFile(hosts[0].log).size
        each_of(
            [lambda: self._upload_model(hosts), lambda: self._upload_output(hosts), lambda: self.synchronise(hosts)]
        )

    def _upload_model(self, hosts: Sequence[Host]) -> None:
        if self._merged(hosts, MODEL):
            self._artifacts = self._upload(hosts, MODEL, "model")
        else:
            hosts[0].say(f"warning: there is no model artifact, as {MODEL} is empty")

    def _upload_output(self, hosts: Sequence[Host]) -> None:
        if self._merged(hosts, OUTPUT_DATA):
            self._upload(hosts, OUTPUT_DATA, "output")

    def outcome(self, hosts: Sequence[Host], ended: Ended, stopped: StopReason | None) -> Outcome:
        """A job that reaches its time limit is Stopped, with the secondary status MaxRuntimeExceeded."""
        metrics = final_metrics(self._metrics, [LogFile(host.log) for host in hosts])
        ending = partial(Outcome, exit_code=ended.exit_code, artifacts=self._artifacts, metrics=metrics)
        if stopped is not None:
            return ending("Stopped", secondary_status="MaxRuntimeExceeded" if stopped == "time" else None)
        if ended.exit_code != 0:
            return ending("Failed", self._reason(hosts, ended.exit_code))
        return ending("Completed")

    def _reason(self, hosts: Sequence[Host], exit_code: int) -> str:
        """The failure file, which in script mode is the toolkit's: what the script wrote there is overwritten."""
        toolkit = self._toolkit
        if self._script is None or toolkit is None:
            return algorithm_error(_failure(hosts), exit_code)
        last = LogFile(hosts[0].log).before(self._script_log)[-1:]
        said = toolkit_failure(toolkit, self._script, exit_code, last[0].message if last else "")
        hosts[0].say(f"{toolkit} ERROR    {said}")
        return algorithm_error(said, TOOLKIT_EXIT_CODE)

    def _write_config(self, host: Host) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
        instance_type = self._request.get("ResourceConfig", {}).get("InstanceType", "local")
        group = {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": list(host.names)}
        resources = {
            "current_host": host.name,
            "current_instance_type": instance_type,
            "current_group_name": "homogeneousCluster",
            "hosts": list(host.names),
            "instance_groups": [group],
            "network_interface_name": "lo",
        }
        channels = {
            channel["ChannelName"]: _channel(channel, self._request["AlgorithmSpecification"])
            for channel in self._request.get("InputDataConfig", [])
        }
        host.write_config(f"{CONFIG}/hyperparameters.json", self._hyperparameters)
        host.write_config(f"{CONFIG}/inputdataconfig.json", channels)
        host.write_config(f"{CONFIG}/resourceconfig.json", resources)
        checkpoint = self._request.get("CheckpointConfig")
        if checkpoint:
            host.write_config(f"{CONFIG}/checkpointconfig.json", {"LocalPath": CHECKPOINTS, **checkpoint})
        return resources, channels

    def _download(self, channel: Mapping[str, Any], host: Host, stop: Event) -> None:
        s3 = channel["DataSource"]["S3DataSource"]
        source = Source(
            s3["S3Uri"],
            s3.get("S3DataType", "S3Prefix"),
            s3.get("S3DataDistributionType") == "ShardedByS3Key",
            channel.get("CompressionType") == "Gzip",
        )
        folder = host.folder(f"/opt/ml/input/data/{channel['ChannelName']}")
        download(self._machine.store, source, folder, host.share, stop)
        host.private.rewrite_code(folder)

    def _download_checkpoints(self, host: Host, stop: Event) -> None:
        checkpoint = self._request.get("CheckpointConfig")
        if not checkpoint:
            return
        folder = host.folder(checkpoint.get("LocalPath", CHECKPOINTS))
        source = Source(checkpoint["S3Uri"], required=False)  # there is none where this is the first run
        download(self._machine.store, source, folder, host.share, stop)

    def _unpack_code(self, uri: str, host: Host) -> None:
        archive = host.private.temporary / "sourcedir.tar.gz"
        code = host.folder(CODE)
        fetch(self._machine.store, uri, archive)
        unpack(archive, code, uri)
        archive.unlink()
        host.private.rewrite_code(code)

    def _merged(self, hosts: Sequence[Host], path: str) -> bool:
        """Bring what all hosts wrote to a folder into the first host's; whether there is anything."""
        first = hosts[0].private.path(path)
        for host in hosts[1:]:
            for source in sorted(host.private.path(path).rglob("*")):
                target = first / source.relative_to(host.private.path(path))
                if source.is_file() and not target.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    source.rename(target)
        return any(item.is_file() for item in first.rglob("*"))

    def _upload(self, hosts: Sequence[Host], path: str, name: str) -> str:
        host = hosts[0]
        if not self._compressed:
            upload_folder(self._machine.store, host.private.path(path), f"{self._output}/{name}")
            return f"{self._output}/{name}/"
        archive = host.private.root / f"{name}.tar.gz"
        pack(host.private.path(path), archive)
        upload_file(self._machine.store, archive, f"{self._output}/{archive.name}")
        archive.unlink()
        return f"{self._output}/{archive.name}"


def _channel(channel: Mapping[str, Any], algorithm: Mapping[str, Any]) -> dict[str, str]:
    s3 = channel["DataSource"].get("S3DataSource", {})
    described = {
        "TrainingInputMode": channel.get("InputMode") or algorithm.get("TrainingInputMode", "File"),
        "S3DistributionType": s3.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    return described | ({"ContentType": channel["ContentType"]} if channel.get("ContentType") else {})


def _failure(hosts: Sequence[Host]) -> str | None:
    for host in hosts:
        path = host.private.path(FAILURE)
        if path.is_file():
            with path.open("rb") as stream:
                return stream.read(4 * LONGEST_REASON).decode("utf-8", "replace")
    return None
