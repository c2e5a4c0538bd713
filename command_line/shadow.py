"""compare: what the shadow of a stage answers beside what serves; and whether a stage can have a shadow."""

import argparse
import json
import tempfile
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from command_line.session import Session
    from deployment.packages import Package
    from deployment.specification import Hosting

MODULE = "monitoring.shadow_comparison"
PAGES = Path("reports") / "shadow"


def shadowed(session: "Session", stage: str, endpoint: str, shadow: "Package", hosting: "Hosting") -> "Package":
    """The version that a stage serves, beside which a shadow can be; DeploymentError where none can."""
    from deployment.endpoint import describe_endpoint, wait_until_settled
    from deployment.errors import DeploymentError
    from deployment.packages import describe_package
    from deployment.serving import packages_of_config

    sagemaker = session.client("sagemaker")
    if hosting.capture is None:
        raise DeploymentError(
            f"The stage {stage} captures no requests, so nobody would see what a shadow answers: a stage with "
            "instances and capture can have one."
        )
    wait_until_settled(sagemaker, endpoint, session.waiting, session.console.line)
    found = describe_endpoint(sagemaker, endpoint)
    if found is None or found["EndpointStatus"] != "InService":
        status = "not deployed" if found is None else found["EndpointStatus"]
        raise DeploymentError(f"The stage {stage} is {status}: a shadow gets copies of what a version is asked.")
    arns = packages_of_config(sagemaker, found["EndpointConfigName"])
    serving = describe_package(sagemaker, arns[0]) if len(arns) == 1 else None
    if serving is None:
        raise DeploymentError(f"{endpoint} does not serve one version of {session.settings.name}: deploy one first.")
    if serving.arn == shadow.arn:
        raise DeploymentError(f"{endpoint} serves version {shadow.version} already: name another one as its shadow.")
    return serving


def compare(session: "Session", options: argparse.Namespace) -> None:
    """compare"""
    from command_line.beside import answer_of
    from deployment.captured import captured_files
    from deployment.fleet_metrics import latencies
    from deployment.shadow import Versions, page, sentences
    from deployment.specification import SHADOW, VARIANT

    endpoint, console = session.endpoint(options.stage), session.console
    config, numbers, since = _under_comparison(session, options.stage, endpoint)
    since = max(since, options.since) if options.since else since
    prefix = f"{session.settings.name}/capture/{options.stage}/{endpoint}"
    with tempfile.TemporaryDirectory() as name:
        places = {"production": Path(name) / VARIANT, "shadow": Path(name) / SHADOW}
        for path in places.values():
            files = captured_files(session.client("s3"), session.environment.bucket, f"{prefix}/{path.name}", since)
            files.download(session.client("s3"), path)
            _drop_earlier(path, since)
        found = answer_of(session, MODULE, Path(name), places, options.percent / 100)
    cloudwatch = session.client("cloudwatch")
    found["latency_ms"] = {
        side: latencies(cloudwatch, endpoint, variant, config, since)
        for side, variant in (("production", VARIANT), ("shadow", SHADOW))
    }
    versions = Versions(options.stage, *numbers, since)
    PAGES.mkdir(parents=True, exist_ok=True)
    path = PAGES / f"{config}-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}.md"
    path.write_text(page(versions, found), encoding="utf-8")
    if console.json_output:
        console.document(
            {"stage": options.stage, "version": numbers[0], "shadow": numbers[1], "page": str(path), **found}
        )
        return
    for sentence in sentences(versions, found):
        console.line(sentence)
    console.line(f"Page: {path}")


def _under_comparison(session: "Session", stage: str, endpoint: str) -> tuple[str, tuple[int, int], datetime]:
    """The configuration with a shadow that serves, both versions, and since when."""
    from deployment.endpoint import describe_endpoint
    from deployment.errors import DeploymentError
    from deployment.specification import TAG_DEPLOYED

    sagemaker = session.client("sagemaker")
    found: Mapping[str, Any] = describe_endpoint(sagemaker, endpoint) or {}
    name = found.get("EndpointConfigName")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=name) if name else {}
    shadows = config.get("ShadowProductionVariants", [])
    if not shadows or name is None:
        raise DeploymentError(
            f"The stage {stage} has no shadow: `deploy --shadow VERSION --stage {stage}` gives it one."
        )
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=config["EndpointConfigArn"])
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    since = datetime.fromisoformat(tags[TAG_DEPLOYED]) if TAG_DEPLOYED in tags else config["CreationTime"]
    models = [config["ProductionVariants"][0]["ModelName"], shadows[0]["ModelName"]]
    return str(name), (_version(sagemaker, models[0]), _version(sagemaker, models[1])), since


def _version(sagemaker: Any, model: str) -> int:
    from deployment.errors import DeploymentError
    from deployment.packages import describe_package

    container = sagemaker.describe_model(ModelName=model).get("PrimaryContainer", {})
    package = describe_package(sagemaker, container.get("ModelPackageName", "")) if container else None
    if package is None:
        raise DeploymentError(f"The version behind the model {model} is not there any more.")
    return package.version


def _drop_earlier(folder: Path, since: datetime) -> None:
    """Leave out the events of the first hour that are from before the shadow: only pairs are compared."""
    for path in folder.glob("*.jsonl"):
        kept = []
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            try:
                moment = datetime.fromisoformat(
                    json.loads(line)["eventMetadata"]["inferenceTime"].replace("Z", "+00:00")
                )
            except (ValueError, KeyError, TypeError):
                moment = since  # what cannot be read is counted by who reads it
            if moment.replace(microsecond=0) >= since.replace(microsecond=0):
                kept.append(line)
        path.write_text("".join(kept), encoding="utf-8")
