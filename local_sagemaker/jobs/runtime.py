"""Run jobs: folders, processes on each host, time limits, and what is left when a job has ended."""

import itertools
import logging
import os
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local_sagemaker.handlers.handlers import Handlers
from local_sagemaker.jobs.admission import admit_processing_job
from local_sagemaker.jobs.contract import Job, Machine
from local_sagemaker.jobs.processing import ProcessingJob
from local_sagemaker.jobs.synchronisation import repeated
from local_sagemaker.jobs.training import TrainingJob
from local_sagemaker.processes.folders import remove_folder
from local_sagemaker.processes.host import Host, host_addresses, host_names, is_resource_name
from local_sagemaker.processes.images import ImageMap
from local_sagemaker.processes.isolation import ETC_HOSTS, Isolation, PrivateFolder, isolation_here
from local_sagemaker.processes.leftovers import kill_leftovers
from local_sagemaker.processes.log_events import LogFile, append_line
from local_sagemaker.processes.outcome import ClientFault, JobStopped, Outcome, StopReason, client_error
from local_sagemaker.processes.process import GRACE_SECONDS, Command, Ended, SupervisedProcess, SupervisionFailed
from local_sagemaker.processes.storage import ObjectStore

LOG = logging.getLogger("local_sagemaker.jobs")
POLL_SECONDS = 0.1  # how late a request to stop may be noticed; the end of a process is noticed at once
# What a host was given, or had for itself; S3 has the former, and nobody needs the latter.
GIVEN = ("home", "tmp", "venv", "opt/ml/code", "opt/ml/input/data", "opt/ml/processing/input")
OnStatus = Callable[[str], None]
# See host_addresses. Each process begins elsewhere: two servers must not give their hosts the same addresses.
JOB_NUMBERS = itertools.count(os.getpid() * 997)
Threads = Callable[[], int]  # how many a job may use that starts its processes now


def _ignore(status: str) -> None:
    """Nobody wants to know the secondary status."""


def _one() -> int:
    return 1


class JobRuntime:
    """Runs each job in folder/<job name>/: `output.log` there is its log, `algo-1/opt/ml` its /opt/ml.

    When a job has ended, its log stays, and of a job that did not complete also what it wrote.
    `environment` is what every job process gets in addition to its own variables. `isolation` is how
    /opt/ml is made private (see isolation), `grace_seconds` the time between SIGTERM and SIGKILL.
    `handlers` answer the queries that are inputs.
    """

    def __init__(
        self,
        folder: Path,
        store: ObjectStore,
        images: ImageMap,
        environment: Mapping[str, str],
        isolation: Isolation | None = None,
        grace_seconds: float = GRACE_SECONDS,
        handlers: Handlers | None = None,
    ) -> None:
        self._folder = folder
        self._machine = Machine(store, images, environment, handlers or Handlers())
        self._isolation = isolation or isolation_here()
        self._grace_seconds = grace_seconds

    def admit_processing_job(self, request: Mapping[str, Any]) -> None:
        """ClientFault where run_processing_job could not meet the request."""
        admit_processing_job(request, self._machine.handlers.commands)

    def run_processing_job(
        self,
        request: Mapping[str, Any],
        stop: threading.Event,
        threads: Threads = _one,
        on_status: OnStatus = _ignore,
    ) -> Outcome:
        """Run a processing job to its end; `stop` ends it early. `threads` limits the numeric libraries.

        `on_status` is told of each phase as it begins, in the words for training jobs.
        """
        name = str(request["ProcessingJobName"])
        return self._run(name, lambda: ProcessingJob(request, self._machine, threads), stop, on_status)

    def run_training_job(
        self,
        request: Mapping[str, Any],
        stop: threading.Event,
        threads: Threads = _one,
        on_secondary_status: OnStatus = _ignore,
    ) -> Outcome:
        """Run a training job to its end; `on_secondary_status` is told of each phase as it begins."""
        name = str(request["TrainingJobName"])
        return self._run(name, lambda: TrainingJob(request, self._machine, threads), stop, on_secondary_status)

    def log_path(self, job_name: str, host: str = "algo-1") -> Path:
        """The log of a job's host: what its process wrote to stdout and stderr."""
        return self._folder / job_name / ("output.log" if host == "algo-1" else f"output-{host}.log")

    def logs(self, job_name: str) -> dict[str, LogFile]:
        """The logs of a job's hosts, by the name of the host."""
        found = (self._folder / job_name).glob("output*.log") if is_resource_name(job_name) else ()
        return {path.stem.removeprefix("output-").replace("output", "algo-1"): LogFile(path) for path in sorted(found)}

    def reap(self) -> None:
        """After a kill -9 of the server: kill what still runs of its jobs, and delete their unfinished files."""
        if not self._folder.is_dir():
            return
        for host in kill_leftovers(self._folder, "*/*"):
            LOG.warning("the job %s was running when the server ended", host.parent.name)
        for host in self._folder.glob("*/algo-*/"):
            try:
                _delete_what_was_given(host)
            except OSError as error:
                LOG.warning("the files of a job that was running when the server ended were not deleted: %s", error)

    def _run(self, name: str, make: Callable[[], Job], stop: threading.Event, on_status: OnStatus) -> Outcome:
        if not is_resource_name(name):
            return Outcome("Failed", client_error(f"{name!r} is not a valid job name."))
        remove_folder(self._folder / name, self._folder, ignore_errors=True)
        (self._folder / name).mkdir(parents=True)
        self.log_path(name).touch()
        on_status("Starting")
        hosts: list[Host] = []
        outcome = Outcome("Failed", "InternalServerError: the job runtime failed: see the server's log.")
        try:
            job = make()
            if job.instance_count < 1:
                raise ClientFault(f"InstanceCount is {job.instance_count}: a job needs one instance at least.")
            hosts.extend(self._make_hosts(name, host_names(job.instance_count)))
            outcome = self._run_on(hosts, job, stop, on_status)
        except ClientFault as fault:
            outcome = Outcome("Failed", client_error(str(fault)))
            append_line(self.log_path(name), client_error(str(fault)))
        except JobStopped as stopped:
            timed_out = stopped.reason == "time"
            outcome = Outcome("Stopped", secondary_status="MaxRuntimeExceeded" if timed_out else None)
        except SupervisionFailed as error:
            outcome = Outcome("Failed", f"InternalServerError: {error}")
        finally:
            for host in hosts:
                self._leave(host, outcome)
        on_status(outcome.secondary_status or outcome.status)
        return outcome

    def _run_on(self, hosts: Sequence[Host], job: Job, stop: threading.Event, on_status: OnStatus) -> Outcome:
        deadline = None if job.limit_seconds is None else time.monotonic() + job.limit_seconds

        def run(host: Host, command: Command) -> Ended:
            ended, stopped = self._run_processes([host], [command], stop, deadline)
            if stopped is not None:
                raise JobStopped(stopped)
            return ended

        on_status("Downloading")
        commands = [job.prepare(host, stop, run) for host in hosts]
        if stop.is_set():
            raise JobStopped("asked")
        on_status("Training")
        with repeated(lambda: job.synchronise(hosts)):
            ended, stopped = self._run_processes(hosts, commands, stop, deadline)
        on_status("Uploading")
        try:
            job.upload(hosts)
        except ClientFault as fault:
            # The first cause is what the requester must hear; that the outputs are missing is in the log.
            if ended.exit_code == 0 and stopped is None:
                raise
            hosts[0].say(client_error(str(fault)))
        return job.outcome(hosts, ended, stopped)

    def _run_processes(
        self, hosts: Sequence[Host], commands: Sequence[Command], stop: threading.Event, deadline: float | None
    ) -> tuple[Ended, StopReason | None]:
        """Run a command on each host; the end that decides, and why the processes were stopped, if so.

        The first process that fails decides, and ends the others: a job is as good as its worst host.
        """
        running: list[SupervisedProcess] = []
        try:
            for host, command in zip(hosts, commands, strict=True):
                running.append(SupervisedProcess(command, host.private, host.log, host.record, self._grace_seconds))
            return _wait(running, [LogFile(host.log) for host in hosts], stop, deadline)
        finally:
            for process in running:  # none is left, also after a fault on the way
                process.end()

    def _make_hosts(self, job: str, names: tuple[str, ...]) -> Iterator[Host]:
        addresses = host_addresses(names, next(JOB_NUMBERS))
        for name in names:
            private = PrivateFolder(self._folder / job / name, self._isolation)
            host = Host(name, names, private, self.log_path(job, name))
            if private.mounted and ETC_HOSTS.exists():
                private.name_hosts(name, addresses)
            elif len(names) > 1:
                host.say(f"warning: the names {', '.join(names)} do not resolve, as this machine has no namespaces")
            yield host

    def _leave(self, host: Host, outcome: Outcome) -> None:
        host.private.close()
        try:
            if outcome.status == "Completed":
                remove_folder(host.private.root, self._folder)
            else:
                _delete_what_was_given(host.private.root)
        except OSError as error:  # such as a folder that the job made read-only: no reason to fail the job
            LOG.warning("the files of a job that has ended were not deleted: %s", error)


def _wait(
    running: Sequence[SupervisedProcess], logs: Sequence[LogFile], stop: threading.Event, deadline: float | None
) -> tuple[Ended, StopReason | None]:
    waiting, ends = list(running), list[Ended]()
    stopped: StopReason | None = None
    while waiting:
        if stopped is None and all(ended.exit_code == 0 for ended in ends):
            stopped = _reason_to_stop(stop, deadline)
            if stopped is not None:
                _stop(waiting)
        news = select.select(waiting, [], [], POLL_SECONDS)[0]
        for log in logs:
            log.note()
        for process in news:
            ended = process.wait(0)
            if ended is not None:
                waiting.remove(process)
                ends.append(ended)
                if ended.exit_code != 0:
                    _stop(waiting)
    return next((ended for ended in ends if ended.exit_code != 0), ends[0]), stopped


def _reason_to_stop(stop: threading.Event, deadline: float | None) -> StopReason | None:
    if stop.is_set():
        return "asked"
    return "time" if deadline is not None and time.monotonic() >= deadline else None


def _stop(processes: Sequence[SupervisedProcess]) -> None:
    for process in processes:
        process.stop()


def _delete_what_was_given(root: Path) -> None:
    for name in GIVEN:
        if (root / name).exists():
            remove_folder(root / name, root)
