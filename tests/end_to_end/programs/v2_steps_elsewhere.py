"""Steps that need other services of AWS: EMR, data quality and Clarify checks, AutoML.

As in aws/amazon-sagemaker-examples, sagemaker-pipelines/tabular: emr-step,
model-monitor-clarify-pipelines, automl-step.
"""

import sagemaker
from botocore.exceptions import ClientError
from sagemaker.automl.automl import AutoML, AutoMLInput
from sagemaker.model_monitor.dataset_format import DatasetFormat
from sagemaker.workflow.automl_step import AutoMLStep
from sagemaker.workflow.check_job_config import CheckJobConfig
from sagemaker.workflow.emr_step import EMRStep, EMRStepConfig
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.quality_check_step import DataQualityCheckConfig, QualityCheckStep

session, role = PipelineSession(), sagemaker.get_execution_role()
bucket = session.default_bucket()
emr = EMRStep(
    name="Spark",
    display_name="Spark",
    description="a Spark job",
    cluster_id="j-1YONHTCP3YZKC",
    step_config=EMRStepConfig(jar=f"s3://{bucket}/emr/script-runner.jar", args=["--verbose"]),
)
check = QualityCheckStep(
    name="DataQuality",
    skip_check=False,
    register_new_baseline=False,
    model_package_group_name="checked",
    quality_check_config=DataQualityCheckConfig(
        baseline_dataset=f"s3://{bucket}/train.csv",
        dataset_format=DatasetFormat.csv(header=False),
        output_s3_uri=f"s3://{bucket}/quality",
    ),
    check_job_config=CheckJobConfig(
        role=role, instance_count=1, instance_type="ml.c5.xlarge", sagemaker_session=session
    ),
)
auto_ml = AutoML(role=role, target_attribute_name="y", sagemaker_session=session, mode="ENSEMBLING")
auto = AutoMLStep(
    name="Auto",
    step_args=auto_ml.fit(inputs=[AutoMLInput(inputs=f"s3://{bucket}/train.csv", target_attribute_name="y")]),
)
for step in (emr, check, auto):
    pipeline = Pipeline(name=f"elsewhere-{step.name.lower()}", steps=[step], sagemaker_session=session)
    pipeline.upsert(role)
    try:
        print("=>", pipeline.start().describe()["PipelineExecutionStatus"])
    except ClientError as refusal:
        print("=>", refusal.response["Error"]["Message"])
