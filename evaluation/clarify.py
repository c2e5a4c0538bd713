"""The files that SageMaker shows as bias and explainability reports, in the layout of SageMaker Clarify.

Source: "Get the Analysis Results" (analysis.json, explanations_shap/out.csv) of the SageMaker Developer Guide,
and the parsers of model cards in the SageMaker Python SDK 2 (`sagemaker.model_card.evaluation_metric_parsers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evaluation.bias import SegmentError
from evaluation.dependence import Dependence
from evaluation.explanation import Explanation


def explainability(explanation: Explanation, dependences: Sequence[Dependence], label: str) -> dict[str, Any]:
    """analysis.json of the explanation: global values are mean absolute contributions.

    The layout knows one key for Shapley values, `kernel_shap`; these are exact ones, of trees and a line.
    """
    values = {str(name): float(value) for name, value in explanation.importance.items()}
    return {
        "version": "1.0",
        "explanations": {
            "kernel_shap": {"label0": {"global_shap_values": values, "expected_value": explanation.expected}},
            "pdp": [
                {
                    "feature_name": dependence.feature,
                    "data_type": "numerical",
                    "feature_values": dependence.values.tolist(),
                    "data_distribution": dependence.distribution.tolist(),
                    "model_predictions": [dependence.predictions.tolist()],
                    "label_headers": [label],
                }
                for dependence in dependences
            ],
        },
    }


def local_values(explanation: Explanation, predicted: np.ndarray) -> pd.DataFrame:
    """explanations_shap/out.csv: the contributions of each explained row, and its prediction."""
    columns = {f"{name}_label0": column for name, column in explanation.contributions.items()}
    return pd.DataFrame({**columns, "predicted_label": predicted[explanation.rows]})


def bias(segments: Sequence[SegmentError], label: str, threshold: float) -> dict[str, Any]:
    """analysis.json of the bias on the test rows, after training; `threshold` is the median of the actual values.

    DPPL and DI are Clarify's own, with the label "predicted above the threshold"; they tell how a segment is
    valued, not how wrongly. The other metrics are those of a regression, which Clarify does not have.
    """
    facets: dict[str, list[dict[str, Any]]] = {}
    for segment in segments:
        metrics = [
            {"name": name, "description": description, "value": value} for name, description, value in _metrics(segment)
        ]
        facets.setdefault(segment.column, []).append({"value_or_threshold": segment.name, "metrics": metrics})
    measured = {"label": label, "label_value_or_threshold": f"{threshold:g}", "facets": facets}
    return {"version": "1.0", "post_training_bias_metrics": measured}


def _metrics(segment: SegmentError) -> list[tuple[str, str, float | None]]:
    above, others = segment.above, segment.others_above
    both = above is not None and others is not None
    ratio, valuation = segment.mape_ratio_interval or (None, None), segment.valuation_interval or (None, None)
    small = " (small: fewer rows than min_segment_rows)" if segment.small else ""
    return [
        ("DPPL", "Difference in Positive Proportions in Predicted Labels (DPPL)", others - above if both else None),  # type: ignore[operator]
        ("DI", "Disparate Impact (DI)", above / others if both and others else None),  # type: ignore[operator]
        ("MAPE", f"Mean absolute percentage error{small}", segment.mape),
        ("MAPE_RATIO", "MAPE over that of the other rows: 1 means no disparity", segment.mape_ratio),
        ("MAPE_RATIO_LOWER", "Lower end of its 95 % confidence interval", ratio[0]),
        ("MAPE_RATIO_UPPER", "Upper end of its 95 % confidence interval", ratio[1]),
        ("VALUATION", "Mean error relative to the actual value: positive is over-valued", segment.valuation),
        ("VALUATION_LOWER", "Lower end of its 95 % confidence interval", valuation[0]),
        ("VALUATION_UPPER", "Upper end of its 95 % confidence interval", valuation[1]),
        ("ROWS", f"Test rows in the segment{small}", float(segment.rows)),
    ]
