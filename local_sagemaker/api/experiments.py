"""The operations that read experiments: those of PipelineExperimentConfig, and the trial components of jobs."""

from collections.abc import Callable

from local_sagemaker.api.listing import page
from local_sagemaker.errors import not_found
from local_sagemaker.lineage.entities import COMPONENT, Entity, Graph
from local_sagemaker.lineage.experiments import Experiments, Trial
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Request


class ExperimentOperations:
    """List and Describe of experiments, trials and trial components."""

    def __init__(self, records: Records, graph: Callable[[], Graph]) -> None:
        self._records = records
        self._graph = graph

    def list_experiments(self, request: Request, caller: Caller) -> Request:
        """Experiments, newest first."""
        experiments = [each.described() for each in self._all().experiments.values()]
        return page(experiments, request, result="ExperimentSummaries", name="ExperimentName")

    def describe_experiment(self, request: Request, caller: Caller) -> Request:
        """One experiment."""
        return _named(self._all().experiments, "Experiment", request["ExperimentName"]).described()

    def list_trials(self, request: Request, caller: Caller) -> Request:
        """Trials, newest first: those of an experiment, or those that a trial component belongs to."""
        known = self._all()
        if "ExperimentName" in request:
            _named(known.experiments, "Experiment", request["ExperimentName"])
        component = request.get("TrialComponentName")
        found = [
            trial.described()
            for trial in known.trials.values()
            if request.get("ExperimentName", trial.experiment) == trial.experiment
            and (component is None or component in {each.name for each in trial.components})
        ]
        return page(found, request, result="TrialSummaries", name="TrialName")

    def describe_trial(self, request: Request, caller: Caller) -> Request:
        """One trial."""
        return _named(self._all().trials, "Trial", request["TrialName"]).described()

    def list_trial_components(self, request: Request, caller: Caller) -> Request:
        """Trial components, newest first: those of all jobs, or of an experiment, a trial or a job."""
        graph = self._graph()
        found: list[Entity] = graph.of(COMPONENT)
        experiment, trial = request.get("ExperimentName"), request.get("TrialName")
        if experiment is not None or trial is not None:
            found = Experiments(self._records, graph).components(experiment, trial)
        documents = [each.described() for each in found if request.get("SourceArn", each.source) == each.source]
        return page(documents, request, result="TrialComponentSummaries", name="TrialComponentName")

    def describe_trial_component(self, request: Request, caller: Caller) -> Request:
        """One trial component, with what its job has read, written and measured."""
        name = request["TrialComponentName"]
        for entity in self._graph().of(COMPONENT):
            if name in (entity.name, entity.arn):
                return entity.described()
        raise not_found(f"TrialComponent {name} does not exist.")

    def _all(self) -> Experiments:
        return Experiments(self._records, self._graph())


def _named(known: dict[str, Trial], kind: str, name: str) -> Trial:
    if name not in known:
        raise not_found(f"{kind} {name} does not exist.")
    return known[name]
