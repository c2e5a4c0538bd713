"""The evaluation of an execution, whether it registered its model or not."""

from collections.abc import Mapping

from pipelines.clients import SageMakerClient
from pipelines.definition.evaluation_files import OUTPUT, REPORT_PATH, STEP
from pipelines.versions.evaluation_report import GateResult
from pipelines.watching.executions import ExecutionSummary


def evaluation_uri(sagemaker: SageMakerClient, execution: ExecutionSummary) -> str | None:
    """Where the evaluation of an execution lies; None where it has not come so far. Of a cached step, where it lay."""
    found = [step.job for step in execution.steps if step.name == STEP and step.status == "Succeeded" and step.job]
    if not found or found[-1].kind != "ProcessingJob":
        return None
    description = sagemaker.describe_processing_job(ProcessingJobName=found[-1].name)
    for output in description.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if output["OutputName"] == OUTPUT:
            return f"{output['S3Output']['S3Uri'].rstrip('/')}/{REPORT_PATH}"
    return None


def relaxed_gates(
    gates: tuple[GateResult, ...], parameters: Mapping[str, str], defaults: Mapping[str, object]
) -> list[str]:
    """The gates of an execution that ask for less than the pipeline's own, each as `MinR2 is 0.5, not 0.85`."""
    found = []
    for gate in gates:
        given, default = parameters.get(gate.parameter), defaults.get(gate.parameter)
        if given is None or default is None:
            continue
        difference = float(given) - float(str(default))
        if difference > 0 if gate.bound == "at most" else difference < 0:
            found.append(f"{gate.parameter} is {float(given):g}, not {float(str(default)):g}")
    return found
