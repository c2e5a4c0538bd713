"""A pipeline in the SDK's local mode, which needs Docker elsewhere: LocalPipelineSession of version 3.

As in aws/sagemaker-python-sdk, v3-examples/ml-ops-examples.
"""

import pathlib

from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
from sagemaker.core.workflow.pipeline_context import LocalPipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

session = LocalPipelineSession()
role = "arn:aws:iam::000000000000:role/any"
pathlib.Path("process.py").write_text("open('/opt/ml/processing/out/rows.csv', 'w').write('1,2')")
processor = ScriptProcessor(
    image_uri="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
    command=["python3"],
    instance_type="ml.m5.xlarge",
    instance_count=1,
    role=role,
    sagemaker_session=session,
)
where = ProcessingS3Output(
    s3_uri=f"s3://{session.default_bucket()}/local-mode", local_path="/opt/ml/processing/out", s3_upload_mode="EndOfJob"
)
step = ProcessingStep(
    "Process",
    step_args=processor.run(code="process.py", outputs=[ProcessingOutput(output_name="out", s3_output=where)]),
)
pipeline = Pipeline("local-mode", steps=[step], sagemaker_session=session)
pipeline.create(role_arn=role, description="local pipeline example")
execution = pipeline.start()
print("=>", execution.describe()["PipelineExecutionStatus"])
