"""What of each type of step counts for the step cache.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html; local SageMaker has the same table, and a
test compares the two.
"""

# A field of the arguments (or of the step itself, for the checks, which keep theirs beside the arguments), or only some
# fields of one. Lambda and Callback steps take a CacheConfig too, and are not on that page: what they are given counts.
TUNED = (
    "AlgorithmSpecification",
    "HyperParameterRanges",
    "InputDataConfig",
    "StaticHyperParameters",
    "TuningObjective",
)
CHECK = ("CheckJobConfig", "SkipCheck", "RegisterNewBaseline", "ModelPackageGroupName", "SuppliedBaselineConstraints")
KEY_ATTRIBUTES: dict[str, dict[str, tuple[str, ...] | None]] = {
    "Processing": dict.fromkeys(("AppSpecification", "Environment", "ProcessingInputs")),
    "Training": dict.fromkeys(
        (
            "AlgorithmSpecification",
            "CheckpointConfig",
            "DebugHookConfig",
            "DebugRuleConfigurations",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        )
    ),
    "Tuning": {"HyperParameterTuningJobConfig": None, "TrainingJobDefinition": TUNED, "TrainingJobDefinitions": None},
    "AutoML": {
        "AutoMLJobConfig": ("CompletionCriteria", "CandidateGenerationConfig", "DataSplitConfig", "Mode"),
        **dict.fromkeys(("AutoMLJobObjective", "InputDataConfig", "ProblemType")),
    },
    "Transform": dict.fromkeys(("DataProcessing", "Environment", "ModelName", "TransformInput")),
    "ClarifyCheck": dict.fromkeys(("ClarifyCheckConfig", *CHECK)),
    "QualityCheck": dict.fromkeys(("QualityCheckConfig", *CHECK, "SuppliedBaselineStatistics")),
    "EMR": dict.fromkeys(("ClusterId", "StepConfig")),
    "Lambda": dict.fromkeys(("FunctionArn", "Arguments")),
    "Callback": dict.fromkeys(("SqsQueueUrl", "Arguments")),
}
