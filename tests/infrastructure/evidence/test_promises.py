"""The table of docs/aws.md is what the promises and the committed records make of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from infrastructure.errors import InfrastructureError
from infrastructure.evidence.observations import QUESTIONS
from infrastructure.evidence.promises import PAGE, PROMISES, records, rewritten, seen_by, table


def record(where: str = "aws", date: str = "2026-12-01", **seen: str) -> dict[str, Any]:
    return {"format": 1, "where": where, "date": date, "seen": seen}


def row(text: str, found: dict[str, Any]) -> str:
    return next(line for line in table(found).splitlines() if line.startswith(f"| {text}"))


def test_the_page_has_the_table_that_the_committed_records_make() -> None:
    page = PAGE.read_text()
    assert page == rewritten(page, records()), "run `python -m infrastructure.evidence.promises`"


def test_every_promise_that_waits_for_a_run_has_a_question_and_every_question_a_promise() -> None:
    observed = [promise.observed for promise in PROMISES if promise.observed]
    assert sorted(observed) == sorted(QUESTIONS)


def test_a_record_of_aws_turns_a_row_into_seen() -> None:
    text = "the template of the deployment"
    assert row(text, {}) == f"| {text} | cfn-lint; not verified on AWS |"
    found = {"b.json": record(deployment_stack="set up")}
    seen = "**seen on AWS**, 2026-12-01: set up ([record](evidence/b.json))"
    assert row(text, found) == f"| {text} | {seen}; cfn-lint |"
    assert "not verified on AWS" in row("the template of Studio", found)


def test_the_newest_record_that_has_seen_it_is_named() -> None:
    older = record(date="2026-11-01", execution="an older one", metrics="7 metrics")
    newer = record(date="2026-12-24", execution="a newer one")
    found = {"z.json": older, "a.json": newer}
    assert "2026-12-24: a newer one" in row("the pipeline's definition", found)
    assert "2026-11-01: 7 metrics" in row("Train's metrics", found)


def test_a_record_of_local_sagemaker_turns_nothing_into_seen() -> None:
    everything = dict.fromkeys(QUESTIONS, "seen")
    assert table({"l.json": record("local", **everything)}) == table({})
    assert len(list(seen_by(record("local", **everything)))) == len(QUESTIONS)
    assert "seen on AWS" not in table({})


def test_the_rest_of_the_page_stays() -> None:
    page = "before\n\n" + table({}) + "\nafter | x |\n| more |\n"
    assert rewritten(page, {"a.json": record(execution="so")}).startswith("before\n\n| claim |")
    assert rewritten(page, {}) == page
    assert rewritten(page, {"a.json": record(execution="so")}).endswith("\n\nafter | x |\n| more |\n")
    with pytest.raises(InfrastructureError, match="has no table"):
        rewritten("nothing", {})


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", json.dumps(record("elsewhere")), json.dumps({**record(), "format": 2}),
     json.dumps({**record(), "seen": []})],
)  # fmt: skip
def test_a_file_that_is_no_record_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InfrastructureError, match=r"x\.json is not a record"):
        records(tmp_path)
