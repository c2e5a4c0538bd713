"""Predictions that are not numbers, counted in the endpoint's log by a metric filter: the server calls no AWS.

The server logs one line for each answer that holds one (steps/serve.py). The line names the model, so that what the old
version logs into the same log group is not counted.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
"""

from typing import Any

from deployment.errors import DeploymentError
from deployment.guard import INVALID, OWN_NAMESPACE, alarm_name

LOG_GROUP = "/aws/sagemaker/Endpoints/"
LOGGED = "Invalid prediction by model"  # as the line begins; a test holds the two together
MISSING = "ResourceNotFoundException"


def filter_request(endpoint: str, config: str, model: str) -> dict[str, Any]:
    """PutMetricFilter's request: each line of this model adds 1 to the metric of the configuration."""
    return {
        **filter_name(endpoint, config),
        "filterPattern": f'"{LOGGED} {model}"',
        "metricTransformations": [
            {"metricName": alarm_name(config, INVALID), "metricNamespace": OWN_NAMESPACE, "metricValue": "1"}
        ],
    }


def filter_name(endpoint: str, config: str) -> dict[str, Any]:
    """DeleteMetricFilter's request."""
    return {"logGroupName": f"{LOG_GROUP}{endpoint}", "filterName": alarm_name(config, INVALID)}


def put_filter(logs: Any, endpoint: str, config: str, model: str) -> None:
    """Make the filter; DeploymentError where the endpoint has no log yet."""
    from botocore.exceptions import ClientError

    try:
        logs.put_metric_filter(**filter_request(endpoint, config, model))
    except ClientError as error:
        if error.response["Error"]["Code"] != MISSING:
            raise
        raise DeploymentError(
            f"{endpoint} has no log group {LOG_GROUP}{endpoint} (any more), in which invalid predictions would be "
            "counted: make it, or wait until the endpoint has logged something."
        ) from None


def remove_filter(logs: Any, endpoint: str, config: str) -> None:
    """Delete the filter of a configuration, where there is one."""
    from botocore.exceptions import ClientError

    try:
        logs.delete_metric_filter(**filter_name(endpoint, config))
    except ClientError as error:
        if error.response["Error"]["Code"] != MISSING:
            raise
