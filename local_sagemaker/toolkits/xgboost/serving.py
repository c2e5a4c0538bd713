"""A model of the algorithm answers CSV and libsvm with CSV or JSON (algorithm_mode/serve.py of the image)."""

import json
import pickle
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from local_sagemaker.toolkits.answers import Answer, UnsupportedFormat, plain
from local_sagemaker.toolkits.encodings import CSV, JSON, encoded_by_containers
from local_sagemaker.toolkits.xgboost.content_types import CSV as CSV_FORMAT
from local_sagemaker.toolkits.xgboost.content_types import LIBSVM, format_of
from local_sagemaker.toolkits.xgboost.libsvm import matrix_for_algorithm
from local_sagemaker.toolkits.xgboost.matrices import csv_matrix
from local_sagemaker.toolkits.xgboost.selected_output import selected

ACCEPTED = (JSON, "application/jsonlines", "application/x-recordio-protobuf", CSV)
VOTES = ("multi:softmax", "binary:hinge")  # objectives whose ensembles vote
SELECTION = "SAGEMAKER_INFERENCE_OUTPUT"


class Scoring:
    """The boosters of a model's folder; several are an ensemble, which averages or votes."""

    def __init__(self, model_folder: str, environment: Mapping[str, str]) -> None:
        self._environment = environment
        files = [path for path in sorted(Path(model_folder).iterdir()) if path.is_file() and path.name[0] != "."]
        if not files:
            raise ValueError(f"there is no model file in {model_folder}.")
        if environment.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") != "true":
            files = files[:1]
        self._boosters = [_booster(path) for path in files]
        config = json.loads(self._boosters[0].save_config())["learner"]
        self._objective = config["objective"]["name"]
        self._classes = int(config["learner_model_param"].get("num_class") or 0)
        self._one_at_a_time = threading.Lock()

    def __call__(self, body: bytes, content_type: str, headers: Mapping[str, str]) -> Answer:
        """Answer one invocation, with the image's statuses: 204, 415, 400, 406, 500."""
        if not body:
            return Answer(204, "text/html; charset=utf-8", b"")
        try:
            data = _matrix(body, content_type, self._environment)
        except Exception as error:
            return _refused(415, str(error))
        try:
            with self._one_at_a_time:
                predictions = self._predict(data)
        except Exception as error:
            return _refused(400, f"Unable to evaluate payload provided: {error}")
        accept = headers.get("Accept", "").partition(";")[0].strip().lower()
        if accept in ("", "*/*"):
            accept = self._environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", CSV)
        elif accept not in ACCEPTED:
            supported = ", ".join(ACCEPTED)
            return plain(406, f"Accept type {accept} is not supported. Please use supported accept types: {supported}.")
        try:
            return Answer(200, _with_charset(accept), self._body(predictions, accept).encode())
        except Exception as error:
            return _refused(500, str(error))

    def _predict(self, data: Any) -> Any:
        each = [_predicted(booster, data) for booster in self._boosters]
        if len(each) == 1:
            return each[0]
        if self._objective in VOTES:
            from scipy import stats

            return stats.mode(each, axis=0).mode
        return np.mean(each, axis=0)

    def _body(self, predictions: Any, accept: str) -> str:
        batch = bool(self._environment.get("SAGEMAKER_BATCH"))
        if self._environment.get(SELECTION) is not None:
            keys = self._environment[SELECTION].replace(" ", "").lower().split(",")
            return selected(predictions, keys, self._objective, self._classes, accept) + ("\n" if batch else "")
        values = predictions.tolist()
        if batch:
            return "".join(f"{value}\n" for value in values)
        if accept == JSON:
            return json.dumps({"predictions": [{"score": value} for value in values]})
        text = encoded_by_containers(values, accept)
        return text if isinstance(text, str) else text.decode()


def _booster(path: Path) -> Any:
    try:
        booster = pickle.loads(path.read_bytes())  # noqa: S301 - as the image does, in the model's own process
    except Exception as unpickling:
        booster = xgboost.Booster()
        try:
            booster.load_model(str(path))
        except xgboost.core.XGBoostError as loading:
            raise ValueError(
                f"Model {path} cannot be loaded:\nPickle load error={unpickling}\nXGB load model error={loading}"
            ) from None
    booster.set_param("nthread", 1)
    return booster


def _predicted(booster: Any, data: Any) -> Any:
    best = booster.attr("best_iteration")
    best = int(best) if best is not None else 0
    rounds = {"iteration_range": (0, best)} if best > 0 else {}  # the image's own reading of best_iteration
    return booster.predict(data, validate_features=False, **rounds)


def _matrix(body: bytes, content_type: str, variables: Mapping[str, str]) -> Any:
    kind = format_of(content_type)
    if kind not in (CSV_FORMAT, LIBSVM):
        raise UnsupportedFormat(content_type)
    try:
        text = body.strip().decode()
        return csv_matrix(text) if kind == CSV_FORMAT else matrix_for_algorithm(text, variables)
    except Exception as error:
        raise ValueError(
            f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:\n "
            f"{type(error)}\n {error}"
        ) from None


def _with_charset(content_type: str) -> str:
    return f"{content_type}; charset=utf-8" if content_type.startswith("text/") else content_type  # as Flask does


def _refused(status: int, text: str) -> Answer:
    traceback.print_exc()
    return Answer(status, "text/html; charset=utf-8", text.encode())
