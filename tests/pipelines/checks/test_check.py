"""What is wrong with a definition is told before anything is published: all of it, with step, path and way out."""

import copy
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from local_sagemaker.definition.check import check as check_structure
from pipelines.checks.check import check_definition, compilable
from pipelines.checks.fault import Fault
from pipelines.checks.limits import _compiled
from pipelines.definition.compilation import compile_pipeline
from pipelines.document.walk import OPERATIONS, service_model, steps
from pipelines.settings.environment import Environment
from pipelines.settings.settings import ROOT, default_config, load_settings

pytestmark = pytest.mark.e2e

SETTINGS, ENVIRONMENT = load_settings(default_config()), Environment.from_env({})
Change = Callable[[dict[str, Any]], object]
LONG = "x" * 300


def structure(text: str) -> list[tuple[str, str]]:
    """As run_pipeline.py brings it."""
    return [(fault.path, fault.message) for fault in check_structure(text)]


@pytest.fixture(scope="module")
def compiled() -> str:
    return compile_pipeline(SETTINGS, ENVIRONMENT).definition


def faults(text: str) -> list[Fault]:
    return check_definition(text, "house-prices-training", SETTINGS, ENVIRONMENT, structure)


def step(definition: dict[str, Any], name: str) -> dict[str, Any]:
    return next(dict(entry.raw) for entry in steps(definition) if entry.name == name)


def arguments(name: str, change: Callable[[dict[str, Any]], object]) -> Change:
    """A change of one step's arguments."""
    return lambda definition: change(step(definition, name)["Arguments"])


def parameter(name: str, **fields: Any) -> Change:
    """A change of one parameter."""
    return lambda definition: next(e for e in definition["Parameters"] if e["Name"] == name).update(fields)


def resources(definition: dict[str, Any], **fields: Any) -> None:
    step(definition, "ValidateData")["Arguments"]["ProcessingResources"]["ClusterConfig"].update(fields)


FAULTS: list[tuple[Change, str | None, str, str, str]] = [
    # change, step, path, what the message holds, what the fix holds
    (
        parameter("ProcessingInstanceType", DefaultValue="ml.m5.xlarg"),
        "ValidateData",
        "ProcessingResources.ClusterConfig.InstanceType",
        "ml.m5.xlarg is not an instance type that Processing steps can have",
        "did you mean ml.m5.xlarge? fix jobs.processing.instance_type",
    ),
    (
        arguments("Train", lambda a: a["ResourceConfig"].update(InstanceType="ml.inf1.xlarge")),
        "Train",
        "ResourceConfig.InstanceType",
        "not an instance type that Training steps",
        "jobs.training.instance_type",
    ),
    (
        lambda d: resources(d, InstanceCount={"Get": "Parameters.ProcessingInstanceType"}),
        "ValidateData",
        "InstanceCount",
        "filled from the parameter ProcessingInstanceType of type String and must be integer",
        "declare ProcessingInstanceType as Integer",
    ),
    (
        lambda d: resources(d, VolumeSizeInGB=99_999_999),
        "ValidateData",
        "VolumeSizeInGB",
        "AWS allows at most 16384",
        "set it to 16384 or less",
    ),
    (
        arguments("Train", lambda a: a["HyperParameters"].update(max_depth={"Get": "Parameters.MaxDepth"})),
        "Train",
        "HyperParameters['max_depth']",
        "type Integer and must be string",
        "to_string()",
    ),
    (
        arguments("Preprocess", lambda a: a.update(Environment={"X": LONG})),
        "Preprocess",
        "Environment['X']",
        "has 300 characters; AWS allows at most 256",
        "shorten",
    ),
    (
        arguments("Preprocess", lambda a: a["Tags"].extend([{"Key": str(i), "Value": ""} for i in range(60)])),
        "Preprocess",
        "Arguments.Tags",
        "has 62 entries; AWS allows at most 50",
        "leave some out",
    ),
    (
        arguments("Train", lambda a: a["InputDataConfig"][0].update(ChannelName="bad name")),
        "Train",
        "ChannelName",
        "'bad name' is not of the form",
        "ChannelName",
    ),
    (
        arguments("CheckQuality", lambda a: a["Conditions"][0].update(RightValue={"Get": "Parameters.InputDataUri"})),
        "CheckQuality",
        "Conditions[0].RightValue",
        "of type String, and GreaterThanOrEqualTo compares numbers",
        "Float parameter",
    ),
    (
        parameter("MinR2", Type="String", DefaultValue="0.8"),
        "CheckQuality",
        "RightValue",
        "is of type String",
        "compare with a number",
    ),
    (
        arguments(
            "Evaluate",
            lambda a: a["AppSpecification"].update(ImageUri=f"{'1' * 12}.dkr.ecr.us-east-1.amazonaws.com/x:1"),
        ),
        "Evaluate",
        "AppSpecification.ImageUri",
        "tables have no image x",
        "fix the name",
    ),
    (
        arguments(
            "Train",
            lambda a: a["AlgorithmSpecification"].update(
                TrainingImage=a["AlgorithmSpecification"]["TrainingImage"] + "0"
            ),
        ),
        "Train",
        "TrainingImage",
        "sagemaker-xgboost has no version 3.2-00",
        "did you mean 3.2-0?",
    ),
    (
        arguments(
            "Train",
            lambda a: a["AlgorithmSpecification"].update(
                TrainingImage=a["AlgorithmSpecification"]["TrainingImage"].replace("us-east-1", "eu-west-1")
            ),
        ),
        "Train",
        "TrainingImage",
        "lies in eu-west-1, and the jobs run in us-east-1",
        "take the image of us-east-1",
    ),
    (
        arguments("Train", lambda a: a["OutputDataConfig"].update(S3OutputPath="s3://another-bucket/models")),
        "Train",
        "OutputDataConfig.S3OutputPath",
        "s3://another-bucket/models is not under s3://sagemaker-us-east-1-000000000000/house-prices/",
        "put it under",
    ),
    (
        parameter("InputDataUri", DefaultValue="s3://another-bucket/data.csv"),
        None,
        "Parameters[0].DefaultValue",
        "not under",
        "let the role reach it",
    ),
    (
        lambda d: d["Steps"].extend({"Name": f"S{i}", "Type": "Fail", "Arguments": {}} for i in range(60)),
        None,
        "Steps",
        "there are 67 steps; SageMaker allows at most 50",
        "split the pipeline",
    ),
    (
        lambda d: step(d, "RejectModel").update() or d["Steps"][0].update(Name="y" * 70),
        "y" * 70,
        "Steps[0].Name",
        "has 70 characters; AWS allows at most 64",
        "rename it",
    ),
    (
        arguments("Train", lambda a: a.update(ResourceConfg=a.pop("ResourceConfig"))),
        "Train",
        "ResourceConfg",
        "no field ResourceConfg",
        "did you mean ResourceConfig?",
    ),
    (
        arguments(
            "Evaluate",
            lambda a: a["ProcessingInputs"][1]["S3Input"].update(S3Uri={"Get": "Steps.Trian.ModelArtifacts"}),
        ),
        "Evaluate",
        "S3Uri",
        "Steps.Trian is not a step",
        "did you mean Train?",
    ),
    (
        arguments(
            "RegisterModel",
            lambda a: a["InferenceSpecification"].update(SupportedRealtimeInferenceInstanceTypes=["ml.m5.huge"]),
        ),
        "RegisterModel",
        "SupportedRealtimeInferenceInstanceTypes[0]",
        "ml.m5.huge is not an instance type",
        "of a stage",
    ),
]


def test_the_projects_own_pipelines_have_no_faults(compiled: str) -> None:
    assert faults(compiled) == []
    validation = compile_pipeline(SETTINGS, ENVIRONMENT, pipeline="validation")
    assert check_definition(validation.definition, validation.name, SETTINGS, ENVIRONMENT, structure) == []


@pytest.mark.parametrize(("change", "owner", "path", "message", "fix"), FAULTS)
def test_a_fault_is_told_with_its_step_its_path_and_the_way_out(
    compiled: str, change: Change, owner: str | None, path: str, message: str, fix: str
) -> None:
    definition = json.loads(compiled)
    change(definition)
    found = faults(json.dumps(definition))
    assert [f for f in found if f.step == owner and path in f.path and message in f.message and fix in f.fix], found


def test_all_faults_are_told_at_once(compiled: str) -> None:
    definition = json.loads(compiled)
    for change, *_ in FAULTS:
        changed = copy.deepcopy(definition)
        try:
            change(changed)
        except (KeyError, StopIteration):
            continue  # an earlier fault has renamed what this one would change
        definition = changed
    assert len(faults(json.dumps(definition))) >= len(FAULTS) - 3


def test_what_is_no_definition_is_a_fault_and_no_traceback() -> None:
    for text in ("", "[]", "{}", '{"Steps": 3}', '{"Steps": ["x"], "Parameters": [1]}', '{"Steps": [{"Name": 1}]}'):
        assert faults(text)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield (*path, name)
        yield from places(item, (*path, name))


def test_whatever_stands_anywhere_in_a_definition_is_a_fault_at_most_and_never_a_traceback(compiled: str) -> None:
    joins = [{"Std:Join": {"On": 1, "Values": 2}}, {"Std:Join": None}]
    junk = [None, -5, True, 1e300, "x", [], {}, [None], {"Get": 3}, *joins]
    everywhere, random = sorted(places(json.loads(compiled)), key=str), Random(7)
    for _ in range(100):
        definition = json.loads(compiled)
        *way, last = random.choice(everywhere)
        owner = definition
        for name in way:
            owner = owner[name]
        owner[last] = random.choice(junk)
        faults(json.dumps(definition))


def test_an_image_version_that_does_not_exist_does_not_hide_the_other_faults() -> None:
    jobs = SETTINGS.jobs.model_copy(update={"image_version": "3.0-6"})
    settings, found = compilable(SETTINGS.model_copy(update={"jobs": jobs}), ENVIRONMENT)
    assert [(fault.path, fault.message) for fault in found] == [
        ("jobs.image_version", "us-east-1 has no xgboost image of version 3.0-6")
    ]
    assert "3.0-5" in found[0].fix
    compile_pipeline(settings, ENVIRONMENT)


def test_the_patterns_of_aws_can_all_be_read() -> None:
    seen = set()

    def visit(shape: Any) -> None:
        if shape.name in seen:
            return
        seen.add(shape.name)
        if shape.metadata.get("pattern"):
            _compiled(shape.metadata["pattern"])
        for inner in (
            *getattr(shape, "members", {}).values(),
            *(getattr(shape, k, None) for k in ("member", "key", "value")),
        ):
            if inner is not None:
                visit(inner)

    for operation in OPERATIONS.values():
        visit(service_model().operation_model(operation).input_shape)
    assert len(seen) > 200


def test_the_command_prints_a_line_a_fault_or_json_and_makes_no_network_call(
    compiled: str, warm: str, tmp_path: Path
) -> None:
    config = tmp_path / "mine.yaml"
    text = default_config().read_text()
    config.write_text(
        text.replace("training: {instance_type: ml.m5.xlarge", "training: {instance_type: ml.m5.extra", 1).replace(
            "image_version: 3.2-0", "image_version: 3.0-4"
        )
    )
    program = tmp_path / "run_pipeline.py"
    program.write_text(
        "import socket, sys\n"
        "def refuse(*words, **options): raise AssertionError(words)\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        f"sys.path.insert(1, {str(ROOT)!r})\n"
        "from command_line.pipeline import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [warm, str(program), "--config", str(config), "check", *words]
        return subprocess.run(command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)

    done = run()
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].startswith(
        "pipeline: jobs.image_version: us-east-1 has no xgboost image of version 3.0-4: take one of"
    )
    assert lines[2].startswith(
        "Train: Steps[2].Arguments.ResourceConfig.InstanceType: ml.m5.extra is not an instance type"
    )
    assert re.fullmatch(r"2 faults in 7 steps, checked in \d+ ms", lines[0])
    document = json.loads(run("--json").stdout)
    assert [fault["step"] for fault in document["faults"]] == [None, "Train"]
    file = tmp_path / "definition.json"
    file.write_text(compiled.replace('"Type": "Training"', '"Type": "Trainin"'))
    assert "did you mean Training?" in run("--definition", str(file)).stdout
    assert "cannot be read: No such file" in run("--definition", str(tmp_path / "none.json")).stderr
