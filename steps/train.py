"""Train: the linear regression, and the gradient boosting that may start from it and must beat it."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steps import features as feature_module
from steps import interval as interval_module
from steps import linear, training_metrics
from steps.boosting import xgboost
from steps.checkpoints import FOLDER, NONE, Checkpoints, checkpoints_of
from steps.comparables import FILE as COMPARABLES
from steps.comparables import SETTINGS as COMPARABLES_SETTINGS
from steps.comparables import Comparables
from steps.failure import JobArgumentParser, JobError, run_job
from steps.features import Features
from steps.hosts import TRAINING, hosts_of
from steps.hyperparameters import CHECKPOINT_ROUNDS, HYPERPARAMETERS, STARTS, Hyperparameter, column_share
from steps.joined_hosts import joined
from steps.likeness import Likeness
from steps.metrics import regression_metrics
from steps.model import CODE_WHEELS, FORMAT, FORMAT_OF_OTHERS, Model, save
from steps.model_code import copy_serving_code, copy_wheels
from steps.other_libraries import LIBRARIES, XGBOOST
from steps.other_trees import OtherTrees, fitted, refitted
from steps.part_files import part_files
from steps.reasons import METADATA as REASONS
from steps.reasons import Basis
from steps.scratch import scratch
from steps.shard import Shard
from steps.starting_point import Boosting, Part, best_start, refit, start_at
from steps.stored_table import Table, first_columns
from steps.training_rows import training_rows, validation_rows
from steps.wheels import ensure

HYPERPARAMETERS_FILE = Path("/opt/ml/input/config/hyperparameters.json")
# rounds and early_stopping_rounds are arguments of its train(), the others are ours.
NOT_BOOSTERS = ("rounds", "early_stopping_rounds", "coverage", "bands", "threads", "start")


def main(arguments: Sequence[str]) -> None:
    """Run the job with command-line arguments (hyperparameters and channels). Raises JobError.

    Without arguments the hyperparameters are those of the training job's own file; script mode, in which a tuning
    job runs, gives them as arguments.
    """
    options = vars(_parser().parse_args(arguments or hyperparameter_arguments(HYPERPARAMETERS_FILE)))
    hyperparameters = {name: options[name] for name in (*HYPERPARAMETERS, "start")}
    features = feature_module.load(options["features"] / "features.json")
    named = {name: options[name] for name in LIBRARIES if options[name] is not None}
    hosts = hosts_of(options["resources"])
    if hosts.count > 1 and named:
        raise JobError(
            f"The candidate {next(iter(named))} trains on one host, and TrainingInstanceCount started {hosts.count}: "
            "set it to 1 (jobs.training.instance_count in the YAML), or leave the candidate out."
        )
    ensure([LIBRARIES[name].package for name in named], options["wheels"])
    with scratch() as folder, joined(hosts):
        train, shard = training_rows(options["train"], features, hosts, folder)
        validation, validated = validation_rows(options["validation"], features, hosts, folder)
        files = [options["features"] / "features.json"]
        files += [*part_files(options["train"]), *part_files(options["validation"])]
        told = {**hyperparameters, **named, "external_memory": options["external_memory"]}
        checkpoints = checkpoints_of(options["checkpoint_rounds"], options["checkpoints"], told, files, hosts)
        cache = folder if options["external_memory"] else None
        shards = (shard, validated)
        model, metrics = fit(train, validation, features, hyperparameters, named, shards, checkpoints, cache)
        likeness = Likeness.of(_inputs(train, features), features, shard)
    if not hosts.is_first:
        return  # it has no part in what follows: the first host writes the model, and prints the metrics once
    model = _with_comparables(model, likeness, options["features"])
    save(model, options["model_dir"])
    copy_serving_code(options["model_dir"] / "code")
    if model.other is not None:
        copy_wheels(options["wheels"], options["model_dir"] / CODE_WHEELS)
    for name, value in metrics.items():
        print(training_metrics.line(name, value), flush=True)


def _with_comparables(model: Model, likeness: Likeness, folder: Path) -> Model:
    """The model with the training rows that it is to tell of, if steps.preprocess has put any into the folder."""
    rows, settings = folder / COMPARABLES, folder / COMPARABLES_SETTINGS
    if not rows.is_file():
        return model
    chosen = likeness.explained
    terms = model.start.terms(chosen)
    moved = (terms - terms.mean()).to_numpy() + model.contributions(chosen)[0][:, :-1]
    weights = likeness.weights(moved)
    told = json.loads(settings.read_text(encoding="utf-8"))
    return replace(model, comparables=Comparables.from_json({**told, "weights": weights}, rows.read_bytes()))


def hyperparameter_arguments(path: Path) -> list[str]:
    """The arguments that a file of hyperparameters stands for; none where there is no such file.

    SageMaker writes all values as text. Raises JobError for a file that is not an object of them.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise JobError(f"The hyperparameters {path} are not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise JobError(f"The hyperparameters {path} are not an object of names and values.")
    return [part for name, value in found.items() for part in (f"--{name}", str(value))]


def _parser() -> argparse.ArgumentParser:
    channel, environment = "/opt/ml/input/data", os.environ
    parser = JobArgumentParser(prog="steps.train", description=__doc__, allow_abbrev=False)
    for name in ("train", "validation", "features"):
        default = environment.get(f"SM_CHANNEL_{name.upper()}", f"{channel}/{name}")
        parser.add_argument(f"--{name}", type=Path, default=Path(default))
    parser.add_argument("--model_dir", type=Path, default=Path(environment.get("SM_MODEL_DIR", "/opt/ml/model")))
    # A tuning job tells its training jobs what it looks for, as one more hyperparameter.
    parser.add_argument("--_tuning_objective_metric", help=argparse.SUPPRESS)
    for name, hyperparameter in HYPERPARAMETERS.items():
        parser.add_argument(f"--{name}", type=_within(hyperparameter), default=hyperparameter.default)
    parser.add_argument("--resources", type=Path, default=TRAINING, help="the file that names the hosts of the job")
    parser.add_argument("--start", choices=STARTS, default=STARTS[0])
    parser.add_argument("--checkpoint_rounds", type=_within(CHECKPOINT_ROUNDS), default=0)
    parser.add_argument("--checkpoints", type=Path, default=FOLDER)
    parser.add_argument("--external_memory", type=_yes_or_no, default=False)
    parser.add_argument("--wheels", type=Path, default=Path(environment.get("SM_CHANNEL_WHEELS", f"{channel}/wheels")))
    for name in LIBRARIES:
        parser.add_argument(f"--{name}", type=_hyperparameters_of(name), metavar="JSON")
    return parser


def _hyperparameters_of(library: str) -> Callable[[str], dict[str, float]]:
    """An argparse type: a library's hyperparameters as a JSON object; those that it leaves out have their defaults."""

    def settings(text: str) -> dict[str, float]:
        known = LIBRARIES[library].hyperparameters
        try:
            given = json.loads(text)
            unknown = sorted(set(given) - set(known))
            if unknown:
                raise ValueError(f"{unknown[0]} is not one of {', '.join(known)}")
            return {name: each.parse(str(given.get(name, each.default))) for name, each in known.items()}
        except (ValueError, TypeError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return settings


def _yes_or_no(text: str) -> bool:
    """An argparse type: true or false, in any case: script mode gives True for a hyperparameter `true`."""
    try:
        return {"true": True, "false": False}[text.lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false") from None


def _within(hyperparameter: Hyperparameter) -> Callable[[str], float]:
    """An argparse type: a number of the hyperparameter's kind, within its limits."""

    def number(text: str) -> float:
        try:
            return hyperparameter.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return number


def fit(
    train: Table,
    validation: Table,
    features: Features,
    hyperparameters: dict[str, Any],
    named: Mapping[str, Mapping[str, float]] | None = None,
    shards: tuple[Shard, Shard] | None = None,
    checkpoints: Checkpoints = NONE,
    cache: Path | None = None,
) -> tuple[Model, dict[str, float]]:
    """Train the candidates; return the model and its metrics by name.

    `named` are the hyperparameters of other libraries by their names; the one that is best on the validation part, or
    XGBoost, predicts. Tables hold the features, and then the target. Metrics are in the target's unit, `mape` a
    fraction, for the validation part, on which XGBoost also stopped early: the test part is evaluation's alone. With
    `shards` the tables are one host's share of the rows, and every host returns the same. With a folder `cache` XGBoost
    keeps the rows there and not in memory.
    """
    shards = shards or (Shard.whole(len(train)), Shard.whole(len(validation)))
    parts = [
        Part(_inputs(part, features), features.scaled(_actual(part, features)), np.zeros(len(part)), shard)
        for part, shard in zip((train, validation), shards, strict=True)
    ]
    rows, target = parts[0].table, parts[0].target
    line = linear.fit(rows, target, features.levels, None, features.signs, features.fill, shards[0])
    boosting = boosting_of(hyperparameters, features.names, features.signs)
    boosting = replace(boosting, checkpoints=checkpoints, cache=cache)
    start: str = hyperparameters["start"]
    errors: dict[str, float] = {}
    if start == "auto":
        start, errors = best_start(parts[0], parts[1], features, line, boosting)
    started = start_at(start, parts[0], parts[1], features, line, hyperparameters["seed"])
    booster, error = boosting.fit(*started, features)
    other, libraries = _best_of(named or {}, {XGBOOST: error}, started, features, hyperparameters)
    coverage, bands = hyperparameters["coverage"], hyperparameters["bands"]
    interval = interval_module.fit(*started, features, boosting, booster, coverage, bands, other)
    mean = float(shards[0].mean(target)) if start == "mean" else None
    model = Model(features, booster, line, interval, {"starting_mean": mean}, other=other)
    learned, measured = (_measured(model, part, shard) for part, shard in zip((train, validation), shards, strict=True))
    model.metadata.update(
        _metadata(features, hyperparameters, booster.num_boosted_rounds() - 1)
        | {REASONS: Basis.of(model.start, parts[0].table, list(features.levels), shards[0]).to_json()},
        boosting_starts_from=start,
        starting_points=errors,
        format=FORMAT if other is None else FORMAT_OF_OTHERS,
        library=model.library,
        libraries=libraries,
        rows={name: shard.total for name, shard in zip(("train", "validation"), shards, strict=True)},
        hosts=shards[0].hosts.count,
        training_metrics=learned,
        validation_metrics=measured,
    )
    return _on_all_rows(model, boosting, started, named or {}, hyperparameters), _printed(model, measured)


def _on_all_rows(
    model: Model,
    boosting: Boosting,
    started: tuple[Part, Part],
    named: Mapping[str, Mapping[str, float]],
    hyperparameters: Mapping[str, Any],
) -> Model:
    """The model whose trees have learned from the validation rows, too.

    The interval's trees, and what it was calibrated with, know the training rows alone.
    """
    other = model.other
    if other is not None:
        options = {name: hyperparameters[name] for name in ("seed", "threads")}
        other = refitted(other, named[other.library], started, model.features, **options)
    final = refit(boosting, model.booster.num_boosted_rounds(), started, model.features)
    return replace(model, booster=final, other=other)


def _printed(model: Model, measured: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The metrics that the job prints, of a model that was measured on the validation part."""
    metrics = {f"validation:{name}": value for name, value in measured[model.library].items()}
    metrics["validation:linear_rmse"] = measured["linear"]["rmse"]
    metrics["train:rounds"] = float(model.booster.num_boosted_rounds())
    return metrics


def _measured(model: Model, part: Table, shard: Shard) -> dict[str, dict[str, float]]:
    """The errors of each candidate on a part, in the target's unit."""
    actual, table = _actual(part, model.features), _inputs(part, model.features)
    return {name: regression_metrics(actual, model.predict_features(table, name), shard) for name in model.candidates}


def _best_of(
    named: Mapping[str, Mapping[str, float]],
    errors: dict[str, float],
    started: tuple[Part, Part],
    features: Features,
    hyperparameters: Mapping[str, Any],
) -> tuple[OtherTrees | None, dict[str, float]]:
    """The trees of the library with the lowest validation error, None where that is XGBoost, and the error of each.

    `errors` holds XGBoost's, on the training scale.
    """
    limits = (hyperparameters["rounds"], hyperparameters["early_stopping_rounds"])
    options = {name: hyperparameters[name] for name in ("seed", "threads")}
    found: dict[str, OtherTrees] = {}
    for name, settings in named.items():
        found[name], errors[name] = fitted(name, settings, limits, started, features, **options)
    return found.get(min(errors, key=errors.__getitem__)), errors


def _inputs(part: Table, features: Features) -> Table:
    return first_columns(part, len(features.names))


def _actual(part: Table, features: Features) -> np.ndarray:
    return part[features.target].to_numpy(dtype=float)


def boosting_of(
    hyperparameters: dict[str, Any], names: Sequence[str], signs: Mapping[str, int] | None = None
) -> Boosting:
    """How to boost on these features, as the hyperparameters say; `signs` are those of Features."""
    parameters = {
        "objective": "reg:squarederror",
        "tree_method": "hist",
        # Sums over threads are rounded differently by their number: it is fixed, not the machine's.
        "nthread": hyperparameters["threads"],
        **{n: v for n, v in hyperparameters.items() if n not in NOT_BOOSTERS},
    }
    parameters["colsample_bytree"] = parameters["colsample_bytree"] or column_share(len(names))
    if signs:
        parameters["monotone_constraints"] = tuple(signs.get(name, 0) for name in names)
    return Boosting(parameters, hyperparameters["rounds"], hyperparameters["early_stopping_rounds"])


def _metadata(features: Features, hyperparameters: dict[str, Any], best_iteration: int) -> dict[str, Any]:
    inputs = [
        {"name": name, "type": column.type, "unit": column.unit, "optional": column.optional}
        for name, column in features.inputs.items()
    ]
    return {
        "versions": {
            "python": platform.python_version(),
            "xgboost": xgboost.__version__,
            "numpy": np.__version__,
            "pandas": pd.__version__,
        },
        "hyperparameters": hyperparameters,
        "best_iteration": best_iteration,
        "target": {
            "name": features.target,
            "unit": features.target_unit,
            "scale": features.target_scale,
            "range": list(features.target_range),
        },
        "inputs": inputs,
        "features": list(features.names),
    }


if __name__ == "__main__":
    run_job(main)
