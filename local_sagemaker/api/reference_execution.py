"""What executions take over of others, or of their own earlier attempt: the results of steps that have succeeded."""

import time
from collections.abc import Collection, Mapping

from local_sagemaker.definition.definition import Definition
from local_sagemaker.engine.selection import ancestors, check_reference, needed
from local_sagemaker.engine.tasks import Result
from local_sagemaker.errors import invalid
from local_sagemaker.state.record_kinds import EXECUTION, EXECUTION_STEP
from local_sagemaker.state.record_types import ExecutionRecord, StepRecord
from local_sagemaker.state.records import Records, without_none

REFERENCES = ("Succeeded", "Failed", "Stopped", "CompletedWithFailures")


def step_results(records: Records, execution_arn: str) -> dict[str, Result]:
    """The results of the steps of an execution that have succeeded, by name."""
    return {
        step["StepName"]: Result("Succeeded", step["Metadata"], step["Properties"], outcome=step.get("Outcome"))
        for step in records.all(EXECUTION_STEP, prefix=f"{execution_arn}/")
        if step["StepStatus"] == "Succeeded"
    }


def reuse(
    records: Records, definition: Definition, selected: Collection[str], execution: ExecutionRecord
) -> Mapping[str, Result]:
    """The results that a selective execution reuses, each recorded as a step of it that names its source.

    ValidationException where the selected steps need a reference execution that is not given, or not good enough.
    """
    source = (execution.get("SelectiveExecutionConfig") or {}).get("SourcePipelineExecutionArn")
    if source is None:
        missing = needed(definition, selected)
        if missing:
            raise invalid(
                f"Invalid SourcePipelineExecutionArn: null. The selected steps [{', '.join(selected)}] have "
                f"dependencies on [{', '.join(missing)}]"
            )
        return {}
    reference = records.get(EXECUTION, source)
    if reference is None or reference["PipelineArn"] != execution["PipelineArn"]:
        raise invalid(f"Invalid SourcePipelineExecutionArn: {source}. It is not an execution of this pipeline.")
    if reference["PipelineExecutionStatus"] not in REFERENCES:
        raise invalid(
            f"Invalid SourcePipelineExecutionArn: {source}. It is {reference['PipelineExecutionStatus']}, and must "
            "have ended."
        )
    before = ancestors(definition, selected) - set(selected)
    results = {name: result for name, result in step_results(records, source).items() if name in before}
    check_reference(definition, selected, results, source)
    for name in results:
        step = records.get(EXECUTION_STEP, f"{source}/{name}") or {}
        now = time.time()
        reused: StepRecord = {
            **step,
            "StartTime": now,
            "EndTime": now,
            "SelectiveExecutionResult": {"SourcePipelineExecutionArn": source},
            "CacheHitResult": None,
        }
        records.put(EXECUTION_STEP, f"{execution['PipelineExecutionArn']}/{name}", without_none(reused))
    return results
