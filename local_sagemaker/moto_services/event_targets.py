"""Targets of EventBridge's rules that moto lacks: topics of SNS."""

import copy
import json
from typing import Any

from local_sagemaker.moto_services.patches import put

TOPIC = "arn:aws:sns:"


def install() -> None:
    """Let rules send to topics; importing moto's events takes a while, so this waits for the first use."""
    from moto.events.models import Rule
    from moto.events.utils import EventTemplateParser
    from moto.sns.models import sns_backends

    if getattr(Rule.send_to_targets, "knows_topics", False):
        return
    moto_send = Rule.send_to_targets

    def send_to_targets(self: Rule, original_event: Any, transform_input: bool = True) -> None:
        topics = [target for target in self.targets if target["Arn"].startswith(TOPIC)]
        if topics and self.event_pattern.matches_event(original_event):
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
        others = copy.copy(self)
        others.targets = [target for target in self.targets if target not in topics]
        moto_send(others, original_event, transform_input)

    send_to_targets.knows_topics = True  # type: ignore[attr-defined]
    put(Rule, "send_to_targets", send_to_targets)
