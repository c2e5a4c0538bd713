"""The comparison with a shape finds what it is for."""

from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.local_sagemaker.parity.shapes import faults

GOOD = {
    "ModelPackageName": "n",
    "ModelPackageArn": "arn",
    "CreationTime": 1.5,
    "ModelPackageStatus": "Completed",
    "ModelPackageStatusDetails": {"ValidationStatuses": []},
}


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"Extra": 1}, ["D.Extra: unknown"]),
        ({"ModelPackageArn": None}, ["D.ModelPackageArn: missing"]),
        ({"CreationTime": "today"}, ["D.CreationTime: 'today' is not of type timestamp"]),
        ({"ModelPackageVersion": True}, ["D.ModelPackageVersion: True is not of type integer"]),
        ({"CustomerMetadataProperties": {"a": 1}}, ["D.CustomerMetadataProperties[a]: 1 is not of type string"]),
        ({"InferenceSpecification": {"Containers": {}}}, ["D.InferenceSpecification.Containers: {} is not a list"]),
        (
            {"ModelPackageStatusDetails": {"ValidationStatuses": [{"Name": "x", "Status": "Good"}]}},
            [
                "D.ModelPackageStatusDetails.ValidationStatuses[0].Status: 'Good' is not one of "
                "NotStarted, InProgress, Completed, Failed"
            ],
        ),
    ],
)
def test_each_kind_of_fault_is_found_where_it_is(changes: dict[str, Any], expected: list[str]) -> None:
    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
    shape = model.operation_model("DescribeModelPackage").output_shape
    assert shape is not None
    assert list(faults({**GOOD, **changes}, shape, "D")) == expected
