"""Runs of targets: what an event has started, as processes whose logs and ends are kept.

A run that was going on when the server ended is started again by the next one, as EventBridge delivers at least once;
after ATTEMPTS of them it is Lost, and its log says so.
"""

import contextlib
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.functions.operations import Functions
from local_sagemaker.handlers.handlers import HandlerFailed, Handlers, plain_environment
from local_sagemaker.processes.log_events import append_line
from local_sagemaker.state.record_kinds import TARGET_RUN
from local_sagemaker.state.record_types import TargetRunRecord
from local_sagemaker.state.records import Records
from local_sagemaker.targets.registrations import FOLDER, log_group, registered

LOG = logging.getLogger("local_sagemaker.targets")
PROCESS = Path(__file__).with_name("target_process.py")
RUNNING, SUCCEEDED, FAILED, LOST = "InProgress", "Succeeded", "Failed", "Lost"
ATTEMPTS = 3
CLOSE_SECONDS = 5.0


class TargetRuns:
    """Starts what stands for a target: the handler of its ARN, else the command that is registered for it.

    Deliveries are taken one after another by a thread, so that who sends an event waits for nobody.
    """

    def __init__(
        self, records: Records, state: Path, handlers: Handlers, environment: Mapping[str, str], functions: Functions
    ) -> None:
        self._functions = functions
        self._records = records
        self._state = state
        self._handlers = handlers
        self._environment = environment
        self._waiting: queue.SimpleQueue[tuple[str, Any] | None] = queue.SimpleQueue()
        self._stops: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._take, name="targets", daemon=True)

    def start(self) -> None:
        """Begin to take what is delivered."""
        self._thread.start()

    def deliver(self, arn: str, event: Any) -> None:
        """Start a run of a target with an event, soon."""
        self._waiting.put((arn, event))

    def recover(self) -> None:
        """Start again what was going on when the server ended."""
        for run in self._records.all(TARGET_RUN):
            if run["Status"] != RUNNING:
                continue
            attempts = run["Attempts"] + 1
            if attempts > ATTEMPTS:
                self._note(run, f"The server ended {ATTEMPTS} times while this ran: it is lost.")
                self._end(run, LOST)
                continue
            self._note(run, f"The server ended while this ran: it is started again ({attempts} of {ATTEMPTS}).")
            self._launch(self._records.update(TARGET_RUN, run["RunId"], TargetRunRecord(Attempts=attempts)))

    def close(self) -> None:
        """Stop what runs; the next start begins it again."""
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
        with self._lock:
            self._closing = True
            stops = list(self._stops.values())
        for stop in stops:
            stop()

    def _take(self) -> None:
        while (delivery := self._waiting.get()) is not None:
            try:
                self._start(*delivery)
            except Exception as error:  # a full disk: the next event must not be lost for it
                LOG.warning("the target %s was not started: %s", delivery[0], error)

    def _start(self, arn: str, event: Any) -> None:
        if not self._has(arn):
            LOG.warning("an event has the target %s, for which nothing is registered here", arn)
            return
        run: TargetRunRecord = {
            "RunId": str(uuid.uuid4()),
            "TargetArn": arn,
            "Event": event,
            "Status": RUNNING,
            "Attempts": 1,
            "CreationTime": time.time(),
        }
        self._records.create(TARGET_RUN, run["RunId"], run)
        self._note(run, f"{arn} is started by an event: {json.dumps(event)}")
        self._launch(run)

    def _has(self, arn: str) -> bool:
        known = self._handlers.key_for_target(arn) is not None or self._functions.has(arn)
        return known or registered(self._state, arn) is not None

    def _launch(self, run: TargetRunRecord) -> None:
        threading.Thread(target=self._run, args=(run,), name=f"target {run['RunId']}", daemon=True).start()

    def _run(self, run: TargetRunRecord) -> None:
        try:
            text, status = self._result(run)
        except OSError as error:
            text, status = f"It cannot be started: {error}.", FAILED
        with self._lock:
            self._stops.pop(run["RunId"], None)
            if self._closing:
                return  # it was stopped with the server
        with contextlib.suppress(OSError):
            self._note(run, text)
        self._records.insist(lambda: self._end(run, status))

    def _result(self, run: TargetRunRecord) -> tuple[str, str]:
        """What is said of the end of a run, and its status."""
        key = self._handlers.key_for_target(run["TargetArn"])
        try:
            if key is not None or (registered(self._state, run["TargetArn"]) is None and self._is_function(run)):
                self._call(run, key)
                return "It has returned.", SUCCEEDED
            code = self._command(run)
        except HandlerFailed as error:
            return str(error), FAILED
        return f"It ended with exit code {code}.", FAILED if code else SUCCEEDED

    def _is_function(self, run: TargetRunRecord) -> bool:
        return self._functions.has(run["TargetArn"])

    def _call(self, run: TargetRunRecord, key: str | None) -> None:
        """Call a handler of the user's file, or a function that was created here, which takes the event."""
        if key is not None:
            call = self._handlers.call(key, self._log(run), {**self._environment, **_overrides(run)})
        else:
            call = self._functions.call(run["TargetArn"], self._log(run))  # its result may be of any kind
        self._stoppable(run, call.stop)
        context = {"invoked_function_arn": run["TargetArn"], "aws_request_id": run["RunId"]}
        call.result(run["Event"], {**context, "function_name": self._log(run).parent.name}, of_any_kind=key is None)

    def _command(self, run: TargetRunRecord) -> int:
        command = registered(self._state, run["TargetArn"])
        if command is None:
            raise HandlerFailed(f"Nothing is registered for {run['TargetArn']} any more.")
        environment = {**self._environment, **command.environment, **_overrides(run), **_build(run)}
        with self._log(run).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(PROCESS), *command.words],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=plain_environment(environment),
                cwd=command.folder,
                start_new_session=True,
                text=True,
            )

        def stop() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        self._stoppable(run, stop)
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(run["Event"]) + "\n")
                process.stdin.flush()
        code = process.wait()
        stop()  # what it started and left behind
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        return code

    def _stoppable(self, run: TargetRunRecord, stop: Any) -> None:
        with self._lock:
            self._stops[run["RunId"]] = stop
            closing = self._closing
        if closing:
            stop()

    def _end(self, run: TargetRunRecord, status: str) -> None:
        self._records.update(TARGET_RUN, run["RunId"], TargetRunRecord(Status=status, EndTime=time.time()))

    def _note(self, run: TargetRunRecord, line: str) -> None:
        log = self._log(run)
        log.parent.mkdir(parents=True, exist_ok=True)
        append_line(log, line)

    def _log(self, run: TargetRunRecord) -> Path:
        group = str(log_group(run["TargetArn"]))
        return self._state / FOLDER / group.removeprefix("/aws/") / f"{run['RunId']}.log"


def _overrides(run: TargetRunRecord) -> dict[str, str]:
    """The environment that an event brings, as StartBuild takes it."""
    event = run["Event"]
    given = event.get("environmentVariablesOverride", []) if isinstance(event, dict) else []
    return {str(each["name"]): str(each["value"]) for each in given if each.get("type", "PLAINTEXT") == "PLAINTEXT"}


def _build(run: TargetRunRecord) -> dict[str, str]:
    """What a build knows of itself.

    https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
    """
    if ":codebuild:" not in run["TargetArn"]:
        return {}
    beginning, _, project = run["TargetArn"].partition(":project/")
    identity = f"{project}:{run['RunId']}"
    return {
        "CODEBUILD_BUILD_ID": identity,
        "CODEBUILD_BUILD_ARN": f"{beginning}:build/{identity}",
        "CODEBUILD_LOG_PATH": run["RunId"],
    }
