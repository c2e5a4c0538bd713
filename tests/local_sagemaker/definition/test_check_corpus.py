"""The checker on definitions that others wrote: docs/corpus.md holds its verdicts, and this file writes it."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_sagemaker.definition.check import check, refusals
from local_sagemaker.definition.definition import parse
from local_sagemaker.errors import ServiceError

ROOT = Path(__file__).parents[3]
CORPUS = ROOT / "tests" / "local_sagemaker" / "corpus"
MARKS = {
    "PLACEHOLDER_": "PLACEHOLDER_ texts stand where the source had an expression",
    "<YOUR_": "<YOUR_...> texts are for the reader to fill in",
    "${": "${...} texts are for CloudFormation to fill in",
    '"Pass"': "Pass is not a type that AWS documents: only its references are checked",
}
HEAD = """# The checker on definitions that others wrote

The files are in `tests/local_sagemaker/corpus`, with their sources and licences in `PROVENANCE.md`. A test compares
this page with the checker, and this command rewrites it:

    PYTHONPATH=. .venv/bin/python tests/local_sagemaker/definition/test_check_corpus.py > docs/corpus.md

The checker treats a placeholder as any other text and refuses it only if AWS's own model does.

Why files are refused:

- The `test_...` files come from unit tests of the SageMaker SDK. The Arguments of their Training steps are empty, or
  hold an `input_data` that CreateTrainingJob does not have. None has the required OutputDataConfig. One reads a
  property S3Uri that DescribeTrainingJob does not have.
- The Lambda steps of `v2_72_0__test_lambda` wait for a step that is not in the file.
- In the file of the modern data architecture accelerator, the text `${PipelineRoleArn}` is shorter than any role ARN.
  CloudFormation replaces it with one.

Warnings are limits of AWS that this machine does not need (patterns, lengths, available instance types). In these
files they concern role and key ARNs that were shortened or left to the reader.

| file | verdict | faults | warnings | first fault | remark |
| --- | --- | --- | --- | --- | --- |
"""


def document() -> str:
    """The text of docs/corpus.md."""
    rows = []
    for file in sorted(CORPUS.glob("*.json")):
        text = file.read_text()
        found = check(text)
        faults = [fault for fault in found if not fault.only_on_aws]
        remarks = "; ".join(remark for mark, remark in MARKS.items() if mark in text)
        first = f"`{faults[0]}`" if faults else ""
        verdict = "refused" if faults else "accepted"
        rows.append(f"| {file.stem} | {verdict} | {len(faults)} | {len(found) - len(faults)} | {first} | {remarks} |")
    return HEAD + "\n".join(rows) + "\n"


def test_the_table_of_verdicts_is_the_committed_one() -> None:
    assert (ROOT / "docs" / "corpus.md").read_text() == document()


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.json")), ids=lambda file: file.stem)
def test_a_definition_cut_anywhere_is_said_not_to_be_json(file: Path) -> None:
    text = file.read_text().rstrip()
    for end in range(0, len(text), 97):
        (fault,) = check(text[:end])
        assert "not JSON" in fault.message


def nodes(value: Any) -> list[Any]:
    """Every structure and list in a document."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return ([value] if isinstance(value, dict | list) else []) + [node for item in inner for node in nodes(item)]


ODD = [None, True, -1, 1e308, "", "Steps.", "Steps.A.X[", [], {}, [[]], {"Get": 1}, {"Get": "Steps.."}, {"": {}}]
ODD += [{"Std:Join": []}, {"Std:Join": {"Values": 1}}, {"Std:JsonGet": {"PropertyFile": {"Get": None}}}, {"Type": []}]


@given(st.sampled_from(sorted(CORPUS.glob("*.json"))), st.randoms(use_true_random=False), st.integers(1, 4))
def test_whatever_is_changed_in_a_definition_is_answered_with_faults_or_parsed(
    file: Path, dice: random.Random, changes: int
) -> None:
    definition = json.loads(file.read_text())
    for _ in range(changes):
        node = dice.choice(nodes(definition))
        other = dice.choice([*ODD, dice.choice(nodes(definition))])
        other = json.loads(json.dumps(other))  # a copy, so that nothing holds itself
        if isinstance(node, list):
            node.insert(0, other)
        elif node and dice.random() < 0.3:
            del node[dice.choice(list(node))]
        elif node:
            node[dice.choice(list(node))] = other
    text = json.dumps(definition)
    if refusals(text):
        with pytest.raises(ServiceError, match=r"has \d+ fault\(s\)"):
            parse(text)
    else:
        parse(text)


if __name__ == "__main__":
    print(document(), end="")
