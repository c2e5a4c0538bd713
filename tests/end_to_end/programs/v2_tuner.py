"""Tuning of the built-in XGBoost and of a script: fit, analytics, best estimator, attach, a tuning step.

As in aws/amazon-sagemaker-examples, hyperparameter_tuning/xgboost_direct_marketing and
sagemaker-pipelines/tabular/tuning-step.
"""

import pathlib

import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.tuner import CategoricalParameter, ContinuousParameter, HyperparameterTuner, IntegerParameter
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import TuningStep

session, role = sagemaker.Session(), sagemaker.get_execution_role()
bucket, region = session.default_bucket(), session.boto_region_name
pathlib.Path("train.csv").write_text("\n".join(f"{i % 2},{i % 7},{i % 2 + 0.5}" for i in range(100)))
where = session.upload_data("train.csv", key_prefix="tuned")
image = sagemaker.image_uris.retrieve("xgboost", region, "1.7-1")
xgb = Estimator(
    image,
    role,
    instance_count=1,
    instance_type="ml.m4.xlarge",
    sagemaker_session=session,
    output_path=f"s3://{bucket}/tuned/output",
)
xgb.set_hyperparameters(
    eval_metric="auc", objective="binary:logistic", num_round=5, rate_drop=0.3, tweedie_variance_power=1.4
)
ranges = {
    "eta": ContinuousParameter(0.1, 1),
    "max_depth": IntegerParameter(1, 4),
    "booster": CategoricalParameter(["gbtree", "dart"]),
}
tuner = HyperparameterTuner(xgb, "validation:auc", ranges, max_jobs=2, max_parallel_jobs=2)
data = TrainingInput(where, content_type="csv")
tuner.fit({"train": data, "validation": data}, include_cls_metadata=False)
tuner.wait()
frame = tuner.analytics().dataframe()
again = HyperparameterTuner.attach(tuner.latest_tuning_job.name)
predictor = again.deploy(1, "ml.m4.xlarge", serializer=sagemaker.serializers.CSVSerializer())
answer = float(predictor.predict([[1, 1.5]]).decode().split(",")[0])
predictor.delete_endpoint()

pathlib.Path("train.py").write_text("""
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--alpha", type=float)
print(f"loss: {(parser.parse_args().alpha - 0.5) ** 2:.6f}")
""")
pipeline_session = PipelineSession()
script = SKLearn(
    "train.py", framework_version="1.2-1", instance_type="ml.m5.large", role=role, sagemaker_session=pipeline_session
)
step = TuningStep(
    name="Tune",
    step_args=HyperparameterTuner(
        script,
        "loss",
        {"alpha": ContinuousParameter(0, 1)},
        objective_type="Minimize",
        strategy="Random",
        max_jobs=2,
        metric_definitions=[{"Name": "loss", "Regex": "loss: ([0-9.]+)"}],
    ).fit({"train": where}),
)
pipeline = Pipeline("tuned", steps=[step], sagemaker_session=pipeline_session)
pipeline.upsert(role)
execution = pipeline.start()
execution.wait()
print(
    "=>",
    len(frame),
    "jobs,",
    "best" if frame.FinalObjectiveValue.max() > 0.9 else "poor",
    "auc,",
    round(answer),
    execution.list_steps()[0]["StepStatus"],
)
