"""What Describe says of a job beside its request: the service's defaults, which the SDKs index."""

from typing import Any

from local_sagemaker.api.job_description import training_job, transform_job

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def trained(image: str = "python:3", **fields: Any) -> dict[str, Any]:
    return training_job(
        {
            "TrainingJobName": "a",
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": "s3://b/out/"},
            **fields,
        }
    )


def test_a_training_job_has_every_default_and_keeps_what_was_given() -> None:
    job = trained(
        EnableManagedSpotTraining=True,
        InputDataConfig=[{"ChannelName": "train", "CompressionType": "Gzip"}],
    )
    assert job["OutputDataConfig"] == {"KmsKeyId": "", "CompressionType": "GZIP", "S3OutputPath": "s3://b/out/"}
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": "s3://b/out/a/output/model.tar.gz"}
    assert (job["EnableManagedSpotTraining"], job["EnableNetworkIsolation"]) == (True, False)
    [channel] = job["InputDataConfig"]
    assert channel == {"ChannelName": "train", "CompressionType": "Gzip", "RecordWrapperType": "None"}
    assert "MetricDefinitions" not in job["AlgorithmSpecification"]


def test_a_built_in_algorithm_names_its_metrics_unless_a_script_replaces_it() -> None:
    specification = trained(XGBOOST)["AlgorithmSpecification"]
    assert "validation:rmse" in [each["Name"] for each in specification["MetricDefinitions"]]
    assert specification["EnableSageMakerMetricsTimeSeries"] is True
    scripted = trained(XGBOOST, HyperParameters={"sagemaker_program": "train.py"})["AlgorithmSpecification"]
    assert scripted == {
        "EnableSageMakerMetricsTimeSeries": False,
        "TrainingImage": XGBOOST,
        "TrainingInputMode": "File",
    }


def test_a_transform_job_has_every_default() -> None:
    job = transform_job({"TransformInput": {"SplitType": "Line"}, "TransformOutput": {"S3OutputPath": "s3://b/o"}})
    assert job["TransformInput"] == {"CompressionType": "None", "SplitType": "Line"}
    assert job["TransformOutput"] == {"AssembleWith": "None", "KmsKeyId": "", "S3OutputPath": "s3://b/o"}
    assert job["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
