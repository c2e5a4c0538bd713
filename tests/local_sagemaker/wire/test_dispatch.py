"""Requests are checked against botocore's shapes on the way in, answers on the way out."""

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.dispatch import Caller, Dispatcher, Request

CALLER = Caller("000000000000", "us-east-1")


class Models:
    """A group with one operation."""

    def describe_model(self, request: Request, caller: Caller) -> Request:
        arn = caller.arn(f"model/{request['ModelName']}")
        return {"ModelName": request["ModelName"], "ModelArn": arn, "OurOwnField": 1, "ExecutionRoleArn": None}

    def helper_method(self) -> None:
        """Not the name of an operation."""


DISPATCHER = Dispatcher([Models()])


def test_an_operation_is_the_method_of_its_name() -> None:
    response = DISPATCHER.call("DescribeModel", {"ModelName": "m"}, CALLER)
    assert response == {"ModelName": "m", "ModelArn": "arn:aws:sagemaker:us-east-1:000000000000:model/m"}
    assert list(DISPATCHER.handlers) == ["DescribeModel"]


def test_the_entries_of_a_list_have_the_fields_of_their_shape() -> None:
    class Listing:
        def list_models(self, request: Request, caller: Caller) -> Request:
            return {"Models": [{"ModelName": "m", "ModelArn": "arn", "CreationTime": 1.0, "PrimaryContainer": {}}]}

    response = Dispatcher([Listing()]).call("ListModels", {}, CALLER)
    assert response == {"Models": [{"ModelName": "m", "ModelArn": "arn", "CreationTime": 1.0}]}


def test_an_operation_that_is_not_supported_is_refused_by_name() -> None:
    with pytest.raises(ServiceError, match="does not support the operation CreateNotebookInstance"):
        DISPATCHER.call("CreateNotebookInstance", {}, CALLER)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, "Value null at 'modelName' failed to satisfy constraint: Member must not be null"),
        ({"ModelName": 3}, "Value '3' at 'modelName' .* Member must be of type string"),
        ({"ModelName": "m", "Modelname": "x"}, "Unknown parameter: 'modelname'; did you mean ModelName"),
    ],
)
def test_a_request_that_is_not_of_its_shape_is_refused_with_the_fault(request_: Request, words: str) -> None:
    with pytest.raises(ServiceError, match=words) as caught:
        DISPATCHER.call("DescribeModel", request_, CALLER)
    assert caught.value.code == "ValidationException"
