"""EndpointConfig and Endpoint steps, through the operations that a user could call.

As sagemaker.mlops.workflow.endpoint_step of SDK v3 has them: an Endpoint step updates an endpoint that exists.
"""

import time

from local_sagemaker.engine.tasks import Result, Task
from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.dispatch import Caller, Dispatcher

POLL_SECONDS = 0.1
CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack")


class EndpointSteps:
    """Makes endpoint configurations, and endpoints that serve when the step has succeeded."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def configure(self, task: Task, caller: Caller) -> Result:
        """Create the configuration; its properties are what DescribeEndpointConfig says."""
        request = {"EndpointConfigName": task.job_name, **task.arguments}
        arn = self._dispatcher.call("CreateEndpointConfig", request, caller)["EndpointConfigArn"]
        name = {"EndpointConfigName": request["EndpointConfigName"]}
        described = self._dispatcher.call("DescribeEndpointConfig", name, caller)
        return Result("Succeeded", {"EndpointConfig": {"Arn": arn}}, described)

    def deploy(self, task: Task, caller: Caller) -> Result:
        """Create or update the endpoint and wait until it serves; a stop waits for that too, as the change goes on."""
        request = {"EndpointName": task.job_name, **task.arguments}
        name = {"EndpointName": request["EndpointName"]}
        if self._exists(name, caller):
            operation = "UpdateEndpoint"
            request = {field: value for field, value in request.items() if field != "Tags"}
        else:
            operation = "CreateEndpoint"
        arn = self._dispatcher.call(operation, request, caller)["EndpointArn"]
        metadata = {"Endpoint": {"Arn": arn}}
        task.started("", "", metadata, lambda: None)
        endpoint = self._dispatcher.call("DescribeEndpoint", name, caller)
        while endpoint["EndpointStatus"] in CHANGING:
            time.sleep(POLL_SECONDS)
            endpoint = self._dispatcher.call("DescribeEndpoint", name, caller)
        if (
            endpoint["EndpointStatus"] == "InService"
            and endpoint["EndpointConfigName"] == request["EndpointConfigName"]
        ):
            return Result("Succeeded", metadata, endpoint)
        reason = endpoint.get("FailureReason", f"The endpoint is {endpoint['EndpointStatus']}.")
        return Result("Failed", metadata, endpoint, f"ClientError: {reason}")

    def _exists(self, name: dict[str, str], caller: Caller) -> bool:
        try:
            self._dispatcher.call("DescribeEndpoint", name, caller)
        except ServiceError:
            return False
        return True
