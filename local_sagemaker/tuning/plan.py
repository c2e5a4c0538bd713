"""A request for a tuning job, checked as a whole before anything runs."""

from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import invalid, unsupported
from local_sagemaker.jobs.algorithm import logged_metrics
from local_sagemaker.tuning.bayesian import BayesianSearch
from local_sagemaker.tuning.ranges import Range, ranges
from local_sagemaker.tuning.search import Blind, Candidate, Search, grid_candidates, grid_size, random_candidates

Document = dict[str, Any]
STRATEGIES = ("Bayesian", "Random", "Grid")
TRAINING_FIELDS = (
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "RoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "RetryStrategy",
    "Environment",
)
EARLY_STOPPING = "TrainingJobEarlyStoppingType"
OBJECTIVE_HYPERPARAMETER = "_tuning_objective_metric"  # the service tells the training jobs their objective in it


@dataclass(frozen=True)
class Plan:
    """What a tuning job does: the candidates, how many at once, what is better, and when it is enough."""

    ranges: list[Range]
    strategy: str
    seed: int | None
    jobs: int | None
    parallel: int
    metric: str
    maximize: bool
    definition: Document
    seconds: float | None
    target: float | None
    not_improving: int | None
    early_stopping: bool = False

    @property
    def hyperparameters(self) -> int:
        """How many hyperparameters a training job gets, static and tuned ones."""
        return len(self.definition.get("StaticHyperParameters", {})) + len(self.ranges)

    def search(self) -> Search:
        """What gives the values of the tuned hyperparameters, one candidate after another."""
        if self.strategy == "Bayesian":
            return BayesianSearch(self.ranges, self.seed, self.maximize)
        grid = self.strategy == "Grid"
        return Blind(grid_candidates(self.ranges) if grid else random_candidates(self.ranges, self.seed))

    def training_request(self, name: str, candidate: Candidate) -> Document:
        """The CreateTrainingJob request of one candidate."""
        own = {OBJECTIVE_HYPERPARAMETER: self.metric, **self.definition.get("StaticHyperParameters", {}), **candidate}
        fields = {field: self.definition[field] for field in TRAINING_FIELDS if field in self.definition}
        algorithm = self.definition["AlgorithmSpecification"]
        told = {EARLY_STOPPING: "Auto"} if self.early_stopping else {}  # which its log says to have no effect
        return {**fields, **told, "TrainingJobName": name, "AlgorithmSpecification": algorithm, "HyperParameters": own}

    def is_better(self, value: float, than: float | None) -> bool:
        """Whether a value of the objective beats another, or is the first."""
        return than is None or (value > than if self.maximize else value < than)

    def reaches_target(self, value: float) -> bool:
        """Whether a value of the objective is enough, by TargetObjectiveMetricValue."""
        return self.target is not None and (value >= self.target if self.maximize else value <= self.target)


def plan(request: Document) -> Plan:
    """The plan of a CreateHyperParameterTuningJob request; ValidationException says what cannot be done, and why."""
    config = request["HyperParameterTuningJobConfig"]
    strategy = config["Strategy"]
    refuse_strategy(strategy)
    _refuse_unsupported(request, config)
    definition = _definition(request)
    objective = config.get("HyperParameterTuningJobObjective") or definition.get("TuningObjective")
    if objective is None:
        raise invalid("HyperParameterTuningJobObjective is missing: say which metric to maximize or minimize.")
    static = definition.get("StaticHyperParameters", {})
    metrics = [entry["Name"] for entry in logged_metrics(definition["AlgorithmSpecification"], static)]
    if objective["MetricName"] not in metrics:
        raise invalid(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
            f"definitions: {objective['MetricName']} is not among them."
        )
    found = ranges(config.get("ParameterRanges") or definition.get("HyperParameterRanges") or {})
    clash = sorted({each.name for each in found} & set(static))
    if clash:
        raise invalid(f"{', '.join(clash)}: a hyperparameter is either static or has a range, not both.")
    limits, criteria = config["ResourceLimits"], config.get("TuningJobCompletionCriteria", {})
    return Plan(
        ranges=found,
        strategy=strategy,
        seed=config.get("RandomSeed"),
        jobs=_number_of_jobs(strategy, found, limits),
        parallel=limits["MaxParallelTrainingJobs"],
        metric=objective["MetricName"],
        maximize=objective["Type"] == "Maximize",
        definition=definition,
        seconds=limits.get("MaxRuntimeInSeconds"),
        target=criteria.get("TargetObjectiveMetricValue"),
        not_improving=criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving"),
        early_stopping=config.get(EARLY_STOPPING, "Off") != "Off",
    )


def refuse_strategy(strategy: str, of: str = "") -> None:
    """Raise ValidationException for a strategy that is not built here; what calls itself Hyperband is not faked."""
    if strategy not in STRATEGIES:
        raise unsupported(f"the tuning strategy {strategy}{of}: use Bayesian, Random, or Grid for categories")


def _refuse_unsupported(request: Document, config: Document) -> None:
    if request.get("Autotune"):
        raise unsupported("Autotune in CreateHyperParameterTuningJob")
    criteria = config.get("TuningJobCompletionCriteria", {})
    if criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence") == "Enabled":
        raise unsupported("the completion criterion ConvergenceDetected")


def _definition(request: Document) -> Document:
    given = [*filter(None, [request.get("TrainingJobDefinition")]), *(request.get("TrainingJobDefinitions") or [])]
    if len(given) != 1:
        raise (
            unsupported("a tuning job with more than one training job definition")
            if given
            else invalid("TrainingJobDefinition is missing.")
        )
    definition = dict(given[0])
    resources = definition.pop("HyperParameterTuningResourceConfig", None)
    if resources is not None:
        if "InstanceConfigs" in resources:
            raise unsupported("InstanceConfigs in HyperParameterTuningResourceConfig: give one InstanceType")
        definition["ResourceConfig"] = resources
    if "ResourceConfig" not in definition:
        raise invalid("ResourceConfig is missing from the training job definition.")
    return definition


def _number_of_jobs(strategy: str, found: list[Range], limits: Document) -> int | None:
    jobs = limits.get("MaxNumberOfTrainingJobs")
    if strategy == "Grid":
        size = grid_size(found)
        if jobs not in (None, size):
            raise invalid(f"MaxNumberOfTrainingJobs is {jobs}, and the grid has {size} combinations: leave it out.")
        return size
    if jobs is None and "MaxRuntimeInSeconds" not in limits:
        raise invalid("ResourceLimits needs MaxNumberOfTrainingJobs or MaxRuntimeInSeconds.")
    return int(jobs) if jobs is not None else None
