"""The abalone pipeline: process, train the built-in XGBoost, evaluate, register behind a condition.

As in aws/amazon-sagemaker-examples, sagemaker-pipelines/tabular/abalone_build_train_deploy.
"""

import pathlib

import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import CacheConfig, ProcessingStep, TrainingStep

pathlib.Path("preprocessing.py").write_text("""
import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--input-data")
print("from", parser.parse_args().input_data)
base = pathlib.Path("/opt/ml/processing")
rows = [f"{2 * i % 7 + i % 3},{i % 7},{i % 3}" for i in range(300)]
for name, part in (("train", rows[:200]), ("validation", rows[200:250]), ("test", rows[250:])):
    (base / name).mkdir(parents=True, exist_ok=True)
    (base / name / f"{name}.csv").write_text("\\n".join(part))
""")
pathlib.Path("evaluation.py").write_text("""
import json, pathlib, tarfile
import numpy as np, pandas as pd, xgboost
with tarfile.open("/opt/ml/processing/model/model.tar.gz") as tar:
    tar.extractall(path=".")
model = xgboost.Booster()
model.load_model("xgboost-model")
test = pd.read_csv("/opt/ml/processing/test/test.csv", header=None).to_numpy()
error = model.predict(xgboost.DMatrix(test[:, 1:])) - test[:, 0]
mse = {"value": float(np.mean(error**2)), "standard_deviation": float(np.std(error))}
report = {"regression_metrics": {"mse": mse}}
folder = pathlib.Path("/opt/ml/processing/evaluation")
folder.mkdir(parents=True, exist_ok=True)
(folder / "evaluation.json").write_text(json.dumps(report))
""")

session = PipelineSession()
region, bucket, role = session.boto_region_name, session.default_bucket(), sagemaker.get_execution_role()
pathlib.Path("abalone.csv").write_text("1,2,3\n")
data = sagemaker.s3.S3Uploader.upload("abalone.csv", f"s3://{bucket}/abalone")

instances = ParameterInteger(name="ProcessingInstanceCount", default_value=1)
status = ParameterString(name="ModelApprovalStatus", default_value="PendingManualApproval")
input_data = ParameterString(name="InputData", default_value=data)
threshold = ParameterFloat(name="MseThreshold", default_value=6.0)
cache = CacheConfig(enable_caching=True, expire_after="30d")

processor = SKLearnProcessor(
    framework_version="1.2-1",
    instance_type="ml.m5.xlarge",
    instance_count=instances,
    role=role,
    base_job_name="abalone-process",
    sagemaker_session=session,
)
process = ProcessingStep(
    name="AbaloneProcess",
    cache_config=cache,
    step_args=processor.run(
        outputs=[
            ProcessingOutput(output_name=name, source=f"/opt/ml/processing/{name}")
            for name in ("train", "validation", "test")
        ],
        code="preprocessing.py",
        arguments=["--input-data", input_data],
    ),
)

image = sagemaker.image_uris.retrieve("xgboost", region, version="1.7-1", instance_type="ml.m5.xlarge")
estimator = Estimator(
    image_uri=image,
    instance_type="ml.m5.xlarge",
    instance_count=1,
    output_path=f"s3://{bucket}/AbaloneTrain",
    role=role,
    sagemaker_session=session,
)
estimator.set_hyperparameters(objective="reg:squarederror", num_round=50, max_depth=5, eta=0.2, gamma=4, subsample=0.7)
outputs = process.properties.ProcessingOutputConfig.Outputs
train = TrainingStep(
    name="AbaloneTrain",
    cache_config=cache,
    step_args=estimator.fit(
        inputs={
            name: TrainingInput(s3_data=outputs[name].S3Output.S3Uri, content_type="text/csv")
            for name in ("train", "validation")
        }
    ),
)

evaluator = ScriptProcessor(
    image_uri=image,
    command=["python3"],
    instance_type="ml.m5.xlarge",
    instance_count=1,
    base_job_name="abalone-eval",
    sagemaker_session=session,
    role=role,
)
report = PropertyFile(name="EvaluationReport", output_name="evaluation", path="evaluation.json")
evaluate = ProcessingStep(
    name="AbaloneEval",
    property_files=[report],
    step_args=evaluator.run(
        inputs=[
            ProcessingInput(
                source=train.properties.ModelArtifacts.S3ModelArtifacts, destination="/opt/ml/processing/model"
            ),
            ProcessingInput(source=outputs["test"].S3Output.S3Uri, destination="/opt/ml/processing/test"),
        ],
        outputs=[ProcessingOutput(output_name="evaluation", source="/opt/ml/processing/evaluation")],
        code="evaluation.py",
    ),
)

metrics = ModelMetrics(
    model_statistics=MetricsSource(
        s3_uri=Join(
            on="/",
            values=[evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"].S3Output.S3Uri, "evaluation.json"],
        ),
        content_type="application/json",
    )
)
model = Model(
    image_uri=image, model_data=train.properties.ModelArtifacts.S3ModelArtifacts, sagemaker_session=session, role=role
)
register = ModelStep(
    name="AbaloneRegister",
    step_args=model.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.t2.medium", "ml.m5.xlarge"],
        transform_instances=["ml.m5.xlarge"],
        model_package_group_name="AbaloneModelPackageGroup",
        approval_status=status,
        model_metrics=metrics,
    ),
)
fail = FailStep(name="AbaloneMSEFail", error_message=Join(on=" ", values=["Execution failed due to MSE >", threshold]))
mse = JsonGet(step_name=evaluate.name, property_file=report, json_path="regression_metrics.mse.value")
condition = ConditionStep(
    name="AbaloneMSECond",
    conditions=[ConditionLessThanOrEqualTo(left=mse, right=threshold)],
    if_steps=[register],
    else_steps=[fail],
)
pipeline = Pipeline(
    name="AbalonePipeline",
    parameters=[instances, status, input_data, threshold],
    steps=[process, train, evaluate, condition],
    sagemaker_session=session,
)

pipeline.upsert(role_arn=role)
execution = pipeline.start(parameters={"MseThreshold": 9.0})
execution.wait()
steps = {step["StepName"]: step["StepStatus"] for step in execution.list_steps()}
packages = session.sagemaker_client.list_model_packages(ModelPackageGroupName="AbaloneModelPackageGroup")
status = packages["ModelPackageSummaryList"][0]["ModelApprovalStatus"]
print("=>", execution.describe()["PipelineExecutionStatus"], len(steps), "steps,", status)
