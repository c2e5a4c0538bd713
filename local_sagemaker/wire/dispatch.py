"""From an API request to the method that answers it, checked against botocore's shapes on the way in and out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from local_sagemaker.errors import unsupported
from local_sagemaker.wire.constraints import check_request
from local_sagemaker.wire.identity import user_context
from local_sagemaker.wire.model import service_model

Request = dict[str, Any]
Handler = Callable[[Request, "Caller"], Request]


@dataclass(frozen=True)
class Caller:
    """Where a request comes from: the account and region of the ARNs that it makes."""

    account: str
    region: str

    @property
    def user_context(self) -> Request:
        """Who that is, as CreatedBy and LastModifiedBy say it."""
        return user_context(self.account)

    def arn(self, resource: str) -> str:
        """The ARN of a SageMaker resource such as `training-job/abc`."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource}"


class Dispatcher:
    """Every supported operation of the SageMaker API, by its name.

    Each group is an object whose methods carry the names of operations in snake case
    (`create_training_job`); botocore's service model says which operations exist.
    """

    def __init__(self, groups: Iterable[object]) -> None:
        self._groups = list(groups)

    @cached_property
    def model(self) -> ServiceModel:
        """botocore's model of the SageMaker API."""
        return service_model()

    @cached_property
    def handlers(self) -> dict[str, Handler]:
        """The supported operations."""
        found: dict[str, Handler] = {}
        for operation in self.model.operation_names:
            for group in self._groups:
                method = getattr(group, xform_name(operation), None)
                if method is not None:
                    found[operation] = method
        return found

    def call(self, operation: str, request: Request, caller: Caller) -> Request:
        """Answer one request; ServiceError where it is refused."""
        if operation not in self.handlers:
            raise unsupported(f"the operation {operation}")
        model = self.model.operation_model(operation)
        check_request(operation, request, model.input_shape)
        response = self.handlers[operation](request, caller)
        answer: Request = known_fields(response, model.output_shape)
        return answer


def known_fields(value: Any, shape: Shape | None) -> Any:
    """A response with the fields that its shape has, however deep, without those that are not set."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        present = {name: value[name] for name in shape.members if value.get(name) is not None}
        return {name: known_fields(item, shape.members[name]) for name, item in present.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [known_fields(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {name: known_fields(item, shape.value) for name, item in value.items()}
    return {} if shape is None else value
