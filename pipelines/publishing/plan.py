"""What an upsert would change: the compiled definition and code against what is deployed. A pure comparison."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pipelines.checks.capacity import StepNeed
from pipelines.definition.bundle import SETTINGS
from pipelines.definition.compilation import Compiled
from pipelines.document.cache_forecast import Forecast, forecast, steps_of
from pipelines.document.differences import Change, action_of, conceal, differences
from pipelines.document.walk import BRANCHES
from pipelines.publishing.cost_forecast import Cost, Measured, cost_of
from pipelines.publishing.deployed import Deployed, DeployedCode
from pipelines.settings.environment import Environment
from pipelines.settings.stage_settings import StageSettings

EXIT_NO_CHANGES, EXIT_CHANGES = 0, 2
COMMIT_PATHS = ("Arguments.Tags", "Arguments.CustomerMetadataProperties.git_commit")


@dataclass(frozen=True)
class StepChange:
    """One step that is added, removed or changed, and each path at which it differs."""

    name: str
    type: str
    action: str
    changes: tuple[Change, ...]

    @property
    def only_tags(self) -> bool:
        """Whether nothing but tags, and the commit that a model version records, differs."""
        return self.action == "changed" and all(change.path.startswith(COMMIT_PATHS) for change in self.changes)

    def document(self) -> dict[str, Any]:
        """The step as data for --json."""
        changes = [change.document() for change in self.changes]
        return {
            "name": self.name,
            "type": self.type,
            "action": self.action,
            "only_tags": self.only_tags,
            "changes": changes,
        }


@dataclass(frozen=True)
class CodeChange:
    """The files of the jobs' archives by what happens to them; `problem` says why there was nothing to compare with.

    `settings` are the settings of the YAML that travel with the code and differ, by their place in the YAML.

    `uploads` are the objects that an upsert uploads.
    """

    old_uris: tuple[str, ...]
    new_uris: tuple[str, ...]
    uploads: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    problem: str | None = None
    settings: tuple[Change, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether an upsert brings other code, or code that is not there."""
        return bool(self.uploads) or set(self.old_uris) != set(self.new_uris)

    def document(self) -> dict[str, Any]:
        """The code as data for --json."""
        settings = [change.document() for change in self.settings]
        return {**vars(self), "settings": settings, "differs": self.differs}


@dataclass(frozen=True)
class Plan:
    """All that an upsert would change. `pipeline` holds what belongs to no step: role, description, tags."""

    name: str
    deployed: bool
    pipeline: tuple[Change, ...]
    parameters: tuple[Change, ...]
    steps: tuple[StepChange, ...]
    code: CodeChange
    forecasts: tuple[Forecast, ...]
    rewritten: bool
    cost: Cost
    by_hand: str | None = None
    rows: int = 0
    needs: tuple[StepNeed, ...] = ()

    @property
    def has_changes(self) -> bool:
        """Whether an upsert would do anything."""
        changes = (self.pipeline, self.parameters, self.steps)
        return not self.deployed or self.rewritten or self.code.differs or any(changes)

    @property
    def exit_code(self) -> int:
        """0 nothing would change, 2 something would."""
        return EXIT_CHANGES if self.has_changes else EXIT_NO_CHANGES

    def document(self) -> dict[str, Any]:
        """The plan as data for --json; secrets are masked."""
        return {
            "name": self.name,
            "deployed": self.deployed,
            "changes": self.has_changes,
            "only_rewritten": self.rewritten,
            "pipeline": [change.document() for change in self.pipeline],
            "parameters": [change.document() for change in self.parameters],
            "steps": [step.document() for step in self.steps],
            "code": self.code.document(),
            "cache": [entry.document() for entry in self.forecasts],
            "cost": self.cost.document(),
            "deployed_by_hand": self.by_hand,
            "needs": {"rows": self.rows, "steps": [need.document() for need in self.needs]},
        }


def make_plan(
    compiled: Compiled,
    environment: Environment,
    deployed: Deployed | None,
    code: DeployedCode,
    *,
    missing: Sequence[str],
    durations: Mapping[str, Measured],
    tags: Mapping[str, str] | None = None,
    stages: Mapping[str, StageSettings] | None = None,
    needs: tuple[int, Sequence[StepNeed]] = (0, ()),
) -> Plan:
    """Compare; `code` is what the deployed definition names, `missing` the keys of the compiled one that are not there.

    `durations` are those of the jobs that ran last, by step: the next execution is taken to be like it. `tags` are
    what the upsert would write on the pipeline, the commit alone where they are not given. The endpoints of `stages`
    are priced for a month. `needs` are the rows of a data set, and what every step needs for them.
    """
    old: dict[str, Any] = deployed.definition if deployed else {}
    new: dict[str, Any] = json.loads(compiled.definition)
    hidden_old, hidden_new = conceal(old), conceal(new)
    steps = _steps(hidden_old, hidden_new)
    parameters = differences(_parameters(hidden_old), _parameters(hidden_new))
    other_bytes = deployed is not None and deployed.definition_text != compiled.definition
    pipeline = differences(_attributes(deployed), _wanted_attributes(compiled, environment))
    pipeline += differences(_rest(hidden_old), _rest(hidden_new), "Definition")
    if other_bytes or pipeline:  # an upsert that finds nothing else to do leaves the tags alone
        tagged = deployed.tags if deployed else {}
        for name, value in (tags or {"git-commit": compiled.commit}).items():
            pipeline += differences(tagged.get(name), value, f"Tags['{name}']")
    forecasts = tuple(forecast(old, new))
    return Plan(
        name=compiled.name,
        deployed=deployed is not None,
        pipeline=tuple(pipeline),
        parameters=tuple(parameters),
        steps=tuple(steps),
        code=_code(compiled, environment.bucket, code, missing),
        forecasts=forecasts,
        cost=cost_of(new, forecasts, durations, environment.region, stages),
        by_hand=deployed.by_hand if deployed else None,
        rows=needs[0],
        needs=tuple(needs[1]),
        rewritten=other_bytes and not (steps or parameters or _rest_differs(old, new)),
    )


def _steps(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[StepChange]:
    before, after = steps_of(old), steps_of(new)
    changed = []
    for name in dict.fromkeys([*after, *before]):
        found = differences(_alone(before.get(name, {})), _alone(after.get(name, {})))
        if found:
            action = action_of(before.get(name), after.get(name))
            changed.append(StepChange(name, (after.get(name) or before[name])["Type"], action, tuple(found)))
    return changed


def _alone(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step with the names only of the steps in its branches, which are compared by themselves."""
    arguments = step.get("Arguments")
    if not isinstance(arguments, Mapping):
        return dict(step)
    branches = {
        branch: [nested["Name"] for nested in arguments[branch] or []]
        for branch in chain(*BRANCHES.values())
        if branch in arguments
    }
    return {**step, "Arguments": {**arguments, **branches}}


def _parameters(definition: Mapping[str, Any]) -> dict[str, Any]:
    return {entry["Name"]: entry for entry in definition.get("Parameters") or []}


def _rest(definition: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in definition.items() if name not in ("Parameters", "Steps")}


def _rest_differs(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return bool(differences(_rest(old), _rest(new)))


def _attributes(deployed: Deployed | None) -> dict[str, Any]:
    return {"RoleArn": deployed.role_arn, "Description": deployed.description} if deployed else {}


def _wanted_attributes(compiled: Compiled, environment: Environment) -> dict[str, Any]:
    return {"RoleArn": environment.role_arn, "Description": compiled.description}


def _code(compiled: Compiled, bucket: str, deployed: DeployedCode, missing: Sequence[str]) -> CodeChange:
    wanted = tuple(dict.fromkeys(f"s3://{bucket}/{key}" for key in compiled.code.archives))
    uploads = tuple(f"s3://{bucket}/{key}" for key in missing)
    if deployed.files is None:
        return CodeChange(deployed.uris, wanted, uploads, problem=deployed.problem)
    old, new = deployed.files, compiled.code.files
    return CodeChange(
        deployed.uris,
        wanted,
        uploads,
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(path for path in old.keys() & new.keys() if old[path] != new[path])),
        settings=_settings(old.get(SETTINGS), new.get(SETTINGS)),
    )


def _settings(old: bytes | None, new: bytes | None) -> tuple[Change, ...]:
    """Which settings differ; one that only the new code knows, and whose value is empty, changes nothing."""
    try:
        before, after = (conceal(json.loads(content)) if content else {} for content in (old, new))
    except ValueError:
        return ()  # what is deployed was not made by this program
    found = differences(before, after)
    return tuple(change for change in found if change.old is not None or not _is_empty(change.new))


def _is_empty(value: Any) -> bool:
    return value is False or (isinstance(value, str | list | dict) and not value)
