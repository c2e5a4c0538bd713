"""Batch transform in a pipeline: XGBoost trained on libsvm, a CreateModel step, a transform that joins ids.

As in aws/amazon-sagemaker-examples, sagemaker-pipelines/tabular/abalone_build_train_deploy (batch transform) and
sagemaker_batch_transform/batch_transform_associate_predictions_with_input.
"""

import pathlib

import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.transformer import Transformer
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import TrainingStep, TransformStep

session, role = PipelineSession(), sagemaker.get_execution_role()
bucket, region = session.default_bucket(), session.boto_region_name
plain = sagemaker.Session()
pathlib.Path("train.libsvm").write_text("\n".join(f"{3 * (i % 5)} 0:{i % 5} 1:{i % 2}" for i in range(100)))
train_data = plain.upload_data("train.libsvm", key_prefix="joined/train")
pathlib.Path("batch.csv").write_text("\n".join(f"id-{i},{i % 5},{i % 2}" for i in range(10)))
batch = plain.upload_data("batch.csv", key_prefix="joined/batch")
image = sagemaker.image_uris.retrieve("xgboost", region, "1.7-1")
estimator = Estimator(
    image, role, 1, "ml.m5.xlarge", output_path=f"s3://{bucket}/joined/models", sagemaker_session=session
)
estimator.set_hyperparameters(objective="reg:squarederror", num_round=60)
train = TrainingStep("Train", step_args=estimator.fit({"train": TrainingInput(train_data, content_type="text/libsvm")}))
model = Model(image, train.properties.ModelArtifacts.S3ModelArtifacts, role, sagemaker_session=session)
create = ModelStep("Create", step_args=model.create("ml.m5.xlarge"))
transformer = Transformer(
    create.properties.ModelName,
    1,
    "ml.m5.xlarge",
    output_path=f"s3://{bucket}/joined/scored",
    accept="text/csv",
    assemble_with="Line",
    sagemaker_session=session,
)
score = TransformStep(
    "Score",
    step_args=transformer.transform(
        batch,
        content_type="text/csv",
        split_type="Line",
        input_filter="$[1:]",
        join_source="Input",
        output_filter="$[0,-1]",
    ),
)
pipeline = Pipeline("joined", steps=[train, create, score], sagemaker_session=session)
pipeline.upsert(role)
execution = pipeline.start()
execution.wait()
lines = sagemaker.s3.S3Downloader.read_file(f"s3://{bucket}/joined/scored/batch.csv.out", plain).split()
found = {name: round(float(value)) for name, value in (line.split(",") for line in lines)}
print("=>", execution.describe()["PipelineExecutionStatus"], len(found), found["id-3"], found["id-4"])
