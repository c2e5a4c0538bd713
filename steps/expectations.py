"""Check a table against expectations with Great Expectations, in memory and without telemetry."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd

from steps import batches
from steps.column_settings import Column
from steps.different_rows import different_rows
from steps.failure import JobError
from steps.known_expectations import judges_single_rows
from steps.lean_imports import lean
from steps.row_order import places_of_likely_equal
from steps.row_store import RowStore
from steps.validation_settings import UNIQUE, Expectation
from steps.workers import in_parallel

SHAPE = re.compile("expect_table_.*|expect_column_to_exist")  # expectations of the table that look at no value
OF_COLUMNS = ("column", "column_A", "column_B", "column_list", "column_set")  # arguments that name columns
MOST_BATCHES = 16  # whose places are in memory while they wait
Level = Literal["rows", "table"]
PRESENCE = ("expect_column_values_to_not_be_null", "expect_column_values_to_be_null")  # to them all values are the same


@dataclass(frozen=True)
class Outcome:
    """What became of one expectation.

    unexpected: positions of the rows that failed a row-level expectation.
    observed: what a table-level expectation saw, as text.
    """

    level: Level
    expectation: Expectation
    success: bool
    observed: str = ""
    unexpected: np.ndarray = field(default_factory=lambda: np.array([], dtype=int))


def expectations_of_columns(columns: dict[str, Column]) -> list[Expectation]:
    """Return the row-level expectations that follow from the columns: present, in range, among the levels."""
    found = []
    for name, column in columns.items():
        if not column.optional:
            present = {"column": name}
            found.append(Expectation("expect_column_values_to_not_be_null", present, f"{name} is missing"))
        if column.range is not None:
            low, high = column.range
            limits = {"column": name, "min_value": low, "max_value": high}
            reason = f"{name} must be {_range_text(low, high, column.unit)}"
            found.append(Expectation("expect_column_values_to_be_between", limits, reason))
        if column.levels:
            among = {"column": name, "value_set": list(column.levels)}
            reason = f"{name} must be one of {', '.join(column.levels)}"
            found.append(Expectation("expect_column_values_to_be_in_set", among, reason))
    return found


def _range_text(low: float | None, high: float | None, unit: str) -> str:
    unit = f" {unit}" if unit else ""
    if low is None or high is None:
        return f"at most {high:,.10g}{unit}" if low is None else f"at least {low:,.10g}{unit}"
    return f"from {low:,.10g} to {high:,.10g}{unit}"


def check(table: pd.DataFrame, expectations: Sequence[Expectation], level: Level) -> list[Outcome]:
    """Check all expectations on a table with the index 0, 1, 2, ...; one outcome each, in order.

    Raises JobError for an expectation that Great Expectations cannot evaluate.
    """
    if level == "table":
        return _check(table, expectations, level)
    found = dict[int, Outcome]()
    for columns, places, single_rows in _groups(expectations):
        # Great Expectations copies all columns that it is given, for each expectation some times.
        shown, own = table[[name for name in table if name in columns]], [expectations[place] for place in places]
        if single_rows:
            failing = _failing([(np.arange(len(shown)), shown)], own)
            outcomes = [
                Outcome(level, each, not len(rows), unexpected=rows) for each, rows in zip(own, failing, strict=True)
            ]
        else:
            outcomes = _check(shown, own, level)
        found |= zip(places, outcomes, strict=True)
    return [found[place] for place in range(len(expectations))]


def check_single_rows(
    rows: RowStore, expectations: Sequence[Expectation], chosen: np.ndarray | None = None
) -> list[np.ndarray]:
    """The places of the rows that fail each of some expectations of single rows: of all rows, or of the chosen ones.

    Great Expectations sees one row of each kind, see `different_rows`, with the types of its batch: a file without gaps
    has integers, whatever the others have. Raises as `check`.
    """
    groups = _groups(expectations)

    def failing(number: int) -> list[np.ndarray]:
        columns, places, _ = groups[number]
        names = [name for name in rows.names if name in columns]
        return _failing(rows.batches(names, chosen, as_added=True), [expectations[place] for place in places])

    if not rows.in_one_batch:
        import_library()  # before there are other processes, of which each would
    found = dict[int, np.ndarray]()
    work = in_parallel(failing, range(len(groups)), 1 if rows.in_one_batch else None)
    for (_, places, _), failed in zip(groups, work, strict=True):
        found |= zip(places, failed, strict=True)
    return [found[place] for place in range(len(expectations))]


def _groups(expectations: Sequence[Expectation]) -> list[tuple[tuple[str, ...], list[int], bool]]:
    """Expectations of the same columns: the columns, their places, and whether they are of single rows."""
    groups = dict[tuple[tuple[str, ...], bool], list[int]]()
    for place, each in enumerate(expectations):
        groups.setdefault((tuple(each.columns), judges_single_rows(each.expectation)), []).append(place)
    return [(columns, places, single_rows) for (columns, single_rows), places in groups.items()]


@dataclass(frozen=True)
class _Kinds:
    """Some rows: their places, the kind of each, and a row of each kind."""

    places: np.ndarray
    kinds: np.ndarray
    examples: pd.DataFrame


def _failing(
    tables: Iterable[tuple[np.ndarray, pd.DataFrame]], expectations: Sequence[Expectation]
) -> list[np.ndarray]:
    """The places of the rows that fail each expectation of single rows; rows come with their places, some at a time.

    Batches of the same types are judged together, until they are MOST_BATCHES or have examples for two: each time costs
    Great Expectations as much as a hundred thousand values do.
    """
    presence_alone = all(each.expectation in PRESENCE for each in expectations)
    found: list[list[np.ndarray]] = [[np.array([], dtype=int)] for _ in expectations]
    waiting = list[_Kinds]()

    def judge() -> None:
        examples = pd.concat([each.examples for each in waiting], ignore_index=True)
        some, kinds = different_rows(examples.isna() if presence_alone else examples)
        outcomes = _check(examples.iloc[some].reset_index(drop=True), expectations, "rows")
        for failed, outcome in zip(found, outcomes, strict=True):
            wrong, first = np.isin(kinds, outcome.unexpected), 0
            for each in waiting:
                failed.append(each.places[wrong[first : first + len(each.examples)][each.kinds]])
                first += len(each.examples)
        waiting.clear()

    for places, table in tables:
        if not len(places):
            continue
        if waiting and not table.dtypes.equals(waiting[0].examples.dtypes):
            judge()
        some, kinds = different_rows(table.isna() if presence_alone else table)
        waiting.append(_Kinds(places, kinds, table.iloc[some]))
        if len(waiting) == MOST_BATCHES or sum(len(each.examples) for each in waiting) >= 2 * batches.ROWS:
            judge()
    if waiting:
        judge()
    return [np.concatenate(each) for each in found]


def _check(table: pd.DataFrame, expectations: Sequence[Expectation], level: Level) -> list[Outcome]:
    if not expectations:
        return []
    names = _told_apart([str(name) for name in table])
    batch, suite = _batch(table.rename(columns=names) if names else table), _suite(expectations, level, names)
    wanted = {"result_format": "COMPLETE" if level == "rows" else "SUMMARY"}
    results: Any = batch.validate(suite, result_format=wanted).results
    # Great Expectations answers in an order of its own, and once only for equal expectations.
    by_key = {result.expectation_config.meta["key"]: result for result in results}
    return [_outcome(expectation, by_key[_key(expectation)], level) for expectation in expectations]


def check_columns(
    rows: RowStore, expectations: Sequence[Expectation], level: Level, chosen: np.ndarray | None = None
) -> list[Outcome]:
    """Check expectations on all rows, or on the `chosen` ones, with no more columns in memory than each looks at.

    The rows count from 0 as the chosen ones do. Raises as `check`.
    """
    if rows.in_one_batch:
        return check(rows.columns(rows.names, chosen), expectations, level)
    count = len(rows) if chosen is None else int(chosen.sum())

    def judged(expectation: Expectation) -> Outcome:
        names = [name for name in expectation.columns if name in rows.names]
        if not names or SHAPE.fullmatch(expectation.expectation):  # a table of that shape, whatever it holds
            table = pd.DataFrame(np.zeros((count, 1), np.int8).repeat(len(rows.names), axis=1), columns=rows.names)
        else:
            table = rows.columns(names, chosen)
        return check(table, [expectation], level)[0]

    import_library()
    unique = {
        place: _check_unique(rows, each)
        for place, each in enumerate(expectations)
        if each.expectation in UNIQUE and level == "rows"
    }
    others = in_parallel(judged, [each for place, each in enumerate(expectations) if place not in unique])
    return [unique[place] if place in unique else next(others) for place in range(len(expectations))]


def _check_unique(rows: RowStore, expectation: Expectation) -> Outcome:
    """Check what must be unique on those rows that may not be; the outcome is that of all rows."""
    names = expectation.unique_columns
    places = places_of_likely_equal(rows, names)
    (outcome,) = check(rows.take(places, names).to_pandas(), [expectation], "rows")
    return replace(outcome, unexpected=places[outcome.unexpected])


def _key(expectation: Expectation) -> str:
    return repr((expectation.expectation, expectation.arguments))


def _batch(table: pd.DataFrame) -> Any:
    """Give a table to Great Expectations."""
    return import_library().get_batch({"dataframe": table})


@cache
def import_library() -> Any:
    """Make what Great Expectations takes tables by, with no telemetry, no files and no progress bars: seconds, once."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read by the import
    with lean("sqlalchemy", "boto3", "botocore"):  # a fifth of the time, for data that is in databases and in S3
        import great_expectations
    from great_expectations.data_context.types import base

    configuration = base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(),
        progress_bars=base.ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    context = great_expectations.get_context(mode="ephemeral", project_config=configuration)
    asset = context.data_sources.add_pandas("jobs").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("all")


def _told_apart(names: Sequence[str]) -> dict[str, str]:
    """Other names for columns that differ from an earlier one in small and large letters only.

    Great Expectations looks columns up whatever their case, and would judge the first of them for each.
    """
    found, taken = dict[str, str](), {name.casefold() for name in names}
    seen = set[str]()
    for name in names:
        if name.casefold() in seen:
            number = next(number for number in itertools.count(2) if f"{name}_{number}".casefold() not in taken)
            found[name] = f"{name}_{number}"
            taken.add(found[name].casefold())
        seen.add(name.casefold())
    return found


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """An argument that names a column, or several."""
    if isinstance(value, list | tuple | set):
        return type(value)(names.get(each, each) for each in value)
    return names.get(value, value)


def _suite(expectations: Sequence[Expectation], name: str, names: Mapping[str, str]) -> Any:
    import great_expectations

    different = {_key(expectation): expectation for expectation in expectations}.values()
    # Added one by one, an expectation would take the place of another one of the same name and columns.
    return great_expectations.ExpectationSuite(name, [_configured(expectation, names) for expectation in different])


def _configured(expectation: Expectation, names: Mapping[str, str]) -> Any:
    """The expectation as Great Expectations has it. JobError where its arguments do not fit."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    name = expectation.expectation
    configuration = ExpectationConfiguration(
        type=name,
        kwargs={
            key: _renamed(value, names) if key in OF_COLUMNS else value for key, value in expectation.arguments.items()
        },
        meta={"key": _key(expectation)},
    )
    try:
        return configuration.to_domain_obj()
    except (ValueError, TypeError) as error:
        raise JobError(f"The arguments of {name} do not fit: {_first_line(error)}.") from error


def _outcome(expectation: Expectation, result: Any, level: Level) -> Outcome:
    message = _exception_message(result.exception_info or {})
    if message is not None:
        raise JobError(
            f"{expectation.expectation} with {expectation.arguments} could not be evaluated: {_first_line(message)}."
        )
    if level == "table":
        observed = result.result.get("observed_value")
        if observed is None:
            observed = f"{result.result.get('unexpected_count', 0)} unexpected values"
        return Outcome(level, expectation, bool(result.success), str(observed))
    rows = np.array(sorted(result.result["unexpected_index_list"] or []), dtype=int)
    return Outcome(level, expectation, not len(rows), unexpected=rows)


def _exception_message(information: dict[str, Any]) -> str | None:
    """Return why an expectation could not be evaluated, None if it could.

    Great Expectations gives one {raised_exception, exception_message}, or one per metric.
    """
    parts = [information] if "raised_exception" in information else list(information.values())
    for part in parts:
        if isinstance(part, dict) and part.get("raised_exception"):
            return str(part.get("exception_message") or "unknown reason")
    return None


def _first_line(error: object) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
