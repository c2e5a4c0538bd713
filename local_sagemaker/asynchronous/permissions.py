"""What the role of an asynchronous endpoint's model may do with inputs, answers and topics.

https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-create-endpoint-prerequisites.html
"""

from local_sagemaker.iam.access import Access
from local_sagemaker.iam.guard import Guard
from local_sagemaker.processes.storage import split_s3_uri
from local_sagemaker.state.record_kinds import ENDPOINT
from local_sagemaker.state.record_types import AsyncRequestRecord
from local_sagemaker.state.records import Records


class ModelPermissions:
    """Asks the guard for the role that the model was created with; ServiceError where the role may not."""

    def __init__(self, records: Records, guard: Guard) -> None:
        self._records = records
        self._guard = guard

    def require_input(self, request: AsyncRequestRecord, location: str) -> None:
        """Read the object with the input of a request."""
        self._require(request, "s3:GetObject", _object(location), "its input")

    def require_output(self, request: AsyncRequestRecord, location: str) -> None:
        """Write the object with the answer."""
        self._require(request, "s3:PutObject", _object(location), "its output")

    def require_topic(self, request: AsyncRequestRecord, topic: str) -> None:
        """Publish to a topic of SNS."""
        self._require(request, "sns:Publish", topic, "its notes")

    def _require(self, request: AsyncRequestRecord, action: str, resource: str, reason: str) -> None:
        endpoint = self._records.get(ENDPOINT, request["EndpointName"])
        variants = endpoint["Serving"]["Variants"] if endpoint is not None and "Serving" in endpoint else []
        role = next((variant["Role"] for variant in variants if variant.get("Role")), None)
        if role is not None:
            self._guard.of_role("InvokeEndpointAsync", role, Access(action, resource, {}, reason), request["Region"])


def _object(location: str) -> str:
    bucket, key = split_s3_uri(location)
    return f"arn:aws:s3:::{bucket}/{key}"
