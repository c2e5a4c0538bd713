"""The command line: what it prints, where, and its exit codes."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import deployment as deploy_model
from command_line.patience import WORKING
from tests.deployment.conftest import GROUP, Hosting

pytestmark = pytest.mark.e2e

PROJECT = Path(__file__).resolve().parents[2]
ENDPOINT = f"{GROUP}-staging"
SLOW_IMPORTS = {"boto3", "botocore", "sagemaker", "pandas", "moto", "rich", "pydantic"}


@pytest.fixture
def house(tmp_path: Path) -> str:
    """A request."""
    (tmp_path / "house.json").write_text('{"bedrooms": 3}')
    return str(tmp_path / "house.json")


def test_help_teaches_at_once_and_imports_nothing_slow() -> None:
    program = (
        "import sys, deploy_model\n"
        "try: deploy_model.main(['--help'])\n"
        f"finally: print(sorted(set(sys.modules) & {SLOW_IMPORTS!r}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert "deploy --latest-approved --stage staging" in done.stdout
    assert "130 stopped by Ctrl-C" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["deploy"],
        ["deploy", "--stage", "staging"],
        ["deploy", "--latest-approved"],
        ["deploy", "--latest-approved", "--model-package", "1", "--stage", "staging"],
        ["predict", "--stage", "staging"],
        ["rollback"],
        ["undeploy", "--stage", "staging"],
    ],
)
def test_bad_arguments_exit_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        deploy_model.main(arguments)
    assert caught.value.code == 2


def test_a_version_that_was_deleted_while_it_serves_is_replaced(
    account: Hosting, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = account.register(), account.register()
    assert deploy_model.main(["deploy", "--model-package", first, "--stage", "staging"]) == 0
    account.packages.pop(0)
    assert deploy_model.main(["deploy", "--model-package", second, "--stage", "staging"]) == 0
    assert f"{ENDPOINT} serves version 2 (updated)." in capsys.readouterr().out


def test_from_an_approved_version_to_a_prediction(
    account: Hosting, house: str, capsys: pytest.CaptureFixture[str]
) -> None:
    account.register()
    assert deploy_model.main(["deploy", "--latest-approved", "--stage", "staging", "--sample", house]) == 0
    shown = capsys.readouterr().out
    assert f"{ENDPOINT} serves version 1 (created)." in shown
    assert f"{house} was answered." in shown
    assert deploy_model.main(["deploy", "--latest-approved", "--stage", "staging"]) == 0
    shown = capsys.readouterr().out
    assert "nothing changed" in shown
    assert "Not tried with a request" in shown
    assert deploy_model.main(["predict", "--stage", "staging", house]) == 0
    assert capsys.readouterr().out == "$543,210\n"
    assert deploy_model.main(["status"]) == 0
    staging, production = capsys.readouterr().out.splitlines()[1:3]
    assert staging.split()[:4] == ["staging", ENDPOINT, "InService", "1"]
    assert "not deployed" in production


def test_a_prediction_is_shown_with_its_interval(
    account: Hosting, house: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"score": 543210.4, "lower": 500000, "upper": 612345.6}
    answer = json.dumps({"predictions": [row], "coverage": 0.9}).encode()
    account.aws.models[ENDPOINT] = lambda body, kind: (answer, "application/json")
    account.register()
    assert deploy_model.main(["deploy", "--latest-approved", "--stage", "staging"]) == 0
    capsys.readouterr()
    assert deploy_model.main(["predict", "--stage", "staging", house]) == 0
    assert capsys.readouterr().out == "$543,210  (90% interval: $500,000 to $612,346)\n"


def test_a_prediction_is_shown_with_its_id_and_its_warnings(
    account: Hosting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"score": 543210.4, "lower": 500000, "upper": 612345.6, "coverage": None, "warnings": ["grade 20 is odd"]}
    answer = json.dumps({"predictions": [row], "coverage": None}).encode()
    account.aws.models[ENDPOINT] = lambda body, kind: (answer, "application/json")
    account.register()
    assert deploy_model.main(["deploy", "--latest-approved", "--stage", "staging"]) == 0
    (tmp_path / "house.csv").write_text("id,grade,date\n0012,20,2015-05-01\n")
    capsys.readouterr()
    assert deploy_model.main(["predict", "--stage", "staging", str(tmp_path / "house.csv")]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "0012 2015-05-01: $543,210  (interval of unknown coverage: $500,000 to $612,346)"
    assert second == "  warning: grade 20 is odd."
    assert deploy_model.main(["predict", "--stage", "staging", str(tmp_path / "house.csv"), "--json"]) == 0
    (predicted,) = json.loads(capsys.readouterr().out)["predictions"]
    assert predicted == {"identity": {"id": "0012", "date": "2015-05-01"}, **row}


def test_what_is_asked_for_goes_along_and_comparable_rows_are_shown(
    account: Hosting, house: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []
    differs = {
        name: {"here": 1, "there": value} for name, value in zip("abcde", [2, None, True, 2.5, "x"], strict=True)
    }
    like = {"price": 500000, "id": "0012", "differs": differs}
    reasons = [
        {"feature": "zip + price_of_zip", "value": "98052", "adds": 50000.4},
        {"feature": "all others", "value": None, "adds": -6790.0},
    ]
    entry = {"score": 543210.4, "comparables": [like, {**like, "differs": {}}], "expected": 500000, "reasons": reasons}
    answer = json.dumps({"predictions": [entry]}).encode()

    def model(body: bytes, kind: str) -> tuple[bytes, str]:
        seen.append(kind)
        return answer, "application/json"

    account.aws.models[ENDPOINT] = model
    account.register()
    assert deploy_model.main(["deploy", "--latest-approved", "--stage", "staging"]) == 0
    capsys.readouterr()
    assert deploy_model.main(["predict", "--stage", "staging", house, "--comparables", "--strict", "--reasons"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "$543,210",
        "  from $500,000, which is expected of any row:",
        "  +$50,000  zip + price_of_zip (98052)",
        "  -$6,790  all others",
        "  like it: $500,000 (0012): a 2 (here 1), b nothing (here 1), c true (here 1), d 2.5 (here 1), and 1 more",
        "  like it: $500,000 (0012): no difference",
    ]
    assert deploy_model.main(["predict", "--stage", "staging", house]) == 0
    assert seen == ["application/json; comparables=true; reasons=true; strict=true", "application/json"]


def test_json_is_one_document_on_the_output(account: Hosting, house: str, capsys: pytest.CaptureFixture[str]) -> None:
    package = account.register()
    assert deploy_model.main(["deploy", "--model-package", package, "--stage", "staging", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["action"], document["version"], document["model_package"]) == ("created", 1, package)
    assert deploy_model.main(["predict", "--stage", "staging", house, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"predictions": [{"score": 543210.4}]}
    assert deploy_model.main(["status", "--stage", "staging", "--json"]) == 0
    (status,) = json.loads(capsys.readouterr().out)
    assert (status["status"], status["versions"][0]["package"]) == ("InService", package)
    account.register()
    assert deploy_model.main(["deploy", "--model-package", "2", "--stage", "staging"]) == 0
    capsys.readouterr()
    assert deploy_model.main(["rollback", "--stage", "staging", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["versions"] == [1]


def test_standard_input_is_sent_as_the_type_that_is_told(account: Hosting, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def model(body: bytes, content_type: str) -> tuple[bytes, str]:
        seen.append((body, content_type))
        return b"1.5\n", "text/csv"

    account.aws.models[ENDPOINT] = model
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"3,2.5\n")))
    assert deploy_model.main(["predict", "--stage", "staging", "-", "--content-type", "text/csv"]) == 0
    assert seen == [(b"3,2.5\n", "text/csv")]


def test_a_version_that_waits_is_refused_with_the_command_that_approves_it(
    account: Hosting, capsys: pytest.CaptureFixture[str]
) -> None:
    account.register("PendingManualApproval")
    assert deploy_model.main(["deploy", "--latest-approved", "--stage", "staging"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: No version of house-prices is approved; version 1 is waiting")
    assert "run_pipeline.py approve 1`" in error
    assert account.aws.asked("CreateModel") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status", "--stage", "stagin"], "There is no stage stagin: the settings have staging, production"),
        (["predict", "--stage", "staging", "missing.json"], "missing.json cannot be read: no such file"),
        (["deploy", "--latest-approved", "--stage", "staging", "--sample", "missing.json"], "missing.json cannot be"),
        (["rollback", "--stage", "production"], "house-prices-production does not exist"),
        (["status", "--config", "missing.yaml"], "missing.yaml"),
    ],
)
def test_faults_are_one_sentence_on_stderr_and_exit_1(
    account: Hosting, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert deploy_model.main(arguments) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if not line.endswith(WORKING)]
    assert len(told) == 1
    assert told[0].startswith("error: ")
    assert message in told[0]


def test_a_prediction_without_an_endpoint_names_the_command_that_deploys(
    account: Hosting, house: str, capsys: pytest.CaptureFixture[str]
) -> None:
    account.aws.models.clear()
    assert deploy_model.main(["predict", "--stage", "staging", house]) == 1
    assert "deploy_model.py deploy --latest-approved --stage staging`" in capsys.readouterr().err


def test_on_aws_a_role_must_be_set_before_anything_is_made(
    account: Hosting, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account.register()
    monkeypatch.delenv("SAGEMAKER_ROLE_ARN")
    assert deploy_model.main(["deploy", "--latest-approved", "--stage", "staging"]) == 1
    assert "Set SAGEMAKER_SERVING_ROLE_ARN" in capsys.readouterr().err
    assert account.aws.asked("CreateModel") == []


def test_where_a_version_is_stands_in_the_registry(account: Hosting, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = account.register(), account.register()
    for arn in (first, second):
        assert deploy_model.main(["deploy", "--model-package", arn, "--stage", "staging"]) == 0

    def stands() -> list[str]:
        return [
            f"{each['ModelLifeCycle']['Stage']} {each['ModelLifeCycle']['StageStatus']}" for each in account.packages
        ]

    assert stands() == ["staging Replaced", "staging InService"]
    assert deploy_model.main(["rollback", "--stage", "staging"]) == 0
    assert stands() == ["staging InService", "staging RolledBack"]
    assert all("ModelApprovalStatus" not in request for request in account.aws.asked("UpdateModelPackage"))


def test_a_load_test_says_the_largest_rate_and_the_scaling_target(
    account: Hosting, house: str, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = ["loadtest", "--stage", "staging", house, "--step-seconds", "0.1", "--clients", "2"]
    assert deploy_model.main(quick) == 1
    assert f"{ENDPOINT} is not deployed" in capsys.readouterr().err
    account.register()
    assert deploy_model.main(["deploy", "--latest-approved", "--stage", "staging"]) == 0
    capsys.readouterr()
    assert deploy_model.main([*quick, "--latency-ms", "60000", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [step["clients"] for step in document["steps"]] == [1, 2]
    assert document["best"]["rate"] > 0
    assert document["invocations_per_instance"] == int(document["best"]["rate"] * 30)
    assert deploy_model.main([*quick, "--latency-ms", "0.0001"]) == 1
    assert "No rate is within 0.0001 ms" in capsys.readouterr().err
