"""What a schedule calls: an operation of SageMaker, a pipeline, a function, a build, or a queue.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import ServiceError, invalid, unsupported
from local_sagemaker.schedules.expressions import written
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.wire.identity import role_identity
from local_sagemaker.wire.model import service_model

UNIVERSAL = re.compile(r"arn:[\w-]+:scheduler:::aws-sdk:(?P<service>\w+):(?P<action>[a-z]\w*)")
PIPELINE = re.compile(r"arn:[\w-]+:sagemaker:[\w-]+:\d{12}:pipeline/[\w-]+")
QUEUE = re.compile(r"arn:[\w-]+:sqs:(?P<region>[\w-]+):\d{12}:(?P<name>[\w.-]+)")
RUN = re.compile(r"arn:[\w-]+:(codebuild|lambda):.+")
READS = ("get", "describe", "list", "search", "query", "batchDescribe", "batchGet")
SESSION = "scheduler"
Call = Callable[[str, Request, Caller], Request]
Send = Callable[[str, str, str], None]  # region, queue, text
Deliver = Callable[[str, Any], None]
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Targets:
    """Calls targets; `operations` are those of SageMaker that this server has, `deliver` starts what an ARN names."""

    operations: Callable[[], Mapping[str, Any]]
    call: Call
    deliver: Deliver
    send: Send

    def check(self, target: Document) -> None:
        """Raise ServiceError for a target that Scheduler refuses, or that has nothing behind it here."""
        arn, text = target["Arn"], target.get("Input")
        if universal := UNIVERSAL.fullmatch(arn):
            self._check_universal(universal["service"], universal["action"], text)
        elif not any(pattern.fullmatch(arn) for pattern in (PIPELINE, QUEUE, RUN)):
            raise unsupported(f"the target {arn} of a schedule")
        if not PIPELINE.fullmatch(arn) and "SageMakerPipelineParameters" in target:
            raise invalid(f"SageMakerPipelineParameters are for pipelines; the target is {arn}.")
        for name in sorted(set(target) - {"Arn", "RoleArn", "Input", "RetryPolicy", "DeadLetterConfig"}):
            if name != "SageMakerPipelineParameters":
                raise unsupported(f"{name} of a schedule's target")
        if text is not None and PIPELINE.fullmatch(arn):
            raise invalid("A pipeline takes SageMakerPipelineParameters instead of Input.")
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if queue is not None and not QUEUE.fullmatch(queue):
            raise invalid(f"The dead-letter queue {queue} is not the ARN of a queue of SQS.")

    def _check_universal(self, service: str, action: str, text: str | None) -> None:
        if action.startswith(READS):
            raise invalid(f"A schedule cannot call {service}:{action}: operations that only read are not targets.")
        if service != "sagemaker":
            raise unsupported(f"{service}:{action} as the target of a schedule")
        if operation_of(action) is None:
            raise invalid(f"SageMaker has no operation {action}: an ARN ends with its name, such as deleteEndpoint.")
        if operation_of(action) not in self.operations():
            raise unsupported(f"the operation {operation_of(action)}")
        try:
            given = json.loads(text or "")
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise invalid(f"The Input of {service}:{action} is not the JSON object of its parameters.")

    def invoke(self, schedule: Document, due: float, attempt: int, account: str) -> None:
        """Call the target of a schedule that is due; what is raised is why it did not work."""
        target = schedule["Target"]
        arn, region = target["Arn"], schedule["Region"]
        execution = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{schedule['Arn']} {due}"))
        text = filled(target.get("Input", "{}"), schedule["Arn"], due, attempt, execution)
        caller = Caller(account, region, role_identity(target["RoleArn"], SESSION))
        # The same token after a crash, so that an execution is started once.
        token = {"ClientRequestToken": execution}
        if universal := UNIVERSAL.fullmatch(arn):
            operation = str(operation_of(universal["action"]))
            starts = token if operation == "StartPipelineExecution" else {}
            self.call(operation, {**starts, **json.loads(text)}, caller)
        elif PIPELINE.fullmatch(arn):
            parameters = target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList")
            given = {"PipelineParameters": parameters} if parameters else {}
            self.call("StartPipelineExecution", {"PipelineName": arn, **given, **token}, caller)
        elif queue := QUEUE.fullmatch(arn):
            self.send(queue["region"], queue["name"], text)
        else:
            self.deliver(arn, _json_or_text(text))

    def give_up(self, schedule: Document, error: ServiceError) -> None:
        """Put what could not be delivered into the dead-letter queue, where there is one."""
        queue = QUEUE.fullmatch(schedule["Target"].get("DeadLetterConfig", {}).get("Arn", ""))
        if queue is not None:
            body = {"ScheduleArn": schedule["Arn"], "Target": schedule["Target"]["Arn"], "Error": error.message}
            self.send(queue["region"], queue["name"], json.dumps({**body, "ErrorCode": error.code}))


def operation_of(action: str) -> str | None:
    """The operation of SageMaker that an ARN calls deleteEndpoint; None where there is none."""
    name = action[:1].upper() + action[1:]
    return name if name in service_model().operation_names else None


def filled(text: str, arn: str, due: float, attempt: int, execution: str) -> str:
    """An input with the keywords of Scheduler replaced.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    """
    values = {
        "schedule-arn": arn,
        "scheduled-time": written(due),
        "execution-id": execution,
        "attempt-number": str(attempt),
    }
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
