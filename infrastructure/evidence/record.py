"""The record of one run: what it showed and what it took, redacted. It holds no text that a person has written."""

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from infrastructure.errors import InfrastructureError
from infrastructure.evidence.observations import JOBS, QUESTIONS, Run
from infrastructure.evidence.promises import FORMAT, ON_AWS, ON_LOCAL
from infrastructure.evidence.redaction import Redactor

LOCAL_ACCOUNT = "000000000000"
AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")


def where(endpoint_url: str, execution: str) -> str:
    """ON_AWS where SageMaker's own address was asked about an execution in an account that there can be."""
    host = urlsplit(endpoint_url).hostname or ""
    is_aws = host.endswith(AWS_HOSTS) and execution.split(":")[4] != LOCAL_ACCOUNT
    return ON_AWS if is_aws else ON_LOCAL


def record(run: Run, region: str, known: Mapping[str, str]) -> dict[str, Any]:
    """What a run showed; `known` are the texts that may not be in it, and what each is.

    InfrastructureError where it has not ended, or, which must never be, where something is left that may not be shown.
    """
    status = run.description["PipelineExecutionStatus"]
    if status in ("Executing", "Stopping"):
        raise InfrastructureError(f"The execution {run.execution} is {status}: a record is of one that has ended.")
    seen, unanswered = _answers(run)
    place = where(run.client("sagemaker").meta.endpoint_url, run.execution)
    began: datetime = run.description["CreationTime"]
    document = {
        "date": began.astimezone(timezone.utc).date().isoformat(),
        "region": region,
        "execution": {"status": status, "seconds": _seconds(began, run.description.get("LastModifiedTime"))},
        "steps": [_step(run, step) for step in run.steps],
        "seen": seen,
        "unanswered": unanswered,
    }
    redactor = Redactor(known)
    redacted: dict[str, Any] = redactor.value(document)
    leaks = redactor.leaks(redacted)
    if leaks:
        raise InfrastructureError(
            f"The record is not written: after redaction it still has {', '.join(sorted(set(leaks)))}."
        )
    note = "of a run on AWS" if place == ON_AWS else "of a run on local SageMaker: it proves nothing of AWS"
    return {"format": FORMAT, "where": place, "note": note, **redacted}


def _answers(run: Run) -> tuple[dict[str, str], dict[str, str]]:
    """What each question has seen, and which had no answer, with AWS's code alone."""
    from botocore.exceptions import BotoCoreError, ClientError

    seen: dict[str, str] = {}
    unanswered: dict[str, str] = {}
    for name, question in QUESTIONS.items():
        try:
            answer = question(run)
        except ClientError as error:
            unanswered[name] = f"{error.operation_name}: {error.response['Error'].get('Code', 'Unknown')}"
        except BotoCoreError as error:
            unanswered[name] = type(error).__name__
        else:
            if answer is not None:
                seen[name] = answer
    return seen, unanswered


def _step(run: Run, step: Mapping[str, Any]) -> dict[str, Any]:
    """A step: status, seconds, and of its job the image, the instances and what was billed."""
    found: dict[str, Any] = {
        "name": step["StepName"],
        "status": step["StepStatus"],
        "seconds": _seconds(step.get("StartTime"), step.get("EndTime")),
        "cached": bool(step.get("CacheHitResult")),
    }
    metadata = step.get("Metadata", {})
    kind = next((kind for kind in JOBS if kind in metadata), None)
    return found | ({"job": JOBS[kind], **_job(run, kind, metadata[kind]["Arn"])} if kind else {})


def _job(run: Run, kind: str, arn: str) -> dict[str, Any]:
    sagemaker, name = run.client("sagemaker"), arn.rpartition("/")[2]
    if kind == "ProcessingJob":
        job = sagemaker.describe_processing_job(ProcessingJobName=name)
        cluster, image = job["ProcessingResources"]["ClusterConfig"], job["AppSpecification"]["ImageUri"]
    elif kind == "TrainingJob":
        job = sagemaker.describe_training_job(TrainingJobName=name)
        cluster, image = job["ResourceConfig"], job["AlgorithmSpecification"].get("TrainingImage", "")
    else:
        return {}
    billed = {"billed_seconds": job["BillableTimeInSeconds"]} if "BillableTimeInSeconds" in job else {}
    instances = f"{cluster['InstanceCount']} x {cluster['InstanceType']}"
    return {"image": image.rpartition("/")[2], "instances": instances, **billed}


def _seconds(began: datetime | None, ended: datetime | None) -> float | None:
    return round((ended - began).total_seconds(), 1) if began and ended else None


def text_of(document: Mapping[str, Any]) -> str:
    """As it is written."""
    return json.dumps(document, indent=1) + "\n"
