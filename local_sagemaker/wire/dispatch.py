"""From an API request to the method that answers it, checked against botocore's shapes on the way in and out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from local_sagemaker.errors import ServiceError, unsupported
from local_sagemaker.wire.constraints import check_request
from local_sagemaker.wire.identity import ADMINISTRATOR, Identity, role_identity
from local_sagemaker.wire.model import service_model

EXPERIMENTS = (
    "name the experiment in the PipelineExperimentConfig of a pipeline, and read what its jobs have logged with "
    "DescribeTrialComponent"
)
CARDS = "read the card with DescribeModelCard, which has all of its content"
INSTEAD = {  # what to do about operations that public programs call: the first ones of the SDK's Run, and exports
    "CreateExperiment": EXPERIMENTS,
    "CreateTrial": EXPERIMENTS,
    "CreateTrialComponent": EXPERIMENTS,
    "CreateModelCardExportJob": CARDS,
    "DescribeModelCardExportJob": CARDS,
    "ListModelCardExportJobs": CARDS,
}
Request = dict[str, Any]
Handler = Callable[[Request, "Caller"], Request]
# Looks at an operation, its request and its caller before it is answered; the last describes what there is.
Watch = Callable[[str, Request, "Caller", Callable[[str, Any], Request]], None]


@dataclass(frozen=True)
class Caller:
    """Where a request comes from: the account and region of the ARNs that it makes, and who signed it."""

    account: str
    region: str
    identity: Identity = ADMINISTRATOR

    @property
    def user_context(self) -> Request:
        """Who that is, as CreatedBy and LastModifiedBy say it."""
        return self.identity.user_context(self.account)

    def as_pipeline(self, role_arn: str | None) -> "Caller":
        """What a pipeline calls with its role."""
        return replace(self, identity=role_identity(role_arn, in_pipeline=True)) if role_arn else self

    def arn(self, resource: str) -> str:
        """The ARN of a SageMaker resource such as `training-job/abc`."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource}"


class Dispatcher:
    """Every supported operation of an API, SageMaker's where no other is named, by its name.

    Each group is an object whose methods carry the names of operations in snake case
    (`create_training_job`); botocore's service model says which operations exist. `watch` may refuse a call.
    """

    def __init__(self, groups: Iterable[object], watch: Watch | None = None, service: str = "sagemaker") -> None:
        self._groups = list(groups)
        self._watch = watch
        self._service = service

    @cached_property
    def model(self) -> ServiceModel:
        """botocore's model of the API."""
        return service_model(self._service)

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
            raise unsupported(f"the operation {operation}", INSTEAD.get(operation))
        model = self.model.operation_model(operation)
        check_request(operation, request, model.input_shape)
        if self._watch is not None:
            self._watch(operation, request, caller, lambda name, asked: self._described(name, asked, caller))
        response = self.handlers[operation](request, caller)
        answer: Request = known_fields(response, model.output_shape)
        return answer

    def _described(self, operation: str, request: Request, caller: Caller) -> Request:
        """The answer of an operation that changes nothing, empty where what it asks for is not there."""
        try:
            return self.handlers[operation](request, caller)
        except ServiceError:
            return {}


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
