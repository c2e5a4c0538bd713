"""What happens after each round: metrics in the log, checkpoints, the model so far, early stopping."""

import os
import re
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xgboost
from xgboost.callback import EarlyStopping, TrainingCallback

from local_sagemaker.toolkits.xgboost.metrics import MAXIMIZED

CHECKPOINT = "xgboost-checkpoint"
MODEL = "xgboost-model"
KEPT = 5  # checkpoints


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of a run, or of one fold of it: CHECKPOINT.N is the model after round N, counted from 0."""

    folder: Path

    def newest(self) -> tuple[str | None, int]:
        """The path of the newest, and how many rounds it has; (None, 0) where there is none."""
        found = [path for path in self.folder.glob(f"{CHECKPOINT}.*") if re.fullmatch(r"\.\d+", path.suffix)]
        if not found:
            return None, 0
        path = max(found, key=_round)
        return str(path), _round(path) + 1

    def write(self, model: Any, number: int) -> None:
        """Write the model after a round, and forget all but the newest."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _save(model, self.folder / f"{CHECKPOINT}.{number}")
        (self.folder / f"{CHECKPOINT}.{number - KEPT}").unlink(missing_ok=True)


class LogMetrics(TrainingCallback):
    """`[N]#011train-rmse:0.1#011validation-rmse:0.2`: so CloudWatch shows the image's lines, tabs and all."""

    def __init__(self, first: int, speaks: bool) -> None:
        self._first = first
        self._speaks = speaks

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
        """Print the metrics of a round."""
        if self._speaks:
            values = [
                f"#011{data}-{metric}:{history[-1]:.5f}"
                for data, metrics in evals_log.items()
                for metric, history in metrics.items()
            ]
            print(f"[{self._first + epoch}]{''.join(values)}", flush=True)
        return False


class WriteCheckpoints(TrainingCallback):
    """A checkpoint after each round."""

    def __init__(self, checkpoints: Checkpoints, first: int) -> None:
        self._checkpoints = checkpoints
        self._first = first

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
        """Write it."""
        self._checkpoints.write(model, self._first + epoch)
        return False


class WriteModel(TrainingCallback):
    """The model so far after each round, so that a job that is stopped has one (save_model_on_termination)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
        """Write it."""
        _save(model, self._path)
        return False


def early_stopping(config: Mapping[str, Any], metric: str | None, has_validation: bool, master: bool) -> list[Any]:
    """Early stopping, where rounds, a metric and validation data are given; the best round's model is then kept."""
    rounds = config.get("early_stopping_rounds")
    if not rounds or metric is None or not has_validation:
        return []
    return [
        EarlyStopping(
            rounds=rounds,
            data_name="validation",
            metric_name=metric,
            maximize=metric in MAXIMIZED,
            save_best=master,
        )
    ]


def _round(path: Path) -> int:
    return int(path.suffix[1:])


def _save(model: xgboost.Booster, path: Path) -> None:
    """As a whole or not at all: whoever reads the folder meanwhile finds no half of a model."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        part = Path(folder) / f"{path.name}.ubj"
        model.save_model(part)
        part.replace(path)
