"""Local SageMaker put together: state, control plane, API, engine, job runtime and hosting."""

import contextlib
import logging
import os
import shutil
import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local_sagemaker import configuration
from local_sagemaker.api.callbacks import CallbackOperations
from local_sagemaker.api.endpoints import Endpoints
from local_sagemaker.api.executions import Executions
from local_sagemaker.api.experiments import ExperimentOperations
from local_sagemaker.api.group_policies import GroupPolicies
from local_sagemaker.api.jobs import JobOperations
from local_sagemaker.api.lineage import Lineage
from local_sagemaker.api.lineage_writes import LineageWrites
from local_sagemaker.api.logs import Logs
from local_sagemaker.api.model_cards import ModelCards
from local_sagemaker.api.models import Models
from local_sagemaker.api.pipeline_versions import PipelineVersions
from local_sagemaker.api.pipelines import Pipelines
from local_sagemaker.api.registry import Registry
from local_sagemaker.api.resources import Resources
from local_sagemaker.api.scaling import Scaling
from local_sagemaker.api.scaling_watch import ScalingWatch
from local_sagemaker.api.search import Search
from local_sagemaker.api.search_sources import sources
from local_sagemaker.api.status_events import StatusEvents
from local_sagemaker.api.tags import TagOperations
from local_sagemaker.api.transform import Transform
from local_sagemaker.api.tuning import TuningOperations
from local_sagemaker.asynchronous.metrics import AsyncMetrics
from local_sagemaker.asynchronous.permissions import ModelPermissions
from local_sagemaker.asynchronous.processing import Processing
from local_sagemaker.asynchronous.queue import AsyncQueue
from local_sagemaker.clock import Clock
from local_sagemaker.engine.cache import StepCache
from local_sagemaker.engine.callback_steps import CallbackSteps
from local_sagemaker.engine.capacity import Capacity
from local_sagemaker.engine.execution import Execution
from local_sagemaker.engine.executors import Executors
from local_sagemaker.engine.handled_steps import HandledSteps
from local_sagemaker.errors import LocalSageMakerError, ServiceError
from local_sagemaker.functions.operations import Functions
from local_sagemaker.handlers.handlers import Handlers
from local_sagemaker.hosting.endpoint_host import EndpointHost
from local_sagemaker.hosting.endpoint_logs import EndpointLogs
from local_sagemaker.iam.guard import Guard
from local_sagemaker.jobs.runtime import JobRuntime
from local_sagemaker.lineage.graph import lineage
from local_sagemaker.metrics.store import MetricStore
from local_sagemaker.moto_services.control_plane import ControlPlane
from local_sagemaker.processes.image_environments import ImageEnvironments
from local_sagemaker.processes.images import ImageMap
from local_sagemaker.schedules.operations import Schedules
from local_sagemaker.schedules.runner import Runner
from local_sagemaker.schedules.targets import Targets
from local_sagemaker.state.checks import unfit_records
from local_sagemaker.state.damage import Damage
from local_sagemaker.state.database import Database
from local_sagemaker.state.lock import DATABASE, folder_check, lock_folder
from local_sagemaker.state.lost_database import refuse_lost_database
from local_sagemaker.state.record_kinds import REQUIRED, STATUS_FIELDS
from local_sagemaker.state.records import Records
from local_sagemaker.state.salvage import clear_the_way, repaired
from local_sagemaker.targets.runs import TargetRuns
from local_sagemaker.targets.target_logs import TargetLogs
from local_sagemaker.transform.job import TransformRuntime
from local_sagemaker.wire.dispatch import Caller, Dispatcher
from local_sagemaker.wire.identity import ACCOUNT
from local_sagemaker.work.callbacks import Callbacks
from local_sagemaker.work.job_metrics import TrainingMetrics
from local_sagemaker.work.jobs import JOB_KINDS, Jobs
from local_sagemaker.work.tags import Tags
from local_sagemaker.work.tuning import Tuning

LOG = logging.getLogger("local_sagemaker")
STOP_SECONDS = 15.0
ROOM = 64 << 10  # bytes: a few pages of the database and of its log
JOB_QUOTA = "200"  # jobs at once; each is two processes


class LocalSageMaker:
    """Everything behind the server; one process at a time may hold a state folder."""

    def __init__(
        self,
        folder: Path,
        url: str,
        region: str,
        account: str = ACCOUNT,
        handlers: Handlers | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.folder = folder
        self.handlers = handlers or Handlers()
        self.caller = Caller(account, region)
        self.clock = clock or Clock()
        _close_to_others(folder)
        self._lock = lock_folder(folder, urlsplit(url).port or 0)
        self._database = _opened(folder)
        self.records = Records(self._database, STATUS_FIELDS)
        self.damage = Damage(self._database)
        self.damage.put_all_aside(unfit_records(self._database, REQUIRED))
        self._metrics = MetricStore(time.time)
        self._environment = job_environment(url, region)
        self._images = ImageMap(self.handlers.images(), self.handlers.entrypoints(), ImageEnvironments(folder).python)
        self._make_control_plane(account)
        self._has_its_folder = folder_check(folder, self._lock)
        self._make_work()
        self._make_api()
        self._make_schedules()

    def _make_control_plane(self, account: str) -> None:
        """The services around SageMaker, who may call what, and the events."""
        enforces_iam = configuration.configured_enforcement()
        folder = self.folder / "targets"  # whose logs of Lambda are those of targets, too
        self.functions = Functions(
            self.records, self._read_object, folder / "code", folder / "lambda", self._environment
        )
        self.targets = TargetRuns(self.records, self.folder, self.handlers, self._environment, self.functions)
        self.control_plane = ControlPlane(
            self._database,
            self.damage,
            self.folder / "objects",
            account,
            self._metrics,
            self.clock,
            enforces_iam,
            self.targets.deliver,
        )
        self.guard = Guard(self.control_plane.policies, configuration.configured_record(), enforces_iam)
        self._events = StatusEvents(self.control_plane.put_event)
        self.records.watcher = self._events.changed

    def _read_object(self, bucket: str, key: str) -> bytes:
        return self.control_plane.objects.read(bucket, key)

    def _make_work(self) -> None:
        """What runs: jobs, tuning jobs, endpoints."""
        objects, jobs = self.control_plane.objects, self.folder / "jobs"
        self.tags = Tags(self.records)
        # A folder for each kind, as a training job may have the name of a processing job.
        given = (objects, self._images, self._environment)
        runtimes = {kind: JobRuntime(jobs / kind.lower(), *given, handlers=self.handlers) for kind in JOB_KINDS}
        metrics = TrainingMetrics(self._metrics)
        self.jobs = Jobs(self.records, runtimes, self.tags, os.cpu_count() or 1, job_quota(), metrics)
        self.tuning = Tuning(self.records, self.jobs, self.tags)
        self.host = EndpointHost(
            self.folder / "endpoints",
            objects,
            self._images,
            self._environment,
            points=self._metrics,
            clock=self.clock,
        )
        of_queues = AsyncMetrics(self._metrics)
        permissions = ModelPermissions(self.records, self.guard)
        processing = Processing(self.host, objects, self.control_plane.publish, of_queues, permissions)
        self.asynchronous = AsyncQueue(self.records, self.host, processing, of_queues, self.clock)
        self.callbacks = Callbacks(self.records)

    def _make_api(self) -> None:
        """The operations, and the engine that calls them for the steps of an execution."""
        objects, records = self.control_plane.objects, self.records
        watch = self.guard.operation if self.guard.watches else None
        self.registry = Registry(records, self.tags, self.control_plane.put_event)
        resources = Resources(records, self.tags)
        models = Models(resources, self.registry)
        self.endpoints = Endpoints(records, resources, self.host, models, self.control_plane.alarms, self.clock)
        runtime = TransformRuntime(self.folder / "jobs/transform", objects, self._images, self._environment)
        self.transform = Transform(records, self.jobs, models, runtime)
        cache, versions = StepCache(records), PipelineVersions(records)
        pipelines = Pipelines(records, objects, self.tags, versions, cache.forget)
        graph = partial(lineage, records)

        def endpoint(name: str) -> dict[str, Any]:
            return self.endpoints.describe_endpoint({"EndpointName": name}, self.caller)

        found = sources(records, endpoint, self.tuning.described, graph)
        groups = (
            TagOperations(self.tags, records, graph),
            JobOperations(records, self.jobs),
            TuningOperations(self.tuning),
            self.registry,
            GroupPolicies(records, self.registry),
            ModelCards(records, self.tags),
            Lineage(graph),
            LineageWrites(records, self.tags, graph),
            ExperimentOperations(records, graph),
            Search(self.tags, found),
            models,
            self.endpoints,
            self.transform,
            pipelines,
        )
        callback_steps = CallbackSteps(self.callbacks, self.control_plane.send_message)
        handled = HandledSteps(
            self.handlers, self.folder / "handlers", self._environment, self.functions, self.guard.may_invoke
        )
        executors = Executors(Dispatcher(groups, watch), self.jobs, self.tuning, callback_steps, handled, self._images)
        launch = partial(
            Execution,
            records=records,
            objects=objects,
            executors=executors,
            cache=cache,
            jobs=self.jobs,
            capacity=Capacity(os.cpu_count() or 1),
        )
        self.executions = Executions(records, pipelines, versions, launch, executors.refuse_unsupported)
        self.dispatcher = Dispatcher((*groups, self.executions, CallbackOperations(self.callbacks)), watch)
        self._make_scaling()
        job_logs = {f"/aws/sagemaker/{kind}Jobs": partial(self.jobs.log_streams, kind) for kind in JOB_KINDS}
        endpoint_logs, target_logs = EndpointLogs(self.folder / "endpoints"), TargetLogs(self.folder)
        self.logs = Logs(job_logs, endpoint_logs, target_logs, records, self._metrics)

    def _make_schedules(self) -> None:
        """EventBridge Scheduler, which calls the operations when it is time."""
        targets = Targets(
            lambda: self.dispatcher.handlers,
            self.dispatcher.call,
            self.targets.deliver,
            self.control_plane.send_message,
        )
        self.schedules = Schedules(self.records, self.tags, targets, self.guard.require_scheduler)
        self._runner = Runner(self.records, targets, self.clock, self.caller.account)
        self.schedules.changed = self._runner.changed

    def _make_scaling(self) -> None:
        """Application Auto Scaling, and what acts on its policies."""
        alarms = self.control_plane.alarms
        scaling = Scaling(self.records, alarms)
        self.scaling = Dispatcher((scaling,), service="application-autoscaling")

        def resize(endpoint: str, variant: str, count: int) -> None:
            desired = [{"VariantName": variant, "DesiredInstanceCount": count}]
            request = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": desired}
            self.endpoints.update_endpoint_weights_and_capacities(request, self.caller)

        points = self.control_plane.metrics.points
        self._scaling_watch = ScalingWatch(self.records, scaling, alarms, self._metrics, points, self.clock, resize)

    @property
    def is_lost(self) -> bool:
        """Whether the state folder was removed or replaced since this process has opened it."""
        return not self._has_its_folder()

    @property
    def is_full(self) -> bool:
        """Whether the disk of the state folder has no room for what is written next."""
        try:
            return shutil.disk_usage(self.folder).free < ROOM
        except FileNotFoundError:  # see is_lost
            return False

    def refuse_lost_folder(self) -> None:
        """Raise ServiceError where what is written now would be in no folder any more."""
        if self.is_lost:
            raise ServiceError(
                "InternalFailure",
                f"The state folder {self.folder} was removed while local SageMaker ran, so nothing is saved: "
                "`local up` starts it again on the folder as it is now.",
                507,  # clients do not repeat such a request by themselves
            )

    def recover(self) -> None:
        """End what a killed server has left, bring the records in line with a process that has just started; begin."""
        self._events.start()
        self.targets.start()
        self.control_plane.alarms.start()
        self.host.start()
        self.transform.recover()
        self.jobs.recover()
        self.tuning.recover()
        self.executions.recover()
        self.endpoints.recover()
        self.asynchronous.start()
        self.targets.recover()
        self._runner.start()
        self._scaling_watch.start()
        self.logs.filters.start()

    def close(self) -> None:
        """Stop executions, jobs and model processes, then let go of the state."""
        self._runner.close()
        self.asynchronous.close()
        self.callbacks.closing = True
        self.records.stop_insisting()
        self.control_plane.alarms.close()
        self._scaling_watch.close()
        self.logs.filters.close()
        self.targets.close()
        try:
            self.executions.close(STOP_SECONDS)
            self.tuning.close(STOP_SECONDS)
            for kind, name in self.jobs.running():
                with contextlib.suppress(ServiceError):  # it has just ended
                    self.jobs.stop(kind, name)
                self.jobs.wait(kind, name)
        except sqlite3.OperationalError as error:  # a full disk: the next start finds what ran unfinished, and says so
            LOG.warning("what was running could not be recorded as stopped: %s", error)
        finally:
            self.host.close()
            self._events.close()
            self._database.close()


def job_quota() -> int:
    """The most jobs that may run at once: SAGEMAKER_LOCAL_JOB_QUOTA, or the default."""
    text = os.environ.get("SAGEMAKER_LOCAL_JOB_QUOTA", JOB_QUOTA)
    if not text.isdecimal() or int(text) == 0:
        raise LocalSageMakerError(f"SAGEMAKER_LOCAL_JOB_QUOTA is {text!r}: set it to a number of jobs, at least 1.")
    return int(text)


def job_environment(url: str, region: str) -> dict[str, str]:
    """What every job and model process may know of AWS: this server, and credentials that open nothing else."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _opened(folder: Path) -> Database:
    """The database of a state folder, with what can be repaired repaired."""
    clear_the_way(folder, ("objects", "jobs", "endpoints", "handlers", "targets", "images"))
    path = repaired(folder / DATABASE)
    refuse_lost_database(folder)
    return Database(path)


def _close_to_others(folder: Path) -> None:
    """Nobody else may read the state, nor write it: part of it is code to this process (pickles of moto)."""
    try:
        folder.chmod(0o700)
    except PermissionError:
        raise LocalSageMakerError(
            f"The state folder {folder} belongs to another user: choose another folder with SAGEMAKER_LOCAL_STATE."
        ) from None
