"""Train with a script, then a ModelStep whose model has an entry point of its own: the SDK adds a repack step.

As in aws/amazon-sagemaker-examples, sagemaker-pipelines/tabular/train-register-deploy-pipeline-model.
"""

import pathlib

import sagemaker
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.transformer import Transformer
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import TrainingStep, TransformStep

pathlib.Path("train.py").write_text("""
import glob, os
import joblib, pandas as pd
from sklearn.linear_model import LinearRegression
rows = pd.concat(pd.read_csv(path, header=None) for path in glob.glob(os.environ["SM_CHANNEL_TRAIN"] + "/*"))
joblib.dump(LinearRegression().fit(rows[[1, 2]].to_numpy(), rows[0]), os.environ["SM_MODEL_DIR"] + "/model.joblib")
""")
pathlib.Path("serve").mkdir()
pathlib.Path("serve/inference.py").write_text("""
import joblib
def model_fn(model_dir):
    return joblib.load(model_dir + "/model.joblib")
""")
session = PipelineSession()
role, bucket = sagemaker.get_execution_role(), session.default_bucket()
pathlib.Path("rows.csv").write_text("\n".join(f"{2 * i % 7},{i % 7},{i % 3}" for i in range(60)))
train_data = session.upload_data("rows.csv", key_prefix="repacked/train")
pathlib.Path("batch.csv").write_text("1,2\n3,4\n")
batch = session.upload_data("batch.csv", key_prefix="repacked/batch")

estimator = SKLearn(
    entry_point="train.py", framework_version="1.2-1", instance_type="ml.m5.large", role=role, sagemaker_session=session
)
train = TrainingStep(name="Train", step_args=estimator.fit({"train": TrainingInput(train_data)}))
model = Model(
    image_uri=estimator.training_image_uri(),
    model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
    role=role,
    entry_point="inference.py",
    source_dir="serve",
    sagemaker_session=session,
    name="repacked",
)
create = ModelStep(name="Create", step_args=model.create(instance_type="ml.m5.large"))
register = ModelStep(
    name="Register",
    step_args=model.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.m5.large"],
        model_package_group_name="repacked",
        approval_status="Approved",
    ),
)
transformer = Transformer(
    model_name=create.properties.ModelName,
    instance_type="ml.m5.large",
    instance_count=1,
    output_path=f"s3://{bucket}/repacked/scored",
    assemble_with="Line",
    accept="text/csv",
    sagemaker_session=session,
)
transform = TransformStep(
    name="Score", step_args=transformer.transform(data=batch, content_type="text/csv", split_type="Line")
)
pipeline = Pipeline(name="repacked", steps=[train, create, register, transform], sagemaker_session=session)
pipeline.upsert(role)
execution = pipeline.start()
execution.wait()
steps = {step["StepName"]: step["StepStatus"] for step in execution.list_steps()}
scored = sagemaker.s3.S3Downloader.read_file(f"s3://{bucket}/repacked/scored/batch.csv.out", sagemaker.Session())
print("=>", sorted(steps), set(steps.values()), len(scored.split()), "scores")
