"""What a run is looked at for: each question reads, and answers in one sentence of numbers and names of AWS's own."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from infrastructure.account_check import quota_values
from infrastructure.bootstrap import describe_stack
from infrastructure.stacks import Stack

JOBS = {"ProcessingJob": "Processing", "TrainingJob": "Training", "TuningJob": "Tuning"}
COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
BUILDS = 10  # the newest ones, which are looked at


@dataclass(frozen=True)
class Run:
    """What is looked at: an execution, the endpoint of a stage, and the stacks of an account's stage.

    `history` are the entries of the endpoint's deployments, the newest first; `golden` asks the endpoint the golden
    rows of a version, by its ARN, and says how many it answered as the evaluation did; None where it did not.
    `quotas` are the names of the quotas that the settings need.
    """

    client: Callable[[str], Any]
    project: str
    stage: str
    execution: str
    endpoint: str
    history: Sequence[Mapping[str, Any]]
    golden: Callable[[str], int | None]
    quotas: Sequence[str] = ()

    @cached_property
    def description(self) -> Mapping[str, Any]:
        """DescribePipelineExecution."""
        found: Mapping[str, Any] = self.client("sagemaker").describe_pipeline_execution(
            PipelineExecutionArn=self.execution
        )
        return found

    @cached_property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        """ListPipelineExecutionSteps."""
        pages = (
            self.client("sagemaker")
            .get_paginator("list_pipeline_execution_steps")
            .paginate(PipelineExecutionArn=self.execution, SortOrder="Ascending")
        )
        return [step for page in pages for step in page["PipelineExecutionSteps"]]

    @cached_property
    def version(self) -> Mapping[str, Any] | None:
        """DescribeModelPackage of the version that the execution registered; None where it registered none."""
        arns = [step["Metadata"]["RegisterModel"]["Arn"] for step in self.steps if "RegisterModel" in _metadata(step)]
        if not arns:
            return None
        found: Mapping[str, Any] = self.client("sagemaker").describe_model_package(ModelPackageName=arns[-1])
        return found


Question = Callable[[Run], str | None]


def execution(run: Run) -> str | None:
    """Whether AWS ran the definition to its end."""
    ended = [step for step in run.steps if step["StepStatus"] == "Succeeded"]
    if run.description["PipelineExecutionStatus"] != "Succeeded" or not ended:
        return None
    return f"an execution of {_many(len(ended), 'step')} Succeeded"


def jobs(run: Run) -> str | None:
    """Whether a processing and a training job ran in it, and not the cache in their place."""
    ran = [kind for step in run.steps if (kind := _kind(step)) and _ran(step)]
    if not {"Processing"} < set(ran):
        return None
    return f"{_many(len(ran), 'job')} Completed ({', '.join(dict.fromkeys(ran))})"


def metrics(run: Run) -> str | None:
    """Whether its training job has metrics."""
    sagemaker = run.client("sagemaker")
    for step in run.steps:
        if "TrainingJob" in _metadata(step) and _ran(step):
            name = step["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
            found = sagemaker.describe_training_job(TrainingJobName=name).get("FinalMetricDataList", [])
            return f"DescribeTrainingJob has {_many(len(found), 'metric')}" if found else None
    return None


def made_by(run: Run) -> str | None:
    """Whether the version keeps which execution made it."""
    properties = run.version.get("MetadataProperties", {}) if run.version else {}
    return "GeneratedBy is the execution" if properties.get("GeneratedBy") == run.execution else None


def life_cycle(run: Run) -> str | None:
    """Whether the version says where it is."""
    found = run.version.get("ModelLifeCycle", {}) if run.version else {}
    return "the version has a Stage and a StageStatus" if {"Stage", "StageStatus"} <= set(found) else None


def endpoint(run: Run) -> str | None:
    """Whether the endpoint serves the version, and answers its golden rows as the evaluation did."""
    sagemaker = run.client("sagemaker")
    if run.version is None:
        return None
    found = sagemaker.describe_endpoint(EndpointName=run.endpoint)
    if found["EndpointStatus"] != "InService" or run.version["ModelPackageArn"] not in _served(sagemaker, found):
        return None
    answered = run.golden(run.version["ModelPackageArn"])
    return f"it answered {_many(answered, 'golden row')} as the evaluation did" if answered else None


def other_account(run: Run) -> str | None:
    """Whether the endpoint serves a version of another account."""
    sagemaker = run.client("sagemaker")
    found = sagemaker.describe_endpoint(EndpointName=run.endpoint)
    own = found["EndpointArn"].split(":")[4]
    served = _served(sagemaker, found) if found["EndpointStatus"] == "InService" else []
    return "an endpoint serves another account's version" if any(arn.split(":")[4] != own for arn in served) else None


def approval_build(run: Run) -> str | None:
    """Whether a build that an approval started has deployed."""
    by_approval = [each for each in run.history if each.get("build") and "approved it" in str(each.get("who"))]
    served = [each for each in by_approval if each.get("outcome") == "serves"]
    return f"{_many(len(served), 'approval')} started a build that deployed" if served else None


def stacks(run: Run) -> str | None:
    """Which of the stacks that are set up on moto, too, stand complete."""
    standing = [kind for kind in ("storage", "roles", "build", "budget") if _stands(run, kind)]
    return f"{', '.join(standing)} set up" if standing else None


def deployment_stack(run: Run) -> str | None:
    """Whether the stack of the deployment stands complete."""
    return "set up" if _stands(run, "deployment") else None


def studio_stack(run: Run) -> str | None:
    """Whether the stack of Studio stands complete."""
    return "set up" if _stands(run, "studio") else None


def quotas(run: Run) -> str | None:
    """Whether Service Quotas has quotas by all the names that `check --account` looks for."""
    there = run.quotas and set(run.quotas) <= set(quota_values(run.client))
    return f"Service Quotas has {_many(len(run.quotas), 'quota')} of these names" if there else None


def build(run: Run) -> str | None:
    """From which kind of repository a build has Succeeded."""
    codebuild = run.client("codebuild")
    name = f"{run.project}-{run.stage}-commit"
    ids = codebuild.list_builds_for_project(projectName=name)["ids"]
    found = codebuild.batch_get_builds(ids=ids[:BUILDS])["builds"] if ids else []
    types = {each["source"]["type"] for each in found if each["buildStatus"] == "SUCCEEDED"}
    return f"a build of {', '.join(sorted(types))} SUCCEEDED" if types else None


def removal(run: Run) -> str | None:
    """Whether CloudTrail says that Scheduler's role has deleted the endpoint."""
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "DeleteEndpoint"}]
    pages = run.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=wanted)
    role = f"/{run.project}-{run.stage}-removal/"
    for event in (json.loads(each["CloudTrailEvent"]) for page in pages for each in page["Events"]):
        is_this = event.get("requestParameters", {}).get("endpointName") == run.endpoint
        if is_this and role in event.get("userIdentity", {}).get("arn", "") and "errorCode" not in event:
            return "Scheduler's role has deleted the endpoint, by CloudTrail"
    return None


QUESTIONS: dict[str, Question] = {
    "execution": execution,
    "jobs": jobs,
    "metrics": metrics,
    "made_by": made_by,
    "life_cycle": life_cycle,
    "endpoint": endpoint,
    "other_account": other_account,
    "approval_build": approval_build,
    "stacks": stacks,
    "deployment_stack": deployment_stack,
    "studio_stack": studio_stack,
    "quotas": quotas,
    "build": build,
    "removal": removal,
}


def _stands(run: Run, kind: str) -> bool:
    found = describe_stack(run.client("cloudformation"), Stack(kind, run.project, run.stage).name)
    return found is not None and found["StackStatus"] in COMPLETE


def _served(sagemaker: Any, found: Mapping[str, Any]) -> list[str]:
    """The ARNs of the versions that an endpoint serves."""
    config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    models = [each["ModelName"] for each in config["ProductionVariants"] if "ModelName" in each]
    described = [sagemaker.describe_model(ModelName=name) for name in models]
    return [arn for each in described if (arn := each.get("PrimaryContainer", {}).get("ModelPackageName"))]


def _metadata(step: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = step.get("Metadata", {})
    return found


def _kind(step: Mapping[str, Any]) -> str | None:
    return next((kind for name, kind in JOBS.items() if name in _metadata(step)), None)


def _ran(step: Mapping[str, Any]) -> bool:
    return step["StepStatus"] == "Succeeded" and not step.get("CacheHitResult")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
