"""ModelTrainer with the built-in XGBoost, then the resources of sagemaker-core: a model, a transform, a group.

As in aws/sagemaker-python-sdk, v3-examples/ml-ops-examples/v3-transform-job-example.ipynb.
"""

import pathlib

import boto3
from sagemaker.core.resources import Model, ModelPackageGroup, TransformJob
from sagemaker.core.shapes import (
    ContainerDefinition,
    TransformDataSource,
    TransformInput,
    TransformOutput,
    TransformResources,
    TransformS3DataSource,
)
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig

BUCKET, ROLE = "trainer-v3", "arn:aws:iam::000000000000:role/any"
s3 = boto3.client("s3")
s3.create_bucket(Bucket=BUCKET)
pathlib.Path("train.csv").write_text("\n".join(f"{2 * (i % 7)},{i % 7},{i % 3}" for i in range(200)))
s3.upload_file("train.csv", BUCKET, "train/train.csv")
image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
trainer = ModelTrainer(
    training_image=image,
    role=ROLE,
    base_job_name="builtin",
    hyperparameters={"objective": "reg:squarederror", "num_round": 30},
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/out"),
)
trainer.train(
    input_data_config=[InputData(channel_name="train", data_source=f"s3://{BUCKET}/train", content_type="text/csv")]
)
artifacts = trainer._latest_training_job.model_artifacts.s3_model_artifacts
model = Model.create(
    model_name="builtin-v3",
    execution_role_arn=ROLE,
    primary_container=ContainerDefinition(image=image, model_data_url=artifacts),
)
pathlib.Path("batch.csv").write_text("6,0\n1,0\n")
s3.upload_file("batch.csv", BUCKET, "batch/batch.csv")
source = TransformDataSource(
    s3_data_source=TransformS3DataSource(s3_data_type="S3Prefix", s3_uri=f"s3://{BUCKET}/batch")
)
job = TransformJob.create(
    transform_job_name="builtin-v3",
    model_name=model.model_name,
    transform_input=TransformInput(data_source=source, content_type="text/csv", split_type="Line"),
    transform_output=TransformOutput(s3_output_path=f"s3://{BUCKET}/scored", assemble_with="Line"),
    transform_resources=TransformResources(instance_type="ml.m5.large", instance_count=1),
)
job.wait(poll=1)
scored = s3.get_object(Bucket=BUCKET, Key="scored/batch.csv.out")["Body"].read().split()
group = ModelPackageGroup.create(model_package_group_name="builtin-v3")
group.delete()
print("=>", job.transform_job_status, [round(float(value)) for value in scored])
