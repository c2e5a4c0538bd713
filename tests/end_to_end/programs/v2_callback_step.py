"""A callback step: a worker takes its token from a queue and ends it with outputs, which the next step reads.

As in aws/amazon-sagemaker-examples, sagemaker-pipelines/tabular/custom_callback_pipelines_step.
"""

import json
import pathlib
import threading

import boto3
import sagemaker
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.workflow.callback_step import CallbackOutput, CallbackOutputTypeEnum, CallbackStep
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import ProcessingStep

session, role = PipelineSession(), sagemaker.get_execution_role()
sqs, client = boto3.client("sqs"), boto3.client("sagemaker")
queue = sqs.create_queue(QueueName="pipeline-callbacks")["QueueUrl"]
callback = CallbackStep(
    name="Outside",
    sqs_queue_url=queue,
    inputs={"rows": 12},
    outputs=[CallbackOutput(output_name="place", output_type=CallbackOutputTypeEnum.String)],
)
pathlib.Path("show.py").write_text("import sys\nprint(sys.argv[1])\nassert sys.argv[1] == 's3://somewhere/12'")
processor = SKLearnProcessor(
    framework_version="1.2-1", instance_type="ml.m5.xlarge", instance_count=1, role=role, sagemaker_session=session
)
show = ProcessingStep(
    name="Show", step_args=processor.run(code="show.py", arguments=[callback.properties.Outputs["place"]])
)


def work():
    while True:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
            body = json.loads(message["Body"])
            client.send_pipeline_execution_step_success(
                CallbackToken=body["token"],
                OutputParameters=[{"Name": "place", "Value": f"s3://somewhere/{body['arguments']['rows']}"}],
            )
            return


pipeline = Pipeline("callback", steps=[callback, show], sagemaker_session=session)
pipeline.upsert(role)
worker = threading.Thread(target=work)
worker.start()
execution = pipeline.start()
execution.wait()
worker.join()
print(
    "=>", execution.describe()["PipelineExecutionStatus"], sorted(step["StepName"] for step in execution.list_steps())
)
