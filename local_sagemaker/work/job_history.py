"""What a job's record says of its phases and of its end, in the fields and words of the service."""

import time
from collections.abc import Mapping
from typing import Any

from local_sagemaker.jobs.metrics import metric_data
from local_sagemaker.processes.outcome import Outcome

Document = dict[str, Any]
FINAL = ("Completed", "Failed", "Stopped")
STARTED = "Downloading"  # the first phase on the instances; TrainingStartTime and ProcessingStartTime are its begin
# StatusMessage of each secondary status, from the examples in AWS's documentation of SecondaryStatusTransition.
MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


def transition(job: Mapping[str, Any], status: str, now: float, final: bool = False) -> Document:
    """The fields of a training job that enters a secondary status: the one before ends, a final one at once."""
    before = [dict(entry) for entry in job.get("SecondaryStatusTransitions", [])]
    if before and "EndTime" not in before[-1]:
        before[-1]["EndTime"] = now
    entry: Document = {"Status": status, "StartTime": now, "StatusMessage": MESSAGES[status]}
    if final:
        entry["EndTime"] = now
    return {"SecondaryStatus": status, "SecondaryStatusTransitions": [*before, entry]}


def phase(kind: str, job: Mapping[str, Any], status: str, now: float) -> Document:
    """The changes to a job that begins a phase (see transition); the end of a job is not one."""
    changes: Document = {"LastModifiedTime": now}
    if status == STARTED:
        changes[f"{kind}StartTime"] = now
    if kind == "Training" and job["SecondaryStatus"] not in (status, "Stopping"):
        changes.update(transition(job, status, now))
    return changes


def ending(kind: str, job: Mapping[str, Any], outcome: Outcome) -> Document:
    """The changes to a job that has ended; None removes a field."""
    now = time.time()
    changes: Document = {
        f"{kind}JobStatus": outcome.status,
        f"{kind}EndTime": now,
        "LastModifiedTime": now,
        "FailureReason": outcome.failure_reason,
    }
    if kind != "Training":
        return changes | ({"ExitMessage": outcome.exit_message} if kind == "Processing" else {})
    changes.update(transition(job, outcome.secondary_status or outcome.status, now, final=True))
    changes["FinalMetricDataList"] = metric_data(outcome.metrics) or None
    if outcome.artifacts:
        changes["ModelArtifacts"] = {"S3ModelArtifacts": outcome.artifacts}
    if "TrainingStartTime" in job:
        # No capacity is cheaper or dearer here, so a managed spot job is billed for all of its time.
        seconds = max(1, round(now - job["TrainingStartTime"]))
        changes.update(TrainingTimeInSeconds=seconds, BillableTimeInSeconds=seconds)
    return changes
