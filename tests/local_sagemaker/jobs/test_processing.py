"""The contract of processing jobs, through real processes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.e2e

SHOW = """
import json, pathlib, sys
found = sorted(str(p) for p in pathlib.Path("/opt/ml/processing/input/data").rglob("*") if p.is_file())
start = len(str(pathlib.Path("/opt/ml/processing/input/data"))) + 1
pathlib.Path("/opt/ml/processing/output/result/seen.json").write_text(
    json.dumps({p[start:]: open(p).read() for p in found}))
"""


def seen(bench: Any, name: str = "job") -> dict[str, str]:
    return json.loads(bench.store.get(f"s3://out/{name}/result/seen.json"))


def test_outputs_are_uploaded_and_files_of_a_completed_job_leave_only_its_log(bench: Any) -> None:
    outcome = bench.process(
        "import os; os.makedirs('/opt/ml/processing/output/result/deep')\n"
        "open('/opt/ml/processing/output/result/deep/a.txt', 'w').write('written'); print('done')"
    )
    assert outcome.status == "Completed", bench.log()
    assert outcome.exit_code == 0
    assert bench.store.get("s3://out/job/result/deep/a.txt") == b"written"
    assert sorted(path.name for path in (bench.folder / "job").iterdir()) == ["output.log", "output.times"]
    assert bench.log() == "done\n"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://in/data/one.csv", {"one.csv": "1"}),
        ("s3://in/data/", {"one.csv": "1", "sub/two.csv": "2"}),
        ("s3://in/data", {"one.csv": "1", "sub/two.csv": "2", "data_other/three.csv": "3"}),
        ("s3://in/data/su", {"sub/two.csv": "2"}),
    ],
)
def test_an_input_is_an_object_a_folder_or_a_prefix(
    bench: Any, s3_input: Callable[..., Any], uri: str, expected: dict[str, str]
) -> None:
    bench.store.put("s3://in/data/one.csv", "1")
    bench.store.put("s3://in/data/sub/two.csv", "2")
    bench.store.put("s3://in/data_other/three.csv", "3")
    outcome = bench.process(SHOW, inputs=[s3_input("data", uri)])
    assert outcome.status == "Completed", bench.log()
    assert seen(bench) == expected


def test_the_configuration_files_are_those_of_the_contract(bench: Any) -> None:
    script = """
import json
job = json.load(open("/opt/ml/config/processingjobconfig.json"))
hosts = json.load(open("/opt/ml/config/resourceconfig.json"))
print(json.dumps([job["ProcessingJobName"], job["ProcessingJobArn"], sorted(hosts), hosts["hosts"]]))
"""
    assert bench.process(script).status == "Completed", bench.log()
    arn = "arn:aws:sagemaker:eu-west-1:000000000000:processing-job/job"
    assert json.loads(bench.log()) == ["job", arn, ["current_host", "hosts"], ["algo-1"]]


def test_arguments_and_environment_reach_the_job(bench: Any) -> None:
    request = bench.processing("import os, sys; print(sys.argv[1:], os.environ['MODE'])", Environment={"MODE": "fast"})
    request["AppSpecification"]["ContainerArguments"] = ["--rows", "10 000"]
    assert bench.run(request).status == "Completed"
    assert bench.log() == "['--rows', '10 000'] fast\n"


def test_a_shell_entrypoint_finds_the_interpreter_and_unpacks_the_code(bench: Any) -> None:
    request = bench.processing("import sys; print(sys.prefix)")
    shell = 'cd /opt/ml/processing/input/code && exec python3 "$0"'
    request["AppSpecification"]["ContainerEntrypoint"] = ["/bin/sh", "-c", shell, "run.py"]
    assert bench.run(request).status == "Completed", bench.log()
    assert bench.log() == f"{bench.folder / 'job' / 'algo-1' / 'venv'}\n"


def test_a_failed_job_says_why_and_its_outputs_are_in_s3_and_in_its_folder(bench: Any) -> None:
    outcome = bench.process("""
import os, sys
open("/opt/ml/processing/output/result/rejected.csv", "w").write("row")
open("/opt/ml/output/message", "w").write("7 of 9 rows were rejected.")
sys.exit(3)
""")
    assert outcome.status == "Failed"
    assert outcome.failure_reason == "AlgorithmError: 7 of 9 rows were rejected., exit code: 3"
    assert outcome.exit_message == "7 of 9 rows were rejected."
    assert outcome.exit_code == 3
    assert bench.store.get("s3://out/job/result/rejected.csv") == b"row"
    kept = bench.folder / "job" / "algo-1" / "opt" / "ml" / "processing" / "output" / "result" / "rejected.csv"
    assert kept.read_text() == "row"
    assert not (bench.folder / "job" / "algo-1" / "opt" / "ml" / "processing" / "input").exists()


def test_a_job_that_says_nothing_is_explained_by_its_log(bench: Any) -> None:
    outcome = bench.process("raise ValueError('no such column')")
    assert outcome.failure_reason == "AlgorithmError: See job logs for more information, exit code: 1"
    assert "ValueError: no such column" in bench.log()


def test_what_several_hosts_say_alike_is_told_once(bench: Any) -> None:
    cluster = {"ClusterConfig": {"InstanceCount": 3, "InstanceType": "ml.m5.large"}}
    script = "open('/opt/ml/output/message', 'w').write('The disk is full.'); raise SystemExit(1)"
    assert bench.process(script, ProcessingResources=cluster).exit_message == "The disk is full."


def test_a_long_message_is_cut_and_keeps_the_exit_code(bench: Any) -> None:
    outcome = bench.process("open('/opt/ml/output/message', 'w').write('ü' * 5000); raise SystemExit(1)")
    assert len(outcome.failure_reason) == 1024
    assert outcome.failure_reason.endswith(", exit code: 1")
    assert outcome.exit_message == "ü" * 1024


def test_a_message_that_is_not_text_fails_the_job(bench: Any) -> None:
    outcome = bench.process("open('/opt/ml/output/message', 'wb').write(b'\\xff\\xfe')")
    assert outcome.status == "Failed"
    assert outcome.failure_reason == "ClientError: /opt/ml/output/message is not UTF-8 text."


def test_a_missing_input_names_its_uri(bench: Any, s3_input: Callable[..., Any]) -> None:
    outcome = bench.process("print('ran')", inputs=[s3_input("data", "s3://in/nothing/here")])
    assert outcome.status == "Failed"
    assert outcome.failure_reason.startswith('ClientError: No S3 objects found under S3 URL "s3://in/nothing/here"')
    assert "ran" not in bench.log()
    assert "s3://in/nothing/here" in bench.log()


def test_a_missing_bucket_is_named(bench: Any, s3_input: Callable[..., Any]) -> None:
    outcome = bench.process("", inputs=[s3_input("data", "s3://nowhere/x")])
    assert "ClientError" in outcome.failure_reason
    assert "'nowhere'" in outcome.failure_reason


def test_an_output_bucket_that_is_missing_fails_a_job_that_was_fine(bench: Any) -> None:
    request = bench.processing("open('/opt/ml/processing/output/result/a', 'w')")
    request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] = "s3://nowhere/result"
    outcome = bench.run(request)
    assert outcome.status == "Failed"
    assert outcome.failure_reason.startswith("ClientError: The output s3://nowhere/result/a cannot be uploaded")


@pytest.mark.parametrize("path", ["/etc/cron.d", "/opt/ml/processing/../../../etc", "relative", None])
def test_a_local_path_outside_the_contract_is_refused(bench: Any, s3_input: Callable[..., Any], path: str) -> None:
    outcome = bench.process("", inputs=[s3_input("data", "s3://in/job/run.py", LocalPath=path)])
    assert outcome.failure_reason.startswith(f"ClientError: The input data has the LocalPath {path!r}, which is not")


def test_an_image_without_entrypoint_is_refused_by_name(bench: Any) -> None:
    request = bench.processing("")
    del request["AppSpecification"]["ContainerEntrypoint"]
    reason = bench.run(request).failure_reason
    assert reason.startswith("ClientError: The image public.ecr.aws/docker/library/python:3 only")
    assert "ContainerEntrypoint" in reason


def test_an_unknown_image_is_refused_by_name(bench: Any) -> None:
    request = bench.processing("")
    request["AppSpecification"]["ImageUri"] = "1.dkr.ecr.eu-west-1.amazonaws.com/mine:1"
    reason = bench.run(request).failure_reason
    assert reason.startswith("ClientError: There is no local runtime for the image '1.dkr")


def test_what_is_not_supported_is_refused_by_name(bench: Any, s3_input: Callable[..., Any]) -> None:
    pipe = bench.process("", inputs=[s3_input("data", "s3://in/x", S3InputMode="Pipe")])
    athena = bench.process("", inputs=[{"InputName": "rows", "DatasetDefinition": {}}])
    request = bench.processing("")
    request["ProcessingOutputConfig"]["Outputs"][0] = {"OutputName": "store", "FeatureStoreOutput": {}}
    assert "S3InputMode Pipe (input data)" in pipe.failure_reason
    assert "DatasetDefinition (input rows)" in athena.failure_reason
    assert "output store" in bench.run(request).failure_reason


def test_a_continuous_output_is_in_s3_while_the_job_runs_and_a_managed_one_is_the_job_s_own_affair(bench: Any) -> None:
    script = """
import os, time
open("/opt/ml/processing/output/result/first", "w").write("1")
while not os.path.exists(os.environ["SEEN"]):
    time.sleep(0.05)
"""
    request = bench.processing(
        script, Environment={"SEEN": str(bench.store.folder / "out" / "job" / "result" / "first")}
    )
    outputs = request["ProcessingOutputConfig"]["Outputs"]
    outputs[0]["S3Output"]["S3UploadMode"] = "Continuous"
    outputs.append({"OutputName": "own", "AppManaged": True})
    request["StoppingCondition"] = {"MaxRuntimeInSeconds": 60}
    assert bench.run(request).status == "Completed", bench.log()


def test_links_out_of_an_output_are_refused(bench: Any) -> None:
    outcome = bench.process("import os; os.symlink('/etc/passwd', '/opt/ml/processing/output/result/users')")
    assert outcome.failure_reason.startswith("ClientError: The output users is a link to elsewhere")
    assert bench.store.keys() == []
