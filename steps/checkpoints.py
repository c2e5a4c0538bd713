"""Boosting that goes on where an interrupted attempt was: its trees are kept every so many rounds.

With checkpoints a booster is boosted in stretches, and each begins from nothing but the trees before it and a seed of
its own. So an attempt that goes on from a checkpoint makes the trees that the interrupted one would have made, to the
last bit. A checkpoint's name begins with the hash of all that these trees follow from; others are ignored.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from steps.artifacts import write_json
from steps.boosting import xgboost
from steps.hosts import ALONE, Hosts

FOLDER = Path("/opt/ml/checkpoints")  # SageMaker keeps it in S3 while the job runs, and brings it back to the next one
KEY_DIGITS = 16


@dataclass(frozen=True)
class Told:
    """The matrix of rows by whose error it is known when to stop, and after how many rounds without progress."""

    matrix: xgboost.DMatrix
    patience: int


@dataclass(frozen=True)
class Checkpoints:
    """rounds: how many apart; 0 is none. key: the hash of arguments and data. The first host writes for all."""

    rounds: int = 0
    key: str = ""
    folder: Path = FOLDER
    hosts: Hosts = field(default=ALONE)

    def boosted(
        self,
        stage: str,
        parameters: Mapping[str, Any],
        learned: xgboost.DMatrix,
        rounds: int,
        told: Told | None = None,
    ) -> xgboost.Booster:
        """Boost so many rounds, or until the error of `told` has not fallen for a while; `stage` names the booster."""
        stopping = xgboost.callback.EarlyStopping(rounds=told.patience) if told else None
        options: dict[str, Any] = {"evals": [(told.matrix, "validation")] if told else [], "verbose_eval": False}
        options["callbacks"] = [stopping] if stopping else []
        if not self.rounds:
            return xgboost.train(dict(parameters), learned, num_boost_round=rounds, **options)
        model = self._newest(stage, stopping)
        booster = xgboost.Booster(model_file=model) if model else None
        while True:
            done = booster.num_boosted_rounds() if booster else 0
            if done >= rounds or (stopping and told and stopping.current_rounds >= told.patience):
                assert booster is not None  # noqa: S101 - at least one round is asked for
                return booster
            stretch = {**parameters, "seed": parameters["seed"] + done}
            some = min(self.rounds, rounds - done)
            booster = xgboost.train(stretch, learned, num_boost_round=some, xgb_model=model, **options)
            model = bytearray(booster.save_raw("ubj"))
            self._keep(stage, model, stopping)

    def _newest(self, stage: str, stopping: xgboost.callback.EarlyStopping | None) -> bytearray | None:
        """The trees so far, on every host those that the first one has; None where there are none."""
        path = self._path(stage)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            model, state = base64.b64decode(found["booster"], validate=True), found["stopping"]
            rounds = xgboost.Booster(model_file=bytearray(model)).num_boosted_rounds()
            print(f"Going on from the checkpoint of {stage} after {rounds:,} rounds.", flush=True)
        except FileNotFoundError:
            model, state = None, None
        except (OSError, ValueError, KeyError, TypeError, xgboost.core.XGBoostError) as error:
            print(f"The checkpoint {path.name} cannot be read and is ignored: {error}", flush=True)
            model, state = None, None
        model, state = self.hosts.shared((model, state))
        if model is None:
            return None
        if stopping:
            stopping.stopping_history, stopping.best_scores, stopping.current_rounds = state
        return bytearray(model)

    def _keep(self, stage: str, model: bytearray, stopping: xgboost.callback.EarlyStopping | None) -> None:
        if not self.hosts.is_first:
            return
        state = [stopping.stopping_history, stopping.best_scores, stopping.current_rounds] if stopping else None
        write_json(self._path(stage), {"stopping": state, "booster": base64.b64encode(model).decode("ascii")})

    def _path(self, stage: str) -> Path:
        return self.folder / f"{self.key}.{stage}.json"


def checkpoints_of(
    rounds: int, folder: Path, arguments: Mapping[str, Any], files: Iterable[Path], hosts: Hosts
) -> Checkpoints:
    """The checkpoints of a training, so many rounds apart, of its hyperparameters and of this host's `files`."""
    if not rounds:
        return NONE
    key = key_of({**arguments, "checkpoint_rounds": rounds}, files, hosts)
    others = [path for path in folder.glob("*.json") if not path.name.startswith((f"{key}.", "."))]
    if others and hosts.is_first:
        print(f"{len(others):,} checkpoints in {folder} are ignored: of other arguments, data or code.", flush=True)
    return Checkpoints(rounds, key, folder, hosts)


def key_of(arguments: Mapping[str, Any], files: Iterable[Path], hosts: Hosts) -> str:
    """The hash of all that trees follow from: arguments, this code and its library, and the files of all hosts."""
    code = [[path.name, _hash_of(path)] for path in sorted(Path(__file__).parent.glob("*.py"))]
    own = [[path.parent.name, path.name, _hash_of(path)] for path in files]
    every = sorted({tuple(each) for told in hosts.told(own) for each in told})  # what all hosts have counts once
    known = [dict(arguments), code, xgboost.__version__, hosts.count, every]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:KEY_DIGITS]


def _hash_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


NONE = Checkpoints()
