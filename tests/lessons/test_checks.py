"""A lesson is graded by what is there, and what is missing is said."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lessons import checks
from lessons.account import Account
from lessons.errors import LessonError


class Made(Account):
    """An account as a dictionary: executions newest first, each with what the checks ask of it."""

    def __init__(self, *executions: Mapping[str, Any], versions: Any = (), captured: Any = ()) -> None:
        super().__init__(None, None)
        object.__setattr__(self, "made", (executions, versions, captured))

    def pipelines(self) -> list[str]:
        return ["house-prices-training", "my-houses-training"]

    def executions(self, pipeline: str) -> list[Mapping[str, Any]]:
        return list(self.made[0])  # type: ignore[attr-defined]

    def trained(self, name: str) -> list[str]:
        return [f"{name}-1"]

    def parameters(self, execution: Mapping[str, Any]) -> dict[str, str]:
        return {"Rounds": "4000", "MaxDepth": "4", **execution.get("parameters", {})}

    def steps(self, execution: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        return dict(execution.get("steps", {}))

    def output(self, execution: Mapping[str, Any], step: str, file: str) -> Any:
        return execution.get(file)

    def versions(self, group: str) -> list[Mapping[str, Any]]:
        return list(self.made[1])  # type: ignore[attr-defined]

    def objects(self, uri: str) -> Iterator[bytes]:
        return iter(self.made[2])  # type: ignore[attr-defined]


def model(r2: float, **parameters: str) -> dict[str, Any]:
    return {"parameters": parameters, "evaluation.json": {"regression_metrics": {"r2": {"value": r2}}}}


def test_two_depths_are_compared_where_nothing_else_differs() -> None:
    assert checks.training(Made(model(0.9), model(0.8, MaxDepth="2"))) == "depth 2: R2 0.800, depth 4: R2 0.900."
    with pytest.raises(LessonError, match="Models of 1 depths"):
        checks.training(Made(model(0.9), model(0.8, MaxDepth="2", Rounds="5"), {"parameters": {}}))


def test_training_begins_with_a_job_of_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Made, "trained", lambda self, name: [])
    with pytest.raises(LessonError, match="No training job of the SDK"):
        checks.training(Made(model(0.9), model(0.8, MaxDepth="2")))


def validation(rejected: int, column: str = "bathrooms", status: str = "passed") -> dict[str, Any]:
    worst = {"arguments": {"column": column}, "unexpected_rows": rejected}
    rows = {"rows": {"rejected": rejected}, "expectations": [worst], "status": status, "reason": "Too many."}
    return {"validation.json": rows}


@pytest.mark.parametrize(
    ("newest", "missing"),
    [
        (validation(35), "rejects 35 rows, as before"),
        (validation(36, "bedrooms"), "for their bedrooms"),
        (validation(36, status="failed"), "The newest run failed: Too many."),
    ],
)
def test_a_stricter_rule_rejects_more_and_still_passes(newest: dict[str, Any], missing: str) -> None:
    assert checks.cleansing(Made(validation(36), validation(35))).startswith("36 rows rejected instead of 35")
    with pytest.raises(LessonError, match=missing):
        checks.cleansing(Made(newest, validation(35)))


def version(status: str, comment: str = "it is good") -> dict[str, str]:
    return {"ModelApprovalStatus": status, "ApprovalDescription": comment}


def test_a_decision_has_a_reason_of_three_words() -> None:
    assert checks.registry(Made(versions=[version("Approved"), version("Rejected")]))
    with pytest.raises(LessonError, match="No reject has a reason of 3 words"):
        checks.registry(Made(versions=[version("Approved"), version("Rejected", "not good")]))
    with pytest.raises(LessonError, match="No version is Rejected"):
        checks.registry(Made(versions=[version("Approved"), version("PendingManualApproval")]))


def test_a_surface_is_graded_against_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "SURFACES", tmp_path / "surfaces.jsonl")
    line, plane = (
        {"of": "car", "features": ["Mileage"], "rmse": 900.0},
        {"of": "car", "features": ["a", "b", "c"], "rmse": 600.0},
    )
    for surfaces, missing in (([plane], "The line by Mileage"), ([line], "three features"),
                              ([line, {**plane, "rmse": 601.0}], r"off by \$601 and the line by \$900"),
                              ([line, plane, {**line, "of": "house"}], "of houses")):  # fmt: skip
        (tmp_path / "surfaces.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in surfaces))
        with pytest.raises(LessonError, match=missing):
            checks.surfaces(Made())
    (tmp_path / "surfaces.jsonl").write_text(
        "".join(f"{json.dumps(each)}\n" for each in (line, plane, {**plane, "of": "house"}))
    )
    assert checks.surfaces(Made()).startswith("3 features")


def test_data_that_stopped_the_validation_are_followed_by_the_right_ones() -> None:
    bad, good = validation(900, status="failed"), validation(35)
    assert "Too many." in checks.broken_data(Made(good, bad))
    for executions, missing in (((bad, good), "The newest validation failed"), ((good,), "No validation has failed")):
        with pytest.raises(LessonError, match=missing):
            checks.broken_data(Made(*executions))


@pytest.mark.parametrize(
    ("outcomes", "missing"),
    [
        (["serves"], "No canary was inconclusive yet"),
        (["inconclusive", "serves"], "No canary was rolled back yet"),
        (["rolled back", "inconclusive"], "The last canary is inconclusive"),
        (["inconclusive", "rolled back"], "The last canary is rolled back"),
        (["inconclusive", "rolled back", "serves"], None),
    ],
)
def test_a_canary_that_proved_nothing_is_done_once_more(
    outcomes: list[str], missing: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_capture", lambda account: "s3://bucket/house-prices/capture/staging")
    first = {"strategy": "all_at_once", "outcome": "serves"}
    entries = [first, *({"strategy": "canary", "outcome": outcome} for outcome in outcomes)]
    made = Made(captured=[json.dumps(entry).encode() for entry in entries])
    if missing is None:
        assert checks.broken_canary(made).startswith("The same version three times")
    else:
        with pytest.raises(LessonError, match=missing):
            checks.broken_canary(made)
