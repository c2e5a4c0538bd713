"""boto3 alone: train, register, approve, deploy the approved version, invoke, clean up.

As in aws/amazon-sagemaker-examples, sagemaker-python-sdk/1P_kmeans_lowlevel, and templates of SageMaker projects.
"""

import io
import tarfile

import boto3

sm, s3, runtime = boto3.client("sagemaker"), boto3.client("s3"), boto3.client("sagemaker-runtime")
BUCKET, ROLE = "registry-boto3", "arn:aws:iam::000000000000:role/service-role/SageMakerRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
s3.create_bucket(Bucket=BUCKET)
archive = io.BytesIO()
script = b"""
import argparse, json, os
parser = argparse.ArgumentParser()
parser.add_argument("--slope", type=float)
slope = parser.parse_args().slope
json.dump(slope, open(os.path.join(os.environ["SM_MODEL_DIR"], "slope.json"), "w"))
os.makedirs("/opt/ml/model/code")
open("/opt/ml/model/code/inference.py", "w").write('''
import json
def model_fn(folder): return json.load(open(folder + "/slope.json"))
def predict_fn(rows, slope): return rows * slope
''')
"""
with tarfile.open(fileobj=archive, mode="w:gz") as tar:
    info = tarfile.TarInfo("train.py")
    info.size = len(script)
    tar.addfile(info, io.BytesIO(script))
s3.put_object(Bucket=BUCKET, Key="source.tar.gz", Body=archive.getvalue())
sm.create_training_job(
    TrainingJobName="boto3-train",
    RoleArn=ROLE,
    AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    HyperParameters={
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": f"s3://{BUCKET}/source.tar.gz",
        "slope": "3",
    },
    OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out"},
    StoppingCondition={"MaxRuntimeInSeconds": 600},
    ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
)
sm.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="boto3-train")
job = sm.describe_training_job(TrainingJobName="boto3-train")
sm.create_model_package_group(ModelPackageGroupName="boto3-group", Tags=[{"Key": "team", "Value": "a"}])
package = sm.create_model_package(
    ModelPackageGroupName="boto3-group",
    ModelApprovalStatus="PendingManualApproval",
    InferenceSpecification={
        "Containers": [
            {
                "Image": IMAGE,
                "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
                "Environment": {
                    "SAGEMAKER_PROGRAM": "inference.py",
                    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                },
            }
        ],
        "SupportedContentTypes": ["application/json"],
        "SupportedResponseMIMETypes": ["application/json"],
    },
)["ModelPackageArn"]
sm.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved", ApprovalDescription="good")
approved = sm.list_model_packages(
    ModelPackageGroupName="boto3-group", ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
)["ModelPackageSummaryList"][0]
sm.create_model(
    ModelName="boto3-model", ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": approved["ModelPackageArn"]}]
)
sm.create_endpoint_config(
    EndpointConfigName="boto3-config",
    ProductionVariants=[
        {
            "VariantName": "AllTraffic",
            "ModelName": "boto3-model",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
    ],
)
sm.create_endpoint(EndpointName="boto3-endpoint", EndpointConfigName="boto3-config")
sm.get_waiter("endpoint_in_service").wait(EndpointName="boto3-endpoint")
answer = runtime.invoke_endpoint(EndpointName="boto3-endpoint", ContentType="application/json", Body="[[1, 2]]")[
    "Body"
].read()
sm.delete_endpoint(EndpointName="boto3-endpoint")
found = sm.search(
    Resource="TrainingJob",
    SearchExpression={
        "Filters": [
            {"Name": "TrainingJobName", "Operator": "Contains", "Value": "boto3"},
            {"Name": "HyperParameters.slope", "Operator": "Equals", "Value": "3"},
        ]
    },
)["Results"]
print("=>", answer.decode(), len(found), approved["ModelApprovalStatus"])
