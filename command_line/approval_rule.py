"""The rule that deploys what is approved, on local SageMaker: that of the stack, with a command for its build.

On AWS `bootstrap` makes it, and CodeBuild runs buildspec-deploy.yml.
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from command_line.context import Context
    from pipelines.settings.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
STAGE = "local"  # of the stack's names
ACCOUNT = "000000000000"
STARTED_SECONDS = 5.0
# What buildspec-deploy.yml does; "$@" are the words of deploy_model.py.
BUILD = """
if [ "$DECISION" = Rejected ]; then exec "$@" withdraw --model-package "$MODEL_PACKAGE_ARN"; fi
exec "$@" deploy --model-package "$MODEL_PACKAGE_ARN" --stage "$STAGE" --approved-at "$DECIDED_AT"
"""


@dataclass(frozen=True)
class ApprovalRule:
    """The rule and the build of one project on local SageMaker."""

    settings: "Settings"
    config: Path | None
    region: str

    @property
    def project(self) -> str:
        """The name of the build."""
        return f"{self.settings.name}-{STAGE}-deploy"

    @property
    def build_arn(self) -> str:
        """The rule's target."""
        return f"arn:aws:codebuild:{self.region}:{ACCOUNT}:project/{self.project}"

    def put(self, events: Any, state: Path, port: int) -> None:
        """Make the rule, and register the command; in place of what was there."""
        from local_sagemaker.targets.registrations import register

        rule = self._rule()
        register(state, self.build_arn, self._words(), Path.cwd(), self._environment(state, port))
        events.put_rule(**{name: rule[name] for name in ("Name", "Description", "EventPattern")}, State="ENABLED")
        events.put_targets(Rule=rule["Name"], Targets=rule["Targets"])

    def disable(self, events: Any) -> None:
        """Let the rule start nothing, where it is there."""
        try:
            events.disable_rule(Name=self._rule()["Name"])
        except events.exceptions.ResourceNotFoundException:
            return

    def _rule(self) -> dict[str, Any]:
        """PutRule's and PutTargets' requests, out of the stack."""
        import json

        from infrastructure.template import FOLDER, Resolved, read_template

        names = {"ProjectName": self.settings.name, "Stage": STAGE, "DeployBuild.Arn": self.build_arn}
        names["EventRole.Arn"] = f"arn:aws:iam::{ACCOUNT}:role/{self.settings.name}-{STAGE}-events"
        names["UndeliveredApprovals.Arn"] = f"arn:aws:sqs:{self.region}:{ACCOUNT}:{self.settings.name}-undelivered"
        template = read_template(FOLDER / "deployment.yaml")
        properties = Resolved(template, names).value(template["Resources"]["ApprovalRule"]["Properties"])
        return {**properties, "EventPattern": json.dumps(properties["EventPattern"])}

    def _words(self) -> list[str]:
        chosen = ["--config", str(self.config.absolute())] if self.config is not None else []
        return ["sh", "-c", BUILD, "sh", sys.executable, str(ROOT / "deploy_model.py"), "--local", *chosen]

    def _environment(self, state: Path, port: int) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if name.startswith("SAGEMAKER_")}
        own.pop("SAGEMAKER_LOCAL_ROLE", None)  # the build is not who approves
        return {
            **own,
            "SAGEMAKER_LOCAL_STATE": str(state),
            "SAGEMAKER_LOCAL_PORT": str(port),
            "STAGE": str(self.settings.approval_stage),
            "PYTHONUNBUFFERED": "1",
        }


def ensure_rule(context: "Context") -> None:
    """Let approvals deploy, on local SageMaker; a person who has a role of an account there does not set that up."""
    server = context.server
    if server is None or os.environ.get("SAGEMAKER_LOCAL_ROLE"):
        return
    rule = ApprovalRule(context.settings, context.config, context.environment.region)
    if context.settings.approval_stage is None:
        rule.disable(context.client("events"))
    else:
        rule.put(context.client("events"), server.state, server.port)


def prepared(context: "Context") -> set[str]:
    """Make sure that a decision is acted on; the builds until now."""
    ensure_rule(context)
    return _builds(context) if context.server is not None else set()


def show_started(context: "Context", before: set[str], what: str) -> None:
    """Say that `what` has started on a decision, by a build that was not there before, and where that is watched."""
    console, stage = context.console, context.settings.approval_stage
    if stage is None:
        return
    deploy = context.command("deploy_model.py")
    watch = f"{deploy} status --follow"
    if context.server is None:
        console.line(f"The rule of the deployment's stack, where there is one, acts on it. Watch: {watch}")
        return
    build = _started(context, before)
    if build is None:
        console.line(f"Nothing has started for it here. By hand: {deploy} deploy --latest-approved --stage {stage}")
        return
    console.line(f"{what} has started. Watch: {watch}")
    console.line(f"Its log: {_log_folder(context) / build}.log")


def _started(context: "Context", before: set[str]) -> str | None:
    """The run that a decision has started, once it has; None where none does."""
    give_up = time.monotonic() + STARTED_SECONDS
    while time.monotonic() < give_up:
        new = _builds(context) - before
        if new:
            return new.pop()
        time.sleep(0.05)
    return None


def _builds(context: "Context") -> set[str]:
    """The runs until now, by their logs."""
    return {path.stem for path in _log_folder(context).glob("*.log")}


def _log_folder(context: "Context") -> Path:
    state = context.server.state if context.server is not None else Path()
    return state / "targets" / "codebuild" / f"{context.settings.name}-{STAGE}-deploy"
