"""What the browser looks at: a pipeline, an execution that registered a model, one that rejected it, an endpoint."""

import io
import json
import tarfile
import time
from dataclasses import dataclass
from typing import Any

from tests.conftest import BUCKET, LocalServer

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
ROLE = "arn:aws:iam::000000000000:role/jobs"
PIPELINE, GROUP, ENDPOINT = "studio-pipeline", "studio-models", "studio-endpoint"
WATCHING = "studio-monitoring"
# The report does what no report may: it asks elsewhere, runs, and looks for the token of the page around it.
MEASURE = """
import json, pathlib
out = pathlib.Path("/opt/ml/processing/output/evaluation")
out.mkdir(parents=True, exist_ok=True)
r2 = {"value": 0.9, "standard_deviation": 0.01}
(out / "evaluation.json").write_text(json.dumps({"regression_metrics": {"r2": r2}}))
(out / "report.html").write_text(
    "<!doctype html><title>Report</title><h1>The report</h1><img src='/raw?uri=s3://x/y'>"
    "<script>top.document.title = 'taken'; document.title = 'ran'</script><a id=out href='/' target=_top>out</a>"
)
level = {"value": 0.97, "interval": [0.96, 0.98]}
cohort = {"month": "2026-06", "version": "1", "rows": 500, "matured": 40, "level": -0.031, "mape": 0.12}
feature = {"name": "rooms", "psi": 0.21, "distance": 0.3, "wasserstein": 0.5}
(out / "monitoring.json").write_text(json.dumps({
    "decision": "watch",
    "window": {"since": "2026-06-01T00:00", "until": "2026-07-01T00:00"},
    "reasons": ["The level <moved> by -3.0 %."],
    "backtest": {"rows": 300, "statistics": {"median_ratio": level}},
    "cohorts": [cohort],
    "input_drift": {"p": 0.001, "rows": 500, "what": "captured requests", "features": [feature]},
    "estimated_error": {"mape": 0.1, "by_width": 0.11, "actual": 0.12},
}))
(out / "validation.json").write_text(json.dumps({
    "rows": {"read": 1000, "rejected": 7},
    "expectations": [{"level": "rows", "reason": "no <rooms>", "unexpected_rows": 7}],
}))
print("measured 0.9")
"""
SERVE = """
import json
def model_fn(model_dir):
    return None
def input_fn(body, content_type):
    return json.loads(body)
def predict_fn(data, model):
    if data["rooms"] < 0:
        raise ValueError("rooms are counted from 0")
    score = 100.0 * data["rooms"] + (50 if data["lake"] else 0)
    return {"predictions": [{"score": score, "lower": score - 10, "upper": score + 10}], "coverage": 0.9}
def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""
PAYLOAD = {"rooms": 3, "lake": False, "zip": "98052"}


@dataclass(frozen=True)
class World:
    """The ids of what was made."""

    good: str
    bad: str
    version: int = 1


def _measure(bucket: str) -> dict[str, Any]:
    """A processing job that writes evaluation.json."""
    return {
        "Name": "Measure",
        "Type": "Processing",
        "Arguments": {
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/measure.py"],
            },
            "Environment": {"SEED": {"Get": "Parameters.Seed"}},
            "ProcessingInputs": [
                {
                    "InputName": "code",
                    "S3Input": {
                        "S3Uri": f"s3://{bucket}/studio/measure.py",
                        "LocalPath": "/opt/ml/processing/input/code",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "evaluation",
                        "S3Output": {
                            "S3Uri": {
                                "Std:Join": {
                                    "On": "/",
                                    "Values": [f"s3://{bucket}/studio", {"Get": "Execution.PipelineExecutionId"}],
                                }
                            },
                            "LocalPath": "/opt/ml/processing/output/evaluation",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
            "RoleArn": ROLE,
        },
        "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"},
        "PropertyFiles": [
            {"PropertyFileName": "Evaluation", "OutputName": "evaluation", "FilePath": "evaluation.json"}
        ],
    }


def _register(bucket: str, statistics: dict[str, Any]) -> dict[str, Any]:
    """A version with a sample payload and two baselines."""
    return {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": GROUP,
            "ModelPackageDescription": "Prices by rooms.",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": IMAGE,
                        "ModelDataUrl": f"s3://{bucket}/studio/model.tar.gz",
                        "Environment": {
                            "SAGEMAKER_PROGRAM": "serve.py",
                            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                        },
                    }
                ],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            "ModelApprovalStatus": "PendingManualApproval",
            "ModelMetrics": {
                "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": statistics}},
                "ModelDataQuality": {
                    "Statistics": {
                        "ContentType": "application/json",
                        "S3Uri": f"s3://{bucket}/studio/statistics.json",
                    }
                },
            },
            "CustomerMetadataProperties": {"execution": {"Get": "Execution.PipelineExecutionArn"}},
            "Domain": "MACHINE_LEARNING",
            "Task": "REGRESSION",
            "SamplePayloadUrl": f"s3://{bucket}/studio/payload.tar.gz",
        },
    }


def definition(bucket: str) -> dict[str, Any]:
    """Measure -> Good -> Register | Reject."""
    evaluation = {"Get": "Steps.Measure.ProcessingOutputConfig.Outputs['evaluation'].S3Output.S3Uri"}
    statistics = {"Std:Join": {"On": "/", "Values": [evaluation, "evaluation.json"]}}
    measured = {
        "PropertyFile": {"Get": "Steps.Measure.PropertyFiles.Evaluation"},
        "Path": "regression_metrics.r2.value",
    }
    register = _register(bucket, statistics)
    condition = {
        "Type": "GreaterThanOrEqualTo",
        "LeftValue": {"Std:JsonGet": measured},
        "RightValue": {"Get": "Parameters.Least"},
    }
    reject = {"Name": "Reject", "Type": "Fail", "Arguments": {"ErrorMessage": "The model is <not> good enough."}}
    good = {
        "Name": "Good",
        "Type": "Condition",
        "Arguments": {"Conditions": [condition], "IfSteps": [register], "ElseSteps": [reject]},
    }
    return {
        "Version": "2020-12-01",
        "Parameters": [
            {"Name": "Least", "Type": "Float", "DefaultValue": 0.895},
            {"Name": "Seed", "Type": "String", "DefaultValue": "1"},
        ],
        "Steps": [_measure(bucket), good],
    }


def make_world(server: LocalServer) -> World:
    """Make it, and wait until it stands."""
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    s3.put_object(Bucket=BUCKET, Key="studio/measure.py", Body=MEASURE)
    s3.put_object(Bucket=BUCKET, Key="studio/model.tar.gz", Body=packed({"code/serve.py": SERVE}))
    s3.put_object(Bucket=BUCKET, Key="studio/payload.tar.gz", Body=packed({"payload.json": json.dumps(PAYLOAD)}))
    rooms = {"name": "rooms", "inferred_type": "Integral", "numerical_statistics": {"min": 1, "max": 9}}
    s3.put_object(Bucket=BUCKET, Key="studio/statistics.json", Body=json.dumps({"features": [rooms]}))
    s3.put_object(Bucket=BUCKET, Key="studio/table.csv", Body="a,b\n1,x\n2,y\n")
    sagemaker.create_pipeline(
        PipelineName=PIPELINE,
        PipelineDefinition=json.dumps(definition(BUCKET)),
        RoleArn=ROLE,
        ClientRequestToken="t" * 32,
    )
    watching = {"Version": "2020-12-01", "Parameters": definition(BUCKET)["Parameters"], "Steps": [_measure(BUCKET)]}
    sagemaker.create_pipeline(
        PipelineName=WATCHING,
        PipelineDefinition=json.dumps(watching),
        RoleArn=ROLE,
        ClientRequestToken="w" * 32,
    )
    execute(sagemaker, WATCHING)
    good = execute(sagemaker)
    bad = execute(sagemaker, Least="0.99", Seed="2")
    package = sagemaker.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"][0]
    container = {"ModelPackageName": package["ModelPackageArn"]}
    sagemaker.update_model_package(ModelPackageArn=package["ModelPackageArn"], ModelApprovalStatus="Approved")
    sagemaker.create_model(ModelName=ENDPOINT, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    sagemaker.update_model_package(
        ModelPackageArn=package["ModelPackageArn"], ModelApprovalStatus="PendingManualApproval"
    )
    for name in (f"{ENDPOINT}-1", f"{ENDPOINT}-2"):
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": ENDPOINT,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=f"{ENDPOINT}-1")
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=ENDPOINT, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    return World(good, bad)


def execute(sagemaker: Any, pipeline: str = PIPELINE, **parameters: str) -> str:
    """Run a pipeline to its end; the execution's id."""
    arn = sagemaker.start_pipeline_execution(
        PipelineName=pipeline,
        PipelineParameters=[{"Name": name, "Value": value} for name, value in parameters.items()],
    )["PipelineExecutionArn"]
    for _ in range(1200):
        description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if description["PipelineExecutionStatus"] in ("Succeeded", "Failed"):
            return str(arn).rpartition("/")[2]
        time.sleep(0.1)
    raise AssertionError(f"{arn} does not end")


def packed(files: dict[str, str]) -> bytes:
    """A gzipped tar of texts."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()
