"""A Lambda step whose function the SDK's helper creates from a script, and its output in the next step.

As in aws/amazon-sagemaker-examples, sagemaker-pipelines/tabular/lambda-step.
"""

import pathlib

import sagemaker
from sagemaker.lambda_helper import Lambda
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThan
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession

pathlib.Path("lambda_helper.py").write_text("""
import json, os
import boto3

def lambda_handler(event, context):
    groups = boto3.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    print("groups:", len(groups), context.function_name)
    return {"statusCode": 200, "body": json.dumps("Created"), "total": event["rows"] * int(os.environ["FACTOR"])}
""")
session, role = PipelineSession(), sagemaker.get_execution_role()
function = Lambda(
    function_name="sagemaker-lambda-step",
    execution_role_arn=role,
    script="lambda_helper.py",
    handler="lambda_helper.lambda_handler",
    timeout=60,
    environment={"Variables": {"FACTOR": "3"}},
    session=session,
)
total = LambdaOutput(output_name="total", output_type=LambdaOutputTypeEnum.Integer)
code = LambdaOutput(output_name="statusCode", output_type=LambdaOutputTypeEnum.String)
step = LambdaStep(name="Count", lambda_func=function, inputs={"rows": 14}, outputs=[code, total])
show = FailStep(name="TooMany", error_message=step.properties.Outputs["total"])
condition = ConditionStep(
    name="Enough",
    conditions=[ConditionGreaterThan(left=step.properties.Outputs["total"], right=41)],
    if_steps=[],
    else_steps=[show],
)
pipeline = Pipeline(name="lambda-step", steps=[step, condition], sagemaker_session=session)
pipeline.upsert(role)
execution = pipeline.start()
execution.wait()
arn = function.update()["FunctionArn"]
answer = function.invoke()["FunctionError"]
function.delete()
print("=>", execution.describe()["PipelineExecutionStatus"], arn.rpartition(":")[2], answer)
