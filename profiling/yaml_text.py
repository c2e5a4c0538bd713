"""The YAML of a draft, with comments for the person who goes on from it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from profiling.columns import Draft
from profiling.draft import Drafted
from profiling.watching import watching
from steps.monitoring_settings import MonitoringSettings

WANTED_VALIDATION, MOST_VALIDATION = 60, 0.3  # rows of a small table, and the share that they may be
TESTED, FEW_TESTED = 0.2, 200  # the share of the rows that is tested, and how many tell little
LEAST_R2, NO_LIMIT = 0.05, 1_000_000
NOTED = 110  # characters of a line of comment
IMAGE_VERSION = "3.2-0"
MACHINES = (
    "jobs:",
    f"  image_version: {IMAGE_VERSION}",
    "  processing: {instance_type: ml.m5.xlarge}",
    "  training: {instance_type: ml.m5.xlarge}",
    "stages:",
    "  staging: {instance_type: ml.m5.large}",
    "  production: {instance_type: ml.m5.large, instance_count: 2}",
    "pipelines: [training, validation, monitoring]",
)


def slug(text: str) -> str:
    """A name as SageMaker takes it: small letters, digits and single dashes, at most 40."""
    found = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")
    return found or "table"


class _OneLine(yaml.SafeDumper):
    """Writes a text of several lines on one."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if any(character in text for character in "\n\r\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_OneLine.add_representer(str, _quoted)


def flow(value: Any) -> str:
    """A value on one line of YAML."""
    text = yaml.dump(
        value, Dumper=_OneLine, default_flow_style=True, width=float("inf"), allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("...\n").strip()


def yaml_of(drafted: Drafted, name: str) -> str:
    """The text of the file."""
    return "\n".join(_lines(drafted, name)) + "\n"


def _lines(drafted: Drafted, name: str) -> Iterator[str]:
    for section in (_head(drafted, name), _data(drafted), _columns(drafted), _validation(drafted), _models(drafted)):
        yield from section
        yield ""
    yield "evaluation:"
    yield "  explained_rows: 150"
    yield from _segments(drafted)
    yield ""
    yield from _gates(drafted)
    yield ""
    yield from _monitoring(drafted)
    yield ""
    yield from MACHINES


def _head(drafted: Drafted, name: str) -> Iterator[str]:
    found, target = drafted.found, drafted.target
    size = f"{len(found.table):,} rows, {len(drafted.columns)} columns"
    yield f"# Written by `run_pipeline.py init` from {found.file}: {size}."
    yield "# Look at the lines marked with (!). pipelines/house_prices.yaml explains every key."
    for note in drafted.notes:
        yield from _wrapped(f"(!) {note}.", "# ")
    yield f"name: {slug(name)}"
    yield f"description: {flow(f'{target.name}, predicted from the other columns of {found.file}.')}"


def _data(drafted: Drafted) -> Iterator[str]:
    yield "data:"
    yield f"  file: {flow(drafted.found.file)}"
    yield from _format(drafted)
    yield f"  target: {flow(drafted.target.name)}"
    yield f"  target_scale: {drafted.scale:<12} # log (of a target that is positive and skewed) or linear"
    if drafted.identity:
        yield f"  identity: {flow([*drafted.identity])}    # what names a row"
    else:
        yield "  # identity: [...]         # no column names a row; equal rows stay on one side of the split"
    if drafted.group:
        yield f"  group: {flow([*drafted.group])}       # rows with the same value stay on one side of the split"
    if drafted.date:
        yield f"  date: {flow(drafted.date)}       # with `split: time` the newest rows are the test part"


def _columns(drafted: Drafted) -> Iterator[str]:
    yield "  # Every column of the file. A range leaves room around the values; rows outside are rejected."
    yield "  columns:"
    for column in drafted.columns:
        yield from _column(column, column.name == drafted.target.name)
    yield from _mapping("derived", drafted.derived, "computed from the columns, never from the target")
    yield from _mapping("learned", drafted.learned, "what training rows like this one were worth")
    yield from _suggestions(drafted)


def _suggestions(drafted: Drafted) -> Iterator[str]:
    """What a person may want: as comments, which become settings without their # and blank."""
    if drafted.rules:
        spoken = ", ".join(f"{rule.column} {rule.correlation:+.2f}" for rule in drafted.rules)
        yield "  # Rules that these rows speak for: every prediction would keep them, see pipelines/house_prices.yaml."
        yield from _wrapped(f"Rank correlations with {drafted.target.name}: {spoken}.", "  # ")
        yield f"  # monotone: {flow({rule.column: rule.rule for rule in drafted.rules})}"
    show = [*drafted.identity] or [*([drafted.date] if drafted.date else [])]
    yield "  # The training rows most like a predicted one: in the report, and in answers to requests that ask."
    yield "  # The model then carries training rows, and whoever may ask it may see them."
    yield f"  # comparables: {flow({'count': 5, 'show': show})}"


def _validation(drafted: Drafted) -> Iterator[str]:
    yield "validation:"
    share = max(0.01, round(min(0.9, 2 * drafted.rejected), 2))
    yield f"  max_rejected_share: {share:<8} # {drafted.rejected:.2%} of this file's rows are rejected"
    yield from _unique(drafted)
    yield ""
    share = min(MOST_VALIDATION, max(0.1, round(WANTED_VALIDATION / len(drafted.found.table), 2)))
    if share > 0.1:
        yield "# So few rows need a larger validation part, which tells when to stop and calibrates the interval."
        yield f"split: {{by: hash, test: 0.2, validation: {share}}}"
    else:
        yield "split: hash               # or time, which needs data.date" if drafted.date else "split: hash"


def _gates(drafted: Drafted) -> Iterator[str]:
    quick = drafted.quick
    mape = f" and MAPE {quick.mape:.1%}" if quick.mape is not None else ""
    tested = round(TESTED * len(drafted.found.table) * (1 - drafted.rejected))
    yield f"# A quick model reaches R2 {quick.r2:.3f}{mape} in cross-validation; the limits leave some room."
    if tested < FEW_TESTED:
        yield f"# About {tested:,} test rows tell little, so the limits are as wide as chance makes them."
    yield "gates:"
    yield f"  min_r2: {_below(quick.r2, tested)}"
    if quick.mape is None:
        yield f"  max_mape: {NO_LIMIT}          # an error in per cent says nothing of a target that may be negative"
    else:
        yield f"  max_mape: {_above(quick.mape, tested)}"
    ratio = max(1.1, round(1 + 1.4 / math.sqrt(max(1, tested)), 2))
    yield f"  max_rmse_ratio: {ratio:<10} # RMSE of XGBoost / RMSE of the linear regression"
    most = NO_LIMIT if quick.mape is None else round(2.5 * _above(quick.mape, tested), 2)
    yield f"  max_segment_mape: {most}"


def _monitoring(drafted: Drafted) -> Iterator[str]:
    dates = next((each.values for each in drafted.columns if each.name == drafted.date), None)
    found, usual = watching(dates), MonitoringSettings()
    yield "# How a version that serves is watched; docs/monitoring.md explains every key."
    if found.rows is None:
        yield from _wrapped(
            "(!) no column dates the rows: requests and their prices are watched, new rows are not.", "# "
        )
    elif not found.is_enough:
        yield from _wrapped(f"(!) {found.rows:,} rows a year are too few to judge new rows by themselves.", "# ")
    a_window = "" if found.rows is None else f"# about {found.rows:,} rows of this file"
    yield "monitoring:"
    yield f"  window_days: {found.window_days:<13} {a_window}".rstrip()
    yield f"  cohort_days: {found.cohort_days:<13} # how long prices may come late"
    yield f"  false_alarms_per_month: {usual.false_alarms_per_month}   # over all checks, where nothing changes"
    yield f"  min_sales: {usual.min_sales:<15} # fewer new rows, or requests, are not enough data"
    yield f"  min_requests: {usual.min_requests}"


def _format(drafted: Drafted) -> Iterator[str]:
    form = drafted.found.form
    keys = {"separator": form.separator, "encoding": form.encoding}
    said = {name: value for name, value in keys.items() if value != {"separator": ",", "encoding": "utf-8"}[name]}
    if said:
        inside = ", ".join(f'{key}: "\\t"' if value == "\t" else f"{key}: {flow(value)}" for key, value in said.items())
        yield f"  format: {{{inside}}}"


def _column(column: Draft, is_target: bool) -> Iterator[str]:
    keys = {name: value for name, value in column.column.items() if name != "description"}
    note = "  # the target" if is_target else ""
    yield f"    {flow(column.name)}: {flow(keys)}{note}"
    for text in column.notes:
        yield from _wrapped(f"(!) {text}", "      # ")


def _mapping(key: str, entries: Mapping[str, Any], comment: str) -> Iterator[str]:
    if entries:
        yield f"  {key}:  # {comment}"
        yield from (f"    {flow(name)}: {flow(value)}" for name, value in entries.items())


def _unique(drafted: Drafted) -> Iterator[str]:
    if not drafted.identity:
        return
    names = [*drafted.identity]
    yield "  rows:"
    yield (
        "    - expectation: expect_compound_columns_to_be_unique"
        if len(names) > 1
        else ("    - expectation: expect_column_values_to_be_unique")
    )
    yield f"      arguments: {flow({'column_list': names} if len(names) > 1 else {'column': names[0]})}"
    yield f"      reason: {flow(' and '.join(names) + ' should name one row')}"
    yield "      keep: first           # of rows that are there twice; without it all of them are rejected"


def _models(drafted: Drafted) -> Iterator[str]:
    small = drafted.quick.rows < 3000
    yield "candidates:"
    yield "  linear: {}"
    yield "  xgboost:"
    yield f"    max_depth: {4 if small else 6}"
    yield "    learning_rate: 0.05"
    yield "    rounds: 3000             # at most; early stopping on the validation part ends it"
    yield "    early_stopping_rounds: 60"
    yield f"    min_child_weight: {2 if small else 4}"
    yield "    subsample: 0.8"
    yield "    colsample_bytree: 0.6"
    yield "interval: {coverage: 0.9}"


def _segments(drafted: Drafted) -> Iterator[str]:
    few = [
        each
        for each in drafted.columns
        if each.type in ("category", "boolean") and 2 <= each.distinct <= 8 and each.is_feature
    ][:3]
    if few:
        yield "  segments:               # groups of rows whose errors are compared"
        yield from (f"    {flow(each.name)}: {{}}" for each in few)


def _below(r2: float, tested: int) -> float:
    """Room for another split, and for chance, but never so much that a model that knows nothing passes."""
    chance = 2 * (1 - r2) / math.sqrt(max(1, tested))
    return round(max(LEAST_R2, r2 - max(0.05, 0.25 * (1 - r2), chance)), 2)


def _above(mape: float, tested: int) -> float:
    return round(max(0.05, mape * max(1.3, 1 + 2 / math.sqrt(max(1, tested)))), 2)


def _wrapped(text: str, start: str) -> Iterator[str]:
    line = start
    for word in "".join(sign if sign.isprintable() else " " for sign in text).split():
        if len(line) + len(word) > NOTED:
            yield line.rstrip()
            line = start + "    "
        line += word + " "
    yield line.rstrip()
