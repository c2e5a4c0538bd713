"""What CodeBuild will do, done by the buildspecs' own commands against local SageMaker."""

import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.codebuild import run_build
from tests.end_to_end.conftest import NO_CHAMPION

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
BUCKET = "codebuild-bucket"
DATA_KEY = "house-prices/data/33726fed816d4a88/house_prices.parquet"


def variables(server: Any, **more: str) -> dict[str, str]:
    """What the CodeBuild project sets; the address and the credentials are those of local SageMaker."""
    return {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "codebuild",
        "AWS_SECRET_ACCESS_KEY": "codebuild",
        "AWS_REGION": "us-east-1",
        "SAGEMAKER_ROLE_ARN": server.client("iam").create_role(
            RoleName=f"pipelines-{uuid.uuid4().hex}", AssumeRolePolicyDocument="{}"
        )["Role"]["Arn"],
        "SAGEMAKER_BUCKET": BUCKET,
        "PYTEST_ARGS": "tests/pipelines/test_parameters.py",
        **more,
    }


def test_a_commit_is_tested_published_and_started(new_server: Callable[[], Any], tmp_path: Path) -> None:
    server = new_server()
    server.up()
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.upload_file(str(ROOT / "data" / "house_prices.parquet"), BUCKET, DATA_KEY)
    build = run_build(ROOT / "buildspec.yml", ROOT, variables(server, START_OPTIONS="--wait"), tmp_path)
    assert build.phases == {"install": True, "pre_build": True, "build": True}, build.log
    arn = build.exported["EXECUTION_ARN"]
    execution = server.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    suites = ElementTree.parse(ROOT / "build" / "reports" / "tests.xml").getroot()
    assert int(suites[0].attrib["tests"]) > 10
    assert "ValidateData" in (ROOT / "build" / "plan.md").read_text()


def test_a_commit_whose_tests_fail_is_not_published(new_server: Callable[[], Any], tmp_path: Path) -> None:
    server = new_server()
    server.up()
    server.client("s3").create_bucket(Bucket=BUCKET)
    build = run_build(ROOT / "buildspec.yml", ROOT, variables(server, PYTEST_ARGS="tests/nowhere.py"), tmp_path)
    assert build.phases == {"install": True, "pre_build": False}
    assert "tests/nowhere.py" in build.log
    assert server.client("sagemaker").list_pipelines()["PipelineSummaries"] == []


def test_a_bucket_that_is_not_there_fails_the_build_with_the_reason_in_the_last_line(
    new_server: Callable[[], Any], tmp_path: Path
) -> None:
    server = new_server()
    server.up()
    build = run_build(ROOT / "buildspec.yml", ROOT, variables(server), tmp_path)
    assert build.phases == {"install": True, "pre_build": True, "build": False}
    assert build.last_line.startswith("error: ")


def test_an_approval_deploys_the_version_that_it_names_and_no_other(
    server: Any, cli: Any, first_run: Any, sagemaker: Any, tmp_path: Path
) -> None:
    group = "arn:aws:sagemaker:us-east-1:000000000000:model-package/house-prices"
    cli.pipeline("run", *NO_CHAMPION)  # a version that nobody has approved
    newest = max(
        package["ModelPackageVersion"]
        for package in sagemaker.list_model_packages(ModelPackageGroupName="house-prices")["ModelPackageSummaryList"]
    )
    spec = ROOT / "buildspec-deploy.yml"
    waiting = variables(server, MODEL_PACKAGE_ARN=f"{group}/{newest}", STAGE="production")
    build = run_build(spec, ROOT, waiting, tmp_path)
    assert build.phases == {"install": True, "build": False}
    assert build.last_line.startswith(f"error: Version {newest} of house-prices is PendingManualApproval")
    cli.pipeline("approve", "1")
    for _ in range(2):  # events repeat
        build = run_build(spec, ROOT, {**waiting, "MODEL_PACKAGE_ARN": f"{group}/1"}, tmp_path)
        assert build.phases == {"install": True, "build": True}, build.log
    endpoint = sagemaker.describe_endpoint(EndpointName="house-prices-production")
    assert endpoint["EndpointStatus"] == "InService"
    assert "-v1-" in endpoint["EndpointConfigName"]
