"""Which account is meant, and that reading is all that is done to a real one."""

import pytest

from studio.account.account import Account, connect, is_loopback
from studio.errors import ReadOnly, StudioError


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:5599", "https://sagemaker.us-east-1.amazonaws.com", "ftp://127.0.0.1"]
)
def test_a_local_server_is_on_this_machine(url: str) -> None:
    with pytest.raises(StudioError, match="not an address of this machine"):
        connect(url, None, None, False)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_loopback(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def test_a_local_server_gets_no_credentials_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    account = connect("http://127.0.0.1:1", None, "eu-west-1", False)
    assert account.session.get_credentials().access_key == "local"
    assert (account.region, account.may_change, account.is_local) == ("eu-west-1", True, True)


def test_a_profile_that_does_not_exist_is_named() -> None:
    with pytest.raises(StudioError, match="nobody"):
        connect(None, "nobody", None, False)


def of_aws(may_change: bool) -> Account:
    session = connect("http://127.0.0.1:1", None, None, False).session
    return Account(session, "us-east-1", None, may_change)


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("sagemaker", "update_model_package", {"ModelPackageArn": "a" * 20, "ModelApprovalStatus": "Approved"}),
        ("sagemaker", "start_pipeline_execution", {"PipelineName": "p", "ClientRequestToken": "t" * 32}),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b""}),
        ("s3", "put_object", {"Bucket": "b", "Key": "k"}),
        ("s3", "delete_object", {"Bucket": "b", "Key": "k"}),
    ],
)
def test_what_changes_a_real_account_is_refused_before_it_leaves(
    service: str, operation: str, request_: dict[str, object]
) -> None:
    with pytest.raises(ReadOnly, match="--allow-changes"):
        getattr(of_aws(False).client(service), operation)(**request_)


def test_clients_are_made_once() -> None:
    account = of_aws(True)
    assert account.client("s3") is account.client("s3")
