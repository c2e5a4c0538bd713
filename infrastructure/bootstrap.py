"""Setting a stage up: a change set for each stack, shown, and then executed."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infrastructure.errors import InfrastructureError
from infrastructure.function_code import archive
from infrastructure.stacks import OF_AN_EARLIER_STACK, Stack, Stage, as_parameters, template_body
from infrastructure.template import Resolved, read_template

Announce = Callable[[str], None]
NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")
BROKEN = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
HALF_BACK = "UPDATE_ROLLBACK_FAILED"
NEW = ("REVIEW_IN_PROGRESS",)
POLL_SECONDS = 2.0
LIMIT_SECONDS = 3600.0


@dataclass(frozen=True)
class Planned:
    """What a change set would do: for each resource its action, logical name and type."""

    stack: Stack
    exists: bool
    change_set: str | None
    changes: tuple[tuple[str, str, str], ...]


class Bootstrap:
    """Plans and applies the stacks of a stage, one after the other."""

    def __init__(
        self, cloudformation: Any, s3: Any, stage: Stage, announce: Announce, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self._cloudformation = cloudformation
        self._s3 = s3
        self._stage = stage
        self._announce = announce
        self._poll_seconds = poll_seconds

    def plan(self) -> list[Planned]:
        """Show what would change; nothing does. What needs the outputs of a new stack is shown by its template."""
        outputs: dict[str, str] = {}
        planned = []
        for stack in self._stage.stacks:
            future = {
                name: f"(the output {name})"
                for name, declared in stack.parameters.items()
                if name not in outputs and str(declared.get("Description", "")).startswith(OF_AN_EARLIER_STACK)
            }
            if future:
                planned.append(_by_template(stack, self._stage.parameters(stack, {**future, **outputs})))
            else:
                change = self._change_set(stack, self._stage.parameters(stack, outputs))
                self._discard(change)
                planned.append(change)
            self._show(planned[-1])
            outputs |= outputs_of(self._cloudformation, stack.name)
        return planned

    def apply(self) -> dict[str, str]:
        """Bring every stack to its template, and return their outputs; a stack without a change stays as it is."""
        outputs: dict[str, str] = {}
        for stack in self._stage.stacks:
            parameters = self._stage.parameters(stack, outputs)
            if "CodeKey" in parameters:
                self._upload_code(parameters["BucketName"], parameters["CodeKey"])
            change = self._change_set(stack, parameters)
            self._show(change)
            if change.change_set is not None:
                self._execute(change)
            outputs |= outputs_of(self._cloudformation, stack.name)
        return outputs

    def _upload_code(self, bucket: str, key: str) -> None:
        """The functions' code: the key names the content, so what is there is the same."""
        self._s3.put_object(Bucket=bucket, Key=key, Body=archive())

    def _change_set(self, stack: Stack, parameters: dict[str, str]) -> Planned:
        exists = self._require_sound(stack)
        name = f"bootstrap-{int(time.time() * 1000)}"
        self._cloudformation.create_change_set(
            StackName=stack.name,
            ChangeSetName=name,
            ChangeSetType="UPDATE" if exists else "CREATE",
            TemplateBody=template_body(stack),
            Parameters=as_parameters(parameters),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": "project", "Value": stack.project}, {"Key": "stage", "Value": stack.stage}],
        )
        description = self._settled(stack, name)
        reason = str(description.get("StatusReason", ""))
        if description["Status"] == "FAILED":
            empty = any(words in reason for words in NOTHING_TO_DO)
            if not empty:
                raise InfrastructureError(f"The stack {stack.name} cannot be changed: {reason.rstrip('.')}.")
            self._delete_change_set(stack, name)
            return Planned(stack, exists, None, ())
        changes = tuple(
            (
                each["ResourceChange"]["Action"],
                each["ResourceChange"]["LogicalResourceId"],
                each["ResourceChange"]["ResourceType"],
            )
            for each in description.get("Changes", [])
        )
        if exists and not changes:
            self._delete_change_set(stack, name)
            return Planned(stack, exists, None, ())
        return Planned(stack, exists, name, changes)

    def _require_sound(self, stack: Stack) -> bool:
        """Whether the stack is there; InfrastructureError where it is in a state that no update leads out of."""
        found = describe_stack(self._cloudformation, stack.name)
        if found is None or found["StackStatus"] in NEW:
            return False
        status, reason = found["StackStatus"], found.get("StackStatusReason", "no reason given")
        place = f"The stack {stack.name} is in {status}"
        if status in BROKEN:
            raise InfrastructureError(
                f"{place} ({reason}): delete it with `aws cloudformation delete-stack --stack-name {stack.name}`, fix "
                "what it names, and run this again."
            )
        if status == HALF_BACK:  # it has resources in use
            raise InfrastructureError(
                f"{place} ({reason}): fix what it names, let it go back with `aws cloudformation "
                f"continue-update-rollback --stack-name {stack.name}`, and run this again."
            )
        if status.endswith("_IN_PROGRESS"):
            raise InfrastructureError(f"{place}: something else is changing it; run this again once it has ended.")
        return True

    def _settled(self, stack: Stack, change_set: str) -> Any:
        deadline = time.monotonic() + LIMIT_SECONDS
        while True:
            description = self._cloudformation.describe_change_set(StackName=stack.name, ChangeSetName=change_set)
            if description["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                return description
            if time.monotonic() > deadline:
                raise InfrastructureError(f"The change set of {stack.name} is not ready after {LIMIT_SECONDS:.0f} s.")
            time.sleep(self._poll_seconds)

    def _execute(self, change: Planned) -> None:
        name = change.stack.name
        self._cloudformation.execute_change_set(StackName=name, ChangeSetName=change.change_set)
        status = wait(self._cloudformation, name, self._poll_seconds)
        if status is None or not status["StackStatus"].endswith("_COMPLETE") or "ROLLBACK" in status["StackStatus"]:
            state, reason = (status["StackStatus"], status.get("StackStatusReason", "")) if status else ("gone", "")
            raise InfrastructureError(
                f"The stack {name} ended in {state}: {reason or 'see its events in CloudFormation'}."
            )

    def _discard(self, change: Planned) -> None:
        if change.change_set is None:
            return
        self._delete_change_set(change.stack, change.change_set)
        if not change.exists:  # a stack without resources, which the change set made
            self._cloudformation.delete_stack(StackName=change.stack.name)
            wait(self._cloudformation, change.stack.name, self._poll_seconds)

    def _delete_change_set(self, stack: Stack, name: str) -> None:
        self._cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=name)

    def _show(self, planned: Planned) -> None:
        word = "changes" if planned.exists else "is new"
        if not planned.changes:
            self._announce(f"{planned.stack.name}: nothing changes")
            return
        self._announce(f"{planned.stack.name} {word}:")
        for action, name, kind in planned.changes:
            self._announce(f"  {action:<7} {name} ({kind})")


def _by_template(stack: Stack, parameters: Mapping[str, str]) -> Planned:
    """A new stack: the resources whose conditions hold."""
    resources = Resolved(read_template(stack.path), parameters).resources.items()
    return Planned(stack, False, None, tuple(("Add", name, str(each["Type"])) for name, each in resources))


def describe_stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """A stack; None where there is none of this name."""
    from botocore.exceptions import ClientError

    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in error.response["Error"].get("Message", ""):
            raise
        return None
    return found


def outputs_of(cloudformation: Any, name: str) -> dict[str, str]:
    """The outputs of a stack, none where it is not there."""
    return _outputs(describe_stack(cloudformation, name))


def _outputs(stack: dict[str, Any] | None) -> dict[str, str]:
    return {each["OutputKey"]: each["OutputValue"] for each in (stack or {}).get("Outputs", [])}


def outputs_of_stage(cloudformation: Any, stage: Stage) -> tuple[dict[str, str], list[str]]:
    """The outputs of all stacks of a stage, and a sentence for each stack that is not there, or broken."""
    outputs: dict[str, str] = {}
    lacking = []
    for stack in stage.stacks:
        found = describe_stack(cloudformation, stack.name)
        if found is None or found["StackStatus"] in (*NEW, *BROKEN):
            state = "is not set up" if found is None else f"is in {found['StackStatus']}"
            lacking.append(f"the stack {stack.name} {state}")
        outputs |= _outputs(found)
    return outputs, lacking


def wait(cloudformation: Any, name: str, poll_seconds: float) -> dict[str, Any] | None:
    """The stack once nothing changes it any more; None where it is gone."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        found = describe_stack(cloudformation, name)
        if found is None or not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        if time.monotonic() > deadline:
            raise InfrastructureError(
                f"The stack {name} is still in {found['StackStatus']} after {LIMIT_SECONDS:.0f} s."
            )
        time.sleep(poll_seconds)
