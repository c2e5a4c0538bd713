"""How a toolkit calls the handlers of a script: sagemaker-containers' way and sagemaker-inference's.

Facts from sagemaker_containers/_transformer.py (2.8.6) and sagemaker_inference/transformer.py (1.10).
"""

import inspect
import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_sagemaker.toolkits.answers import (
    CUSTOM_ATTRIBUTES,
    NOT_ACCEPTABLE,
    UNSUPPORTED_MEDIA_TYPE,
    Answer,
    UnsupportedFormat,
    answer_of,
)
from local_sagemaker.toolkits.context import Context

THREE = ("input_fn", "predict_fn", "output_fn")
Handler = Callable[..., Any]


class CannotStart(Exception):
    """The user's module does not keep the contract; the message says what it lacks."""


@dataclass(frozen=True)
class Functions:
    """The handlers that serve a script: its own, and the image's in place of those that it lacks."""

    program: str
    found: Mapping[str, Handler] = field(hash=False)

    @classmethod
    def of(cls, module: Any, program: str, defaults: Callable[[], Mapping[str, Handler]]) -> "Functions":
        """CannotStart where something is missing that the image does not have, or transform_fn excludes the others.

        `defaults` gives the image's handlers; it is asked only where the script lacks some, as it imports a framework.
        """
        own = {name: getattr(module, name) for name in (*THREE, *ALL_OTHERS) if hasattr(module, name)}
        three = [name for name in THREE if name in own]
        if "transform_fn" in own and three:
            raise CannotStart(
                f"The program {program} has transform_fn and {', '.join(three)}: define either one or the other."
            )
        whole = "model_fn" in own and ("transform_fn" in own or len(three) == len(THREE))
        found = own if whole else {**defaults(), **own}
        if "model_fn" not in found:
            raise CannotStart(f"The program {program} has no model_fn, and its image has none of its own.")
        missing = [name for name in THREE if name not in found]
        if "transform_fn" not in own and missing:
            raise CannotStart(f"The program {program} has no {', '.join(missing)}, and no transform_fn in their place.")
        return cls(program, found)


ALL_OTHERS = ("model_fn", "transform_fn", "pre_model_fn", "model_warmup_fn")


class Dispatcher(Protocol):
    """Calls the handlers: `load` once, then itself for each invocation."""

    def load(self, model_folder: str) -> None:
        """Load the model."""

    def __call__(self, body: bytes | str, content_type: str, accept: str, headers: Mapping[str, str]) -> Answer:
        """Answer one invocation; what the handlers raise is raised."""


class ContainersDispatcher:
    """sagemaker-containers: handlers get their two arguments (transform_fn: four), whatever they declare."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions.found
        self._context = Context("")
        self._model: Any = None

    def load(self, model_folder: str) -> None:
        """Load the model."""
        self._context = Context(model_folder)
        self._model = self._run("model_fn", model_folder)

    def __call__(self, body: bytes | str, content_type: str, accept: str, headers: Mapping[str, str]) -> Answer:
        """Answer one invocation; a format that the default handlers do not have is 415, or 406."""
        self._context.begin(headers)
        if "transform_fn" in self._functions:
            return answer_of(self._run("transform_fn", self._model, body, content_type, accept), accept)
        try:
            data = self._run("input_fn", body, content_type)
        except UnsupportedFormat as error:
            return _unsupported(error, UNSUPPORTED_MEDIA_TYPE)
        prediction = self._run("predict_fn", data, self._model)
        try:
            return answer_of(self._run("output_fn", prediction, accept), accept)
        except UnsupportedFormat as error:
            return _unsupported(error, NOT_ACCEPTABLE)

    def _run(self, name: str, *arguments: Any) -> Any:
        return self._functions[name](*arguments)


class ContainersWithContextDispatcher(ContainersDispatcher):
    """The same, and a handler that must have one argument more gets the context."""

    def __init__(self, functions: Functions) -> None:
        super().__init__(functions)
        self._needed = {name: len(_needed(function)) for name, function in self._functions.items()}

    def _run(self, name: str, *arguments: Any) -> Any:
        more = (self._context,) if self._needed[name] == len(arguments) + 1 else ()
        return self._functions[name](*arguments, *more)


class InferenceDispatcher:
    """sagemaker-inference: a handler with one parameter more gets the context; pre_model_fn, model_warmup_fn."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions.found
        self._declared = {name: len(inspect.signature(found).parameters) for name, found in self._functions.items()}
        self._model: Any = None
        self._context = Context("")

    def load(self, model_folder: str) -> None:
        """Load the model, between what is to be done before and after it."""
        self._context = Context(model_folder)
        if "pre_model_fn" in self._functions:
            self._run("pre_model_fn", model_folder)
        self._model = self._run("model_fn", model_folder)
        if "model_warmup_fn" in self._functions:
            self._run("model_warmup_fn", model_folder, self._model)

    def __call__(self, body: bytes | str, content_type: str, accept: str, headers: Mapping[str, str]) -> Answer:
        """Answer one invocation."""
        self._context.begin(headers)
        if "transform_fn" in self._functions:
            result = self._run("transform_fn", self._model, body, content_type, accept)
        else:
            data = self._run("input_fn", body, content_type)
            prediction = self._run("predict_fn", data, self._model)
            result = self._run("output_fn", prediction, accept)
        answer = answer_of(result, accept)
        status = self._context.status[0] if self._context.status else answer.status
        attributes = self._context.headers.get(CUSTOM_ATTRIBUTES, answer.custom_attributes)
        return Answer(status, self._context.content_type or answer.content_type, answer.body, attributes)

    def _run(self, name: str, *arguments: Any) -> Any:
        function, declared = self._functions[name], self._declared[name]
        if declared == len(arguments):
            return function(*arguments)
        if declared == len(arguments) + 1:
            return function(*arguments, self._context)
        raise TypeError(f"{name} takes {declared} arguments but {len(arguments)} were given.")


def _needed(function: Handler) -> list[inspect.Parameter]:
    """The positional parameters without a default."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [each for each in parameters if each.default is each.empty and each.kind in positional]


def _unsupported(error: UnsupportedFormat, status: int) -> Answer:
    body = {"error": "UnsupportedFormatError", "error-message": str(error), "stack-trace": traceback.format_exc()}
    return Answer(status, "application/json", json.dumps(body).encode())


DISPATCHERS: dict[str, Callable[[Functions], Dispatcher]] = {
    "containers": ContainersDispatcher,
    "containers_with_context": ContainersWithContextDispatcher,
    "inference": InferenceDispatcher,
}
