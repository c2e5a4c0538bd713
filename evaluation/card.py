"""The model card, in the JSON schema of SageMaker's model cards, as far as a model package takes it.

Source: "Model card JSON schema" and "Model package model card schema" of the SageMaker Developer Guide: the card
of a model package has no model_package_details, and its model_overview only creator and artifact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steps.evaluation_settings import CardSettings

LONGEST_NAME, LONGEST_OBSERVATION = 63, 1024


def model_card(document: Mapping[str, Any], metadata: Mapping[str, Any], settings: CardSettings) -> dict[str, Any]:
    """Return the card of the model behind evaluation.json (`document`) and model.json (`metadata`)."""
    target = metadata["target"]
    unit = f" in {target['unit']}" if target["unit"] else ""
    start = metadata["boosting_starts_from"].replace("_", " ")
    return {
        "intended_uses": {
            "purpose_of_model": settings.purpose or f"Predict {target['name']}{unit}.",
            "intended_uses": settings.intended_uses,
            "factors_affecting_model_efficiency": _factors(document),
            "risk_rating": settings.risk_rating,
            "explanations_for_risk_rating": settings.risk_explanation,
        },
        "training_details": {
            "objective_function": {"function": "Minimize", "facet": "squared error", "condition": target["scale"]},
            "training_observations": _shortened(
                f"{metadata['rows']['train']:,} training rows; early stopping and the interval's calibration on "
                f"{metadata['rows']['validation']:,} validation rows. Boosting starts from the {start}. "
                f"Features: {', '.join(metadata['features'])}.",
                LONGEST_OBSERVATION,
            ),
            "training_job_details": {
                "hyper_parameters": [
                    {"name": name, "value": str(value)} for name, value in metadata["hyperparameters"].items()
                ],
            },
        },
        "evaluation_details": _evaluations(document),
        "additional_information": {
            "ethical_considerations": _bias(document),
            "caveats_and_recommendations": settings.limits,
            "custom_details": {f"{name} version": str(value) for name, value in metadata["versions"].items()},
        },
    }


def _factors(document: Mapping[str, Any]) -> str:
    """The features that matter most, and how sure a prediction is."""
    most = list(document["explanation"]["importance"])[:5]
    names = ", ".join(most)
    together = [name for name in most if " + " in name]
    inseparable = f" What moves together cannot be told apart: {'; '.join(together)}." if together else ""
    interval = document["interval"]
    return (
        f"Most important are {names}.{inseparable} The interval of {interval['coverage']:.0%} covers "
        f"{interval['measured']['value']:.1%} of the test rows; half of the intervals are narrower than "
        f"{interval['median_width']['share_of_prediction']:.0%} of the prediction."
    )


def _evaluations(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    groups = [_group("registered model", document["regression_metrics"])]
    groups += [
        _group(name, metrics) for name, metrics in document["candidates"].items() if name != document["registered"]
    ]
    champion = document["champion"]
    if champion["status"] == "scored":
        groups.append(_group("champion", champion["metrics"]))
        measured = champion["improvement"]
        data = [_number(name, measured[name]) for name in ("value", "lower", "upper")]
        groups.append({"name": "improvement over the champion (RMSE)", "metric_data": data})
    segments = [
        _number(f"{segment['column']} {segment['name']}", segment["mape"])
        for segment in document["segments"]
        if segment["mape"] is not None
    ]
    if segments:
        groups.append({"name": "MAPE by segment", "metric_data": segments})
    gates = "; ".join(
        f"{check['name']} {check['value']:.4g} ({check['bound']} {check['limit']:g})"
        for check in document["gates"]["checks"]
    )
    return [
        {
            "name": "test part",
            "evaluation_observation": f"Gates: {gates}. Compared with a champion: {champion['status']}.",
            "metadata": {"rows": str(document["data"]["test_rows"])},
            "metric_groups": groups,
        }
    ]


def _group(name: str, metrics: Mapping[str, Any]) -> dict[str, Any]:
    data = [_number(metric, value["value"]) for metric, value in metrics.items()]
    return {"name": _shortened(name, LONGEST_NAME), "metric_data": data}


def _number(name: str, value: float) -> dict[str, Any]:
    return {"name": _shortened(name, 255), "type": "number", "value": value}


def _bias(document: Mapping[str, Any]) -> str:
    """The segments that are significantly worse off than the others."""
    worse = [
        f"{segment['column']} {segment['name']} ({segment['mape_ratio']:.2f} times)"
        for segment in document["segments"]
        if segment["mape_ratio"] is not None and not segment["small"] and segment["mape_ratio_interval"][0] > 1
    ]
    if not worse:
        return "No segment has an error that is significantly larger than that of the other rows."
    return _shortened(f"Errors are significantly larger than for the other rows in: {', '.join(worse)}.", 2000)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
