"""What is published when an asynchronous request has ended.

https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html says that notes are published,
not in which form: the fields are those of notes that the service has sent, as programs that read them have them.
"""

import base64
import json
from datetime import datetime, timezone

from local_sagemaker.hosting.model_process import ModelResponse
from local_sagemaker.state.record_types import AsyncRequestRecord, Document

LARGEST_RESPONSE = 128 * 1024  # bytes of an answer that a note includes
SUCCESS, ERROR = "SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"


def success(request: AsyncRequestRecord, response: ModelResponse, ended: float) -> str:
    """The text for the SuccessTopic."""
    parameters = {"contentType": response.content_type, "outputLocation": request.get("OutputLocation")}
    return _note(request, "Completed", ended, {"responseParameters": _given(parameters)}, response, SUCCESS)


def error(request: AsyncRequestRecord, reason: str, response: ModelResponse | None, ended: float) -> str:
    """The text for the ErrorTopic."""
    more: Document = {"failureReason": reason}
    if response is not None and request.get("FailureLocation") is not None:
        parameters = {"contentType": response.content_type, "failureLocation": request["FailureLocation"]}
        more["responseParameters"] = parameters
    return _note(request, "Failed", ended, more, response, ERROR)


def _note(
    request: AsyncRequestRecord, status: str, ended: float, more: Document, response: ModelResponse | None, topic: str
) -> str:
    asked = {
        "accept": request.get("Accept"),
        "contentType": request.get("ContentType"),
        "customAttributes": request.get("CustomAttributes"),
        "endpointName": request["EndpointName"],
        "inputLocation": request.get("InputLocation"),
    }
    included = {}
    wanted = topic in request["IncludeInferenceResponseIn"]
    if wanted and response is not None and len(response.body) <= LARGEST_RESPONSE:
        included["responseBody"] = _body(response)
    return json.dumps(
        {
            "awsRegion": request["Region"],
            "eventTime": _moment(ended),
            "receivedTime": _moment(request["CreationTime"]),
            "invocationStatus": status,
            "requestParameters": _given(asked),
            **more,
            **included,
            "inferenceId": request["InferenceId"],
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
    )


def _body(response: ModelResponse) -> Document:
    content = base64.b64encode(response.body).decode("ascii")
    return {"content": content, "encoding": "BASE64"}


def _given(fields: Document) -> Document:
    return {name: value for name, value in fields.items() if value is not None}


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
