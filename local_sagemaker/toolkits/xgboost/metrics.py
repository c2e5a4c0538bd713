"""The metrics that the algorithm knows beside XGBoost's own (metrics/custom_metrics.py of the image)."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

MAXIMIZED = (
    *("accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision"),
    *("r2", "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro"),
)
MINIMIZED = (
    *("aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy"),
    *("logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle"),
    "tweedie-nloglik",
)
OF_LABELS: dict[str, tuple[str, dict[str, str]]] = {  # by a function of scikit-learn, and its options
    "accuracy": ("accuracy_score", {}),
    "balanced_accuracy": ("balanced_accuracy_score", {}),
    "f1": ("f1_score", {"average": "macro"}),
    "f1_binary": ("f1_score", {"average": "binary"}),
    "f1_macro": ("f1_score", {"average": "macro"}),
    "precision": ("precision_score", {}),
    "precision_macro": ("precision_score", {"average": "macro"}),
    "precision_micro": ("precision_score", {"average": "micro"}),
    "recall": ("recall_score", {}),
    "recall_macro": ("recall_score", {"average": "macro"}),
    "recall_micro": ("recall_score", {"average": "micro"}),
}
OF_VALUES = {
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "rmse": "root_mean_squared_error",
    "r2": "r2_score",
}
CUSTOM = (*OF_LABELS, *OF_VALUES)


def custom_metric(names: Iterable[str]) -> Callable[[Any, Any], list[tuple[str, float]]] | None:
    """xgboost.train's custom_metric for those of the names that XGBoost is not asked for; None where there is none."""
    own = [name for name in names if name in CUSTOM]
    if not own:
        return None

    def evaluate(predictions: Any, data: Any) -> list[tuple[str, float]]:
        return [(name, float(_measure(name)(predictions, data.get_label()))) for name in own]

    return evaluate


def _measure(name: str) -> Callable[[Any, Any], float]:
    import sklearn.metrics

    if name in OF_VALUES:
        function = getattr(sklearn.metrics, OF_VALUES[name])
        return lambda predictions, labels: function(labels, predictions)
    named, options = OF_LABELS[name]
    return lambda predictions, labels: partial(getattr(sklearn.metrics, named), **options)(labels, _labels(predictions))


def _labels(margins: Any) -> Any:
    """The classes of raw margins, which custom metrics get."""
    return margins.argmax(axis=-1) if margins.ndim > 1 else (margins > 0).astype(int)
