"""The notebooks, executed from a clean kernel; what is committed holds no outputs."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))


def executed(name: str) -> str:
    """Run a notebook and return what its cells printed; a cell that raises fails the test with its traceback."""
    notebook = nbformat.read(FOLDER / name, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(FOLDER)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_are_committed_without_outputs(name: str) -> None:
    for cell in nbformat.read(FOLDER / name, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.e2e
@pytest.mark.journey
def test_the_exploration_finds_what_is_odd_in_the_data() -> None:
    printed = executed("01_exploration.ipynb")
    assert "21,613 sales" in printed
    assert "no sale is there twice: True" in printed


@pytest.mark.e2e
@pytest.mark.journey
def test_a_market_that_moves_is_found_and_what_was_done_about_it_takes_error_off() -> None:
    printed = executed("03_when_the_market_moves.ipynb")
    levels = [float(text) for text in re.findall(r"level ([+-]\d+\.\d)%", printed)]
    assert abs(levels[0]) < 1 < 2 < -levels[3]
    assert re.search(r"March 2015: (watch|retrain)\n   The level moved by -", printed)
    unchanged, metres = map(float, re.findall(r"p (\d\.\d+), furthest", printed))
    assert metres < 0.01 < unchanged
    dated, houses = map(float, re.findall(r"AUC ([01]\.\d+)", printed))
    assert houses < 0.65 < 0.9 < dated
    gain = re.search(r"recalibrating takes off: .*95 %: ([+-]\d+\.\d+)%", printed)
    assert gain is not None
    assert float(gain[1]) > 0


@pytest.mark.journey
def test_each_model_is_better_than_the_line_and_the_endpoint_serves_the_plane_that_the_notebook_fitted(
    server: Any, sagemaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SAGEMAKER_LOCAL_PORT", "SAGEMAKER_LOCAL_STATE"):
        monkeypatch.setenv(name, server.environment[name])
    printed = executed("02_from_line_to_surface.ipynb")
    errors = [float(text) for text in re.findall(r"R2 (0\.\d+)", printed)]
    line, plane, *_, everything = errors
    assert line < plane < everything
    assert "the same plane: True" in printed
    served, fitted = (re.search(rf"the {who} says +(\[.+\])", printed) for who in ("endpoint", "plane above"))
    assert served is not None
    assert fitted is not None
    assert served[1] == fitted[1]
    versions = sagemaker.list_model_packages(ModelPackageGroupName="planes")["ModelPackageSummaryList"]
    assert versions[0]["ModelApprovalStatus"] == "Approved"
