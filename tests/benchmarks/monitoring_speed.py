"""The monitoring job on a million captured requests with their prices, and on many small files: time and memory."""

import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from evaluation_speed import measured
from project import by_hand, unpack_code
from rows import Row

EVENTS, FEW = 1_000_000, 100_000
EVENTS_OF_A_FILE = 2_000
DAYS = 30
SINCE = datetime(2026, 6, 1, tzinfo=timezone.utc)
MODEL = "benchmark"
READ = """
import json, sys
from pathlib import Path
count = 0
for path in sorted(Path(sys.argv[1]).rglob("*.jsonl")):
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            count += "captureData" in json.loads(line)
print(count)
"""


def monitoring_rows(folder: Path) -> list[Row]:
    """Rows for the table: the version of the default data, and its test rows asked for over and over."""
    from pipelines.settings.settings import default_config, load_settings

    by_hand(folder)
    code, work = folder / "observing", folder / "work"
    unpack_code(code, load_settings(default_config()), "monitoring")
    lines = list(test_rows(work / "evaluation" / "reference" / "test.parquet"))
    windows = {
        "few": _window(folder / "few", lines, FEW, EVENTS_OF_A_FILE),
        "many": _window(folder / "many", lines, EVENTS, EVENTS_OF_A_FILE),
        "small": _window(folder / "small", lines, FEW, 1),
    }
    reading = measured([sys.executable, "-c", READ, str(windows["many"])], code)
    few, many, small = (_observed(code, work, windows[name]) for name in ("few", "many", "small"))
    return [
        Row(
            f"monitoring of {EVENTS:,} captured requests with prices / reading the requests once",
            many[0],
            reading[0],
            12.0,
        ),
        Row(f"  its peak memory in GB / that of {FEW:,} requests", many[1], few[1], 1.5),
        Row(f"monitoring of {FEW:,} files of one request / of {FEW // EVENTS_OF_A_FILE}", small[0], few[0], 3.0),
        Row("  its peak memory in GB", small[1], few[1], 1.3),
    ]


def _observed(code: Path, work: Path, window: Path) -> tuple[float, float]:
    """Seconds and peak memory of the job; it must have seen every request."""
    nothing = window.parent / "sales"
    nothing.mkdir(exist_ok=True)
    folders = {"model": work / "packed", "reference": work / "evaluation", "sales": nothing, "window": window}
    output = window.parent / "observation"
    options = [f"--{name}={path}" for name, path in {**folders, "output": output}.items()]
    found = measured([sys.executable, "-m", "monitoring.observe", *options], code)
    cohorts = json.loads((output / "monitoring.json").read_text())["cohorts"]
    for name in ("rows", "matured"):
        assert sum(each[name] for each in cohorts) == int((window / "count").read_text()), cohorts
    return found


def _window(folder: Path, lines: list[tuple[str, str, float]], events: int, of_a_file: int) -> Path:
    """The folder that CollectWindow's manifest downloads to: files of so many events each, all with prices."""
    window, truth = folder / "window", folder / "window" / "truth"
    truth.mkdir(parents=True)
    files = events // of_a_file
    with (truth / "prices.jsonl").open("w") as stream:
        stream.writelines(price_line(lines[place % len(lines)][2], place) for place in range(files * of_a_file))
    for number in range(files):
        when = SINCE + timedelta(days=DAYS) * (number / files)
        hour = window / "capture" / "AllTraffic" / f"{when:%Y/%m/%d/%H}"
        hour.mkdir(parents=True, exist_ok=True)
        first = number * of_a_file
        body = "".join(
            captured_line(lines[place % len(lines)], when, place) for place in range(first, first + of_a_file)
        )
        (hour / f"{number:07d}.jsonl").write_text(body)
    (window / "count").write_text(str(files * of_a_file))
    (window / "window.json").write_text(json.dumps(_document()))
    return window


def _document() -> dict[str, Any]:
    until = SINCE + timedelta(days=DAYS)
    times = {"since": SINCE, "until": until, "captured_since": SINCE}
    return {
        "stage": "production",
        "endpoint": "house-prices-production",
        **{name: moment.isoformat() for name, moment in times.items()},
        "live": 1,
        "versions": {MODEL: 1},
        "sampling": 100,
        "captured": "capture",
        "truth": "truth",
    }


def test_rows(path: Path) -> Iterator[tuple[str, str, float]]:
    """(request, answer, price) of each row of a version's test part with its predictions; both as text."""
    import pandas as pd

    from pipelines.settings.settings import default_config, load_settings

    rows, data = pd.read_parquet(path), load_settings(default_config()).data
    answers = rows[["prediction", "lower", "upper", data.target]].to_dict("records")
    asked = json.loads(rows[list(data.inputs)].to_json(orient="records", date_format="iso"))
    for request, answer in zip(asked, answers, strict=True):
        said = {"score": answer["prediction"], "lower": answer["lower"], "upper": answer["upper"]}
        request["date"] = request["date"][:10]
        document = {"predictions": [said], "coverage": 0.9, "model": MODEL}
        yield json.dumps(request), json.dumps(document), float(answer[data.target])


def captured_line(row: tuple[str, str, float], when: datetime, number: int) -> str:
    """An event as an endpoint captures it."""
    sides = {
        side: {"observedContentType": "application/json", "mode": mode, "data": data, "encoding": "JSON"}
        for side, mode, data in (("endpointInput", "INPUT", row[0]), ("endpointOutput", "OUTPUT", row[1]))
    }
    metadata = {
        "eventId": f"{number:032x}",
        "inferenceId": f"house-{number}",
        "inferenceTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
    }
    return json.dumps({"captureData": sides, "eventMetadata": metadata, "eventVersion": "0"}) + "\n"


def price_line(price: float, number: int) -> str:
    """The price of that event, as `truth` stores it."""
    event = {
        "groundTruthData": {"data": f"{price:.15g}", "encoding": "CSV"},
        "eventMetadata": {"eventId": f"house-{number}"},
        "eventVersion": "0",
    }
    return json.dumps(event) + "\n"
