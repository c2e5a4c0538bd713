"""A processing job with a source folder and requirements of its own: FrameworkProcessor, alone and as a step.

As in aws/amazon-sagemaker-examples, sagemaker_processing/fairness_and_explainability and the SDK's guide to processing.
"""

import pathlib

import sagemaker
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import ProcessingStep

role = sagemaker.get_execution_role()
source = pathlib.Path("source")
source.mkdir()
(source / "requirements.txt").write_text("numpy\n")
(source / "helpers.py").write_text("def double(text):\n    return text * 2\n")
(source / "preprocessing.py").write_text("""
import argparse, pathlib
from helpers import double
parser = argparse.ArgumentParser()
parser.add_argument("--word")
given = pathlib.Path("/opt/ml/processing/input/data.txt").read_text()
pathlib.Path("/opt/ml/processing/out/result.txt").write_text(double(given) + parser.parse_args().word)
""")
pathlib.Path("data.txt").write_text("ab")


def arguments(session):
    processor = FrameworkProcessor(
        estimator_cls=SKLearn,
        framework_version="1.2-1",
        role=role,
        instance_count=1,
        instance_type="ml.m5.xlarge",
        base_job_name="frame",
        sagemaker_session=session,
    )
    return processor, processor.run(
        code="preprocessing.py",
        source_dir="source",
        arguments=["--word", "cd"],
        inputs=[ProcessingInput(source="data.txt", destination="/opt/ml/processing/input")],
        outputs=[ProcessingOutput(output_name="result", source="/opt/ml/processing/out")],
    )


session = sagemaker.Session()
processor, _ = arguments(session)
place = processor.latest_job.outputs[0].destination
alone = sagemaker.s3.S3Downloader.read_file(f"{place}/result.txt", session)
pipeline_session = PipelineSession()
step = ProcessingStep(name="Frame", step_args=arguments(pipeline_session)[1])
pipeline = Pipeline("framework-processor", steps=[step], sagemaker_session=pipeline_session)
pipeline.upsert(role)
execution = pipeline.start()
execution.wait()
print("=>", alone, execution.describe()["PipelineExecutionStatus"])
