"""Every command that a role is there for, run as that role on local SageMaker, which enforces the role's policies.

What is recorded on the way is infrastructure/calls.json; test_replay.py compares it, and writes it anew when asked to.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrastructure.calls import general
from infrastructure.roles import Account
from local_sagemaker.wire.identity import ACCOUNT, role_key
from tests.conftest import QUICK, REGION, LocalServer

ROOT = Path(__file__).parents[2]
DATA, SAMPLE = ROOT / "data" / "house_prices.parquet", ROOT / "house.json"
PROJECT, BUCKET = "house-prices", "replayed-houses"


@dataclass
class Replay:
    """A server that enforces the policies of the template, and the command lines as one of its roles."""

    server: LocalServer
    folder: Path
    account: Account
    python: str

    def run(self, role: str | None, script: str, *words: str, expect: int = 0, **more: str) -> str:
        """Run a command as a role, or as the administrator; its output, both streams."""
        command = [self.python, str(ROOT / script), "--local", *words]
        who = {"SAGEMAKER_LOCAL_ROLE": self.role(role)} if role else {}
        variables = {**self.environment, **who, **more}
        done = subprocess.run(command, cwd=self.folder, env=variables, capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert done.returncode == expect, f"{role}: {script} {' '.join(words)} ended with {done.returncode}\n{said}"
        return said

    def pipeline(self, role: str, *words: str, expect: int = 0) -> str:
        """run_pipeline.py as a role."""
        return self.run(role, "run_pipeline.py", *words, expect=expect)

    def deploy(self, role: str, *words: str, expect: int = 0) -> str:
        """deploy_model.py as a role."""
        return self.run(role, "deploy_model.py", *words, expect=expect)

    def role(self, kind: str) -> str:
        """The name of a role, such as house-prices-dev-approver."""
        return f"{self.account.project}-{self.account.stage}-{kind}"

    def client(self, service: str, role: str | None = None) -> Any:
        """A client as a role, or as the administrator."""
        import boto3

        key = role_key(self.role(role), "somebody") if role else "local"
        make: Any = boto3.client
        credentials = {"aws_access_key_id": key, "aws_secret_access_key": "any"}
        return make(service, endpoint_url=self.server.url, region_name=REGION, **credentials)

    @property
    def environment(self) -> dict[str, str]:
        """The outputs of the stacks, and where the server is."""
        server = {name: value for name, value in self.server.environment.items() if name.startswith("SAGEMAKER_")}
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            **server,
            "SAGEMAKER_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/{self.role('execution')}",
            "SAGEMAKER_SERVING_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/{self.role('serving')}",
            "SAGEMAKER_REMOVAL_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/{self.role('removal')}",
            "SAGEMAKER_BUCKET": self.account.bucket,
            "SAGEMAKER_KMS_KEY": str(self.account.key_arn),
            "SAGEMAKER_SUBNETS": "subnet-0123456789abcdef0",
            "SAGEMAKER_SECURITY_GROUP_IDS": "sg-0123456789abcdef0",
            "SAGEMAKER_MONITORING_FUNCTIONS": (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.role('monitoring')}"),
        }

    def recorded(self) -> dict[str, list[dict[str, Any]]]:
        """What each role did, in the form of infrastructure/calls.json."""
        lines = Path(self.server.environment["SAGEMAKER_LOCAL_CALLS"]).read_text().splitlines()
        return general([json.loads(line) for line in lines], self.account)


@contextmanager
def replaying(folder: Path, python: str) -> Iterator[Replay]:
    """A server with the bucket, the key and the roles of the stacks; `python` runs the commands."""
    server = LocalServer(folder / "state")
    server.environment |= {
        "SAGEMAKER_LOCAL_ENFORCE_IAM": "1",
        "SAGEMAKER_LOCAL_CALLS": str(folder / "calls.jsonl"),
        "SAGEMAKER_LOCAL_TIME_SCALE": "20",
        "SAGEMAKER_LOCAL_HANDLERS": str(Path(__file__).with_name("replay_handlers.py")),
    }
    server.up()
    work = folder / "work"
    work.mkdir()
    try:
        replay = Replay(server, work, Account(ACCOUNT, REGION, PROJECT, BUCKET, in_vpc=True), python)
        replay.client("s3").create_bucket(Bucket=BUCKET)
        key = replay.client("kms").create_key()["KeyMetadata"]["Arn"]
        replay.account = Account(ACCOUNT, REGION, PROJECT, BUCKET, kms_key=key, in_vpc=True)
        exports = replay.run(None, "run_pipeline.py", "bootstrap", "--stage", replay.account.stage)
        assert f"export SAGEMAKER_ROLE_ARN={replay.environment['SAGEMAKER_ROLE_ARN']}\n" in exports
        yield replay
    finally:
        server.down()


def everything(replay: Replay) -> None:
    """The main job, upsert, start, approve, deploy, rollback, and their undo paths, each by whom it is for."""
    _build(replay)
    rest(replay)


def rest(replay: Replay) -> None:
    """Everything after the first version."""
    _scientist(replay)
    _data_engineer(replay)
    _approver(replay)
    _deployment(replay)
    _mlops_engineer(replay)
    _monitoring(replay)


def _build(replay: Replay) -> None:
    """buildspec.yml: plan, upsert and start, for each pipeline; then once more, which changes nothing."""
    replay.client("s3", "data-engineer").upload_file(str(DATA), BUCKET, _data_key())
    for pipeline in ("validation", "training", "monitoring"):
        replay.pipeline("build", "--pipeline", pipeline, "plan", expect=2)
        replay.pipeline("build", "--pipeline", pipeline, "upsert")
    replay.pipeline("build", "start", "--wait", *QUICK)
    replay.pipeline("build", "plan")
    republish(replay)


def republish(replay: Replay) -> None:
    """Another definition of the same pipeline."""
    config = replay.folder / "described.yaml"
    text = (ROOT / "pipelines/house_prices.yaml").read_text()
    config.write_text(text.replace("description: Sale prices of houses", "description: Prices of houses", 1))
    replay.pipeline("build", "--config", str(config), "upsert")
    replay.pipeline("build", "upsert", "--force")


def _data_key() -> str:
    from pipelines.settings.environment import Environment
    from pipelines.settings.locations import default_data_uri
    from pipelines.settings.settings import default_config, load_settings

    environment = Environment(REGION, f"arn:aws:iam::{ACCOUNT}:role/any", BUCKET)
    return default_data_uri(load_settings(default_config()), environment).removeprefix(f"s3://{BUCKET}/")


def _watch(replay: Replay, role: str) -> None:
    for words in (("executions",), ("describe", "latest"), ("logs", "latest", "Train"), ("models",)):
        replay.pipeline(role, *words)
    replay.pipeline(role, "models", "--show", "1")
    replay.pipeline(role, "report", "1", "--no-open")


def _scientist(replay: Replay) -> None:
    _watch(replay, "data-scientist")
    for _ in range(2):  # from the cache: more versions
        replay.pipeline("data-scientist", "start", "--wait", *QUICK)
    _start_and_stop(replay, "data-scientist", (), "-p", "Rounds=61")
    denied = replay.pipeline("data-scientist", "approve", "1", expect=1)
    assert "may not call sagemaker:UpdateModelPackage" in denied


def _data_engineer(replay: Replay) -> None:
    replay.pipeline("data-engineer", "--pipeline", "validation", "start", "--wait")
    _start_and_stop(replay, "data-engineer", ("--pipeline", "validation"))


def _start_and_stop(replay: Replay, role: str, pipeline: tuple[str, ...], *words: str) -> None:
    started = replay.pipeline(role, *pipeline, "start", *words)
    found = re.search(r"/execution/(\w+)", started)
    replay.pipeline(role, *pipeline, "stop", found[1] if found else "")


def _approver(replay: Replay) -> None:
    _watch(replay, "approver")
    replay.pipeline("approver", "approve", "1", "--comment", "seen")
    replay.pipeline("approver", "approve", "2")
    replay.pipeline("approver", "approve", "3")


def _deployment(replay: Replay) -> None:
    bad = replay.folder / "bad.json"
    bad.write_text("[]")

    def deploy(version: str, stage: str, sample: Path, expect: int = 0) -> None:
        words = ("deploy", "--model-package", version, "--stage", stage, "--sample", str(sample))
        said = replay.deploy("deploy", *words, expect=expect)
        assert expect == 0 or "the deployment is undone" in said, said

    deploy("1", "staging", bad, expect=1)  # a first deployment, undone
    deploy("1", "staging", SAMPLE)
    _guarded_update(replay)
    deploy("3", "staging", bad, expect=1)  # a later one, undone
    _weighted_shift(replay)
    _removal(replay, bad)
    _promotion(replay)
    replay.deploy("deploy", "rollback", "--stage", "staging")
    replay.deploy("deploy", "status", "--follow")
    replay.deploy("deploy", "withdraw", "--model-package", "1")  # which is approved, and so serves on


def _promotion(replay: Replay) -> None:
    """A version whose split has kept a reserve, which its promotion scores."""
    config = replay.folder / "kept.yaml"
    text = (ROOT / "pipelines/house_prices.yaml").read_text()
    assert "\nsplit: hash\n" in text
    config.write_text(text.replace("\nsplit: hash\n", "\nsplit: {by: hash, reserve: 0.1}\n"))
    chosen = ("--config", str(config))
    replay.pipeline("build", *chosen, "upsert")
    replay.pipeline("build", *chosen, "start", "--wait", *QUICK)
    newest = json.loads(replay.pipeline("approver", "models", "--json"))[0]["version"]
    replay.pipeline("approver", "approve", str(newest))
    replay.deploy("deploy", *chosen, "deploy", "--model-package", str(newest), "--stage", "staging")
    said = replay.deploy("deploy", *chosen, "promote", "--from", "staging", "--to", "production")
    assert f"Reserve of version {newest}, " in said
    replay.pipeline("build", "upsert")


def _removal(replay: Replay, bad: Path) -> None:
    """A stage that removes itself: set up, put off, undone with its schedule, not removed any more, and removed."""
    text = (ROOT / "pipelines/house_prices.yaml").read_text()

    def deploy(stay: str, *words: str, expect: int = 0) -> str:
        config = replay.folder / "removed.yaml"
        config.write_text(text.replace("stages:\n", f"stages:\n  trial: {{instance_type: ml.m5.large{stay}}}\n", 1))
        said = ("--config", str(config), "deploy", "--model-package", "1", "--stage", "trial", *words)
        return replay.deploy("deploy", *said, expect=expect)

    deploy(", remove_after: 8 hours", "--sample", str(bad), expect=1)
    assert "removes itself" in deploy(", remove_after: 8 hours")
    assert "removes itself" in deploy(", remove_after: 9 hours")
    assert "removes itself" not in deploy("")
    deploy(", remove_after: 1 minute")
    replay.client("sagemaker").get_waiter("endpoint_deleted").wait(
        EndpointName=f"{PROJECT}-trial", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def _guarded_update(replay: Replay) -> None:
    """An update under alarms, with the golden rows of the version."""
    config = replay.folder / "guarded.yaml"
    text = (ROOT / "pipelines/house_prices.yaml").read_text()
    alone = "  staging: {instance_type: ml.m5.large, instance_count: 1"
    guard = "deployment: {strategy: all_at_once, wait_seconds: 60, alarms: {max_error_rate: 0.5, period_seconds: 60}}"
    scaling = "autoscaling: {min_instances: 1, max_instances: 2, invocations_per_instance: 600}"
    assert f"{alone}}}" in text
    config.write_text(text.replace(f"{alone}}}", f"{alone}, {scaling}, {guard}}}"))
    replay.deploy("deploy", "--config", str(config), "deploy", "--model-package", "2", "--stage", "staging",
                  "--sample", str(SAMPLE))  # fmt: skip


def _weighted_shift(replay: Replay) -> None:
    """A shift by weights, with golden rows and alarms."""
    config = replay.folder / "weighted.yaml"
    text = (ROOT / "pipelines/house_prices.yaml").read_text()
    alone = "  staging: {instance_type: ml.m5.large, instance_count: 1"
    shift = "strategy: weighted, size_percent: 50, wait_seconds: 60, alarms: {max_error_rate: 0.5, period_seconds: 60}"
    config.write_text(text.replace(f"{alone}}}", f"{alone}, deployment: {{{shift}}}}}"))
    words = ("--config", str(config), "deploy", "--latest-approved", "--stage", "staging", "--sample", str(SAMPLE))
    replay.deploy("deploy", *words)


def _mlops_engineer(replay: Replay) -> None:
    _watch(replay, "mlops-engineer")
    replay.pipeline("mlops-engineer", "plan")
    replay.pipeline("mlops-engineer", "upsert")
    _start_and_stop(replay, "mlops-engineer", (), *QUICK)
    replay.deploy("mlops-engineer", "predict", "--stage", "staging", str(SAMPLE))
    replay.deploy("mlops-engineer", "rollback", "--stage", "staging")
    assert "were captured" in replay.deploy("mlops-engineer", "diff", "1", "2")
    assert "the test part" in replay.deploy("mlops-engineer", "diff", "1", "2", "--test")
    predicted = str(replay.folder / "predicted.csv")
    replay.deploy("mlops-engineer", "batch", "--version", "1", "--stage", "staging", str(SAMPLE), predicted)
    parquet = replay.folder / "sales"
    parquet.mkdir()
    shutil.copy(DATA, parquet)
    replay.deploy("mlops-engineer", "batch", "--version", "1", str(parquet), str(replay.folder / "scored"))
    denied = replay.pipeline("mlops-engineer", "reject", "1", expect=1)
    assert "may not call sagemaker:UpdateModelPackage" in denied


def _monitoring(replay: Replay) -> None:
    """A window whose houses are dearer, so that a training is called for; what was raised is known; the schedule."""
    replay.client("sns").create_topic(Name=replay.role("monitoring"))
    monitor, data = ("monitor", "--stage", "staging"), _dearer(replay.folder / "dearer.parquet")
    window = ("--since", "2015-03-01", "--until", "2015-04-01", "--data", str(data), "--no-open")
    said = replay.pipeline("mlops-engineer", *monitor, *window)
    assert "retrain: " in said, said
    _stop_newest(replay.client("sagemaker"), "training")
    known = ("--acknowledge", "level of new", "--reason", "known", "--expires", "2999-01-01")
    replay.pipeline("mlops-engineer", *monitor, *known)
    _scheduled(replay)


def _dearer(path: Path) -> Path:
    import pandas as pd

    table = pd.read_parquet(DATA)
    later = pd.to_datetime(table["date"]) >= "2015-03-01"
    table.loc[later, "price"] = (table.loc[later, "price"] * 1.2).round().astype("int64")
    table.to_parquet(path, index=False)
    return path


def _scheduled(replay: Replay) -> None:
    """The schedule of the stack, which starts an execution with its own role."""
    sagemaker, scheduler = replay.client("sagemaker"), replay.client("scheduler")
    arn = sagemaker.describe_pipeline(PipelineName=f"{PROJECT}-monitoring")["PipelineArn"]
    before = len(_executions(sagemaker))
    scheduler.create_schedule(
        Name="windows",
        ScheduleExpression="rate(30 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{replay.role('scheduler')}"},
    )
    deadline = time.monotonic() + 30
    while len(_executions(sagemaker)) == before:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    scheduler.delete_schedule(Name="windows")
    _stop_newest(sagemaker, "monitoring")


def _stop_newest(sagemaker: Any, pipeline: str) -> None:
    """Stop the newest execution, which has shown what it is there for."""
    newest = _executions(sagemaker, pipeline)[0]["PipelineExecutionArn"]
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=newest, ClientRequestToken="0" * 32)


def _executions(sagemaker: Any, pipeline: str = "monitoring") -> list[dict[str, Any]]:
    found = sagemaker.list_pipeline_executions(PipelineName=f"{PROJECT}-{pipeline}")
    return list(found["PipelineExecutionSummaries"])
