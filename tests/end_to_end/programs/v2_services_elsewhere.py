"""What needs more of SageMaker than is here: feature store, monitoring schedules, Clarify, a project's own algorithms.

As in aws/amazon-sagemaker-examples, sagemaker-featurestore and sagemaker_model_monitor.
"""

import sagemaker
from botocore.exceptions import ClientError
from sagemaker.estimator import Estimator
from sagemaker.feature_store.feature_definition import FeatureDefinition, FeatureTypeEnum
from sagemaker.feature_store.feature_group import FeatureGroup
from sagemaker.model_monitor import CronExpressionGenerator, DefaultModelMonitor

session, role = sagemaker.Session(), sagemaker.get_execution_role()
bucket, region = session.default_bucket(), session.boto_region_name


def feature_store():
    group = FeatureGroup(
        "customers",
        sagemaker_session=session,
        feature_definitions=[
            FeatureDefinition("id", FeatureTypeEnum.STRING),
            FeatureDefinition("time", FeatureTypeEnum.STRING),
        ],
    )
    group.create(
        s3_uri=f"s3://{bucket}/features",
        record_identifier_name="id",
        event_time_feature_name="time",
        role_arn=role,
        enable_online_store=True,
    )


def monitoring():
    monitor = DefaultModelMonitor(role=role, sagemaker_session=session)
    monitor.create_monitoring_schedule(
        endpoint_input="an-endpoint",
        output_s3_uri=f"s3://{bucket}/reports",
        statistics=None,
        constraints=None,
        schedule_cron_expression=CronExpressionGenerator.hourly(),
    )


def linear_learner():
    image = sagemaker.image_uris.retrieve("linear-learner", region)
    Estimator(image, role, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session).fit(
        f"s3://{bucket}/train"
    )


def own_container():
    image = f"123456789012.dkr.ecr.{region}.amazonaws.com/my-training-image:latest"
    Estimator(image, role, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session).fit()


for program in (feature_store, monitoring, linear_learner, own_container):
    try:
        program()
        print("=>", program.__name__, "runs")
    except ClientError as refusal:
        print(f"=> {program.__name__}: {refusal.response['Error']['Message']}")
    except sagemaker.exceptions.UnexpectedStatusException as failure:
        print(f"=> {program.__name__}: {str(failure).partition('Reason: ')[2].partition('. Check troubleshooting')[0]}")
