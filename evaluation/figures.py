"""The figures of the report, as PNG: in the page, and beside it for Studio."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from evaluation.dependence import Dependence
from evaluation.drawing import (
    BLUE,
    GREEN,
    GREY,
    HEIGHT,
    RED,
    WIDTH,
    Picture,
    amounts,
    as_png,
    frame,
    new_figure,
    shares,
    wrapped,
)
from evaluation.labels import Labels
from evaluation.measurement import Scored
from evaluation.number_texts import percent, signed
from steps.metrics import regression_metrics

MOST_POINTS, BANDS, MOST_BARS = 4000, 10, 12
MOST_SEGMENTS = 6  # of one column; of more, those that are worst
NAMED_PLACES = 5  # the best and the worst of the map


@dataclass(frozen=True)
class Subject:
    """What the figures of a model alone are drawn from.

    `document` is evaluation.json without what others are compared with, `unit` that of the target.
    """

    scored: Scored
    document: dict[str, Any]
    dependences: Sequence[Dependence]
    target: str
    unit: str
    logarithmic: bool
    date: str | None
    place: tuple[str, str, str] | None  # columns: latitude, longitude, group
    labels: Labels = field(default_factory=lambda: Labels({}))

    @property
    def error(self) -> np.ndarray:
        """Errors relative to the actual value; NaN where that is 0."""
        actual = self.scored.actual
        nothing = np.full(len(actual), np.nan)
        relative: np.ndarray = np.divide(self.scored.challenger - actual, np.abs(actual), nothing, where=actual != 0)
        return relative

    @property
    def label(self) -> str:
        """The target with its unit."""
        return f"{self.target} ({self.unit})" if self.unit else self.target


def of_the_errors(subject: Subject) -> list[Picture]:
    """Every figure of the model's errors that the data allows."""
    drawings: list[Callable[[Subject], Picture | None]] = [
        predicted_against_actual,
        residuals_by_prediction,
        residuals_over_time,
        errors_on_a_map,
        errors_by_segment,
        calibration,
    ]
    return _drawn(drawings, subject)


def of_the_reasons(subject: Subject) -> list[Picture]:
    """What the model's predictions depend on."""
    return _drawn([importance, dependence], subject)


def _drawn(drawings: Sequence[Callable[[Subject], Picture | None]], subject: Subject) -> list[Picture]:
    return [picture for picture in (draw(subject) for draw in drawings) if picture is not None]


def predicted_against_actual(subject: Subject) -> Picture:
    """Where people look first."""
    figure, axes = new_figure()
    actual, predicted = subject.scored.actual, subject.scored.challenger
    chosen = _thinned(len(actual))
    low, high = min(actual.min(), predicted.min()), max(actual.max(), predicted.max())
    axes.plot([low, high], [low, high], color=RED, linewidth=1)
    axes.scatter(actual[chosen], predicted[chosen], s=7, color=BLUE, alpha=0.3, linewidths=0)
    if subject.logarithmic:
        axes.set(xscale="log", yscale="log")
    amounts(axes.xaxis)
    amounts(axes.yaxis)
    axes.set(xlabel=f"actual {subject.label}", ylabel=f"predicted {subject.label}")
    r2 = regression_metrics(actual, predicted)["r2"]
    near = [float(np.nanmean(np.abs(subject.error) <= limit)) for limit in (0.1, 0.2)]
    numbers = (
        ("R²", f"{r2:.4f}"),
        ("within 10 %", percent(near[0])),
        ("within 20 %", percent(near[1])),
    )
    caption = "Each point is a test row; on the line the prediction is right."
    return Picture("predicted_against_actual", "Predicted against actual", caption, as_png(figure), numbers)


def residuals_by_prediction(subject: Subject) -> Picture:
    """Errors by what was predicted: against the actual value every model seems to under-value the dear."""
    figure, axes = new_figure()
    predicted, error = subject.scored.challenger, subject.error
    chosen = _thinned(len(predicted))
    axes.scatter(predicted[chosen], error[chosen], s=7, color=BLUE, alpha=0.25, linewidths=0)
    axes.axhline(0, color=RED, linewidth=1)
    codes = _bands(predicted)
    table = pd.DataFrame({"x": predicted, "error": error, "code": codes}).dropna().groupby("code")
    middle, low, high = (table["error"].quantile(share) for share in (0.5, 0.1, 0.9))
    x = table["x"].median()
    axes.fill_between(x, low, high, color=GREEN, alpha=0.25, linewidth=0)
    axes.plot(x, middle, color=GREEN, linewidth=1.5)
    limit = float(np.nanquantile(np.abs(error), 0.99))
    axes.set(ylim=(-limit, limit), xlabel=f"predicted {subject.label}", ylabel="(predicted - actual) / actual")
    if subject.logarithmic:
        axes.set_xscale("log")
    amounts(axes.xaxis)
    shares(axes)
    caption = "Green: the median and the middle 80 % of the errors. Above the line the model over-values. "
    caption += "1 % of the rows lie beyond the axis."
    numbers = (("median error", signed(float(np.nanmedian(error)))), ("mean error", signed(float(np.nanmean(error)))))
    return Picture("residuals_by_prediction", "Residuals by predicted value", caption, as_png(figure), numbers)


def residuals_over_time(subject: Subject) -> Picture | None:
    """Errors by the day of the row: a model that ages shows it here."""
    if subject.date is None:
        return None
    days = pd.to_datetime(subject.scored.rows[subject.date])
    periods = days.dt.to_period("M" if (days.max() - days.min()).days > 90 else "W").dt.start_time
    table = pd.DataFrame({"period": periods, "error": subject.error}).dropna().groupby("period")["error"]
    mean = table.mean()
    spread: pd.Series = (table.std() / np.sqrt(table.count())).fillna(0)
    figure, axes = new_figure()
    axes.axhline(0, color=RED, linewidth=1)
    axes.errorbar(mean.index, mean, yerr=1.96 * spread, color=BLUE, marker="o", markersize=4, capsize=3, linewidth=1)
    axes.set(ylabel="mean (predicted - actual) / actual")
    shares(axes)
    figure.autofmt_xdate(rotation=30)
    worst = int(mean.abs().argmax())
    numbers = (
        ("most in", f"{mean.index[worst]:%b %Y}: {signed(float(mean.iloc[worst]))}"),
        ("periods", str(len(mean))),
    )
    caption = "Mean error by the date of the row, with its 95 % interval."
    return Picture("residuals_over_time", "Residuals over time", caption, as_png(figure), numbers)


def errors_on_a_map(subject: Subject) -> Picture | None:
    """The error of each group of rows at its mean place."""
    if subject.place is None:
        return None
    latitude, longitude, group = subject.place
    rows = subject.scored.rows.columns([latitude, longitude, group])
    table = pd.DataFrame({"y": rows[latitude], "x": rows[longitude], "error": np.abs(subject.error)})
    by_group = table.dropna().groupby(rows[group].astype(str))
    found = by_group.mean().assign(rows=by_group.size())
    figure, axes = new_figure(height=4.4)
    sizes = 20 + 180 * found["rows"] / found["rows"].max()
    points = axes.scatter(found["x"], found["y"], c=found["error"], s=sizes, cmap="viridis_r", edgecolors="white")
    axes.set_aspect(1 / np.cos(np.deg2rad(found["y"].mean())))  # a degree of longitude is shorter than one of latitude
    bar = figure.colorbar(points, ax=axes, shrink=0.8)
    bar.ax.tick_params(labelsize=8)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    axes.locator_params(axis="x", nbins=5)
    axes.set(xlabel=subject.labels.name(longitude), ylabel=subject.labels.name(latitude))
    _name_places(axes, found)
    large = found[found["rows"] >= min(20, found["rows"].max())].sort_values("error", kind="stable")
    numbers = (
        (f"lowest: {large.index[0]}", percent(large["error"].iloc[0])),
        (f"highest: {large.index[-1]}", percent(large["error"].iloc[-1])),
    )
    caption = f"MAPE by {subject.labels.name(group)}: the darker the worse, the larger the more test rows. "
    caption += "Named: the best and the worst, of 20 rows and more."
    title = f"Errors by {subject.labels.name(group)} on the map"
    return Picture("errors_on_a_map", title, caption, as_png(figure), numbers)


def errors_by_segment(subject: Subject) -> Picture | None:
    """How the error of each segment compares with that of the others."""
    known = [segment for segment in subject.document["segments"] if segment["mape_ratio"] is not None]
    if not known:
        return None
    segments = _worst_of_each_column(known)
    figure, axes = new_figure(height=max(HEIGHT, 0.6 + 0.2 * len(segments)))
    for place, segment in enumerate(reversed(segments)):
        low, high = segment["mape_ratio_interval"]
        colour = GREY if segment["small"] else RED if low > 1 else GREEN if high < 1 else BLUE
        axes.plot([low, high], [place, place], color=colour, linewidth=1.5)
        axes.plot(segment["mape_ratio"], place, "o", color=colour, markersize=4)
    axes.axvline(1, color=GREY, linewidth=1)
    names = [f"{subject.labels.name(segment['column'])} {segment['name']}" for segment in reversed(segments)]
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set(xlabel="MAPE over that of all other rows")
    worst = subject.document["worst_segment"]
    caption = "With 95 % intervals. Red: worse than the others; green: better; grey: too few rows to rely on."
    if len(segments) < len(known):
        caption += f" Of a column with more segments, the {MOST_SEGMENTS} worst; all are in the table below."
    numbers = ((f"worst: {worst['name']}", percent(worst["mape"])),)
    return Picture("errors_by_segment", "Errors by segment", caption, as_png(figure), numbers)


def _worst_of_each_column(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most MOST_SEGMENTS of each column, in their order: those whose errors are the largest beside the others'."""
    by_column: dict[str, list[dict[str, Any]]] = {}
    for segment in segments:
        by_column.setdefault(segment["column"], []).append(segment)
    shown = []
    for found in by_column.values():
        # A segment of few rows is the worst by chance alone.
        ranked = sorted(found, key=lambda each: (each["small"], -each["mape_ratio"]))[:MOST_SEGMENTS]
        shown += [segment for segment in found if segment in ranked]
    return shown


def _name_places(axes: Axes, found: pd.DataFrame) -> None:
    """Write their names beside the places with the largest and the smallest errors, of those that have rows enough."""
    large = found[found["rows"] >= min(20, found["rows"].max())].sort_values("error", kind="stable")
    chosen = dict.fromkeys([*large.index[-NAMED_PLACES:], *large.index[:NAMED_PLACES]])
    for name in chosen:
        place = (found.loc[name, "x"], found.loc[name, "y"])
        axes.annotate(str(name), place, textcoords="offset points", xytext=(5, 4), fontsize=6.5, color="#1b2430")


def calibration(subject: Subject) -> Picture:
    """Whether the interval covers what it should for cheap and for dear rows alike."""
    lower, upper = subject.scored.interval
    inside = (subject.scored.actual >= lower) & (subject.scored.actual <= upper)
    table = pd.DataFrame({"x": subject.scored.challenger, "inside": inside.astype(float)})
    by_band = table.groupby(_bands(subject.scored.challenger))
    share, count, x = by_band["inside"].mean(), by_band.size(), by_band["x"].median()
    figure, axes = new_figure()
    wanted, measured = subject.document["interval"]["coverage"], subject.document["interval"]["measured"]["value"]
    axes.axhline(wanted, color=RED, linewidth=1)
    deviation = np.sqrt(share * (1 - share) / count)
    axes.errorbar(x, share, yerr=1.96 * deviation, color=BLUE, marker="o", markersize=4, capsize=3, linewidth=1)
    if subject.logarithmic:
        axes.set_xscale("log")
    axes.set(xlabel=f"predicted {subject.label}", ylabel="share of actual values inside")
    amounts(axes.xaxis)
    shares(axes)
    width = subject.document["interval"]["median_width"]["share_of_prediction"]
    numbers = (("wanted", percent(wanted)), ("measured", percent(measured)), ("median width", percent(width)))
    caption = "Coverage in bands with equally many rows, with 95 % intervals; the line is what is wanted."
    return Picture("calibration", "Calibration of the interval", caption, as_png(figure), numbers)


def models(document: Mapping[str, Any], unit: str) -> Picture:
    """Champion against challenger, and the other candidates; `document` is evaluation.json, `unit` the target's."""
    found = dict(document["candidates"])
    champion = document["champion"]
    if champion["status"] == "scored":
        found["champion"] = champion["metrics"]
    figure, axes = new_figure(height=max(2.2, 1.2 + 0.4 * len(found)))
    for place, (name, metrics) in enumerate(reversed(found.items())):
        colour = {document["registered"]: BLUE, "champion": RED}.get(name, GREY)
        value, deviation = metrics["rmse"]["value"], metrics["rmse"]["standard_deviation"]
        axes.errorbar(value, place, xerr=1.96 * deviation, fmt="o", color=colour, capsize=3)
    axes.set_yticks(range(len(found)), list(reversed(found)))
    axes.set(xlabel=f"RMSE{f' ({unit})' if unit else ''}", ylim=(-0.6, len(found) - 0.4))
    amounts(axes.xaxis)
    numbers: tuple[tuple[str, str], ...] = (("champion", "none approved yet"),)
    if champion["status"] == "scored":
        measured = champion["improvement"]
        interval = f"{signed(measured['lower'])} to {signed(measured['upper'])}"
        named = f"{100 * measured['confidence']:.3g} % interval"
        numbers = (("improvement", signed(measured["value"])), (named, interval))
    elif champion["status"] == "unusable":
        numbers = (("champion", "cannot be scored"),)
    caption = (
        "RMSE with 95 % intervals. The rows are the same for all, so the improvement over the champion "
        f"({document['registered']}'s RMSE against the champion's) is surer than these intervals look. "
        "The axis does not begin at 0."
    )
    return Picture("champion_and_challenger", "Champion against challenger", caption, as_png(figure), numbers)


def importance(subject: Subject) -> Picture:
    """The mean absolute Shapley value of each feature."""
    explanation = subject.document["explanation"]
    found = list(explanation["importance"].items())[:MOST_BARS][::-1]
    figure, axes = new_figure()
    axes.barh(range(len(found)), [value for _, value in found], color=BLUE)
    axes.set_yticks(range(len(found)), [wrapped(subject.labels.name(name)) for name, _ in found], fontsize=8)
    axes.set(xlabel=f"mean |contribution| to {'the logarithm of ' if subject.logarithmic else ''}{subject.target}")
    numbers = tuple(
        (subject.labels.name(name), explanation["typical"][name].lstrip("+")) for name, _ in found[::-1][:3]
    )
    caption = (
        f"Exact Shapley values of {explanation['explained_rows']} test rows; beside it, what the feature changes on "
        "average. Features that say the same are taken together."
    )
    return Picture("importance", "Importance of the features", caption, as_png(figure), numbers)


def dependence(subject: Subject) -> Picture | None:
    """Partial dependence of the main numeric features."""
    if not subject.dependences:
        return None
    lines = -(-len(subject.dependences) // 2)
    figure = Figure(figsize=(WIDTH, 0.4 + 1.7 * lines), layout="tight")
    for place, found in enumerate(subject.dependences):
        axes = figure.add_subplot(lines, 2, place + 1)
        frame(axes)
        axes.plot(subject.labels.numbers(found.feature, found.values), found.predictions, color=BLUE, linewidth=1.5)
        axes.set_title(wrapped(subject.labels.name(found.feature)), fontsize=8)
        axes.tick_params(labelsize=7)
        axes.locator_params(axis="x", nbins=4)
        amounts(axes.xaxis)
        amounts(axes.yaxis)
    caption = f"The mean predicted {subject.label} when this feature alone is changed, all others as they are. The "
    caption += "axes do not begin at 0."
    return Picture("dependence", "Partial dependence", caption, as_png(figure))


def _thinned(count: int) -> np.ndarray:
    """The places of an even selection of at most MOST_POINTS."""
    return np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(int)


def _bands(values: np.ndarray) -> np.ndarray:
    """The band of each value, of BANDS with about equally many."""
    edges = np.unique(np.quantile(values, np.arange(1, BANDS) / BANDS))
    return np.searchsorted(edges, values, side="right")
