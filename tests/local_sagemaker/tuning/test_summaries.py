"""What Describe says of a tuning job's request: what the SDK's HyperparameterTuner.attach() reads."""

from local_sagemaker.tuning.plan import plan
from local_sagemaker.tuning.summaries import described_request

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def test_the_definition_has_the_service_s_hyperparameter_the_metrics_and_the_resources() -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}
    request = {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "1"}]},
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {"num_round": "5"},
            "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            "HyperParameterTuningResourceConfig": resources,
        },
    }
    described = described_request(request, plan(request))
    definition = described["TrainingJobDefinition"]
    static = {"num_round": "5", "_tuning_objective_metric": "validation:auc"}
    assert definition["StaticHyperParameters"] == static
    assert definition["ResourceConfig"] == definition["HyperParameterTuningResourceConfig"] == resources
    assert "validation:auc" in [each["Name"] for each in definition["AlgorithmSpecification"]["MetricDefinitions"]]
    assert described["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Off"
    assert "_tuning_objective_metric" not in request["TrainingJobDefinition"]["StaticHyperParameters"]
