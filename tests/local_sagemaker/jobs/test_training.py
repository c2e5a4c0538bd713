"""The contract of training jobs and script mode, through real processes."""

import io
import json
import os
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.processes.outcome import Outcome
from tests.local_sagemaker.jobs.wheels import make_wheel

pytestmark = pytest.mark.e2e

IMAGE = "public.ecr.aws/docker/library/python:3"
XGBOOST = "1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0"
SCIKIT_LEARN = "1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
FAIL = "open('/opt/ml/output/failure', 'w').write('lost'); print('error: no variance'); raise SystemExit(4)"


def bundle(files: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


def training(bench: Any, script: str, hyperparameters: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    files = {"steps/__init__.py": "", "steps/train.py": script, **changes.pop("files", {})}
    code = bench.store.put("s3://in/code/sourcedir.tar.gz", bundle(files))
    script_mode = {"sagemaker_program": "steps.train", "sagemaker_submit_directory": code}
    bench.store.put("s3://in/train/part.csv", "1,2")
    return {
        "TrainingJobName": "job",
        "TrainingJobArn": "arn:aws:sagemaker:eu-west-1:000000000000:training-job/job",
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {**script_mode, **(hyperparameters or {})},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://in/train"}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://out/models/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **changes,
    }


def train(bench: Any, request: dict[str, Any], stop: threading.Event | None = None) -> Outcome:
    bench.statuses.clear()
    return bench.runtime.run_training_job(request, stop or threading.Event(), lambda: 2, bench.statuses.append)


def members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}  # type: ignore[union-attr]


SAVE = "open('/opt/ml/model/model.json', 'w').write('{}')\n"


def test_the_model_is_uploaded_and_the_phases_are_told(bench: Any) -> None:
    outcome = train(bench, training(bench, SAVE + "open('/opt/ml/output/data/note', 'w').write('n')"))
    assert outcome.status == "Completed", bench.log()
    assert outcome.artifacts == "s3://out/models/job/output/model.tar.gz"
    assert members(bench.store.get(outcome.artifacts)) == {"model.json": b"{}"}
    assert members(bench.store.get("s3://out/models/job/output/output.tar.gz")) == {"note": b"n"}
    assert bench.statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert [path.name for path in (bench.folder / "job").iterdir()] == ["output.log"]


def test_equal_models_are_equal_bytes(bench: Any) -> None:
    script = SAVE + "import os; os.makedirs('/opt/ml/model/code'); open('/opt/ml/model/code/a.py', 'w')"
    first = bench.store.get(train(bench, training(bench, script)).artifacts)
    time.sleep(1.1)  # longer than the resolution of gzip's and tar's times
    assert bench.store.get(train(bench, training(bench, script)).artifacts) == first


def test_script_mode_passes_hyperparameters_as_arguments_and_variables(bench: Any) -> None:
    script = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd(), sys.path[0]]))"
    values = {"max_depth": "6", "rate": "0.1", "note": "plain text", "k": "true", "grid": '{"b": 2, "a": 1}'}
    outcome = train(bench, training(bench, script, {**values, "sagemaker_region": "eu-west-1"}))
    assert outcome.status == "Completed", bench.log()
    arguments, variables, directory, first = json.loads(bench.log().splitlines()[0])
    assert arguments == [
        *("--grid", "a=1,b=2"),
        *("-k", "True"),
        *("--max_depth", "6"),
        *("--note", "plain text"),
        *("--rate", "0.1"),
    ]
    assert directory == first
    assert json.loads(variables["SM_HPS"]) == {
        "max_depth": 6, "rate": 0.1, "note": "plain text", "k": True, "grid": {"a": 1, "b": 2}
    }  # fmt: skip
    assert (variables["SM_HP_MAX_DEPTH"], variables["SM_HP_NOTE"], variables["SM_HP_K"]) == ("6", "plain text", "true")
    assert json.loads(variables["SM_CHANNELS"]) == ["train"]
    assert variables["SM_CHANNEL_TRAIN"].endswith("/opt/ml/input/data/train")
    assert variables["SM_MODEL_DIR"].endswith("/opt/ml/model")
    assert variables["SM_OUTPUT_DIR"].endswith("/opt/ml/output")
    assert variables["SM_OUTPUT_DATA_DIR"].endswith("/opt/ml/output/data")
    assert (variables["SM_HOSTS"], variables["SM_CURRENT_HOST"]) == ('["algo-1"]', "algo-1")
    assert (variables["SM_NUM_CPUS"], variables["SM_NUM_GPUS"]) == ("2", "0")
    assert json.loads(variables["SM_USER_ARGS"]) == arguments
    assert variables["SM_MODULE_NAME"] == variables["SM_USER_ENTRY_POINT"] == "steps.train"
    environment = json.loads(variables["SM_TRAINING_ENV"])
    assert environment["job_name"] == variables["TRAINING_JOB_NAME"] == "job"
    assert environment["is_master"] is True
    assert environment["hyperparameters"]["max_depth"] == 6
    assert variables["TRAINING_JOB_ARN"].endswith(":training-job/job")
    assert variables["OMP_NUM_THREADS"] == "2"


def test_the_configuration_files_are_those_of_the_contract(bench: Any) -> None:
    script = """
import json
for name in ("hyperparameters", "inputdataconfig", "resourceconfig"):
    print(json.dumps(json.load(open(f"/opt/ml/input/config/{name}.json"))))
print(open("/opt/ml/input/data/train/part.csv").read())
"""
    assert train(bench, training(bench, script, {"max_depth": "6"})).status == "Completed", bench.log()
    hyperparameters, channels, resources, data, *_ = bench.log().splitlines()
    assert json.loads(hyperparameters)["max_depth"] == "6"
    assert json.loads(channels)["train"] == {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
        "ContentType": "text/csv",
    }
    assert json.loads(resources)["hosts"] == ["algo-1"]
    assert json.loads(resources)["current_instance_type"] == "ml.m5.large"
    assert data == "1,2"


def test_the_failure_file_is_the_reason_and_artifacts_are_uploaded_all_the_same(bench: Any) -> None:
    script = SAVE + "open('/opt/ml/output/failure', 'w').write('The target has no variance.'); raise SystemExit(4)"
    outcome = train(bench, training(bench, script))
    assert outcome.status == "Failed"
    assert outcome.failure_reason == "AlgorithmError: The target has no variance., exit code: 4"
    assert members(bench.store.get(outcome.artifacts)) == {"model.json": b"{}"}
    assert bench.statuses[-2:] == ["Uploading", "Failed"]


@pytest.mark.parametrize(
    ("image", "program", "said", "command"),
    [
        (XGBOOST, "steps.train", 'ExecuteUserScriptError:\nCommand "', " -m steps.train"),
        (
            SCIKIT_LEARN,
            "steps/train.py",
            'ExecuteUserScriptError:\nExitCode 4\nErrorMessage "error: no variance"\nCommand "',
            " steps/train.py",
        ),
    ],
)
def test_the_toolkits_of_the_framework_images_overwrite_what_a_script_says_of_its_failure(
    bench: Any, image: str, program: str, said: str, command: str
) -> None:
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    outcome = train(
        bench, training(bench, FAIL, {"depth": "6", "sagemaker_program": program}, AlgorithmSpecification=algorithm)
    )
    assert outcome.failure_reason.startswith(f"AlgorithmError: {said}")
    assert outcome.failure_reason.endswith(f'{command} --depth 6", exit code: 1')
    assert "lost" not in outcome.failure_reason
    assert "error: no variance" in bench.log()  # there it is still
    assert bench.log().rstrip().endswith('--depth 6"')  # the toolkit has the last word


def test_an_entrypoint_keeps_its_own_failure_and_gets_no_variables_of_the_toolkit(bench: Any) -> None:
    request = training(bench, "")
    shell = "env | grep -c ^SM_; echo mine > /opt/ml/output/failure; exit 3"
    request["AlgorithmSpecification"].update(TrainingImage=XGBOOST, ContainerEntrypoint=["sh", "-c", shell])
    outcome = train(bench, request)
    assert outcome.failure_reason == "AlgorithmError: mine, exit code: 3"
    assert "0" in bench.log().splitlines()


def test_no_model_means_no_artifact_and_a_warning(bench: Any) -> None:
    outcome = train(bench, training(bench, "print('trained nothing')"))
    assert (outcome.status, outcome.artifacts) == ("Completed", None)
    assert "warning: there is no model artifact" in bench.log()
    assert bench.store.keys() == []


def test_a_stopped_job_keeps_its_model(bench: Any) -> None:
    stop, seen = threading.Event(), []
    request = training(bench, SAVE + "print('ready'); import time; time.sleep(60)")
    thread = threading.Thread(target=lambda: seen.append(train(bench, request, stop)))
    thread.start()
    while not (bench.runtime.log_path("job").exists() and "ready" in bench.log()):
        time.sleep(0.02)
    stop.set()
    thread.join()
    assert (seen[0].status, seen[0].secondary_status) == ("Stopped", None)
    assert members(bench.store.get(seen[0].artifacts)) == {"model.json": b"{}"}
    assert bench.statuses[-1] == "Stopped"


def test_the_time_limit_is_told_as_max_runtime_exceeded(bench: Any) -> None:
    limit = {"MaxRuntimeInSeconds": 1}
    outcome = train(bench, training(bench, SAVE + "import time; time.sleep(60)", StoppingCondition=limit))
    assert (outcome.status, outcome.secondary_status) == ("Stopped", "MaxRuntimeExceeded")
    assert outcome.artifacts is not None
    assert bench.statuses[-1] == "MaxRuntimeExceeded"


def test_an_entrypoint_goes_before_script_mode(bench: Any) -> None:
    request = training(bench, "")
    shell = "cat /opt/ml/input/data/train/part.csv > /opt/ml/model/copy; echo $0 $1"
    request["AlgorithmSpecification"]["ContainerEntrypoint"] = ["/bin/bash", "-c", shell]
    request["AlgorithmSpecification"]["ContainerArguments"] = ["first", "second"]
    outcome = train(bench, request)
    assert members(bench.store.get(outcome.artifacts)) == {"copy": b"1,2"}
    assert bench.log() == "first second\n"


def test_models_of_several_hosts_become_one(bench: Any) -> None:
    script = "import os; open(f\"/opt/ml/model/{os.environ['SM_CURRENT_HOST']}\", 'w').write(os.environ['SM_HOSTS'])"
    resources = {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
    outcome = train(bench, training(bench, script, ResourceConfig=resources))
    hosts = b'["algo-1","algo-2"]'
    assert members(bench.store.get(outcome.artifacts)) == {"algo-1": hosts, "algo-2": hosts}


def test_an_uncompressed_model_is_uploaded_as_files(bench: Any) -> None:
    output = {"S3OutputPath": "s3://out/models", "CompressionType": "NONE"}
    outcome = train(bench, training(bench, SAVE, OutputDataConfig=output))
    assert outcome.artifacts == "s3://out/models/job/output/model/"
    assert bench.store.get("s3://out/models/job/output/model/model.json") == b"{}"


def test_checkpoints_are_there_again_in_the_next_job(bench: Any) -> None:
    script = """
from pathlib import Path
path = Path("/opt/ml/checkpoints/epoch")
path.write_text(path.read_text() + "x" if path.exists() else "x")
"""
    for _ in range(2):
        outcome = train(bench, training(bench, script, CheckpointConfig={"S3Uri": "s3://out/checkpoints"}))
        assert outcome.status == "Completed", outcome
    assert bench.store.get("s3://out/checkpoints/epoch") == b"xx"


def test_checkpoints_are_in_s3_while_the_job_still_runs(bench: Any) -> None:
    """The job waits for its first checkpoint to be seen in S3, so it only ends if that happens meanwhile."""
    script = """
import os, pathlib, time
folder = pathlib.Path("/opt/ml/checkpoints")
(folder / "epoch-1").mkdir()
(folder / "epoch-1" / "state").write_text("one")
while not os.path.exists(os.environ["SEEN"]):
    time.sleep(0.05)
(folder / "epoch-1" / "state").write_text("two")
"""
    seen = bench.store.folder / "seen"
    request = training(bench, script, CheckpointConfig={"S3Uri": "s3://out/ck/"}, Environment={"SEEN": str(seen)})
    outcomes: list[Outcome] = []
    job = threading.Thread(target=lambda: outcomes.append(train(bench, request)))
    job.start()
    deadline = time.monotonic() + 30
    while bench.store.keys() != ["ck/epoch-1/state"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert bench.store.get("s3://out/ck/epoch-1/state") == b"one"
    seen.touch()
    job.join()
    assert outcomes[0].status == "Completed", bench.log()
    assert bench.store.get("s3://out/ck/epoch-1/state") == b"two"


def test_the_modes_of_the_channels_are_told(bench: Any) -> None:
    script = "print(open('/opt/ml/input/config/inputdataconfig.json').read())"
    request = training(bench, script)
    request["AlgorithmSpecification"]["TrainingInputMode"] = "FastFile"
    request["InputDataConfig"].append({**request["InputDataConfig"][0], "ChannelName": "other", "InputMode": "File"})
    assert train(bench, request).status == "Completed", bench.log()
    told = json.loads(bench.log().partition("warning")[0])
    assert {name: channel["TrainingInputMode"] for name, channel in told.items()} == {
        "train": "FastFile",
        "other": "File",
    }


def test_what_has_no_effect_is_named_in_the_log(bench: Any) -> None:
    resources = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "KeepAlivePeriodInSeconds": 60}
    request = training(bench, "", ProfilerConfig={"S3OutputPath": "s3://out"}, ResourceConfig=resources)
    assert train(bench, request).status == "Completed"
    assert bench.log().splitlines()[:2] == [
        "warning: ProfilerConfig has no effect on this machine",
        "warning: ResourceConfig.KeepAlivePeriodInSeconds has no effect on this machine",
    ]


def test_a_job_without_script_or_entrypoint_is_refused_by_name(bench: Any) -> None:
    request = training(bench, "")
    del request["HyperParameters"]["sagemaker_program"]
    outcome = train(bench, request)
    assert outcome.failure_reason.startswith("ClientError: The image public.ecr.aws/")
    assert "sagemaker_program" in outcome.failure_reason


def test_an_unsafe_code_bundle_is_refused_by_name(bench: Any) -> None:
    outcome = train(bench, training(bench, "", files={"../../outside.py": "x"}))
    assert outcome.failure_reason == (
        "ClientError: The archive s3://in/code/sourcedir.tar.gz is unsafe: "
        "its member '../../outside.py' leaves the folder."
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"InputDataConfig": [{"ChannelName": "t", "InputMode": "Pipe", "DataSource": {"S3DataSource": {}}}]}, "Pipe"),
        ({"InputDataConfig": [{"ChannelName": "t", "DataSource": {"FileSystemDataSource": {}}}]}, "channel t"),
        ({"ResourceConfig": {"InstanceGroups": [{}]}}, "InstanceGroups"),
        ({"AlgorithmSpecification": {"AlgorithmName": "mine", "TrainingInputMode": "File"}}, "AlgorithmName"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(bench: Any, change: dict[str, Any], said: str) -> None:
    outcome = train(bench, training(bench, "", **change))
    assert outcome.failure_reason.startswith("ClientError: Local SageMaker does not support")
    assert said in outcome.failure_reason


def test_a_satisfied_requirement_starts_no_pip_and_a_missing_one_goes_to_an_overlay(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(tmp_path, "1.0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    script = "try:\n    import tiny_thing; print(tiny_thing.__file__)\nexcept ImportError: print('absent')"
    assert train(bench, training(bench, script, files={"requirements.txt": "pytest\n"})).status == "Completed"
    assert bench.log().splitlines()[0] == "absent"
    files = {"requirements.txt": "# ours\npytest >=1\ntiny-thing ==1.*\n"}
    assert train(bench, training(bench, script, files=files)).status == "Completed", bench.log()
    assert "site-packages/tiny_thing.py" in bench.log()
    assert not any(Path(folder, "tiny_thing.py").exists() for folder in sys.path)
    files = {"requirements.txt": "no-such-thing-anywhere\n"}
    outcome = train(bench, training(bench, script, files=files))
    assert outcome.failure_reason.startswith("ClientError: The requirements in requirements.txt cannot be installed")
    assert "no-such-thing-anywhere" in bench.log()


def test_the_interpreter_of_a_mapped_image_runs_the_job(make_bench: Any, tmp_path: Path) -> None:
    from local_sagemaker.processes.images import ImageMap

    interpreter = tmp_path / "python-of-mine"
    interpreter.write_text(f'#!/bin/sh\nMARK=mine exec {sys.executable} "$@"\n')
    interpreter.chmod(0o755)
    bench = make_bench(images=ImageMap({IMAGE: str(interpreter)}))
    script = (
        "import os, subprocess; print(os.environ['MARK']); subprocess.run(['python', '-c', 'print(1)'], check=True)"
    )
    assert train(bench, training(bench, script)).status == "Completed", bench.log()
    assert bench.log().splitlines()[:2] == ["mine", "1"]
    assert os.path.exists(interpreter)
