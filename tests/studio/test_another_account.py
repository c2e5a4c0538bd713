"""Over plain moto, which lacks half of the operations: every page answers and says what it could not read."""

import pytest

from studio.account.account import Account
from tests.studio.conftest import served
from tests.studio.test_pages import ask, text_of

pytestmark = pytest.mark.e2e

DEFINITION = (
    '{"Version": "2020-12-01", "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}]}'
)


@pytest.fixture(scope="module", autouse=True)
def things(moto_account: Account) -> None:
    sagemaker, s3 = moto_account.client("sagemaker"), moto_account.client("s3")
    role = "arn:aws:iam::123456789012:role/r"
    sagemaker.create_pipeline(
        PipelineName="theirs", PipelineDefinition=DEFINITION, RoleArn=role, ClientRequestToken="t" * 32
    )
    sagemaker.start_pipeline_execution(PipelineName="theirs")
    sagemaker.create_model_package_group(ModelPackageGroupName="models")
    sagemaker.create_model_package(ModelPackageGroupName="models", ModelPackageDescription="<b>bold</b>")
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": "i"})
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="e", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="e")
    s3.create_bucket(Bucket="theirs")
    s3.put_object(Bucket="theirs", Key="a/b.json", Body=b'{"a": [1, {"b": null}]}')


def test_every_page_answers_and_says_what_is_missing(moto_account: Account) -> None:
    found = moto_account.client("sagemaker").list_pipeline_executions(PipelineName="theirs")
    identity = found["PipelineExecutionSummaries"][0]["PipelineExecutionArn"].rpartition("/")[2]
    with served(moto_account) as studio:
        for path in (
            "/",
            "/pipelines",
            "/pipelines/theirs",
            f"/pipelines/theirs/executions/{identity}",
            f"/pipelines/theirs/executions/{identity}?step=Stop",
            f"/pipelines/theirs/compare?left={identity}&right={identity}",
            "/registry",
            "/registry/models?metrics=1",
            "/registry/models/1",
            "/endpoints",
            "/endpoints/e",
            "/monitoring",
            "/jobs",
            "/jobs/tuning",
            "/objects",
            "/objects?uri=s3://theirs/a/b.json",
            "/logs",
            "/events",
        ):
            status, page, _ = ask(studio.url + path)
            assert status == 200, (path, text_of(page))
            assert "<b>bold</b>" not in page
        _, page, _ = ask(f"{studio.url}/pipelines/theirs/executions/{identity}")
        assert "ListPipelineExecutionSteps is not answered here (status 500)." in text_of(page)
        assert "Stop" in page


def test_a_real_account_is_only_read_and_only_by_who_has_the_address(moto_account: Account) -> None:
    remote = Account(moto_account.session, "us-east-1", None, may_change=False)
    remote._clients.update({name: moto_account.client(name) for name in ("sagemaker", "s3", "sts", "cloudwatch")})
    with served(remote, login="secret") as studio:
        assert ask(studio.url + "/")[0] == 401
        assert ask(studio.url + "/?login=guess")[0] == 401
        status, _, headers = ask(studio.url + "/?login=secret")
        assert status == 200
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        pair = cookie.partition(";")[0]
        status, page, _ = ask(studio.url + "/registry/models/1", Cookie=pair)
        assert status == 200
        assert "only reading" in text_of(page)
        assert "<form" not in page
        assert studio.keeper.token not in page
