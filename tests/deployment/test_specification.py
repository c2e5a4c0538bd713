"""The names and requests of a deployment."""

import dataclasses
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters

from deployment.packages import Package
from deployment.specification import Capture, Hosting, Specification

PACKAGE = Package(
    "arn:aws:sagemaker:eu-west-1:123456789012:model-package/house-prices/3", "house-prices", 3, "Approved", "abc"
)
HOSTING = Hosting("ml.m5.large", 1, "arn:aws:iam::123456789012:role/serve")


def specification(endpoint: str = "house-prices-staging", **changes: Any) -> Specification:
    return Specification(endpoint, "staging", PACKAGE, dataclasses.replace(HOSTING, **changes))


def test_the_same_deployment_has_the_same_names() -> None:
    assert specification().model_name == specification().model_name
    assert specification().config_name == specification().config_name


def test_names_say_endpoint_and_version() -> None:
    assert specification().model_name.startswith("house-prices-staging-v3-")
    assert specification().config_name.startswith("house-prices-staging-v3-")


@pytest.mark.parametrize(
    "changes",
    [
        {"instance_type": "ml.m5.xlarge"},
        {"instance_count": 2},
        {"kms_key": "key"},
        {"role_arn": "arn:aws:iam::1:role/x"},
    ],
)
def test_another_content_has_another_configuration_name(changes: dict[str, Any]) -> None:
    assert specification(**changes).config_name != specification().config_name


def test_machines_do_not_change_the_model_but_its_role_does() -> None:
    assert specification(instance_count=2).model_name == specification().model_name
    assert specification(role_arn="arn:aws:iam::123456789012:role/other").model_name != specification().model_name


def test_the_container_knows_personal_columns_only_where_requests_are_captured() -> None:
    capture = Capture("s3://bucket/capture")
    container = specification(personal=("owner",), capture=capture).model_request()["PrimaryContainer"]
    assert container["Environment"] == {"PERSONAL_COLUMNS": '["owner"]'}
    for changes in ({"personal": ("owner",)}, {"capture": capture}):
        assert "Environment" not in specification(**changes).model_request()["PrimaryContainer"]


def test_long_endpoint_names_are_cut_to_what_sagemaker_takes_and_stay_apart() -> None:
    one, other = specification("e" * 62 + "1"), specification("e" * 62 + "2")
    assert len(one.config_name) == 63
    assert one.config_name != other.config_name


def test_requests_have_the_shapes_of_the_service() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    wanted = specification(kms_key="key", subnets=("subnet-1",), security_group_ids=("sg-1",))
    for operation, request in (
        ("CreateModel", wanted.model_request()),
        ("CreateEndpointConfig", wanted.config_request()),
    ):
        shape = model.operation_model(operation).input_shape
        assert shape is not None
        validate_parameters(request, shape)
    assert wanted.model_request()["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}


def test_everything_is_tagged_with_what_it_came_from() -> None:
    tags = {tag["Key"]: tag["Value"] for tag in specification().model_request()["Tags"]}
    assert tags == {
        "endpoint": "house-prices-staging",
        "stage": "staging",
        "model-package": PACKAGE.arn,
        "model-package-version": "3",
        "git-commit": "abc",
    }
