"""The documents of the state, by the names and the types of their fields.

No field has to be in a document here, since one is changed by some of its fields: those that each must have are in
REQUIRED of record_kinds. A field that may be None is removed by a change to None. Times are seconds since 1970.
Requests and answers of the API, of any depth, stay plain mappings: botocore's shapes say what is in them.
"""

from typing import Any, TypedDict

Document = dict[str, Any]


class PipelineRecord(TypedDict, total=False):
    """A pipeline, with the definition and the number of its latest version."""

    PipelineName: str
    PipelineArn: str
    PipelineDisplayName: str
    PipelineDescription: str
    PipelineDefinition: str
    PipelineVersionId: int
    PipelineStatus: str
    RoleArn: str
    ParallelismConfiguration: Document
    CreationTime: float
    LastModifiedTime: float
    LastRunTime: float
    CreatedBy: Document
    LastModifiedBy: Document


class PipelineVersionRecord(TypedDict, total=False):
    """A definition that a pipeline has or had, under its number."""

    PipelineArn: str
    PipelineVersionId: int
    PipelineVersionDisplayName: str
    PipelineVersionDescription: str
    PipelineVersionAliases: list[str]
    PipelineDefinition: str
    LastExecutionPipelineExecutionArn: str
    CreationTime: float
    LastModifiedTime: float


class ExecutionRecord(TypedDict, total=False):
    """An execution with all that it runs by, whatever becomes of its pipeline meanwhile."""

    PipelineArn: str
    PipelineName: str
    PipelineVersionId: int
    PipelineDefinition: str
    PipelineExecutionArn: str
    PipelineExecutionDisplayName: str
    PipelineExecutionDescription: str | None
    PipelineExecutionStatus: str
    PipelineExperimentConfig: Document
    ParallelismConfiguration: Document | None
    SelectiveExecutionConfig: Document | None
    FailureReason: str | None
    RoleArn: str | None
    ExecutionId: str
    ParameterValues: Document
    CreationTime: float
    LastModifiedTime: float
    CreatedBy: Document
    LastModifiedBy: Document


class StepRecord(TypedDict, total=False):
    """A step of an execution that has started: what clients see of it, and the properties that other steps see."""

    StepName: str
    StepDisplayName: str | None
    StepDescription: str | None
    StepType: str
    PipelineExecutionArn: str
    StepStatus: str
    StartTime: float
    EndTime: float
    AttemptCount: int
    FailureReason: str | None
    Metadata: Document
    Properties: Document
    Outcome: bool | None
    IterationContext: Document
    CacheHitResult: Document | None
    SelectiveExecutionResult: Document


class StepCacheRecord(TypedDict, total=False):
    """The step that a key of the step cache stands for: the name of its record, and when it ended."""

    Step: str
    EndTime: float


class CallbackRecord(TypedDict, total=False):
    """A token that a Callback step has sent, and whether it was answered."""

    PipelineExecutionArn: str
    Answered: bool
    ClientRequestToken: str | None


class TagsRecord(TypedDict, total=False):
    """The tags of a resource."""

    Tags: list[dict[str, str]]


class TargetRunRecord(TypedDict, total=False):
    """What an event has started."""

    RunId: str
    TargetArn: str
    Event: Any
    Status: str
    Attempts: int
    CreationTime: float
    EndTime: float


class VersionCounterRecord(TypedDict, total=False):
    """The highest version that a model package group has had."""

    Version: int


class GroupPolicyRecord(TypedDict, total=False):
    """The resource policy of a model package group, as it was given."""

    ResourcePolicy: str


class AsyncRequestRecord(TypedDict, total=False):
    """A request to an asynchronous endpoint that waits or is being answered; it is deleted when it has ended."""

    Id: str
    InferenceId: str
    EndpointName: str
    Region: str
    InputLocation: str | None
    Body: str | None
    ContentType: str | None
    Accept: str | None
    CustomAttributes: str | None
    TtlSeconds: int
    TimeoutSeconds: int
    OutputLocation: str | None
    FailureLocation: str | None
    SuccessTopic: str | None
    ErrorTopic: str | None
    IncludeInferenceResponseIn: list[str]
    CreationTime: float


class EndpointRecord(TypedDict, total=False):
    """An endpoint with its plans (see Models.plan): `Serving`, and while it changes `Pending`."""

    EndpointName: str
    EndpointArn: str
    EndpointConfigName: str
    EndpointStatus: str
    DeploymentConfig: Document | None
    FailureReason: str | None
    Serving: Document
    Pending: Document | None
    Tags: list[dict[str, str]]
    CreationTime: float
    LastModifiedTime: float
