"""A pipeline in the SDK's local mode, which needs Docker elsewhere: LocalPipelineSession.

As in aws/amazon-sagemaker-examples, sagemaker-pipelines/tabular/local-mode.
"""

import pathlib

import sagemaker
from sagemaker.processing import ProcessingOutput
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import LocalPipelineSession
from sagemaker.workflow.steps import ProcessingStep, TrainingStep

session = LocalPipelineSession()
role = sagemaker.get_execution_role()
pathlib.Path("process.py").write_text("open('/opt/ml/processing/train/rows.csv', 'w').write('1,2')")
pathlib.Path("train.py").write_text("""
import os
print(open(os.environ["SM_CHANNEL_TRAIN"] + "/rows.csv").read(),
      file=open(os.environ["SM_MODEL_DIR"] + "/model.txt", "w"))
""")
processor = SKLearnProcessor(
    framework_version="1.2-1", instance_type="ml.m5.xlarge", instance_count=1, role=role, sagemaker_session=session
)
process = ProcessingStep(
    name="Process",
    step_args=processor.run(
        code="process.py", outputs=[ProcessingOutput(output_name="train", source="/opt/ml/processing/train")]
    ),
)
rows = process.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri
estimator = SKLearn(
    "train.py", framework_version="1.2-1", instance_type="ml.m5.xlarge", role=role, sagemaker_session=session
)
train = TrainingStep(name="Train", step_args=estimator.fit({"train": sagemaker.inputs.TrainingInput(rows)}))
pipeline = Pipeline(name="local-mode", steps=[process, train], sagemaker_session=session)
pipeline.create(role_arn=role, description="local pipeline example")
execution = pipeline.start()
steps = execution.list_steps()
steps = steps["PipelineExecutionSteps"] if isinstance(steps, dict) else steps
print("=>", execution.describe()["PipelineExecutionStatus"], sorted(step["StepName"] for step in steps))
