"""Which version may come to which stage, through whom, and by which command."""

import re
from pathlib import Path

import pytest

from command_line import deployment as deploy_model
from tests.deployment.conftest import GROUP, Hosting

pytestmark = pytest.mark.e2e

PROJECT = Path(__file__).resolve().parents[2]
ENDPOINT = f"{GROUP}-staging"


def by(name: str) -> dict[str, object]:
    return {"IamIdentity": {"Arn": f"arn:aws:sts::123456789012:assumed-role/anyone/{name}"}}


def deploy_in_production(account: Hosting, **fields: object) -> int:
    """Deploy a version that ada's execution made, by the settings of the production."""
    account.register()
    execution = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/e"
    account.packages[0] |= {"MetadataProperties": {"GeneratedBy": execution}, **fields}
    account.aws.answers["DescribePipelineExecution"] = lambda request: {"CreatedBy": by("ada")}
    config = str(PROJECT / "docs/examples/production.yaml")
    return deploy_model.main(["--config", config, "deploy", "--model-package", "1", "--stage", "staging"])


@pytest.mark.parametrize(("approver", "code"), [("ada", 1), ("bob", 0)])
def test_with_four_eyes_who_made_a_version_cannot_have_approved_it(
    account: Hosting, capsys: pytest.CaptureFixture[str], approver: str, code: int
) -> None:
    """Also where the approval did not come from `approve`."""
    assert deploy_in_production(account, LastModifiedBy=by(approver)) == code
    assert ("ada made version 1" in capsys.readouterr().err) is (code == 1)


def test_with_four_eyes_what_the_maker_has_written_herself_proves_nothing(
    account: Hosting, capsys: pytest.CaptureFixture[str]
) -> None:
    """UpdateModelPackage takes any properties: who decided, and which execution made the version."""
    other = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/of-carol"
    forged = {"decided_by": "bob", "changed_by": "ada", "pipeline_execution_arn": other}
    assert deploy_in_production(account, LastModifiedBy=by("ada"), CustomerMetadataProperties=forged) == 1
    assert "nothing proves that bob approved it" in capsys.readouterr().err
    assert account.aws.asked("CreateModel") == []


def test_a_stage_that_promotion_alone_serves_names_promote(
    account: Hosting, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    account.register()
    (tmp_path / "house.json").write_text('{"bedrooms": 3}')
    production = ["deploy", "--model-package", "1", "--stage", "production"]
    promote = "promote --from staging --to production`."
    assert deploy_model.main(["predict", "--stage", "production", str(tmp_path / "house.json")]) == 1
    said = capsys.readouterr().err
    assert "house-prices-production does not exist: deploy to it with `" in said
    assert said.rstrip().endswith(promote)
    for first in ("deploy version 1 there, then `", "version 1 is there, so run `"):
        assert deploy_model.main(production) == 1
        said = capsys.readouterr().err
        assert first in said
        assert said.rstrip().endswith(promote)
        assert deploy_model.main(["deploy", "--model-package", "1", "--stage", "staging"]) == 0
        capsys.readouterr()


def to_production(account: Hosting, tmp_path: Path, approver: str, *words: str) -> int:
    """Bring a version to a production that asks for two people; the stub says that we are ada."""
    text = (PROJECT / "pipelines/house_prices.yaml").read_text()
    config = tmp_path / "two_people.yaml"
    text = text.replace("    promote_from: staging\n", "    second_person: true\n")
    config.write_text(re.sub(r"    deployment:\n(      .*\n)+", "", text))
    account.packages[0] |= {"LastModifiedBy": by(approver), "CustomerMetadataProperties": {}}
    return deploy_model.main(["--config", str(config), *words])


def test_a_second_person_promotes_what_another_has_approved(
    account: Hosting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account.register()
    assert deploy_model.main(["deploy", "--model-package", "1", "--stage", "staging"]) == 0
    promote = ("promote", "--from", "staging", "--to", "production")
    for words in (promote, ("deploy", "--model-package", "1", "--stage", "production")):
        assert to_production(account, tmp_path, "ada", *words) == 1
        assert "ada approved version 1 and cannot bring it to production, too" in capsys.readouterr().err
    monkeypatch.setenv("CODEBUILD_BUILD_ID", "deploy:1")
    assert to_production(account, tmp_path, "bob", *promote) == 1
    assert "A build is not a person" in capsys.readouterr().err
    monkeypatch.delenv("CODEBUILD_BUILD_ID")
    assert to_production(account, tmp_path, "bob", *promote) == 0
    assert "house-prices-production" in account.endpoints


def test_a_frozen_stage_takes_no_version_but_for_a_reason_and_can_always_be_rolled_back(
    account: Hosting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (PROJECT / "pipelines/house_prices.yaml").read_text()
    alone = "staging: {instance_type: ml.m5.large, instance_count: 1"
    window = "freeze: [{starts: 2020-01-01, ends: 2999-12-31, reason: the stranger's holidays}]"
    config = tmp_path / "frozen.yaml"
    config.write_text(text.replace(f"{alone}}}", f"{alone}, {window}}}"))
    account.register()
    account.register()
    frozen = ["--config", str(config)]
    assert deploy_model.main(["deploy", "--model-package", "1", "--stage", "staging"]) == 0
    deploy = [*frozen, "deploy", "--model-package", "2", "--stage", "staging"]
    assert deploy_model.main(deploy) == 1
    said = capsys.readouterr().err
    assert "The stage staging is frozen until 3000-01-01" in said
    assert "(the stranger's holidays)" in said
    assert account.aws.asked("UpdateEndpoint") == []
    assert deploy_model.main([*deploy, "--despite-freeze", "prices are wrong"]) == 0
    assert deploy_model.main([*frozen, "rollback", "--stage", "staging"]) == 0
    capsys.readouterr()
    assert deploy_model.main([*frozen, "status", "--stage", "staging", "--follow"]) == 0
    assert "serves: despite the freeze: prices are wrong" in capsys.readouterr().out
