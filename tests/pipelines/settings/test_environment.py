"""What the environment says about role, bucket and network."""

from pipelines.settings.environment import Environment


def test_without_variables_the_placeholders_are_named() -> None:
    environment = Environment.from_env({})
    assert environment.placeholders == ("SAGEMAKER_ROLE_ARN", "SAGEMAKER_BUCKET")
    assert environment.region == "us-east-1"
    assert environment.role_arn.startswith("arn:aws:iam::000000000000:role/")
    assert environment.bucket == "sagemaker-us-east-1-000000000000"


def test_variables_take_the_place_of_the_placeholders() -> None:
    environment = Environment.from_env(
        {
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "us-west-2",
            "SAGEMAKER_ROLE_ARN": "arn:aws:iam::111122223333:role/x",
            "SAGEMAKER_BUCKET": "my-bucket",
            "SAGEMAKER_KMS_KEY": "",
            "SAGEMAKER_SUBNETS": "subnet-1, subnet-2",
            "SAGEMAKER_SECURITY_GROUP_IDS": "sg-1",
        }
    )
    assert environment == Environment(
        region="eu-west-1",
        role_arn="arn:aws:iam::111122223333:role/x",
        bucket="my-bucket",
        kms_key=None,
        subnets=("subnet-1", "subnet-2"),
        security_group_ids=("sg-1",),
        placeholders=(),
    )
