"""The XGBoost image trains by itself: hyperparameters, channels, then xgboost.train (algorithm_mode/train.py).

Started as a file, with the variables of the container contract; it writes xgboost-model to /opt/ml/model.
"""

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    import neighbours

    neighbours.make_importable()

import xgboost

from local_sagemaker.toolkits.xgboost import collective
from local_sagemaker.toolkits.xgboost.callbacks import (
    MODEL,
    Checkpoints,
    LogMetrics,
    WriteCheckpoints,
    WriteModel,
    early_stopping,
)
from local_sagemaker.toolkits.xgboost.cross_validation import cross_validated
from local_sagemaker.toolkits.xgboost.errors import AlgorithmError, UserError
from local_sagemaker.toolkits.xgboost.hyperparameters import checked
from local_sagemaker.toolkits.xgboost.matrices import channel_format, matrix_of_files
from local_sagemaker.toolkits.xgboost.metrics import CUSTOM, custom_metric

CHANNELS = ("train", "validation", "code")
# What XGBoost says where the data or the hyperparameters are at fault (constants/xgb_constants.py of the image).
USERS_FAULTS = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "Target is multiclass but average='binary'",
    "feature_names mismatch",
    "Check failed: preds.size() == info.labels_.size()",
    "Check failed: !auc_error AUC: the dataset only contains pos or neg samples",
    "base_score must be in (0,1)",
    "label must be nonnegative",
    "Parameter reg_lambda should be greater equal to 0",
)


class Training:
    """One run on one host."""

    def __init__(self, variables: dict[str, str]) -> None:
        configuration = Path(variables["SM_INPUT_CONFIG_DIR"])
        self._config = checked(json.loads((configuration / "hyperparameters.json").read_text("utf-8")))
        channels = json.loads((configuration / "inputdataconfig.json").read_text("utf-8"))
        _check_channels(channels)
        checkpoint = configuration / "checkpointconfig.json"
        folder = json.loads(checkpoint.read_text("utf-8")).get("LocalPath") if checkpoint.is_file() else None
        self._checkpoints = None if folder is None else Path(folder)
        self._model = Path(variables["SM_MODEL_DIR"])
        self._output = variables["SM_OUTPUT_DATA_DIR"]
        self._hosts = json.loads(variables["SM_HOSTS"])
        self._host = variables["SM_CURRENT_HOST"]
        kind = channel_format(channels["train"])
        weights = self._config.pop("csv_weights", 0) == 1
        folders = {
            name: variables[f"SM_CHANNEL_{name.upper()}"] for name in ("train", "validation") if name in channels
        }
        self._train = matrix_of_files([folders["train"]], kind, weights)
        self._validation = matrix_of_files([folders["validation"]], kind, weights) if "validation" in folders else None
        self._lacks_validation = "validation" in folders and self._validation is None
        both = "_kfold" in self._config and self._validation is not None
        self._all = matrix_of_files(folders.values(), kind, weights) if both else self._train

    def run(self) -> None:
        """Train, alone or with the hosts that have data; the first of them writes the model."""
        if len(self._hosts) == 1:
            if self._train is None or self._lacks_validation:
                raise UserError(f"No data in {'training' if self._train is None else 'validation'} channel path")
            self._fit_and_save(master=True)
            return
        has_data = self._train is not None and not self._lacks_validation
        others = collective.hosts_with_data(self._hosts, self._host, has_data)
        if not has_data:
            print(f"Host {self._host} not being used for distributed training: it has no data.", flush=True)
            return
        with collective.joined(others, self._host, collective.PORT + 1) as master:
            self._fit_and_save(master)

    def _fit_and_save(self, master: bool) -> None:
        print(f"Train matrix has {self._train.num_row()} rows and {self._train.num_col()} columns", flush=True)
        if self._validation is not None:
            print(f"Validation matrix has {self._validation.num_row()} rows", flush=True)
        folds = self._config.pop("_kfold", None)
        rounds = self._config.pop("_num_cv_round", 1)
        try:
            if folds is None:
                boosters = {MODEL: self._fit(self._train, None, master)[0]}
            else:
                objective = self._config.get("objective", "")
                classifies = bool(self._config.get("num_class")) or objective.startswith("binary:")
                found = cross_validated(
                    self._all,
                    self._config,
                    folds,
                    rounds,
                    classifies,
                    lambda data, fold: self._fit(data, fold, master),
                    self._output,
                )
                boosters = {f"{MODEL}-{fold}": booster for fold, booster in enumerate(found)}
        except Exception as error:
            if any(fault in str(error) for fault in USERS_FAULTS):
                raise UserError(str(error)) from None
            raise AlgorithmError(f"XGB train call failed with exception:\n {error}") from error
        if master:
            self._model.mkdir(parents=True, exist_ok=True)
            for name, booster in boosters.items():
                booster.save_model(self._model / name)

    def _fit(self, data: Any, fold: int | None, master: bool) -> tuple[Any, dict[str, Any]]:
        """A booster, and the history of its metrics."""
        config = dict(self._config)
        rounds = config.pop("num_round")
        keeps_model = config.pop("save_model_on_termination", "false") == "true"
        metrics, objective = _asked_metrics(config)
        config["eval_metric"] = [name for name in metrics if name not in CUSTOM] or None
        watched = [(self._train, "train")] + (
            [(self._validation, "validation")] if self._validation is not None else []
        )
        folder = self._checkpoints if fold is None or self._checkpoints is None else self._checkpoints / f"model-{fold}"
        checkpoints = None if folder is None else Checkpoints(folder)
        path, done = checkpoints.newest() if checkpoints is not None else (None, 0)
        if path is not None:
            print(f"Checkpoint loaded from {path}\nResuming from iteration {done}", flush=True)
        callbacks: list[Any] = [LogMetrics(done, master)]
        if checkpoints is not None and master:
            callbacks.append(WriteCheckpoints(checkpoints, done))
        if keeps_model and master:
            callbacks.append(WriteModel(self._model / (MODEL if fold is None else f"{MODEL}-{fold}")))
        callbacks += early_stopping(config, objective, self._validation is not None, master)
        config.pop("early_stopping_rounds", None)
        history: dict[str, Any] = {}
        booster = xgboost.train(
            {name: value for name, value in config.items() if value is not None},
            data,
            num_boost_round=rounds - done,
            evals=watched,
            custom_metric=custom_metric(metrics),
            evals_result=history,
            callbacks=callbacks,
            xgb_model=path,
            verbose_eval=False,
        )
        return booster, history


def _asked_metrics(config: dict[str, Any]) -> tuple[list[str], str | None]:
    """The metrics of eval_metric and of the tuning objective, and the one that early stopping looks at."""
    asked = config.pop("eval_metric", None) or []
    tuned = config.pop("_tuning_objective_metric", None)
    of_tuning = [tuned.partition(":")[2]] if tuned else []
    metrics = sorted({*asked, *of_tuning}) if of_tuning else asked
    last = of_tuning or asked
    return metrics, last[-1] if last else None


def _check_channels(channels: dict[str, Any]) -> None:
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    for name in channels:
        if name not in CHANNELS:
            raise UserError(f"Extraneous channel found: {name}")


def main() -> None:
    """Train; what goes wrong is written to /opt/ml/output/failure, as sagemaker-containers does."""
    try:
        Training(dict(os.environ)).run()
    except Exception as error:
        text = f"framework error: \n{type(error).__name__}: {error}\n{traceback.format_exc()}"
        Path(os.environ["SM_OUTPUT_DIR"], "failure").write_text(text, "utf-8")
        print(text, file=sys.stderr, flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
