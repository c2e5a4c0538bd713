"""What CodeBuild will do, done by the buildspecs' own commands against local SageMaker."""

import shlex
import time
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.definition.revision import git_commit
from pipelines.publishing.deployed import read_tags
from tests.conftest import QUICK, LocalServer
from tests.end_to_end.codebuild import Build, run_build

pytestmark = [pytest.mark.e2e, pytest.mark.journey]

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
        "PYTEST_ARGS": "tests/pipelines/document/test_parameters.py",
        **more,
    }


SPEC = ROOT / "buildspec.yml"


@pytest.fixture(scope="module")
def codebuild(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """An account with the bucket and the data, and with nothing deployed."""
    server = LocalServer(tmp_path_factory.mktemp("codebuild"))
    server.up()
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.upload_file(str(ROOT / "data" / "house_prices.parquet"), BUCKET, DATA_KEY)
    yield server
    server.down()


@pytest.fixture(scope="module")
def project(codebuild: LocalServer) -> dict[str, str]:
    """What the CodeBuild project sets."""
    return variables(codebuild)


def test_a_commit_whose_tests_fail_is_not_published(
    codebuild: LocalServer, project: dict[str, str], tmp_path: Path, warm: str
) -> None:
    build = run_build(SPEC, ROOT, {**project, "PYTEST_ARGS": "tests/nowhere.py"}, tmp_path, warm)
    assert build.phases == {"install": True, "pre_build": False}
    assert "tests/nowhere.py" in build.log
    assert build.last_line.startswith("error: the tests failed")
    assert codebuild.client("sagemaker").list_pipelines()["PipelineSummaries"] == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"SAGEMAKER_BUCKET": "no-such-bucket"}, "error: The S3 bucket no-such-bucket does not exist"),
        (
            {"SAGEMAKER_ROLE_ARN": "arn:aws:iam::000000000000:role/none"},
            "error: The role arn:aws:iam::000000000000:role/none does not exist: create it",
        ),
        ({"SAGEMAKER_ROLE_ARN": ""}, "error: Set SAGEMAKER_ROLE_ARN to the role and the bucket"),
        ({"AWS_REGION": "mars-1"}, "error: There is no xgboost image"),
    ],
)
def test_what_is_not_there_fails_the_build_with_the_reason_in_the_last_line(
    codebuild: LocalServer, project: dict[str, str], tmp_path: Path, warm: str, wrong: dict[str, str], words: str
) -> None:
    build = run_build(SPEC, ROOT, {**project, "PYTEST_ARGS": "--version", **wrong}, tmp_path, warm)
    assert build.phases == {"install": True, "pre_build": True, "build": False}
    assert build.last_line.startswith(words)
    assert codebuild.client("sagemaker").list_pipelines()["PipelineSummaries"] == []
    assert build.exported == {"EXECUTION_ARN": ""}


@pytest.fixture(scope="module")
def published(
    codebuild: LocalServer, project: dict[str, str], warm: str, tmp_path_factory: pytest.TempPathFactory
) -> Build:
    """The build of a commit, whose execution has registered version 1."""
    start = {"START_OPTIONS": shlex.join(("--wait", *QUICK)), "CODEBUILD_BUILD_ID": "commit:1"}
    return run_build(SPEC, ROOT, {**project, **start}, tmp_path_factory.mktemp("published"), warm)


def test_a_commit_is_tested_published_and_started(codebuild: LocalServer, published: Build) -> None:
    build = published
    assert build.phases == {"install": True, "pre_build": True, "build": True}, build.log
    sagemaker = codebuild.client("sagemaker")
    execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=build.exported["EXECUTION_ARN"])
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    tags = read_tags(sagemaker, execution["PipelineArn"])
    assert (tags["build-id"], tags["git-commit"]) == ("commit:1", git_commit(ROOT))
    suites = ElementTree.parse(ROOT / "build" / "reports" / "tests.xml").getroot()
    assert int(suites[0].attrib["tests"]) > 10
    assert "ValidateData" in (ROOT / "build" / "plan.md").read_text()
    assert "Compiling" not in (ROOT / "build" / "plan.md").read_text()


def test_an_execution_that_fails_is_the_last_line_of_a_build_that_waits_and_does_not_stop_one_that_does_not(
    codebuild: LocalServer, project: dict[str, str], tmp_path: Path, warm: str
) -> None:
    failing = {**project, "PYTEST_ARGS": "--version"}
    assert run_build(SPEC, ROOT, {**failing, "START_OPTIONS": "-p LearningRate=-1"}, tmp_path, warm).succeeded
    waiting = {**failing, "START_OPTIONS": "--wait -p Rounds=60 -p MinR2=0.999"}
    build = run_build(SPEC, ROOT, waiting, tmp_path, warm)
    assert not build.succeeded
    assert "not good enough to register" in build.last_line
    assert "/execution/" in build.exported["EXECUTION_ARN"]


def test_an_approval_deploys_the_version_that_it_names_and_no_other(
    codebuild: LocalServer, published: Build, tmp_path: Path, warm: str
) -> None:
    sagemaker = codebuild.client("sagemaker")
    newest = another_version(sagemaker, published.exported["EXECUTION_ARN"])
    assert newest.endswith("/2")
    spec = ROOT / "buildspec-deploy.yml"
    waiting = variables(
        codebuild,
        PYTEST_ARGS="tests/deployment/test_endpoint.py",
        MODEL_PACKAGE_ARN=newest,
        STAGE="staging",
    )
    build = run_build(spec, ROOT, waiting, tmp_path, warm)
    assert build.phases == {"install": True, "pre_build": True, "build": False}
    assert build.last_line.startswith("error: Version 2 of house-prices is PendingManualApproval")
    first = newest.removesuffix("2") + "1"
    sagemaker.update_model_package(ModelPackageArn=first, ModelApprovalStatus="Approved")
    for _ in range(2):  # events repeat
        approved = {"MODEL_PACKAGE_ARN": first, "DECISION": "Approved", "DECIDED_AT": "2026-01-01T00:00:00Z"}
        build = run_build(spec, ROOT, {**waiting, **approved, "PYTEST_ARGS": "--version"}, tmp_path, warm)
        assert build.succeeded, build.log
    endpoint = sagemaker.describe_endpoint(EndpointName="house-prices-staging")
    assert endpoint["EndpointStatus"] == "InService"
    assert "-v1-" in endpoint["EndpointConfigName"]


def another_version(sagemaker: Any, execution: str) -> str:
    """The ARN of the version that the same execution registers once more, which nobody has decided over."""
    pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=execution)
    again = sagemaker.start_pipeline_execution(
        PipelineName="house-prices-training",
        PipelineParameters=[parameter for page in pages for parameter in page["PipelineParameters"]],
    )["PipelineExecutionArn"]
    deadline = time.monotonic() + 300
    while sagemaker.describe_pipeline_execution(PipelineExecutionArn=again)["PipelineExecutionStatus"] == "Executing":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    (newest,) = sagemaker.list_model_packages(
        ModelPackageGroupName="house-prices", SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )["ModelPackageSummaryList"]
    return str(newest["ModelPackageArn"])
