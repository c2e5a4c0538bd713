"""Evaluate: measure the candidates on the test rows, which no other step has seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation import baselines, clarify
from evaluation.bias import SegmentError, segment_errors
from evaluation.card import model_card
from evaluation.data_checks import check_data
from evaluation.gates import Limits, gates
from evaluation.golden import golden
from evaluation.group_coverage import bands_of, group_coverage, undercovered
from evaluation.labels import Labels
from evaluation.measurement import Scored, compared, of_the_model
from evaluation.missing_inputs import missing_inputs
from evaluation.provenance import provenance
from evaluation.ratio_study import ratio_study
from evaluation.reasons import Reasons, reasons_of
from evaluation.reference import keep_reference
from evaluation.rules import kept_rules
from evaluation.sample_payload import sample_archive
from evaluation.scoring import Predicted, score, scored_rows, with_compared
from evaluation.segments import groupings
from evaluation.too_good import too_good
from evaluation.what_helps import from_all_and_half, what_helps
from evaluation.worst import worst_predictions
from steps import features as feature_module
from steps.archive import load_archive
from steps.artifacts import write_bytes, write_json, write_text
from steps.data_checks import refuse_severe
from steps.data_settings import DEFAULT_PATH, load_as
from steps.evaluated_settings import EvaluatedSettings
from steps.failure import JobArgumentParser, run_job
from steps.hosts import ALONE, PROCESSING, Hosts, hosts_of
from steps.joined_hosts import Meeting, watched
from steps.kept_findings import kept_findings
from steps.long_table import write_long
from steps.model import Model
from steps.preprocess import SEEN
from steps.raw_data import find_file
from steps.reasons import METADATA as REASONS
from steps.row_source import RowSource, computed, stored_rows
from steps.workers import cores, meanwhile

if TYPE_CHECKING:
    from evaluation.drawing import Picture

INPUT = Path("/opt/ml/processing/input")
FEWEST_AT_ONCE = 10_000  # training and test rows; with fewer, forks take longer than they save


@dataclass(frozen=True)
class Inputs:
    """Folders: `test` and `rows` with the raw test and training rows, `champion` with model.tar.gz or none.json.

    `train` has the training rows' features, on which the candidates are fitted that are there for comparison only.
    """

    test: Path
    rows: Path
    champion: Path
    train: Path


@dataclass(frozen=True)
class Looks:
    """test_part: which test part it is, as the pipeline calls it. earlier: how many other models have met it before."""

    test_part: str = ""
    earlier: int = 0


@dataclass(frozen=True)
class Alone:
    """What the test rows say of the model alone; `document` is that part of evaluation.json."""

    document: dict[str, Any]
    segments: list[SegmentError]
    reasons: Reasons
    of_errors: list[Picture]
    of_reasons: list[Picture]


@dataclass(frozen=True)
class Found:
    """What the test rows say: evaluation.json's content, and what the other files are made of.

    data_baselines: statistics and constraints of the training rows' columns. processes: how many are worth their
    beginning, None for as many as there are cores.
    """

    model: Model
    document: dict[str, Any]
    scored: Scored
    alone: Alone
    data_baselines: tuple[dict[str, Any], dict[str, Any]]
    labels: Labels
    processes: int | None


def main(arguments: Sequence[str]) -> None:
    """Run the job with command-line arguments. Raises JobError."""
    parser = JobArgumentParser(prog="evaluation.evaluate", description=__doc__)
    parser.add_argument("--model", type=Path, default=INPUT / "model")
    for field in fields(Inputs):
        parser.add_argument(f"--{field.name}", type=Path, default=INPUT / field.name)
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/output/evaluation"))
    parser.add_argument("--settings", type=Path, default=DEFAULT_PATH)
    for field in fields(Limits):
        parser.add_argument(f"--{field.name}", type=float, required=True)
    parser.add_argument("--earlier_looks", type=_count, default=0)
    parser.add_argument("--test_part", default="")
    parser.add_argument("--resources", type=Path, default=PROCESSING, help="the file that names the hosts of the job")
    options = parser.parse_args(arguments)
    limits = Limits(**{field.name: getattr(options, field.name) for field in fields(Limits)})
    inputs = Inputs(**{field.name: getattr(options, field.name) for field in fields(Inputs)})
    looks = Looks(options.test_part, options.earlier_looks)
    hosts = hosts_of(options.resources)
    with watched(hosts) as meeting:
        load = partial(load_archive, options.model / "model.tar.gz")
        if not hosts.is_first:
            predicted = Predicted.share(load(), stored_rows(find_file(inputs.test)), inputs.champion, hosts)
            with meeting():
                predicted.merged(hosts)
            return
        settings = load_as(EvaluatedSettings, options.settings)
        document = evaluate(load, inputs, options.output, settings, limits, looks, (hosts, meeting))
    _print(document, settings.data.columns[settings.data.target].unit)


def _count(text: str) -> int:
    """An argparse type: a whole number from 0."""
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def evaluate(
    load: Callable[[], Model],
    inputs: Inputs,
    output: Path,
    settings: EvaluatedSettings,
    limits: Limits,
    looks: Looks = Looks(),
    together: tuple[Hosts, Meeting] = (ALONE, nullcontext),
) -> dict[str, Any]:
    """Write what the test rows say of the model that `load` gives; return evaluation.json's content.

    evaluation.json, predictions.parquet, evaluation.html and its figures as figures/*.png; in Clarify's layout
    bias/analysis.json, explainability/analysis.json and explainability/explanations_shap/out.csv; in Model
    Monitor's model_quality/ and data_quality/, each statistics.json and constraints.json; model_card.json;
    golden.json; reference/ with what monitoring will compare with;
    sample_payload.tar.gz, a request that the registered model answers.

    Raises JobError when the data checks find that the test rows do not tell the truth, when a prediction is
    NaN or infinite, or when a metric is not defined for these rows.
    """
    found = _found(load, inputs, settings, limits, looks, together)
    _write(output, inputs, found, settings)
    write_json(output / "evaluation.json", found.document)
    return found.document


def _found(
    load: Callable[[], Model],
    inputs: Inputs,
    settings: EvaluatedSettings,
    limits: Limits,
    looks: Looks,
    together: tuple[Hosts, Meeting],
) -> Found:
    """Ask the model and all that it is compared with. Raises as `evaluate`."""
    files = [find_file(folder) for folder in (inputs.rows, inputs.test)]
    train, rows = map(stored_rows, files)
    processes = 1 if len(train) + len(rows) < FEWEST_AT_ONCE or cores() == 1 else None
    # These ask the rows alone. They begin before this process predicts: after that a fork could not (see in_parallel).
    begun = [
        lambda: from_all_and_half(train, rows, settings.data, processes),
        lambda: check_data(train, rows, settings, kept_findings(files[0], files[1], settings)),
        lambda: baselines.of_data(train, settings.data.inputs),
    ]
    with meanwhile(begun, processes) as (boosted, checked, described):
        model = load()
        table = computed(rows, lambda batch: feature_module.transform(batch, model.features))
        findings = checked()
        refuse_severe(findings)
        # What needs the model alone comes first: those that it is compared with are still learning.
        own = score(model, rows, table, inputs.champion, *together)
        labels = Labels.of(settings.data, settings.evaluation.labels)
        alone = _alone(model, own, table, settings, labels)
        plain, of_half = boosted()
        scored = with_compared(own, table, inputs.train, model.features, settings, plain)
        document = {**compared(scored, looks.earlier), **alone.document}
        document["what_helps"] = what_helps(
            train, rows, scored.actual, scored.predictions, of_half, settings.data, model.library, scored.draws
        )
        data_baselines = described()
    document["data"].update(
        train_rows=len(train),
        validation_rows=int(model.metadata["rows"]["validation"]),
        checks=[finding.to_json() for finding in findings],
        looks=asdict(looks),
    )
    document["too_good"] = too_good(document["regression_metrics"]["r2"]["value"], findings)
    document["gates"] = gates(document, limits)
    return Found(model, document, scored, alone, data_baselines, labels, processes)


def _alone(model: Model, scored: Scored, table: RowSource, settings: EvaluatedSettings, labels: Labels) -> Alone:
    """Measure, explain and draw what the model predicts for the test rows, whose features `table` holds."""
    target, wanted = model.features.target, model.interval.coverage
    bands, divided = bands_of(scored.challenger), groupings(scored.rows, settings)
    errors = segment_errors(scored.actual, scored.challenger, [bands, *divided], settings.evaluation.min_segment_rows)
    banded, segments = errors[: len(bands.names)], errors[len(bands.names) :]
    # By the actual value chance alone makes cheap rows look over-valued; by bands of the prediction it does not.
    judged = [*banded, *(each for each in segments if each.column != target)]
    document = of_the_model(scored, judged, wanted)
    document["segments"] = list(map(asdict, segments))
    document["prediction_bands"] = list(map(asdict, banded))
    document["missing_inputs"] = missing_inputs(model, scored.rows, scored.actual)
    document["rules"] = kept_rules(model, scored.rows, settings.data.monotone)
    document["ratio_study"] = ratio_study(scored.actual, scored.challenger).to_json()
    inside = (scored.actual >= scored.interval[0]) & (scored.actual <= scored.interval[1])
    by_group = group_coverage(inside, [bands, *divided], wanted)
    document["interval"]["groups"] = [asdict(group) for group in by_group]
    unjudged = (target,) if model.interval.by_band else (bands.column, target)
    document["interval"]["undercovered"] = undercovered(by_group, unjudged)
    reasons = reasons_of(model, scored, table, settings.evaluation.explained_rows, labels)
    document["explanation"] = reasons.to_json()
    important = [name for name in document["explanation"]["importance"] if name in model.features.inputs]
    document["worst_predictions"] = worst_predictions(scored, list(dict.fromkeys([*important, *model.features.inputs])))
    return Alone(document, segments, reasons, *_drawn(model, scored, document, reasons, settings, labels))


def _drawn(
    model: Model,
    scored: Scored,
    document: dict[str, Any],
    reasons: Reasons,
    settings: EvaluatedSettings,
    labels: Labels,
) -> tuple[list[Picture], list[Picture]]:
    from evaluation.figures import Subject, of_the_errors, of_the_reasons  # a third of a second

    place = settings.evaluation.map
    subject = Subject(
        scored=scored,
        document=document,
        dependences=reasons.dependences,
        labels=labels,
        target=model.features.target,
        unit=model.features.target_unit,
        logarithmic=model.features.target_scale == "log",
        date=settings.data.date,
        place=(place.latitude, place.longitude, place.group) if place else None,
    )
    return of_the_errors(subject), of_the_reasons(subject)


def _write(output: Path, inputs: Inputs, found: Found, settings: EvaluatedSettings) -> None:
    """All files but evaluation.json; the long ones beside the others."""
    model, scored, document = found.model, found.scored, found.document
    target = model.features.target
    long = [
        lambda: write_long(output / "predictions.parquet", scored_rows(scored)),
        lambda: keep_reference(scored, inputs.rows / SEEN, output / "reference", settings.data),
    ]
    with meanwhile(long, found.processes) as written:
        middle = float(np.median(scored.actual))
        write_json(output / "bias" / "analysis.json", clarify.bias(found.alone.segments, target, middle))
        _write_explanation(output / "explainability", found.alone.reasons, scored, target)
        baselines.write(output, document, found.data_baselines)
        _write_report(output, found, settings)
        _write_for_registration(output, model, scored, document, settings)
        for end in written:
            end()


def _write_for_registration(
    output: Path, model: Model, scored: Scored, document: dict[str, Any], settings: EvaluatedSettings
) -> None:
    """What is registered with the version: a request that it answers, its card, and golden rows."""
    can = {"comparables": model.comparables is not None, "reasons": REASONS in model.metadata}
    asked = [name for name, known in can.items() if known]
    payload = sample_archive(_typical(scored), model.features.inputs, asked)
    write_bytes(output / "sample_payload.tar.gz", payload)
    card = model_card(document, model.metadata, settings.evaluation.card)
    # A pipeline can read a text out of a JSON file, and the registry takes the card as a text.
    write_json(output / "model_card.json", {"content": json.dumps(card)})
    write_json(output / "golden.json", golden(model, scored.rows))


def _typical(scored: Scored) -> pd.Series:
    """The test row with the median prediction."""
    order = np.argsort(scored.challenger, kind="stable")
    return scored.rows.at([int(order[len(order) // 2])]).iloc[0]


def _write_report(output: Path, found: Found, settings: EvaluatedSettings) -> None:
    from evaluation.figures import models
    from evaluation.report import render

    model, document = found.model, found.document
    drawn = [*found.alone.of_errors, models(document, model.features.target_unit), *found.alone.of_reasons]
    for picture in drawn:
        write_bytes(output / "figures" / f"{picture.name}.png", picture.png)
    page = render(document, model.metadata, drawn, settings.evaluation.card, provenance(), found.labels)
    write_text(output / "evaluation.html", page)


def _write_explanation(folder: Path, reasons: Reasons, scored: Scored, target: str) -> None:
    explanation = reasons.explanation
    write_json(folder / "analysis.json", clarify.explainability(explanation, reasons.dependences, target))
    local = clarify.local_values(explanation, scored.challenger)
    write_text(folder / "explanations_shap" / "out.csv", local.to_csv(index=False))


def _print(document: dict[str, Any], unit: str) -> None:
    for name, metrics in document["candidates"].items():
        values = {key: metric["value"] for key, metric in metrics.items()}
        print(
            f"{name}: RMSE {_amount(values['rmse'], unit)}, MAE {_amount(values['mae'], unit)}, "
            f"MAPE {values['mape']:.2%}, R2 {values['r2']:.4f}"
        )
    print(
        f"champion: {document['champion']['status']}; interval: {document['interval']['measured']['value']:.1%} covered"
    )
    print(f"gates: {document['gates']['message'] or 'all passed'}")


def _amount(value: float, unit: str) -> str:
    """As the report has it: four digits of what is small, such as a rate."""
    return f"{value:.4g} {unit}".strip() if abs(value) < 100 else f"{value:,.0f} {unit}".strip()


if __name__ == "__main__":
    run_job(main)
