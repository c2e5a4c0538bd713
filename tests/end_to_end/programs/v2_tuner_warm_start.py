"""Tuning that begins with the results of an earlier job, stops jobs early, and Hyperband.

As in aws/amazon-sagemaker-examples, hyperparameter_tuning/image_classification_warmstart and the SDK's guide to tuning.
"""

import pathlib

import sagemaker
from botocore.exceptions import ClientError
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.tuner import (
    ContinuousParameter,
    HyperbandStrategyConfig,
    HyperparameterTuner,
    StrategyConfig,
    WarmStartConfig,
    WarmStartTypes,
)

session, role = sagemaker.Session(), sagemaker.get_execution_role()
pathlib.Path("train.py").write_text("""
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--alpha", type=float)
print(f"loss: {(parser.parse_args().alpha - 0.5) ** 2:.6f}")
""")
script = SKLearn(
    "train.py", framework_version="1.2-1", instance_type="ml.m5.large", role=role, sagemaker_session=session
)


def tuner(**more):
    return HyperparameterTuner(
        script,
        "loss",
        {"alpha": ContinuousParameter(0, 1)},
        objective_type="Minimize",
        max_jobs=2,
        max_parallel_jobs=2,
        metric_definitions=[{"Name": "loss", "Regex": "loss: ([0-9.]+)"}],
        **more,
    )


first = tuner(early_stopping_type="Auto")
first.fit(job_name="parent")
first.wait()
parents = {first.latest_tuning_job.name}
warm = tuner(warm_start_config=WarmStartConfig(WarmStartTypes.TRANSFER_LEARNING, parents=parents))
warm.fit(job_name="warm")
warm.wait()
again = first.identical_dataset_and_algorithm_tuner()
print(
    "=>",
    len(warm.analytics().dataframe()),
    "jobs after",
    len(first.analytics().dataframe()),
    again.warm_start_config.type.value,
)
try:
    band = StrategyConfig(HyperbandStrategyConfig(max_resource=9, min_resource=1))
    tuner(strategy="Hyperband", strategy_config=band).fit(job_name="band")
except ClientError as error:
    print("=>", error.response["Error"]["Message"])
