"""The figure of a window: the level of the predictions, week by week."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.drawing import BLUE, GREY, RED, Picture, as_png, new_figure, shares
from evaluation.number_texts import signed
from monitoring.sample import Sample

FEWEST = 8  # sales of a week that is drawn


def level_by_week(reference: Sample, current: Sample | None, date: str | None) -> Picture | None:
    """Median predicted / actual of each week, at registration and now, with the middle half; None without dates."""
    if date is None or current is None or len(current) < FEWEST:
        return None
    figure, axes = new_figure()
    for sample, colour, name in ((reference, GREY, "test part at registration"), (current, BLUE, "new sales")):
        weeks = _weeks(sample, date)
        if len(weeks):
            x = pd.PeriodIndex(weeks.index).to_timestamp()
            axes.fill_between(x, weeks["low"], weeks["high"], color=colour, alpha=0.2, linewidth=0)
            axes.plot(x, weeks["middle"], color=colour, marker="o", markersize=3, linewidth=1.2, label=name)
    axes.axhline(0, color=RED, linewidth=1)
    axes.set(ylabel="predicted / actual - 1")
    shares(axes)
    axes.legend(fontsize=8, frameon=False)
    axes.tick_params(axis="x", labelrotation=30)
    numbers = (("new sales", signed(float(np.expm1(np.median(current.known_ratios))))),)
    caption = "The median of each week, and the middle half of its houses; on the line the level is right."
    return Picture("level_by_week", "Level of the predictions", caption, as_png(figure), numbers)


def _weeks(sample: Sample, date: str) -> pd.DataFrame:
    """Middle and quarters of predicted / actual - 1 by week, of weeks with enough rows."""
    known = np.isfinite(sample.ratios)
    weeks = sample.rows.loc[known, date].dt.to_period("W")
    groups = pd.Series(np.expm1(sample.ratios[known]), index=weeks.index).groupby(weeks)
    table = pd.DataFrame({"rows": groups.size(), "middle": groups.median()})
    table["low"], table["high"] = groups.quantile(0.25), groups.quantile(0.75)
    return table[table["rows"] >= FEWEST]
