"""Bias: how much the errors of one segment differ from those of the other rows, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.bootstrap import confidence_interval, resampled_sums
from evaluation.segments import Grouping


@dataclass(frozen=True)
class SegmentError:
    """One segment against all other rows.

    mape: mean absolute error relative to the actual value. valuation: mean error relative to the actual
    value, positive where the segment is over-valued. mape_ratio: mape over that of the other rows. Each with
    the 95 % interval of a paired bootstrap; None where nothing is measured. small: fewer rows than the
    settings ask for, so that the numbers are not to be relied upon. above, others_above: the shares of the
    segment and of the others whose prediction is above the median of all actual values.
    """

    column: str
    name: str
    rows: int
    small: bool
    mape: float | None
    mape_interval: tuple[float, float] | None
    valuation: float | None
    valuation_interval: tuple[float, float] | None
    mape_ratio: float | None
    mape_ratio_interval: tuple[float, float] | None
    above: float | None
    others_above: float | None


def segment_errors(
    actual: np.ndarray, predicted: np.ndarray, groupings: Sequence[Grouping], min_rows: int
) -> list[SegmentError]:
    """Measure each segment; rows whose actual value is 0 are left out, as no error is relative to them."""
    divisible = actual != 0
    error = np.divide(predicted - actual, np.abs(actual), np.zeros(len(actual)), where=divisible)
    above = (predicted > np.median(actual)).astype(float)
    columns = np.column_stack([divisible, np.abs(error), error, above * divisible]).astype(float)
    codes = [np.where(divisible, grouping.codes, -1) + 1 for grouping in groupings]  # 0 is not a segment
    sizes = [len(grouping.names) + 1 for grouping in groupings]
    first = np.cumsum([0, *sizes])  # the place of each grouping's first segment among those of all
    places = (np.column_stack(codes) + first[:-1]).astype(np.int32)

    def of_batch(batch: slice) -> Callable[[np.ndarray], np.ndarray]:
        return _sums_of(columns[batch, :3], places[batch], int(first[-1]))

    draws = np.split(resampled_sums(len(actual), of_batch), first[1:-1], axis=1)
    found = []
    for index, grouping in enumerate(groupings):
        measured = _sums(codes[index], columns, len(grouping.names))
        for place, name in enumerate(grouping.names):
            found.append(_segment(grouping.column, name, measured, draws[index], place + 1, min_rows))
    return found


def _sums_of(columns: np.ndarray, places: np.ndarray, segments: int) -> Callable[[np.ndarray], np.ndarray]:
    """What sums up columns (rows, 3) over each segment, when each row counts so often: (resamples, segments, columns).

    `places` (rows, groupings) are the segments of each row. Rows are added one after the other, by a sparse product.
    """
    from scipy.sparse import csc_array

    (rows, width), groupings = columns.shape, places.shape[1]
    sums = places[:, :, None] * width + np.arange(width, dtype=np.int32)  # where each number of a row goes
    numbers = np.broadcast_to(columns[:, None], sums.shape)
    starts = np.arange(rows + 1) * (groupings * width)
    matrix = csc_array((numbers.ravel(), sums.ravel(), starts), shape=(segments * width, rows))

    def summed(counts: np.ndarray) -> np.ndarray:
        found = matrix @ np.ascontiguousarray(counts.T, dtype=float)
        return np.asarray(found.T.reshape(len(counts), segments, width))

    return summed


def _sums(codes: np.ndarray, columns: np.ndarray, segments: int) -> np.ndarray:
    """The sum of each column over each segment; the rows without one come first."""
    return np.array([np.bincount(codes, column, minlength=segments + 1) for column in columns.T]).T


def _segment(
    column: str, name: str, measured: np.ndarray, resampled: np.ndarray, place: int, min_rows: int
) -> SegmentError:
    rows, absolute, signed, above = measured[place]
    others = measured.sum(axis=0) - measured[place]
    if rows == 0:
        return SegmentError(column, name, 0, True, *[None] * 8)
    drawn, drawn_others = resampled[:, place], resampled.sum(axis=1) - resampled[:, place]
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample without a row of the segment says nothing
        mape, valuation = drawn[:, 1] / drawn[:, 0], drawn[:, 2] / drawn[:, 0]
        ratios = mape / (drawn_others[:, 1] / drawn_others[:, 0])
    comparable = others[0] > 0 and others[1] > 0
    return SegmentError(
        column=column,
        name=name,
        rows=int(rows),
        small=bool(rows < min_rows),
        mape=float(absolute / rows),
        mape_interval=confidence_interval(mape),
        valuation=float(signed / rows),
        valuation_interval=confidence_interval(valuation),
        mape_ratio=float(absolute / rows / (others[1] / others[0])) if comparable else None,
        mape_ratio_interval=confidence_interval(ratios) if comparable else None,
        above=float(above / rows),
        others_above=float(others[3] / others[0]) if others[0] > 0 else None,
    )
