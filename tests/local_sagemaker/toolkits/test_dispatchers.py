"""How each toolkit calls the handlers of a script."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from local_sagemaker.toolkits.answers import Answer, UnsupportedFormat
from local_sagemaker.toolkits.dispatchers import DISPATCHERS, CannotStart, Dispatcher, Functions

DEFAULTS: dict[str, Callable[..., Any]] = {
    "input_fn": lambda data, kind: f"in({data})",
    "predict_fn": lambda data, model: f"{model}({data})",
    "output_fn": lambda prediction, accept: (f"out({prediction})", accept),
}


def dispatcher(toolkit: str, **handlers: Any) -> Dispatcher:
    functions = Functions.of(SimpleNamespace(**{"model_fn": lambda d: "model", **handlers}), "serve", lambda: DEFAULTS)
    made = DISPATCHERS[toolkit](functions)
    made.load("/opt/ml/model")
    return made


def ask(made: Dispatcher, **headers: str) -> Answer:
    return made("1", "text/csv", "text/plain", headers)


@pytest.mark.parametrize("toolkit", DISPATCHERS)
def test_what_a_script_lacks_is_the_image_s(toolkit: str) -> None:
    assert ask(dispatcher(toolkit)).body == b"out(model(in(1)))"
    own = dispatcher(toolkit, predict_fn=lambda data, model: "mine")
    assert ask(own) == Answer(200, "text/plain", b"out(mine)")


@pytest.mark.parametrize("toolkit", DISPATCHERS)
def test_an_argument_with_a_default_need_not_be_given(toolkit: str) -> None:
    made = dispatcher(
        toolkit, model_fn=lambda d, context=None: "m", input_fn=lambda b, t, context=None: b, output_fn=lambda p, a: p
    )
    assert ask(made).body == b"m(1)"


@pytest.mark.parametrize("toolkit", ["inference", "containers_with_context"])
def test_a_handler_with_one_parameter_more_gets_the_context(toolkit: str) -> None:
    def input_fn(data: str, content_type: str, context: Any) -> str:
        return str(context.get_request_header(0, "x-amzn-sagemaker-custom-attributes"))

    made = dispatcher(toolkit, model_fn=lambda d, c: c.system_properties["model_dir"], input_fn=input_fn)
    assert ask(made, **{"X-Amzn-SageMaker-Custom-Attributes": "trace=1"}).body == b"out(/opt/ml/model(trace=1))"


def test_sagemaker_containers_has_no_context_to_give() -> None:
    with pytest.raises(TypeError, match="context"):
        dispatcher("containers", model_fn=lambda d, context: d)


def test_sagemaker_inference_takes_no_other_number_of_parameters() -> None:
    with pytest.raises(TypeError, match="input_fn takes 4 arguments but 2 were given"):
        ask(dispatcher("inference", input_fn=lambda a, b, c, d: a))


def test_a_context_sets_what_is_answered() -> None:
    def output_fn(prediction: str, accept: str, context: Any) -> str:
        context.set_response_content_type(0, "text/x")
        context.set_response_status(code=418, phrase="no tea")
        return prediction

    made = dispatcher("inference", output_fn=output_fn)
    assert (ask(made).status, ask(made).content_type) == (418, "text/x")
    made = dispatcher("inference")
    assert ask(made).status == 200


def test_the_model_is_prepared_and_warmed_up() -> None:
    seen: list[Any] = []
    dispatcher(
        "inference",
        pre_model_fn=lambda folder: seen.append(("before", folder)),
        model_warmup_fn=lambda folder, model: seen.append(("after", model)),
    )
    assert seen == [("before", "/opt/ml/model"), ("after", "model")]


@pytest.mark.parametrize("toolkit", ["containers", "containers_with_context"])
def test_formats_that_the_image_lacks_are_415_and_406(toolkit: str) -> None:
    def refuse(first: Any, second: Any) -> Any:
        raise UnsupportedFormat("image/png")

    assert ask(dispatcher(toolkit, input_fn=refuse)).status == 415
    assert ask(dispatcher(toolkit, output_fn=refuse)).status == 406
    with pytest.raises(UnsupportedFormat):
        ask(dispatcher("inference", input_fn=refuse))


def test_the_image_s_handlers_are_loaded_only_where_they_are_needed() -> None:
    def fail() -> dict[str, Any]:
        raise ImportError("no framework")

    whole = SimpleNamespace(model_fn=len, transform_fn=len)
    assert Functions.of(whole, "serve", fail).found["transform_fn"] is len
    with pytest.raises(ImportError):
        Functions.of(SimpleNamespace(model_fn=len), "serve", fail)


def test_what_neither_has_is_named() -> None:
    with pytest.raises(CannotStart, match="no model_fn, and its image has none"):
        Functions.of(SimpleNamespace(), "serve", dict)
    with pytest.raises(CannotStart, match="has no predict_fn, output_fn, and no transform_fn"):
        Functions.of(SimpleNamespace(model_fn=len, input_fn=len), "serve", dict)
    with pytest.raises(CannotStart, match="transform_fn and predict_fn: define either"):
        Functions.of(SimpleNamespace(model_fn=len, transform_fn=len, predict_fn=len), "serve", dict)
