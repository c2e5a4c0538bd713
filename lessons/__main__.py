"""The lessons: list them, read one, check what you did, fit cars and houses, break the data."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from lessons.account import Account
from lessons.breaks import BREAKS
from lessons.course import read_lessons
from lessons.errors import LessonError

ROOT = Path(__file__).resolve().parents[1]
HOUSES = ROOT / "data" / "house_prices.parquet"
REPORTS = Path("reports/lessons")


def build_parser() -> argparse.ArgumentParser:
    """The arguments."""
    parser = argparse.ArgumentParser(prog="python -m lessons", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the lessons, and their tracks")
    show = commands.add_parser("show", help="print a lesson")
    check = commands.add_parser("check", help="grade a lesson; exit code 1 if something is missing")
    for command in (show, check):
        command.add_argument("lesson", help="its number, or its name: see `list`")
    for name, what in (("cars", "used cars' prices"), ("houses", "the project's house prices")):
        surfaces = commands.add_parser(name, help=f"fit {what} by features: equation, error, picture")
        surfaces.add_argument("--features", nargs="+", required=True, metavar="NAME")
        surfaces.add_argument("--ask", nargs="+", metavar="NAME=VALUE", help="a point whose price is asked for")
    trained = commands.add_parser("train", help="fit house prices in a training job that the SageMaker SDK starts")
    trained.add_argument("--features", nargs="+", required=True, metavar="NAME")
    broken = commands.add_parser("break", help="write data with one kind of error")
    broken.add_argument("what", choices=list(BREAKS))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0, or 1 with one sentence on what is missing."""
    options = build_parser().parse_args(arguments)
    try:
        actions = {"list": _list, "show": _show, "check": _check, "break": _break, "train": _train}
        return actions.get(options.command, _surface)(options)
    except LessonError as error:
        print(f"not yet: {error}" if options.command == "check" else f"error: {error}", file=sys.stderr)
        return 1


def _list(_: argparse.Namespace) -> int:
    for lesson in read_lessons().values():
        print(f"  {lesson.key:<8} {lesson.title}")
    print(f"\nRead one with `python -m lessons show 1`, or in {Path('lessons/README.md')}, which has the tracks.")
    return 0


def _show(options: argparse.Namespace) -> int:
    lessons = read_lessons()
    if options.lesson not in lessons:
        raise LessonError(f"There is no lesson {options.lesson}: choose from {', '.join(lessons)}.")
    print(lessons[options.lesson].text)
    return 0


def _check(options: argparse.Namespace) -> int:
    from lessons.checks import CHECKS

    if options.lesson not in CHECKS:
        raise LessonError(f"There is no lesson {options.lesson}: choose from {', '.join(CHECKS)}.")
    print(f"done: {CHECKS[options.lesson](_connect())}")
    return 0


def _connect() -> Account:
    """The local server; LessonError where it cannot be had."""
    import boto3

    from local_sagemaker.client.lifecycle import use_local
    from local_sagemaker.configuration import configured_state
    from local_sagemaker.errors import LocalSageMakerError

    try:
        state, handlers = configured_state(ROOT / ".sagemaker"), ROOT / "infrastructure/functions/handlers.py"
        use_local(state, announce=lambda text: print(text, flush=True), handlers=handlers)
    except LocalSageMakerError as error:
        raise LessonError(str(error)) from None
    return Account(boto3.client("sagemaker"), boto3.client("s3"))


def _surface(options: argparse.Namespace) -> int:
    """cars, houses"""
    from lessons.surfaces import draw, fit, keep, read_cars, read_houses

    asked, data = _values(options.ask), Path(os.environ.get("LESSONS_DATA", ROOT / "data"))
    things = read_cars(data) if options.command == "cars" else read_houses(HOUSES)
    surface = fit(things, options.features)
    print(f"{surface.shape}: {surface.equation}")
    print(f"on {options.command} that it has not seen: off by ${surface.rmse:,.0f} (RMSE), R2 {surface.r2:.3f}")
    if asked is not None:
        print(f"a {things.noun} with {', '.join(options.ask)}: ${surface.price(asked):,.0f}")
    picture = REPORTS / f"{options.command}.png"
    draw(things, surface, asked, picture)
    keep(surface, REPORTS / "surfaces.jsonl")
    print(picture)
    return 0


def _train(options: argparse.Namespace) -> int:
    from lessons.surfaces import read_houses

    print("training in a job of the SDK ...", flush=True)
    houses, account = read_houses(HOUSES), _connect()
    from lessons.sdk import train  # it reads the environment, which _connect sets

    trained = train(houses, options.features, account.s3)
    metrics = trained.equation["metrics"]
    print(f"{trained.job}: {trained.archive}")
    print(f"on houses that it has not seen: off by ${metrics['rmse']:,.0f} (RMSE), R2 {metrics['r2']:.3f}")
    return 0


def _values(pairs: Sequence[str] | None) -> dict[str, float] | None:
    try:
        return None if pairs is None else {pair.partition("=")[0]: float(pair.partition("=")[2]) for pair in pairs}
    except ValueError:
        raise LessonError(f"--ask takes NAME=VALUE with a number, such as Mileage=30000, and not {pairs}.") from None


def _break(options: argparse.Namespace) -> int:
    for path in BREAKS[options.what](HOUSES, REPORTS):
        print(path)
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the end of `| head` is not a fault
    sys.exit(main())
