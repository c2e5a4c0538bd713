"""Targets of EventBridge's rules that moto lacks: topics of SNS, builds of CodeBuild, functions of Lambda."""

import copy
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.moto_services.patches import put

TOPIC = "arn:aws:sns:"
RUN = re.compile(r"arn:[\w-]+:(codebuild|lambda):.+")
NEEDS_ROLE = re.compile(r"arn:[\w-]+:codebuild:.+")
PLACE = re.compile(r"(\"?)<([\w.-]+)>\1")  # in a template; within quotation marks it is a part of a text
PATH = re.compile(r"\$(\.[\w-]+)*")
Deliver = Callable[[str, Any], None]  # the ARN of a target, and what it is given


def install(deliver: Deliver) -> None:
    """Let rules send to these targets; importing moto's events takes a while, so this waits for the first use."""
    from moto.events.models import Rule
    from moto.events.utils import EventTemplateParser
    from moto.sns.models import sns_backends

    if getattr(Rule.send_to_targets, "deliver", None) is deliver:
        return
    moto_send = getattr(Rule.send_to_targets, "moto_send", Rule.send_to_targets)

    def send_to_targets(self: Rule, original_event: Any, transform_input: bool = True) -> None:
        if str(self.state).startswith("DISABLED"):
            return
        topics = [target for target in self.targets if target["Arn"].startswith(TOPIC)]
        runs = [target for target in self.targets if RUN.match(target["Arn"])]
        if (topics or runs) and self.event_pattern.matches_event(original_event):
            for target in topics:
                transformer = target.get("InputTransformer", {})
                event: Any = EventTemplateParser.parse(
                    input_template=transformer.get("InputTemplate"),
                    input_paths_map=transformer.get("InputPathsMap", {}),
                    event=original_event,
                )
                _, _, _, region, account, _ = target["Arn"].split(":")
                text = event if isinstance(event, str) else json.dumps(event)
                sns_backends[account][region].publish(text, arn=target["Arn"])
            for target in runs:
                deliver(target["Arn"], input_of(target, original_event))
        others = copy.copy(self)
        others.targets = [target for target in self.targets if target not in (*topics, *runs)]
        moto_send(others, original_event, transform_input)

    send_to_targets.deliver = deliver  # type: ignore[attr-defined]
    send_to_targets.moto_send = moto_send  # type: ignore[attr-defined]
    put(Rule, "send_to_targets", send_to_targets)


def check_targets(body: bytes) -> None:
    """Raise ServiceError for a request of PutTargets that EventBridge refuses and moto takes."""
    try:
        targets = json.loads(body).get("Targets", [])
    except (ValueError, AttributeError):
        return  # moto says what is wrong with it
    for target in targets:
        given = [name for name in ("Input", "InputPath", "InputTransformer") if name in target]
        if len(given) > 1:
            raise ServiceError(
                "ValidationException", f"Only one of Input, InputPath, or InputTransformer must be provided: {given}."
            )
        if NEEDS_ROLE.match(str(target.get("Arn"))) and not target.get("RoleArn"):
            raise ServiceError("ValidationException", f"RoleArn is required for target {target['Arn']}.")


def input_of(target: Mapping[str, Any], original: Mapping[str, Any]) -> Any:
    """What a target is given of an event.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    event = {name: value for name, value in original.items() if name != "ingestion-time"}
    if isinstance(event.get("time"), int | float):
        event["time"] = f"{datetime.fromtimestamp(event['time'], timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    if "Input" in target:
        return json.loads(target["Input"])
    if "InputPath" in target:
        return _at(event, target["InputPath"])
    transformer = target.get("InputTransformer")
    if transformer is None:
        return event
    values = {name: _at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}

    def filled(place: re.Match[str]) -> str:
        value = values.get(place[2], "")
        text = value if isinstance(value, str) else json.dumps(value)
        return json.dumps(text) if isinstance(value, str) or place[1] else text

    return json.loads(PLACE.sub(filled, transformer["InputTemplate"]))


def _at(event: Any, path: str) -> Any:
    """What stands at $.detail.name of an event; an empty text where nothing does, as the service has it."""
    if not PATH.fullmatch(path):
        raise ValueError(f"the path {path} is not supported: $.name.name is")
    for name in path.split(".")[1:]:
        event = event.get(name, "") if isinstance(event, dict) else ""
    return event
