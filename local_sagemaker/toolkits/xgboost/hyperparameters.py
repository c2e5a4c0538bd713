"""The hyperparameters of the algorithm, and what each may be.

Facts from algorithm_mode/hyperparameter_validation.py of the image.

https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html
"""

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from local_sagemaker.toolkits.xgboost.errors import UserError
from local_sagemaker.toolkits.xgboost.metrics import MAXIMIZED, MINIMIZED

ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
AT_THRESHOLD = ("error", "ndcg", "map")  # metrics that take a threshold, as error@0.7
OBJECTIVES = (
    *("aft_loss_distribution", "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson"),
    *("multi:softmax", "multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map"),
    *("reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma", "reg:pseudohubererror"),
    *("reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft", "survival:cox"),
)
UPDATERS = (
    *("grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "sync"),
    *("refresh", "prune", "shotgun", "coord_descent"),
)


@dataclass(frozen=True)
class Number:
    """A number within limits; `open_low` and `open_high` exclude the limit itself."""

    convert: Callable[[str], float]
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __call__(self, text: str) -> float:
        """The value; ValueError where there is none, UserError where it is beyond the limits."""
        value = self.convert(text)
        inside = (self.low < value if self.open_low else self.low <= value) and (
            value < self.high if self.open_high else value <= self.high
        )
        if not inside:
            raise UserError(f"{value} is not in {'(' if self.open_low else '['}{self.low}, {self.high}]")
        return value


def _integer(low: float = -math.inf, high: float = math.inf) -> Number:
    return Number(int, low, high)


def _real(low: float, high: float = math.inf, open_low: bool = False, open_high: bool = False) -> Number:
    return Number(float, low, high, open_low, open_high)


def _one_of(*values: str) -> Callable[[str], str]:
    def choose(text: str) -> str:
        if text not in values:
            raise UserError(f"{text} is not in {list(values)}")
        return text

    return choose


def _metrics(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        base, at, threshold = name.partition("@")
        if at and base.strip() in AT_THRESHOLD:
            float(threshold)
        elif name not in (*MAXIMIZED, *MINIMIZED):
            raise UserError(f"value {name} not in range {[*MAXIMIZED, *MINIMIZED]}")
    return names


def _updaters(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in UPDATERS]
    if unknown:
        raise UserError(f"value {unknown[0]} not in range {[*UPDATERS]}")
    return names


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except SyntaxError as error:
        raise ValueError(str(error)) from None


FLAG = _integer(0, 1)
TRUTH = _one_of("true", "false")
SHARE = _real(0, 1, open_low=True)
HYPERPARAMETERS: dict[str, Callable[[str], Any]] = {
    "num_round": _integer(1),
    "csv_weights": FLAG,
    "early_stopping_rounds": _integer(1),
    "booster": _one_of("gbtree", "gblinear", "dart"),
    "verbosity": _integer(0, 3),
    "nthread": _integer(1),
    "eta": _real(0, 1),
    "gamma": _real(0),
    "max_depth": _integer(0),
    "min_child_weight": _real(0),
    "max_delta_step": _real(0),
    "subsample": SHARE,
    "colsample_bytree": SHARE,
    "colsample_bylevel": SHARE,
    "colsample_bynode": SHARE,
    "lambda": _real(0),
    "alpha": _real(0),
    "tree_method": _one_of("auto", "exact", "approx", "hist", "gpu_hist"),
    "sketch_eps": _real(0, 1, open_low=True, open_high=True),
    "scale_pos_weight": _real(0, open_low=True),
    "updater": _updaters,
    "dsplit": _one_of("row", "col"),
    "refresh_leaf": FLAG,
    "process_type": _one_of("default", "update"),
    "grow_policy": _one_of("depthwise", "lossguide"),
    "max_leaves": _integer(0),
    "max_bin": _integer(0),
    "predictor": _one_of("auto", "cpu_predictor", "gpu_predictor"),
    "monotone_constraints": _literal,
    "interaction_constraints": _literal,
    "sample_type": _one_of("uniform", "weighted"),
    "normalize_type": _one_of("tree", "forest"),
    "rate_drop": _real(0, 1),
    "one_drop": FLAG,
    "skip_drop": _real(0, 1),
    "lambda_bias": _real(0, 1),
    "tweedie_variance_power": _real(1, 2, open_low=True, open_high=True),
    "objective": _one_of(*OBJECTIVES),
    "num_class": _integer(2),
    "base_score": _real(0),
    "_kfold": _integer(2),
    "_num_cv_round": _integer(1),
    "_tuning_objective_metric": _one_of(*(f"validation:{name}" for name in (*MAXIMIZED, *MINIMIZED))),
    "eval_metric": _metrics,
    "seed": _integer(-(2**31) + 1, 2**31 - 2),
    "num_parallel_tree": _integer(1),
    "save_model_on_termination": TRUTH,
    "aft_loss_distribution": _one_of("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": _real(0),
    "deterministic_histogram": TRUTH,
    "sampling_method": _one_of("uniform", "gradient_based"),
    "prob_buffer_row": _real(1, open_low=True),
    "use_dask_gpu_training": TRUTH,
}


def checked(given: Mapping[str, str]) -> dict[str, Any]:
    """The typed values of hyperparameters.json; UserError, in the image's words, names the first that is wrong."""
    named = {ALIASES.get(name, name): str(value) for name, value in given.items()}
    if "num_round" not in named:
        raise UserError("Missing required hyperparameter: num_round")
    found: dict[str, Any] = {}
    for name, text in named.items():
        if name not in HYPERPARAMETERS:
            close = get_close_matches(name, HYPERPARAMETERS, n=1)
            raise UserError(
                f"Extraneous hyperparameter found: {name}" + (f"; did you mean {close[0]}?" if close else "")
            )
        try:
            found[name] = HYPERPARAMETERS[name](text)
        except ValueError:
            raise UserError(f"Hyperparameter {name}: could not parse value {text!r}") from None
        except UserError as error:
            raise UserError(f"Hyperparameter {name}: {error}") from None
    _check_together(found)
    return found


def _check_together(found: dict[str, Any]) -> None:
    objective, metrics = found.get("objective", ""), found.get("eval_metric", [])
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in found:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")
    if "monotone_constraints" in found and found.get("tree_method") not in ("exact", "hist"):
        raise UserError("monotone_constraints can be used only when the tree_method parameter is 'exact' or 'hist'.")
    if "interaction_constraints" in found and found.get("tree_method") not in ("exact", "hist", "approx"):
        raise UserError(
            "interaction_constraints can be used only when the tree_method parameter is 'exact', 'hist' or 'approx'."
        )
    if found.get("tree_method") == "gpu_hist" or found.get("use_dask_gpu_training") == "true":
        raise UserError("Local SageMaker has no GPU: use the tree_method hist.")
