"""Run a pipeline again from one step on, with the outputs of an earlier execution; list, retry and version it.

As in the SDK's documentation, Amazon SageMaker Model Building Pipeline: selective execution.
"""

import pathlib

import sagemaker
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.workflow.parameters import ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.pipeline_experiment_config import PipelineExperimentConfig
from sagemaker.workflow.retry import StepExceptionTypeEnum, StepRetryPolicy
from sagemaker.workflow.selective_execution_config import SelectiveExecutionConfig
from sagemaker.workflow.steps import ProcessingStep

session, role = PipelineSession(), sagemaker.get_execution_role()
pathlib.Path("first.py").write_text("open('/opt/ml/processing/out/word.txt', 'w').write('hello')")
pathlib.Path("second.py").write_text("import sys\nprint(open('/opt/ml/processing/in/word.txt').read(), sys.argv[1])")
word = ParameterString("Word", default_value="world")
processor = SKLearnProcessor(
    framework_version="1.2-1", instance_type="ml.m5.xlarge", instance_count=1, role=role, sagemaker_session=session
)
first = ProcessingStep(
    "First",
    step_args=processor.run(
        code="first.py", outputs=[ProcessingOutput(output_name="out", source="/opt/ml/processing/out")]
    ),
)
there = first.properties.ProcessingOutputConfig.Outputs["out"].S3Output.S3Uri
retry = StepRetryPolicy(exception_types=[StepExceptionTypeEnum.THROTTLING], max_attempts=2)
second = ProcessingStep(
    "Second",
    retry_policies=[retry],
    step_args=processor.run(
        code="second.py", arguments=[word], inputs=[ProcessingInput(source=there, destination="/opt/ml/processing/in")]
    ),
)
pipeline = Pipeline(
    "selective",
    parameters=[word],
    steps=[first, second],
    sagemaker_session=session,
    pipeline_experiment_config=PipelineExperimentConfig("selective-experiment", "trial"),
)
pipeline.upsert(role, tags=[{"Key": "team", "Value": "a"}])
whole = pipeline.start(execution_display_name="whole")
whole.wait()
again = pipeline.start(
    parameters={"Word": "again"},
    parallelism_config={"MaxParallelExecutionSteps": 2},
    selective_execution_config=SelectiveExecutionConfig(
        source_pipeline_execution_arn=whole.arn, selected_steps=["Second"]
    ),
)
again.wait()
latest = pipeline.start(
    selective_execution_config=SelectiveExecutionConfig(selected_steps=["Second"], reference_latest_execution=True)
)
latest.wait()
ran = [step["StepName"] for step in again.list_steps() if not step.get("SelectiveExecutionResult")]
listed = pipeline.list_executions()["PipelineExecutionSummaries"]
print(
    "=>",
    again.describe()["PipelineExecutionStatus"],
    "ran",
    ran,
    "of",
    len(again.list_steps()),
    "in",
    len(listed),
    "executions",
)
pipeline.delete()
