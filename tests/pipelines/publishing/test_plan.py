"""A plan names each difference, what is wrong with the deployed code, and the steps that run again; never a secret."""

import copy
import io
import json
import os
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from command_line.plan_view import markdown_lines, plan_lines
from pipelines.checks.capacity import StepNeed
from pipelines.definition.bundle import Bundle
from pipelines.definition.compilation import Compiled
from pipelines.definition.job_code import JobCode
from pipelines.images.image import image
from pipelines.publishing.cost_forecast import Measured
from pipelines.publishing.deployed import Deployed, DeployedCode, fingerprint, read_code
from pipelines.publishing.plan import Plan, make_plan
from pipelines.settings.environment import Environment
from pipelines.settings.settings import ROOT
from pipelines.watching.executions import Job

ENVIRONMENT = Environment.from_env({"SAGEMAKER_BUCKET": "test-bucket"})
BUNDLE = Bundle({"steps/a.py": b"a", "steps/b.py": b"b"})
CODE = JobCode("p", {"steps.a": BUNDLE}, image("3.2-0"))
CACHE = {"Enabled": True, "ExpireAfter": "P30D"}


def processing(name: str, source: Any, uri: Any = None, **arguments: Any) -> dict[str, Any]:
    """A processing step that reads `source` and writes below the execution, or to `uri`."""
    uri = uri or {"Std:Join": {"On": "/", "Values": ["s3://b", {"Get": "Execution.PipelineExecutionId"}, name]}}
    given = {
        "AppSpecification": {"ImageUri": "image:1", "ContainerArguments": ["--rows", "10"]},
        "ProcessingInputs": [{"InputName": "in", "S3Input": {"S3Uri": source}}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": {"S3Uri": uri}}]},
        "ProcessingResources": {"ClusterConfig": {"InstanceType": {"Get": "Parameters.Instance"}}},
        "Tags": [{"Key": "git-commit", "Value": "old"}],
        **arguments,
    }
    return {"Name": name, "Type": "Processing", "Arguments": given, "CacheConfig": CACHE}


def output_of(name: str) -> dict[str, str]:
    return {"Get": f"Steps.{name}.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}


def definition() -> dict[str, Any]:
    """Check -> Split -> Train, and a condition that ends in Reject."""
    depth = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Depth"}]}}
    train = {
        "HyperParameters": {"depth": depth, "db_password": "hunter2"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": output_of("Split")}}}],
        "Tags": [{"Key": "git-commit", "Value": "old"}],
    }
    reject = {"Name": "Reject", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    return {
        "Version": "2020-12-01",
        "Parameters": [
            {"Name": "Instance", "Type": "String", "DefaultValue": "ml.m5.large"},
            {"Name": "Depth", "Type": "Integer", "DefaultValue": 6},
        ],
        "Steps": [
            processing("Check", "s3://b/data", Environment={"API_TOKEN": "t0ps3cret", "MODE": "fast"}),
            processing("Split", output_of("Check")),
            {"Name": "Train", "Type": "Training", "Arguments": train, "CacheConfig": CACHE},
            {
                "Name": "Gate",
                "Type": "Condition",
                "Arguments": {"Conditions": [], "IfSteps": [], "ElseSteps": [reject]},
            },
        ],
    }


def step(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in document["Steps"] if entry["Name"] == name)
    return found


def plan(old: dict[str, Any] | None, new: dict[str, Any], code: DeployedCode | None = None, **options: Any) -> Plan:
    """The plan of `new` where `old` is deployed."""
    wanted = replace(CODE, bundles={"steps.a": options.pop("wanted", BUNDLE)})
    compiled = Compiled("p", "a test", json.dumps(new), wanted, "abc")
    commit = options.pop("commit", "abc")
    tags = {"git-commit": commit} if commit else {}
    deployed = old and Deployed(
        json.dumps(old), old, options.pop("role", ENVIRONMENT.role_arn), compiled.description, tags
    )
    same = DeployedCode((f"s3://test-bucket/{CODE.key('steps.a')}",), BUNDLE.files)
    durations = options.pop("durations", {})
    return make_plan(compiled, ENVIRONMENT, deployed or None, code or same, missing=[], durations=durations, **options)


def outcomes(found: Plan) -> dict[str, str]:
    return {entry.step: entry.outcome for entry in found.forecasts}


def test_the_same_is_nothing_to_do() -> None:
    found = plan(definition(), definition())
    assert (found.has_changes, found.exit_code) == (False, 0)
    assert next(iter(plan_lines(found))) == "p: nothing would change."


def test_of_what_is_not_deployed_everything_is_added() -> None:
    found = plan(None, definition(), DeployedCode((), {}))
    assert found.exit_code == 2
    assert [(entry.name, entry.action) for entry in found.steps] == [
        (name, "added") for name in ("Check", "Split", "Train", "Gate", "Reject")
    ]
    assert found.code.added == ("steps/a.py", "steps/b.py")
    assert {change.action for change in (*found.parameters, *found.pipeline)} == {"added"}


def test_steps_and_parameters_are_added_removed_and_changed_at_their_paths() -> None:
    new = definition()
    new["Parameters"] = [{"Name": "Depth", "Type": "Integer", "DefaultValue": 4}, {"Name": "Other", "Type": "String"}]
    step(new, "Check")["Arguments"]["AppSpecification"]["ImageUri"] = "image:2"
    new["Steps"][1]["Name"] = "Divide"
    step(new, "Gate")["Arguments"]["ElseSteps"][0]["Arguments"]["ErrorMessage"] = "never"
    found = plan(definition(), new)
    assert {entry.name: entry.action for entry in found.steps} == {
        "Check": "changed",
        "Divide": "added",
        "Split": "removed",
        "Reject": "changed",
    }
    image = found.steps[0].changes[0]
    assert (image.path, image.old, image.new) == ("Arguments.AppSpecification.ImageUri", "image:1", "image:2")
    assert [(change.path, change.action) for change in found.parameters] == [
        ("Instance", "removed"),
        ("Depth.DefaultValue", "changed"),
        ("Other", "added"),
    ]


def test_a_changed_default_reruns_the_steps_that_use_it_and_those_below() -> None:
    new = definition()
    new["Parameters"][1]["DefaultValue"] = 4
    found = plan(definition(), new)
    assert outcomes(found) == {
        "Check": "reused",
        "Split": "reused",
        "Train": "runs again",
        "Gate": "always runs",
        "Reject": "always runs",
    }
    assert found.forecasts[2].reasons == ("HyperParameters.depth is changed (default of Depth)",)
    step(new, "Check")["Arguments"]["Environment"]["MODE"] = "slow"
    assert outcomes(plan(definition(), new))["Split"] == "runs again"


def test_what_is_not_in_the_cache_key_reruns_nothing() -> None:
    new = definition()
    new["Parameters"][0]["DefaultValue"] = "ml.m5.4xlarge"
    step(new, "Train")["Arguments"]["StoppingCondition"] = {"MaxRuntimeInSeconds": 60}
    found = plan(definition(), new)
    assert found.exit_code == 2
    assert "runs again" not in outcomes(found).values()


def test_a_value_in_place_of_a_parameter_with_that_default_reruns_nothing() -> None:
    new = definition()
    step(new, "Train")["Arguments"]["HyperParameters"]["depth"] = "6"
    assert outcomes(plan(definition(), new))["Train"] == "reused"


def test_an_output_at_a_fixed_place_does_not_rerun_its_readers() -> None:
    old = definition()
    old["Steps"][0] = processing("Check", "s3://b/data", "s3://b/fixed")
    new = copy.deepcopy(old)
    step(new, "Check")["Arguments"]["AppSpecification"]["ImageUri"] = "image:2"
    assert [outcomes(plan(old, new))[name] for name in ("Check", "Split")] == ["runs again", "reused"]


def test_a_step_below_one_without_a_cache_always_runs() -> None:
    old = definition()
    del step(old, "Check")["CacheConfig"]
    found = outcomes(plan(old, old))
    assert [found[name] for name in ("Check", "Split", "Train")] == ["always runs"] * 3


def test_another_commit_alone_is_a_change_of_tags_that_reruns_nothing() -> None:
    new = json.loads(json.dumps(definition()).replace('"Value": "old"', '"Value": "new"'))
    found = plan(definition(), new, commit="before")
    assert found.exit_code == 2
    assert all(entry.only_tags for entry in found.steps)
    assert "runs again" not in outcomes(found).values()
    lines = list(plan_lines(found))
    assert lines[0] == "p: only tags would change."
    assert '  ~ Tags[\'git-commit\']: "before" -> "abc"' in lines


def test_another_role_and_another_spelling_of_the_definition_are_changes() -> None:
    found = plan(definition(), definition(), role="arn:aws:iam::1:role/other")
    assert [change.path for change in found.pipeline] == ["RoleArn"]
    swapped = dict(reversed(definition().items()))
    found = plan(swapped, definition())
    assert (found.rewritten, found.exit_code, found.steps) == (True, 2, ())


def test_secrets_are_compared_and_never_shown() -> None:
    new = definition()
    step(new, "Check")["Arguments"]["Environment"]["API_TOKEN"] = "n3wsecret"
    step(new, "Train")["Arguments"]["HyperParameters"]["db_password"] = "hunter3"
    for old in (definition(), None):
        found = plan(old, new)
        shown = "\n".join([*plan_lines(found), *markdown_lines(found), json.dumps(found.document()), repr(found)])
        assert not [secret for secret in ("t0ps3cret", "n3wsecret", "hunter") if secret in shown]
    lines = list(plan_lines(plan(definition(), new)))
    assert '    ~ Arguments.Environment.API_TOKEN: "(secret)" -> "(secret)"' in lines


def test_a_definition_deployed_by_hand_is_told_and_compared_like_any_other() -> None:
    theirs = {"Version": "2020-12-01", "Steps": [{"Name": "Theirs", "Type": "Fail", "Arguments": {}}]}
    found = plan(theirs, definition(), commit=None)
    assert found.by_hand == "not of this project (it has no git-commit tag): deployed by hand or by another tool"
    assert {entry.name: entry.action for entry in found.steps}["Theirs"] == "removed"
    lines = list(plan_lines(found))
    assert (
        lines[1]
        == "What is deployed is not of this project (it has no git-commit tag): deployed by hand or by another tool."
    )
    assert lines[1] in list(markdown_lines(found))


def test_a_definition_changed_by_hand_since_the_upsert_is_told() -> None:
    tags = {"git-commit": "0123456789abcdef", "git-branch": "main", "definition-sha256": fingerprint("{}")}
    changed = Deployed("{} ", {}, "role", "", tags)
    assert changed.by_hand == "changed by hand since the upsert of commit 012345678 on main"
    assert Deployed("{}", {}, "role", "", tags).by_hand is None


def test_the_cost_stands_in_the_plan_with_what_it_rests_on() -> None:
    new = definition()
    new["Parameters"][1]["DefaultValue"] = 4
    step(new, "Train")["Arguments"]["ResourceConfig"] = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}
    durations = {name: Measured(360.0, "e1", "arn", Job("TrainingJob", "t")) for name in ("Check", "Split", "Train")}
    found = plan(definition(), new, durations=durations)
    lines = list(plan_lines(found))
    assert "  Check: nothing, it comes from the cache" in lines
    assert "  Train: 0.0230 USD (1 x ml.m5.xlarge, 0.23 USD an hour, 6 min 00 s in e1)" in lines
    assert any(line.startswith("  in all: about 0.0230 USD (on-demand prices of us-east-1, 2024;") for line in lines)
    unknown = plan(definition(), new)
    assert "unknown, for " in "\n".join(markdown_lines(unknown))
    assert unknown.document()["cost"]["total"] is None


def test_code_is_compared_file_by_file() -> None:
    old = DeployedCode(("s3://b/other/sourcedir.tar.gz",), {"steps/a.py": b"A", "steps/gone.py": b""})
    code = plan(definition(), definition(), old).code
    assert (code.added, code.removed, code.changed) == (("steps/b.py",), ("steps/gone.py",), ("steps/a.py",))


def test_the_settings_that_changed_are_named() -> None:
    old = {"data": {"columns": {"size": {"range": [None, 9], "db_password": "a"}}}, "split": {"seed": 0}}
    new = {"data": {"columns": {"size": {"range": [0, 9], "db_password": "b", "levels": []}}}, "split": {"seed": 1}}
    files = dict(BUNDLE.files, **{"settings.json": json.dumps(old).encode()})
    bundle = replace(BUNDLE, files=dict(BUNDLE.files, **{"settings.json": json.dumps(new).encode()}))
    found = plan(definition(), definition(), DeployedCode(("s3://old",), files), wanted=bundle)
    lines = list(plan_lines(found))
    first = lines.index("Settings of the jobs")
    assert lines[first + 1 : first + 4] == [
        "  + data.columns.size.range[0]: 0",
        '  ~ data.columns.size.db_password: "(secret)" -> "(secret)"',
        "  ~ split.seed: 0 -> 1",
    ]
    assert len(found.code.settings) == 3  # a key that the older code did not have, and that says nothing, is none
    assert json.dumps(found.document())
    broken = DeployedCode(("s3://old",), dict(files, **{"settings.json": b"?"}))
    assert plan(definition(), definition(), broken, wanted=bundle).code.settings == ()


def test_the_deployed_archive_is_read_or_what_is_wrong_with_it_is_said(s3: Any) -> None:
    def read(content: bytes | None, key: str) -> DeployedCode:
        if content is not None:
            s3.put_object(Bucket="test-bucket", Key=f"{key}/sourcedir.tar.gz", Body=content)
        text = json.dumps({"x": json.dumps(f"s3://test-bucket/{key}/sourcedir.tar.gz")})
        return read_code(s3, text)

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:  # as another tool writes it
        member = tarfile.TarInfo("./train.py")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"ok"))
    assert read(stream.getvalue(), "plan/theirs").files == {"train.py": b"ok"}
    assert read(BUNDLE.archive(), "plan/ours").files == BUNDLE.files
    assert "missing in S3" in str(read(None, "plan/none").problem)
    assert "not a tar.gz" in str(read(b"rubbish", "plan/rubbish").problem)
    assert "names no sourcedir.tar.gz" in str(read_code(s3, "{}").problem)


@pytest.mark.e2e
def test_after_an_upsert_nothing_is_planned_and_a_hyperparameter_reruns_train_and_evaluate(
    server: Any, warm: str, tmp_path: Path
) -> None:
    chosen = {name: server.environment[name] for name in ("SAGEMAKER_LOCAL_PORT", "SAGEMAKER_LOCAL_STATE")}

    def run(*arguments: str, expect: int) -> str:
        command = [warm, str(ROOT / "run_pipeline.py"), "--local", *arguments]
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **chosen}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    text = (ROOT / "pipelines" / "house_prices.yaml").read_text().replace("name: house-prices", "name: planned", 1)
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(text)
    second.write_text(text.replace("max_depth: 6", "max_depth: 4"))
    assert "is not deployed" in run("--config", str(first), "plan", expect=2)
    run("--config", str(first), "upsert", expect=0)
    assert "nothing would change" in run("--config", str(first), "plan", expect=0)
    document = json.loads(run("--config", str(second), "plan", "--json", expect=2))
    again = [entry["step"] for entry in document["cache"] if entry["outcome"] == "runs again"]
    assert again == ["Train", "Evaluate"]
    assert document["parameters"] == [{"path": "MaxDepth.DefaultValue", "action": "changed", "old": 6, "new": 4}]
    assert run("--config", str(second), "plan", "--markdown", expect=2).startswith("### planned-training")


def test_what_the_steps_need_is_part_of_the_plan_where_data_were_given() -> None:
    need = StepNeed("Train", "training", "ml.m5.large", 1.0, 7.7, 1.0, 30.0, 60.0, 3600.0)
    found = plan(definition(), definition(), needs=(5, [need]))
    lines = list(plan_lines(found))
    assert lines[lines.index("What the steps need") + 2].startswith("  Train: 1.0 GB of memory of 7.7")
    assert found.document()["needs"] == {"rows": 5, "steps": [need.document()]}
    assert found.exit_code == 0
    assert "- Train: 1.0 GB of memory of 7.7" in "\n".join(markdown_lines(found))
    assert "What the steps need" not in list(plan_lines(plan(definition(), definition())))
