"""What each lesson asks for, looked up where it must be: a sentence of praise, or LessonError with what is missing."""

import base64
import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lessons.account import Account
from lessons.errors import LessonError

JOB = "lesson-plane"  # what the names of the training jobs of lessons/sdk.py begin with
HOUSES, OWN, LEAKY = "house-prices", "my-houses", "leaky-houses"
STAGING = f"{HOUSES}-staging"
SETTINGS = Path("my_houses.yaml")
SURFACES = Path("reports/lessons/surfaces.jsonl")
FEWEST_WORDS = 3
CAPTURE_SECONDS = 3.0  # after which a request that was captured lies in S3
BETTER = 2 / 3  # of the line's error


def empty_console(account: Account) -> str:
    """Two pipelines, each under the name of its YAML."""
    names = account.pipelines()
    for project, how in ((HOUSES, "the command under Run"), (OWN, "the commands under Change")):
        _require(f"{project}-training" in names, f"There is no pipeline {project}-training: {how} publishes it.")
    _require(SETTINGS.exists(), f"There is no {SETTINGS}: the commands under Change make it.")
    name = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))["name"]
    _require(name == OWN, f"The name in {SETTINGS} is {name}: make it {OWN}.")
    return f"{len(names)} pipelines, and the console is no longer empty."


def cleansing(account: Account) -> str:
    """Two validations: the later one rejects more rows, for their bathrooms, and still passes."""
    reports = _validations(account, OWN)
    _require(len(reports) > 1, f"{OWN}-validation has {len(reports)} reports: run it before and after the change.")
    newest, before = reports[0], min(report["rows"]["rejected"] for report in reports)
    rejected = newest["rows"]["rejected"]
    _require(rejected > before, f"The newest run rejects {rejected} rows, as before: change the range of bathrooms.")
    most = max(newest["expectations"], key=lambda each: each["unexpected_rows"])
    column = str(most["arguments"].get("column"))
    _require(column == "bathrooms", f"Most rows were rejected for their {column}: change the range of bathrooms.")
    _require(newest["status"] == "passed", f"The newest run failed: {newest['reason']}")
    return f"{rejected} rows rejected instead of {before}, and none of them silently."


def surfaces(_: Account) -> str:
    """A hyperplane of cars whose error is well below the line's, and one of houses."""
    _require(SURFACES.exists(), "No surface was fitted yet: begin with the command under Run.")
    kept = [json.loads(line) for line in SURFACES.read_text(encoding="utf-8").splitlines()]
    found = [each for each in kept if each["of"] == "car"]
    lines = [each["rmse"] for each in found if each["features"] == ["Mileage"]]
    _require(lines != [], "The line by Mileage is missing: it is what the others are compared with.")
    planes = [each for each in found if len(each["features"]) > 2]
    _require(planes != [], "A hyperplane is missing: give at least three features.")
    best = min(planes, key=lambda each: float(each["rmse"]))
    _require(
        best["rmse"] <= BETTER * lines[0],
        f"The best hyperplane is off by ${best['rmse']:,.0f} and the line by ${lines[0]:,.0f}: "
        "add what says more about a car, such as its make.",
    )
    houses = [each for each in kept if each["of"] == "house" and len(each["features"]) > 2]
    _require(houses != [], "A hyperplane of houses is missing: give at least three features.")
    return f"{len(best['features'])} features: off by ${best['rmse']:,.0f} where the line is off by ${lines[0]:,.0f}."


def training(account: Account) -> str:
    """A job of the SDK, and two models that differ in MaxDepth and not in Rounds, measured on the same test rows."""
    _require(account.trained(JOB) != [], "No training job of the SDK has completed: begin with `lessons train`.")
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for execution in account.executions(f"{HOUSES}-training"):
        evaluation = account.output(execution, "Evaluate", "evaluation.json")
        given = account.parameters(execution)
        if evaluation is not None:
            r2 = evaluation["regression_metrics"]["r2"]["value"]
            found[given["Rounds"]].setdefault(int(given["MaxDepth"]), r2)
    depths = max(found.values(), key=len, default={})
    _require(len(depths) > 1, f"Models of {len(depths)} depths were evaluated: train one with -p MaxDepth=2, too.")
    return f"{', '.join(f'depth {depth}: R2 {depths[depth]:.3f}' for depth in sorted(depths))}."


def registry(account: Account) -> str:
    """One version approved, one rejected, each with a reason."""
    versions = account.versions(HOUSES)
    for status, word in (("Approved", "approve"), ("Rejected", "reject")):
        decided = [each for each in versions if each["ModelApprovalStatus"] == status]
        _require(decided != [], f"No version is {status}: {word} one.")
        said = [each for each in decided if len(each.get("ApprovalDescription", "").split()) >= FEWEST_WORDS]
        _require(said != [], f"No {word} has a reason of {FEWEST_WORDS} words: say why with --comment.")
    return "In a year, everybody can still see who decided, and why."


def hosting(account: Account) -> str:
    """Two captured requests that differ in the living area alone."""
    until = time.monotonic() + CAPTURE_SECONDS
    while (found := _larger(_captured(account, f"{_capture(account)}/{STAGING}/"))) is None:
        _require(
            time.monotonic() < until,
            "No two requests differ in sqft_living alone: ask for house.json, then for my_house.json.",
        )
        time.sleep(0.2)
    return found


def _larger(prices: Sequence[tuple[Mapping[str, Any], float]]) -> str | None:
    """What more living area costs, where two requests differ in nothing else."""
    for house, price in prices:
        for other, other_price in prices:
            more = float(other.get("sqft_living", 0)) - float(house.get("sqft_living", 0))
            if more > 0 and {**house, "sqft_living": 0} == {**other, "sqft_living": 0}:
                difference = other_price - price
                told = f"{'-' if difference < 0 else '+'}${abs(difference):,.0f}"
                return f"{more:,.0f} square feet more, all else held still: {told}."
    return None


def monitored(account: Account) -> str:
    """A window that was ok, and one in which the level of the prices had moved."""
    found = [account.output(each, "Observe", "decision.json") for each in account.executions(f"{HOUSES}-monitoring")]
    decisions = {each["decision"]: each for each in found if each is not None}
    _require("ok" in decisions, "No window was ok yet: run the command under Run.")
    moved = [decisions[decision] for decision in ("retrain", "watch") if decision in decisions]
    _require(moved != [], "No window called for watch or retrain: let the market move.")
    return f"Noticed: {moved[0]['reasons'][0]}"


def broken_data(account: Account) -> str:
    """A validation that failed for its rejected rows, and a later one that passed."""
    reports = _validations(account, OWN)
    failed = [place for place, each in enumerate(reports) if each["status"] == "failed"]
    _require(failed != [], "No validation has failed yet: run it on the corrupt file.")
    _require(min(failed) > 0, "The newest validation failed: run it on the right file.")
    return f"Stopped before it could teach anything: {reports[min(failed)]['reason']}"


def broken_leak(account: Account) -> str:
    """A run that was stopped for the leak, and one without the feature that went through."""
    executions = account.executions(f"{LEAKY}-training")
    stopped = [each for each in executions if "price_per_sqft" in _reason(account, each)]
    _require(stopped != [], "No run was stopped for price_per_sqft: run the leaky settings first.")
    _require(executions[0]["PipelineExecutionStatus"] == "Succeeded", "The newest run failed: leave the feature out.")
    return f"Found before anybody believed it: {_reason(account, stopped[0])}"


def broken_model(account: Account) -> str:
    """A model that was rejected, and one that passed only because a gate was lowered."""
    executions = account.executions(f"{HOUSES}-training")
    small = [each for each in executions if account.parameters(each)["Rounds"] == "5"]
    rejected = [each for each in small if "RejectModel" in account.steps(each)]
    _require(rejected != [], "No model of 5 rounds was rejected: run it with the gates as they are.")
    _require(
        any(each["PipelineExecutionStatus"] == "Succeeded" for each in small),
        "No model of 5 rounds was registered: lower the gates with -p, and see what the output says about it.",
    )
    return _reason(account, rejected[0])


def broken_canary(account: Account) -> str:
    """A canary without requests that was inconclusive, one that an alarm rolled back, and a later one that passed."""
    place = f"{_capture(account).partition('/capture/')[0]}/history/{STAGING}/"
    entries = [json.loads(content) for content in account.objects(place)]  # the oldest first
    canaries = [each["outcome"] for each in entries if each["strategy"] == "canary"]
    _require("inconclusive" in canaries, "No canary was inconclusive yet: deploy one without sending requests.")
    _require("rolled back" in canaries, "No canary was rolled back yet: deploy the one that is too slow.")
    _require(canaries[-1] == "serves", f"The last canary is {canaries[-1]}: send requests during the next one.")
    return "The same version three times: what decided were its requests, and the alarm."


CHECKS: Mapping[str, Callable[[Account], str]] = {
    "1": empty_console,
    "2": cleansing,
    "3": surfaces,
    "4": training,
    "5": registry,
    "6": hosting,
    "7": monitored,
    "data": broken_data,
    "leak": broken_leak,
    "model": broken_model,
    "canary": broken_canary,
}


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise LessonError(otherwise)


def _validations(account: Account, project: str) -> list[Mapping[str, Any]]:
    """The reports of the validations of a project, newest first."""
    executions = account.executions(f"{project}-validation")
    reports = (account.output(each, "ValidateData", "validation.json") for each in executions)
    return [report for report in reports if report is not None]


def _reason(account: Account, execution: Mapping[str, Any]) -> str:
    reasons = (step.get("FailureReason", "") for step in account.steps(execution).values())
    return next((reason for reason in reasons if reason), "")


def _capture(account: Account) -> str:
    """Where the stage staging captures to."""
    endpoints = account.sagemaker.list_endpoints(NameContains=STAGING)["Endpoints"]
    _require(any(each["EndpointStatus"] == "InService" for each in endpoints), f"{STAGING} is not in service: deploy.")
    config = account.sagemaker.describe_endpoint(EndpointName=STAGING)["EndpointConfigName"]
    capture = account.sagemaker.describe_endpoint_config(EndpointConfigName=config).get("DataCaptureConfig")
    _require(capture is not None, f"{config} captures nothing: leave out `capture: false`.")
    return str(capture["DestinationS3Uri"]).rstrip("/")


def _captured(account: Account, uri: str) -> list[tuple[dict[str, Any], float]]:
    """The captured requests for one house in JSON, each with its price."""
    found = []
    for content in account.objects(uri):
        for line in content.decode().splitlines():
            data = json.loads(line)["captureData"]
            request, answer = (_decoded(data.get(part, {})) for part in ("endpointInput", "endpointOutput"))
            if isinstance(request, dict) and "sqft_living" in request and isinstance(answer, dict):
                found.append((request, float(answer["predictions"][0]["score"])))
    return found


def _decoded(part: Mapping[str, Any]) -> Any:
    text = part.get("data", "")
    try:
        return json.loads(base64.b64decode(text) if part.get("encoding") == "BASE64" else text)
    except ValueError:
        return None
