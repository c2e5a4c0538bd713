"""loadtest: the largest rate of a stage within a latency goal, and the scaling target that follows from it."""

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from command_line.session import Session
    from deployment.load import Load
    from deployment.predict import Payload

CONNECT_SECONDS, ANSWER_SECONDS = 5, 70  # the service answers within a minute


def loadtest(session: "Session", options: argparse.Namespace) -> None:
    """loadtest"""
    from deployment.endpoint import describe_endpoint
    from deployment.errors import DeploymentError
    from deployment.load import Bounds, load
    from deployment.personal import without_personal
    from deployment.predict import read_payload

    endpoint, console = session.endpoint(options.stage), session.console
    payload = read_payload(options.file, options.content_type, sys.stdin.buffer)
    payload, _ = without_personal(payload, session.settings.data.personal)
    bounds = Bounds(options.latency_ms, options.clients, options.step_seconds, options.requests)
    found = describe_endpoint(session.client("sagemaker"), endpoint)
    if found is None or found["EndpointStatus"] != "InService":
        status = "not deployed" if found is None else found["EndpointStatus"]
        raise DeploymentError(f"{endpoint} is {status}: only an endpoint that is InService can be tested.")
    session.predictor(endpoint, options.stage, payload)()  # a request that the model refuses is said before the test
    if session.settings.stages[options.stage].capture is not False:
        console.line(f"note: {options.stage} captures requests, including those of this test.")
    result = load(_asking(session, endpoint, payload, bounds.clients), bounds, console.line)
    instances = sum(each.get("CurrentInstanceCount", 1) for each in found.get("ProductionVariants", [{}]))
    _show(session, result, bounds.latency_ms, max(1, instances))


def _show(session: "Session", result: "Load", latency_ms: float, instances: int) -> None:
    from deployment.errors import DeploymentError

    console = session.console
    if console.json_output:
        steps = [{"clients": each.clients, "rate": each.rate, "p99_ms": each.percentile(0.99), "failed": each.failed}
                 for each in result.steps]  # fmt: skip
        best = {"clients": result.best.clients, "rate": result.best.rate} if result.best is not None else None
        console.document(
            {"steps": steps, "best": best, "ended": result.why_ended, "instances": instances,
             "invocations_per_instance": result.scaling_target(instances)}
        )  # fmt: skip
    console.line(f"It ended because {result.why_ended}.")
    if result.best is None:
        raise DeploymentError(f"No rate is within {latency_ms:g} ms: {result.why_ended} already with one client.")
    console.line(
        f"The largest rate within {latency_ms:g} ms (99th percentile): {result.best.rate:.1f} answers a second, "
        f"by {result.best.clients} client{'s' * (result.best.clients > 1)} on {instances} "
        f"instance{'s' * (instances > 1)}.",
        style="green",
    )
    console.line(
        f"Scaling target: {result.scaling_target(instances)} invocations a minute and instance, half of that rate."
    )


def _asking(session: "Session", endpoint: str, payload: "Payload", clients: int) -> Callable[[], bool]:
    """One request, without another attempt where it fails: what the test measures is what a client would wait."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(
        retries={"total_max_attempts": 1},
        max_pool_connections=clients,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
    )
    make: Any = boto3.client
    runtime = make("sagemaker-runtime", region_name=session.environment.region, config=config)

    def ask() -> bool:
        try:
            answer = runtime.invoke_endpoint(
                EndpointName=endpoint, Body=payload.body, ContentType=payload.content_type, Accept="application/json"
            )
            answer["Body"].read()
        except (ClientError, BotoCoreError):
            return False
        return True

    return ask
