"""`report VERSION`: the page of a version, fetched whole, and opened only where somebody sees it."""

from argparse import Namespace
from pathlib import Path

import pytest

from command_line import model_commands
from command_line.context import Context
from command_line.model_commands import open_report
from pipelines.errors import PipelineError
from tests.command_line.conftest import evaluated, validated
from tests.pipelines.conftest import Executions, job, step

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


@pytest.fixture
def context(executions: Executions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A context whose clients are those of the stub; the working folder is empty, and there is no display."""
    monkeypatch.chdir(tmp_path)
    for name in DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(model_commands.sys, "platform", "linux")
    monkeypatch.setattr(Context, "client", lambda self, service: executions.aws.client(service))
    return Context(config=None, local=True, log_folder=None)


def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    addresses: list[str] = []
    monkeypatch.setattr(model_commands.webbrowser, "open", addresses.append)
    return addresses


def test_page_is_fetched_and_its_place_printed(
    context: Context, executions: Executions, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    executions.register()
    executions.register()
    addresses = opened(monkeypatch)
    assert open_report(context, Namespace(of="2", no_open=False, validation=False)) == 0
    printed = Path(capsys.readouterr().out.strip())
    assert printed == Path("reports/house-prices-2/evaluation.html")
    assert printed.read_text() == "<html>report</html>"
    assert addresses == []  # nobody would see a window


def test_page_is_opened_where_there_is_a_display_unless_it_is_not_wanted(
    context: Context, executions: Executions, monkeypatch: pytest.MonkeyPatch
) -> None:
    executions.register()
    addresses = opened(monkeypatch)
    monkeypatch.setenv("DISPLAY", ":0")
    open_report(context, Namespace(of="1", no_open=True, validation=False))
    assert addresses == []
    open_report(context, Namespace(of="1", no_open=False, validation=False))
    assert addresses == [Path("reports/house-prices-1/evaluation.html").resolve().as_uri()]


@pytest.mark.e2e
def test_an_execution_that_rejected_its_model_has_a_report_too(
    context: Context, executions: Executions, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluated(executions)
    executions.add("newest000001")
    for name in ("latest", "newest"):
        assert open_report(context, Namespace(of=name, no_open=True, validation=False)) == 0
        printed = Path(capsys.readouterr().out.strip())
        assert printed == Path("reports/newest000001/evaluation.html")
        assert printed.read_text() == "<html>rejected</html>"


def test_the_report_on_the_data_of_an_execution(
    context: Context, executions: Executions, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluated(executions)
    executions.add("newest000001")
    asked = Namespace(of="latest", no_open=True, validation=True)
    with pytest.raises(PipelineError, match="Execution newest000001 has no validated data"):
        open_report(context, asked)
    validated(executions)
    assert open_report(context, asked) == 0
    assert Path(capsys.readouterr().out.strip()) == Path("reports/newest000001/validation.html")


def test_an_execution_that_did_not_come_to_its_evaluation_has_none(context: Context, executions: Executions) -> None:
    executions.add("newest000001")
    executions.script = [("Failed", [step("Evaluate", "Failed", Metadata=job("ProcessingJob", "e"))])]
    with pytest.raises(PipelineError, match="Execution newest000001 has no evaluated model"):
        open_report(context, Namespace(of="latest", no_open=True, validation=False))


def test_version_without_a_report_is_said(context: Context, executions: Executions) -> None:
    executions.register(ModelMetrics={})
    with pytest.raises(PipelineError, match="Version 1 of house-prices names no evaluation"):
        open_report(context, Namespace(of="1", no_open=True, validation=False))
    executions.register()
    del executions.aws.objects["bucket", "evaluation/2/evaluation.html"]
    with pytest.raises(PipelineError, match=r"There is no report beside s3://bucket/evaluation/2/evaluation\.json"):
        open_report(context, Namespace(of="2", no_open=True, validation=False))
    with pytest.raises(PipelineError, match="has no version 9"):
        open_report(context, Namespace(of="9", no_open=True, validation=False))
