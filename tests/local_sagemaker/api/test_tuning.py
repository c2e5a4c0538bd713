"""Tuning jobs with real training jobs: limits, the objective, the best, failures, stopping, and a Tuning step."""

import io
import os
import signal
import tarfile
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import LocalServer
from tests.local_sagemaker.conftest import CLUSTER, IMAGE, ROLE, Pipelines, output, processing, step

SCRIPT = """
import argparse, pathlib, time
parser = argparse.ArgumentParser()
for name in ("--depth", "--sleep", "--fail"):
    parser.add_argument(name, type=float, default=0)
given = parser.parse_args()
print(f"loss={abs(given.depth - 4)};")
pathlib.Path("/opt/ml/model/depth").write_text(str(given.depth))
time.sleep(given.sleep)
raise SystemExit(int(given.fail))
"""


@pytest.fixture(scope="module")
def code(s3: Any) -> str:
    """The URI of the training code on the shared server."""
    return upload(s3)


def upload(s3: Any) -> str:
    """Store the training code; its URI."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("train.py")
        member.size = len(SCRIPT)
        tar.addfile(member, io.BytesIO(SCRIPT.encode()))
    s3.put_object(Bucket="test-bucket", Key="tuning/sourcedir.tar.gz", Body=archive.getvalue())
    return "s3://test-bucket/tuning/sourcedir.tar.gz"


def depths(*values: int) -> dict[str, Any]:
    return {"CategoricalParameterRanges": [{"Name": "depth", "Values": [str(value) for value in values]}]}


def arguments(code: str, strategy: str = "Grid", parallel: int = 2, **changes: Any) -> dict[str, Any]:
    """A tuning job, without its name."""
    static = {"sagemaker_program": "train.py", "sagemaker_submit_directory": code, **changes.pop("static", {})}
    limits = {"MaxParallelTrainingJobs": parallel, **changes.pop("limits", {})}
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": limits,
            "ParameterRanges": depths(1, 4, 9),
            **changes,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": static,
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://test-bucket/tuned"},
            "ResourceConfig": CLUSTER,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    }


def ended(sagemaker: Any, name: str) -> dict[str, Any]:
    """The description of a tuning job once it is over."""
    deadline = time.monotonic() + 60
    while True:
        job: dict[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if job["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.05)


def children(sagemaker: Any, name: str, **query: Any) -> list[dict[str, Any]]:
    found = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=name, **query)
    return list(found["TrainingJobSummaries"])


def test_a_grid_tries_every_combination_and_knows_the_best(sagemaker: Any, code: str) -> None:
    sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName="grid", **arguments(code))
    job = ended(sagemaker, "grid")
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    best = job["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"depth": "4"}
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 0
    assert job["TrainingJobStatusCounters"]["Completed"] == 3
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 3, "Pending": 0, "Failed": 0}
    ranked = children(sagemaker, "grid", SortBy="FinalObjectiveMetricValue")
    assert [each["TunedHyperParameters"]["depth"] for each in ranked] == ["4", "1", "9"]
    names = [each["TrainingJobName"] for each in children(sagemaker, "grid")]
    assert [name[:-8] for name in names] == ["grid-001-", "grid-002-", "grid-003-"]
    child = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert child["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert child["HyperParameters"]["_tuning_objective_metric"] == "loss"
    assert child["FinalMetricDataList"][0]["Value"] == 0
    definition = job["TrainingJobDefinition"]  # as the SDK's attach() reads it
    assert definition["StaticHyperParameters"]["_tuning_objective_metric"] == "loss"
    assert job["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Off"


def test_a_random_search_keeps_to_its_limits_and_its_seed(sagemaker: Any, code: str) -> None:
    integers = {"IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "1000"}]}
    limits = {"MaxNumberOfTrainingJobs": 3}
    asked = arguments(code, "Random", 2, limits=limits, ParameterRanges=integers, RandomSeed=5, static={"sleep": "0.3"})
    tried = []
    for name in ("random-a", "random-b"):
        sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName=name, **asked)
        assert ended(sagemaker, name)["HyperParameterTuningJobStatus"] == "Completed"
        jobs = children(sagemaker, name)
        tried.append([each["TunedHyperParameters"] for each in jobs])
        assert len(jobs) == 3
        for job in jobs:  # at its start, at most one other ran
            others = [each for each in jobs if each["TrainingJobName"] != job["TrainingJobName"]]
            begun = [each for each in others if each["CreationTime"] <= job["CreationTime"] < each["TrainingEndTime"]]
            assert len(begun) <= 1
    assert tried[0] == tried[1]


def test_a_bayesian_search_goes_on_from_what_its_jobs_have_found(sagemaker: Any, code: str) -> None:
    integers = {"IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "1000"}]}
    limits = {"MaxNumberOfTrainingJobs": 6}
    asked = arguments(code, "Bayesian", 1, limits=limits, ParameterRanges=integers, RandomSeed=5)
    sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName="bayesian", **asked)
    job = ended(sagemaker, "bayesian")
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    jobs = children(sagemaker, "bayesian")
    assert len({each["TunedHyperParameters"]["depth"] for each in jobs}) == 6
    losses = [each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in jobs]
    assert min(losses[3:]) < min(losses[:3])  # the first three are drawn at random


def test_a_warm_start_knows_the_best_of_its_parents_and_early_stopping_is_said_in_the_log(
    server: LocalServer, sagemaker: Any, code: str
) -> None:
    first = arguments(code, ParameterRanges=depths(4))
    sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName="parent", **first)
    ended(sagemaker, "parent")
    second = arguments(code, ParameterRanges=depths(9), TrainingJobEarlyStoppingType="Auto")
    config = {
        "WarmStartType": "TransferLearning",
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}],
    }
    sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName="warm", WarmStartConfig=config, **second)
    job = ended(sagemaker, "warm")
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"depth": "9"}
    assert job["OverallBestTrainingJob"]["TunedHyperParameters"] == {"depth": "4"}
    stream = f"{job['BestTrainingJob']['TrainingJobName']}/"
    events = server.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=stream
    )["events"]
    assert any("TrainingJobEarlyStoppingType has no effect" in each["message"] for each in events)
    config["ParentHyperParameterTuningJobs"] = [{"HyperParameterTuningJobName": "nobody"}]
    with pytest.raises(ClientError, match="nobody of WarmStartConfig does not exist"):
        sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName="w", WarmStartConfig=config, **second)


def test_training_jobs_that_all_fail_fail_the_tuning_job_in_the_services_words(sagemaker: Any, code: str) -> None:
    asked = arguments(code, static={"fail": "3"})
    sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName="failing", **asked)
    job = ended(sagemaker, "failing")
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("All training jobs failed.")
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 3
    assert {each["ObjectiveStatus"] for each in children(sagemaker, "failing")} == {"Failed"}
    assert "BestTrainingJob" not in job


def test_stopping_stops_the_training_jobs_and_starts_no_more(
    sagemaker: Any, code: str, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    asked = arguments(code, parallel=1, static={"sleep": "60"})
    sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopping", **asked)
    with pytest.raises(ClientError, match="names must be unique"):
        sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopping", **asked)
    wait_until(lambda: bool(children(sagemaker, "stopping")))
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopping")
    assert ended(sagemaker, "stopping")["HyperParameterTuningJobStatus"] == "Stopped"
    assert [each["TrainingJobStatus"] for each in children(sagemaker, "stopping")] == ["Stopped"]
    with pytest.raises(ClientError, match="already ended"):
        sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopping")
    listed = sagemaker.list_hyper_parameter_tuning_jobs(NameContains="stopping")["HyperParameterTuningJobSummaries"]
    assert [(each["Strategy"], each["HyperParameterTuningJobStatus"]) for each in listed] == [("Grid", "Stopped")]
    sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopping")
    with pytest.raises(ClientError, match="Could not find"):
        children(sagemaker, "stopping")


def test_a_target_that_is_reached_is_enough(sagemaker: Any, code: str) -> None:
    criteria = {"TargetObjectiveMetricValue": 0.5}
    asked = arguments(code, parallel=1, ParameterRanges=depths(4, 1, 9), TuningJobCompletionCriteria=criteria)
    sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName="target", **asked)
    assert ended(sagemaker, "target")["HyperParameterTuningJobStatus"] == "Completed"
    assert len(children(sagemaker, "target")) == 1


def test_the_best_model_of_a_tuning_step_is_there_for_the_steps_after_it(
    pipelines: Pipelines, s3: Any, code: str
) -> None:
    best = {"Get": "Steps.Tune.TrainingJobSummaries[0].TrainingJobName"}
    parts = ["s3:/", "test-bucket", "tuned", best, "output/model.tar.gz"]  # as get_top_model_s3_uri of the SDK joins it
    location = {
        "S3Uri": {"Std:Join": {"On": "/", "Values": parts}},
        "LocalPath": "/opt/ml/processing/input",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    unpack = processing(
        "tar -xzf /opt/ml/processing/input/model.tar.gz -C /opt/ml/processing/output/depth; test $BEST = 4",
        Environment={"BEST": {"Get": "Steps.Tune.BestTrainingJob.TunedHyperParameters['depth']"}},
        ProcessingInputs=[{"InputName": "model", "S3Input": location}],
        ProcessingOutputConfig=output("depth", "s3://test-bucket/best"),
    )
    tuning = step("Tune", "Tuning", arguments(code, ParameterRanges=depths(1, 4)))
    execution = pipelines.run(pipelines.create(tuning, step("Unpack", "Processing", unpack)))
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    assert ":hyper-parameter-tuning-job/" in steps["Tune"]["Metadata"]["TuningJob"]["Arn"]
    assert s3.get_object(Bucket="test-bucket", Key="best/depth")["Body"].read() == b"4.0"


def test_a_strategy_that_is_not_built_here_is_refused_when_the_execution_starts(
    pipelines: Pipelines, code: str
) -> None:
    name = pipelines.create(step("Tune", "Tuning", arguments(code, "Hyperband", limits={"MaxNumberOfTrainingJobs": 1})))
    with pytest.raises(ClientError, match="the tuning strategy Hyperband of Tune: use Bayesian"):
        pipelines.start(name)


def test_a_tuning_job_that_ran_when_the_server_was_killed_has_failed(
    new_server: Callable[[], LocalServer], wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    server = new_server()
    pid = server.up().pid
    s3, sagemaker = server.client("s3"), server.client("sagemaker")
    s3.create_bucket(Bucket="test-bucket")
    asked = arguments(upload(s3), static={"sleep": "60"})
    sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName="killed", **asked)
    wait_until(lambda: len(children(sagemaker, "killed")) == 2)
    os.kill(pid, signal.SIGKILL)
    server.up()
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="killed")
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert "stopped while the tuning job was running" in job["FailureReason"]
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 2
