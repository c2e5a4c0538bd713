"""The checker on definitions that others wrote: docs/corpus.md holds its verdicts, and this file writes it."""

from pathlib import Path

import pytest

from local_sagemaker.engine.check import check

ROOT = Path(__file__).parents[3]
CORPUS = ROOT / "tests" / "local_sagemaker" / "corpus"
MARKS = {
    "PLACEHOLDER_": "PLACEHOLDER_ texts stand where the source had an expression",
    "<YOUR_": "<YOUR_...> texts are for the reader to fill in",
    "${": "${...} texts are for CloudFormation to fill in",
    '"Pass"': "Pass is no type that AWS documents: only its references are checked",
}
HEAD = """# What the checker says of definitions that others wrote

The files are in `tests/local_sagemaker/corpus`, with their sources and licences in `PROVENANCE.md`. A test keeps this
table, and this command writes it anew:

    PYTHONPATH=. .venv/bin/python tests/local_sagemaker/engine/test_check_corpus.py > docs/corpus.md

Placeholder texts are texts like any other to the checker: it refuses one only where AWS's own model refuses it.
The refused `test_...` files come from unit tests of the SageMaker SDK. Their Training steps are stand-ins whose
Arguments are empty, or an `input_data` that CreateTrainingJob does not have, and none has the OutputDataConfig that it
requires; one reads a property S3Uri that DescribeTrainingJob does not have. The Lambda steps of `v2_72_0__test_lambda`
wait for a step that the file does not hold. In the file of the modern data architecture accelerator, the text
`${PipelineRoleArn}` is shorter than any role ARN: it becomes one when CloudFormation fills it in.

| file | verdict | faults | first fault | remark |
| --- | --- | --- | --- | --- |
"""


def document() -> str:
    """The text of docs/corpus.md."""
    rows = []
    for file in sorted(CORPUS.glob("*.json")):
        text = file.read_text()
        faults = check(text)
        remarks = "; ".join(remark for mark, remark in MARKS.items() if mark in text)
        first = f"`{faults[0]}`" if faults else ""
        rows.append(f"| {file.stem} | {'refused' if faults else 'accepted'} | {len(faults)} | {first} | {remarks} |")
    return HEAD + "\n".join(rows) + "\n"


def test_the_table_of_verdicts_is_the_committed_one() -> None:
    assert (ROOT / "docs" / "corpus.md").read_text() == document()


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.json")), ids=lambda file: file.stem)
def test_a_definition_cut_anywhere_is_said_not_to_be_json(file: Path) -> None:
    text = file.read_text().rstrip()
    for end in range(0, len(text), 97):
        (fault,) = check(text[:end])
        assert "not JSON" in fault.message


if __name__ == "__main__":
    print(document(), end="")
