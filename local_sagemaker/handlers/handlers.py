"""The handlers of a user's file: which step types, Lambda functions and images they stand for, and calling them."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from local_sagemaker.errors import LocalSageMakerError

PROCESS = Path(__file__).with_name("handler_process.py")
STEP_TYPE = re.compile(r"[A-Za-z]+")
LAMBDA_ARN = re.compile(r"(arn:[\w-]+:lambda:[\w-]*:\d*:function:[\w-]+)(:[\w$-]+)?")
BUILD_ARN = re.compile(r"arn:[\w-]+:codebuild:[\w-]*:\d*:project/[\w-]+")
INTERPRETER = re.compile(r"(python|pypy)[\d.]*")
KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "SSL_CERT_FILE", "TMPDIR", "VIRTUAL_ENV")
LIST_SECONDS = 60


class HandlerFailed(Exception):
    """A handler did not give a result; the text says why."""


@dataclass(frozen=True)
class Handlers:
    """The keys of the dictionary HANDLERS in a Python file, with their commands; None stands for a callable.

    A key is a step type or the kind of a query (one word), the ARN of a Lambda function or of a project of CodeBuild,
    or an image's URI or the beginning of one. The file itself is read in other processes only, each time anew.
    """

    file: Path | None = None
    commands: Mapping[str, list[str] | None] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path) -> "Handlers":
        """The handlers of a file; LocalSageMakerError where it cannot be used."""
        if not file.is_file():
            raise LocalSageMakerError(f"The handlers file {file} does not exist: name a Python file with HANDLERS.")
        try:
            done = subprocess.run(
                [sys.executable, str(PROCESS), "list", str(file)],
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=LIST_SECONDS,
                env=plain_environment({}),
            )
        except subprocess.TimeoutExpired:
            raise LocalSageMakerError(f"The handlers file {file} was not read in {LIST_SECONDS} s.") from None
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise LocalSageMakerError(f"The handlers file {file} cannot be used: {said[-1]}.")
        return cls(file, json.loads(done.stdout))

    def key_for(self, step: Mapping[str, Any]) -> str | None:
        """The key that stands for a step of a definition: the function of a Lambda step, else the type of the step."""
        function = LAMBDA_ARN.fullmatch(str(step.get("FunctionArn", ""))) if step.get("Type") == "Lambda" else None
        for key in (*([function[0], function[1]] if function else []), step.get("Type")):
            if key in self.commands:
                return str(key)
        return None

    def key_for_target(self, arn: str) -> str | None:
        """The key that stands for a target of a rule: a function, without its version too, or a build project."""
        function = LAMBDA_ARN.fullmatch(arn)
        keys = (function[0], function[1]) if function else (arn,) if BUILD_ARN.fullmatch(arn) else ()
        return next((key for key in keys if key in self.commands), None)

    def call(self, key: str, log: Path, environment: Mapping[str, str]) -> "HandlerCall":
        """Start a call of the handler of a key."""
        file = self.file or Path()
        words = [sys.executable, str(PROCESS), "call", str(file), key]
        return HandlerCall(f"handler of {key}", words, file.parent, log, environment)

    def images(self) -> dict[str, list[str]]:
        """Images that stand for a Python interpreter, which runs their scripts: a command that ends with one."""
        return {
            key: command
            for key, command in self.commands.items()
            if command and _is_image(key) and _is_interpreter(command)
        }

    def entrypoints(self) -> dict[str, list[str]]:
        """Images that stand for a callable or another command: what runs in place of the image's own entrypoint."""
        return {
            key: self._entrypoint(key, command)
            for key, command in self.commands.items()
            if _is_image(key) and not _is_interpreter(command)
        }

    def _entrypoint(self, key: str, command: list[str] | None) -> list[str]:
        file = self.file or Path()
        if command is None:
            return [sys.executable, str(PROCESS), "entrypoint", str(file), key]
        beside = [file.parent / part for part in command]  # a job runs elsewhere: what is beside the file is absolute
        return [str(path) if path.is_file() else part for path, part in zip(beside, command, strict=True)]


class HandlerCall:
    """One call of a handler or a function, in a process that can be stopped; its log is a file.

    `words` start the process in `folder`, and it speaks as handler_process.py says.
    """

    def __init__(
        self, name: str, words: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]
    ) -> None:
        self._name = name
        self._log = log
        self._lock = threading.Lock()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=plain_environment(environment),
                cwd=folder,
                start_new_session=True,
                text=True,
            )
        self._calls, self._answers = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)

    def result(self, event: Any, context: Mapping[str, Any], *, of_any_kind: bool = False) -> dict[str, Any]:
        """What the handler returns, once it has; HandlerFailed where it raises, ends, or returns no dictionary.

        A result of another kind is an empty dictionary where `of_any_kind` says that nobody needs it.
        """
        answer = self.answer(event, context)
        if "error" in answer:
            raise self._failed(f"failed: {answer['error']}")
        if of_any_kind and not isinstance(answer["result"], dict):
            return {}
        if not isinstance(answer["result"] or {}, dict):
            raise self._failed(f"returned {answer['result']!r}, which is not a dictionary")
        return answer["result"] or {}

    def answer(self, event: Any, context: Mapping[str, Any]) -> dict[str, Any]:
        """The answer as the process gives it, `{"result": ...}` or `{"error": TEXT}`; HandlerFailed without one."""
        with contextlib.suppress(BrokenPipeError, ValueError):  # it has ended already; its log says why
            self._calls.write(json.dumps({"event": event, "context": dict(context)}) + "\n")
            self._calls.flush()
        text = self._answers.read()
        exit_code = self._process.wait()
        self._end()
        if not text:
            raise self._failed(f"ended with exit code {exit_code}")
        answer: dict[str, Any] = json.loads(text)
        return answer

    def stop(self) -> None:
        """End the call and all that it started; nothing where it has ended."""
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._calls.close()  # the end of its input is what ends the process, see handler_process

    def _end(self) -> None:
        self.stop()
        self._answers.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # what it started and left behind

    def _failed(self, what: str) -> HandlerFailed:
        return HandlerFailed(f"The {self._name} {what}; its log is {self._log}.")


def _is_interpreter(command: list[str] | None) -> bool:
    return command is not None and INTERPRETER.fullmatch(Path(command[-1]).name) is not None


def _is_image(key: str) -> bool:
    return not any(pattern.fullmatch(key) for pattern in (STEP_TYPE, LAMBDA_ARN, BUILD_ARN))


def plain_environment(own: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the caller's but what a program needs to start; no credentials, and no files that hold some."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, **own}
