"""Observe: from captured requests, prices and new sales to one decision with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evaluation.drift import adversarial_auc, population_stability
from evaluation.number_texts import counted
from evaluation.reference import KEYS, LOWER, PREDICTED, ROWS, UPPER, monitored
from monitoring.accuracy import accuracy_checks, place_changes
from monitoring.attribution_drift import attribution_drift
from monitoring.captured import read_captured
from monitoring.checks import Check
from monitoring.decision import Decision, decide
from monitoring.decomposition import decompose
from monitoring.estimated_error import estimated_error
from monitoring.groups import grouped_by_place, segment_levels
from monitoring.input_drift import draws_for, input_drift, watched_features
from monitoring.memory import RANKS, Memory
from monitoring.model_monitor import write_layouts
from monitoring.report import write_report
from monitoring.sales import NewSales, new_sales, scored
from monitoring.sample import Sample
from monitoring.served import ServedSamples, served_samples
from monitoring.side_by_side import NEEDED as NEEDED_HERE
from monitoring.statistics import measured
from monitoring.truth import read_truth
from monitoring.values import Baselines, strange_values, values_check
from monitoring.window import Window
from steps.archive import load_archive
from steps.artifacts import write_json
from steps.failure import JobArgumentParser, JobError, run_job
from steps.hosts import refuse_several
from steps.model import Model
from steps.monitoring_settings import MonitoringSettings
from steps.row_source import InMemory
from steps.settings import DEFAULT_PATH, JobSettings
from steps.settings import load as load_settings
from steps.validate import NEEDED
from steps.wheels import ensure

INPUT = Path("/opt/ml/processing/input")
FEWEST = 20  # new sales below which no statistic is given
NO_BASELINES = (
    "Version {} has no baselines that can be read (data_quality/ beside its evaluation), so values that training has "
    "not seen are not looked for: run the training pipeline, and approve and deploy what it registers."
)


@dataclass(frozen=True)
class Inputs:
    """Folders: the live version's archive, its evaluation, the file with new sales, and what CollectWindow found."""

    model: Path
    reference: Path
    sales: Path
    window: Path


def main(arguments: Sequence[str]) -> None:
    """Run the job with command-line arguments. Raises JobError."""
    refuse_several()
    parser = JobArgumentParser(prog="monitoring.observe", description=__doc__)
    for field in fields(Inputs):
        parser.add_argument(f"--{field.name}", type=Path, default=INPUT / field.name)
    parser.add_argument("--wheels", type=Path, default=INPUT / "wheels")
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/output/observation"))
    parser.add_argument("--settings", type=Path, default=DEFAULT_PATH)
    parser.add_argument("--replay", default="none", metavar="EXECUTION", help="whose window is observed anew")
    options = parser.parse_args(arguments)
    ensure([*NEEDED, *NEEDED_HERE], options.wheels)
    inputs = Inputs(**{field.name: getattr(options, field.name) for field in fields(Inputs)})
    decision = observe(inputs, options.output, load_settings(options.settings))
    if options.replay != "none":
        print(f"replay of {options.replay}")
    print(f"decision: {decision.decision}")
    for reason in decision.reasons:
        print(f"  {reason}")


def observe(inputs: Inputs, output: Path, settings: JobSettings) -> Decision:
    """Write decision.json, monitoring.json (all numbers), monitoring.html and Model Monitor's layouts; the decision.

    Raises JobError where the version's archive or its reference cannot be read.
    """
    window = Window.read(inputs.window)
    model, reference = load_archive(inputs.model / "model.tar.gz"), _reference(inputs.reference, window, settings)
    keys = inputs.reference / "reference" / KEYS
    seen = pd.read_parquet(keys)["key"].to_numpy() if keys.is_file() else None
    sales = new_sales(inputs.sales, seen, window, settings)
    backtest = (
        scored(monitored(sales.rows, settings.data), model) if sales.rows is not None and len(sales.rows) else None
    )
    truth = read_truth(inputs.window / window.truth) if window.truth else read_truth(Path("none"))
    captured = inputs.window / window.captured if window.captured else Path("none")
    capture = read_captured(captured, truth.prices, list(settings.data.inputs), window.until)
    served = served_samples(capture, truth, window, settings.data, settings.monitoring.min_sales)
    false_alarms = settings.monitoring.false_alarms(window.days)
    checks, document = _examined(reference, backtest, sales, served, settings)
    incoming = _incoming(backtest, served, settings.monitoring)
    baselines = Baselines.read(inputs.reference / "data_quality")
    more, numbers = _inputs(reference, incoming, settings, baselines, false_alarms)
    document |= {**numbers, "attribution_drift": _attributions(model, reference, incoming, settings)}
    memory = Memory(window.raised, window.acknowledged, settings.monitoring.recovery_p)
    decision = decide([*checks, *more], false_alarms, memory)
    notes = [*window.notes, *sales.notes, *served.notes]
    if baselines is None:
        notes.append(NO_BASELINES.format(window.live))
    if sales.known:
        known = counted(sales.known, "sale of the window was", "sales of the window were")
        notes.append(f"{known} seen in training, and left out.")
    judged = document["backtest"] or document["served"]
    if decision.decision in RANKS and judged is not None:
        notes.append(judged["decomposition"]["sentence"])
    document |= {
        "window": window.to_json(),
        "notes": notes,
        "others": _others(inputs.window, window, backtest),
        **decision.to_json(),
    }
    write_json(output / "decision.json", {**decision.to_json(), "notes": notes, "window": window.title})
    write_json(output / "monitoring.json", document)
    write_layouts(output, backtest, served.inputs, decision, settings.data)
    write_report(output / "monitoring.html", document, window, reference, backtest, settings)
    return decision


def _reference(folder: Path, window: Window, settings: JobSettings) -> Sample:
    path = folder / "reference" / ROWS
    if not path.is_file():
        raise JobError(
            f"Version {window.live} was registered without a reference for monitoring (reference/{ROWS} beside its "
            "evaluation): run the training pipeline, and approve and deploy what it registers."
        )
    table = pd.read_parquet(path)
    bounds = [table.pop(name).to_numpy(dtype=float) for name in (PREDICTED, LOWER, UPPER)]
    return Sample(table, table[settings.data.target].to_numpy(dtype=float), *bounds)


def _examined(
    reference: Sample,
    backtest: Sample | None,
    sales: NewSales,
    served: ServedSamples,
    settings: JobSettings,
) -> tuple[list[Check], dict[str, Any]]:
    """The checks of what the model says against prices, and the numbers behind them."""
    wanted, place = settings.monitoring, settings.evaluation.map.group if settings.evaluation.map else None
    empty = reference.take(np.zeros(len(reference), dtype=bool))
    checks = [sales.check, *accuracy_checks(reference, backtest or empty, wanted, place, "new sales")]
    document: dict[str, Any] = {"registered": measured(reference), "backtest": None, "served": None}
    if backtest is not None and len(backtest) >= FEWEST:
        document["backtest"] = {
            "rows": len(backtest),
            "statistics": measured(backtest),
            "decomposition": _parts(reference, backtest, place),
            "segments": segment_levels(reference, backtest, settings),
            "places": place_changes(reference, backtest, wanted, place) if place else [],
        }
    if served.scale is not None:
        checks.append(served.scale)
    if served.priced is not None:
        checks += accuracy_checks(reference, served.priced, wanted, None, "served predictions")
        if len(served.priced) >= FEWEST:
            document["served"] = {
                "rows": len(served.priced),
                "statistics": measured(served.priced),
                "decomposition": _parts(reference, served.priced, place),
            }
    names = watched_features(settings.data)
    estimate = estimated_error(reference, served.inputs[names], served.predicted, served.width, served.matured)
    document["estimated_error"] = asdict(estimate) if estimate is not None else None
    document["cohorts"] = [cohort.to_json() for cohort in served.cohorts]
    document["side_by_side"] = [{**asdict(each), "sentence": each.sentence} for each in served.comparisons]
    document["requests"] = len(served.inputs)
    return checks, document


def _parts(reference: Sample, current: Sample, place: str | None) -> dict[str, Any]:
    parts = decompose(reference, current, grouped_by_place(reference, current, place))
    return {**asdict(parts), "sentence": parts.sentence}


@dataclass(frozen=True)
class Incoming:
    """What comes in: captured requests, or the new sales where there are too few of those.

    least: how many rows are needed, and `setting` what says so.
    """

    what: str
    rows: pd.DataFrame
    predicted: np.ndarray
    least: int
    setting: str


def _incoming(backtest: Sample | None, served: ServedSamples, wanted: MonitoringSettings) -> Incoming:
    if len(served.inputs) < wanted.min_requests and backtest is not None:
        return Incoming("new sales", backtest.rows, backtest.predicted, wanted.min_sales, "min_sales")
    return Incoming("captured requests", served.inputs, served.predicted, wanted.min_requests, "min_requests")


def _attributions(model: Model, reference: Sample, incoming: Incoming, settings: JobSettings) -> dict[str, Any] | None:
    found = attribution_drift(model, reference.rows, incoming.rows, settings.evaluation.explained_rows)
    return {**asdict(found), "what": incoming.what} if found is not None else None


def _inputs(
    reference: Sample, incoming: Incoming, settings: JobSettings, known: Baselines | None, false_alarms: float
) -> tuple[list[Check], dict[str, Any]]:
    """The checks of what comes in."""
    names, rows, what = watched_features(settings.data), incoming.rows, incoming.what
    if len(rows) < incoming.least:
        there, setting = counted(len(rows), what.removesuffix("s"), what), f"monitoring.{incoming.setting}"
        few = f"Not enough data: {there} where {incoming.least:,} are needed ({setting})."
        return [Check(f"inputs of {what}", few), Check(f"values of {what}", few)], {"input_drift": None, "values": []}
    dates = reference.rows[settings.data.date] if settings.data.date else None
    drift = input_drift(reference.rows, rows, names, dates, draws_for(false_alarms))
    furthest = drift.features[0]
    first = f"{furthest.name} most of all (PSI {furthest.psi:.2f})"
    sentence = f"The inputs of the {what} differ from those at registration, {first}."
    checks = [Check(f"inputs of {what}", sentence, drift.p, furthest.distance)]
    strange = strange_values(reference.rows[names], rows[names], known) if known else []
    if known:
        checks.append(values_check(strange, len(names), what))
    else:
        checks.append(Check(f"values of {what}", "Not enough data: the version has no baselines of its inputs."))
    return checks, {
        "input_drift": {
            **asdict(drift),
            "rows": len(rows),
            "what": what,
            "auc": adversarial_auc(InMemory(reference.rows[names]), InMemory(rows[names])),
            "prediction": _moved(reference, incoming.predicted),
        },
        "values": [asdict(each) for each in strange],
    }


def _moved(reference: Sample, predicted: np.ndarray) -> dict[str, float]:
    """How far the predictions themselves are from those at registration; no check, as they follow the date too."""
    medians = float(np.median(reference.predicted)), float(np.median(predicted))
    psi = population_stability(pd.Series(reference.predicted), pd.Series(predicted))
    return {"median_at_registration": medians[0], "median": medians[1], "psi": psi}


def _others(folder: Path, window: Window, backtest: Sample | None) -> list[dict[str, Any]]:
    """Other approved versions on the same new sales; one that cannot be loaded is told, not hidden."""
    found: list[dict[str, Any]] = []
    for version, place in sorted(window.others.items()) if backtest is not None and len(backtest) >= FEWEST else ():
        assert backtest is not None  # noqa: S101 - there are sales
        try:
            predicted = load_archive(folder / place).predict(backtest.rows)
        except (JobError, KeyError) as error:
            found.append({"version": version, "reason": f"It cannot be scored: {error}"})
            continue
        found.append({"version": version, "statistics": measured(replace(backtest, predicted=predicted))})
    return found


if __name__ == "__main__":
    run_job(main)
