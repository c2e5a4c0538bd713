"""What `check --account` asks of an account and says of it: by an AWS whose answers a test chooses, and by moto."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infrastructure.account_check import Finding, Wanted, account_findings, images, instances_of, key, network, quotas
from infrastructure.deployed_roles import Deployed, differences, trusts
from infrastructure.roles import Account, roles
from tests.aws_stub import Refusal, StubAws, stub_aws

pytestmark = pytest.mark.e2e

ACCOUNT = Account("111122223333", "eu-west-1", "house-prices", "a-bucket")
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234"
TRAINING, PROCESSING = "ml.m5.xlarge for training job usage", "ml.m5.xlarge for processing job usage"
WANTED = Wanted(
    account=ACCOUNT,
    role_arn="arn:aws:iam::111122223333:role/house-prices-dev-execution",
    serving_role_arn=None,
    images=("685385470294.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0",),
    subnets=(),
    instances={("training", "ml.m5.xlarge"): 2, ("processing", "ml.m5.xlarge"): 1},
)


@pytest.fixture
def aws() -> Iterator[StubAws]:
    with stub_aws() as stub:
        yield stub


def with_quotas(aws: StubAws, **values: float) -> None:
    names = {"training": TRAINING, "processing": PROCESSING}
    listed = [{"QuotaName": names[use], "Value": value} for use, value in values.items()]
    aws.answers["ListServiceQuotas"] = lambda _: {"Quotas": listed}


def test_a_quota_that_is_just_enough_is_no_finding(aws: StubAws) -> None:
    with_quotas(aws, training=2.0, processing=1.0)
    assert list(quotas(aws.client, WANTED)) == []


def test_a_quota_that_is_too_small_is_named_with_what_is_wanted(aws: StubAws) -> None:
    with_quotas(aws, training=1.0, processing=1.0)
    (finding,) = quotas(aws.client, WANTED)
    assert finding.known
    assert finding.message == "the account may run 1 ml.m5.xlarge (training job usage), and 2 are wanted"
    assert TRAINING in finding.fix


def test_a_quota_that_is_not_listed_is_not_known(aws: StubAws) -> None:
    with_quotas(aws, training=2.0)
    (finding,) = quotas(aws.client, WANTED)
    assert not finding.known
    assert PROCESSING in finding.message


def test_endpoints_of_one_type_are_counted_together_and_serverless_ones_not() -> None:
    found = instances_of({"training": ("ml.a", 1)}, [("ml.b", 1), ("ml.b", 2), (None, 1)])
    assert found == {("training", "ml.a"): 1, ("endpoint", "ml.b"): 3}


def test_an_image_that_the_region_lacks_is_named(aws: StubAws) -> None:
    aws.answers["BatchGetImage"] = lambda asked: {"images": [{"imageId": asked["imageIds"][0]}]}
    assert list(images(aws.client, WANTED)) == []
    (asked,) = aws.asked("BatchGetImage")
    assert (asked["registryId"], asked["repositoryName"]) == ("685385470294", "sagemaker-xgboost")
    assert asked["imageIds"] == [{"imageTag": "3.2-0"}]
    aws.answers["BatchGetImage"] = lambda _: {"images": [], "failures": [{"failureCode": "ImageNotFound"}]}
    (finding,) = images(aws.client, WANTED)
    assert finding.message.endswith("sagemaker-xgboost:3.2-0 is not in the registry of eu-west-1")


def policy(principal: Any, effect: str = "Allow") -> dict[str, Any]:
    return {"Statement": [{"Effect": effect, "Principal": principal, "Action": "kms:*", "Resource": "*"}]}


@pytest.mark.parametrize(
    ("state", "principal", "words"),
    [
        ("Enabled", {"AWS": "arn:aws:iam::111122223333:root"}, []),
        ("Enabled", {"AWS": ["arn:aws:iam::9:root", WANTED.role_arn]}, []),
        ("Disabled", {"AWS": "arn:aws:iam::111122223333:root"}, ["is Disabled"]),
        ("Enabled", {"AWS": "arn:aws:iam::9:root"}, ["names neither"]),
        ("PendingDeletion", {"Service": "s3.amazonaws.com"}, ["is PendingDeletion", "names neither"]),
    ],
)
def test_a_key_must_be_enabled_and_leave_the_decision_to_the_roles(
    aws: StubAws, state: str, principal: Any, words: list[str]
) -> None:
    aws.answers["DescribeKey"] = lambda _: {"KeyMetadata": {"KeyId": "1234", "KeyState": state}}
    aws.answers["GetKeyPolicy"] = lambda _: {"Policy": json.dumps(policy(principal))}
    found = list(key(aws.client, replace(WANTED, account=replace(ACCOUNT, kms_key=KEY))))
    assert len(found) == len(words)
    assert all(word in finding.message for word, finding in zip(words, found, strict=True))


def test_without_a_key_or_a_network_nothing_is_asked(aws: StubAws) -> None:
    assert list(key(aws.client, WANTED)) == list(network(aws.client, WANTED)) == []
    assert aws.calls == []


def test_a_registry_without_the_repository_does_not_have_the_image(aws: StubAws) -> None:
    def missing(_: Any) -> Any:
        raise Refusal("RepositoryNotFoundException", "no such repository")

    aws.answers["BatchGetImage"] = missing
    (finding,) = images(aws.client, WANTED)
    assert finding.known
    assert "sagemaker-xgboost:3.2-0 is not in the registry of eu-west-1" in finding.message


def test_a_denied_question_is_not_known_and_the_others_are_asked_all_the_same(
    aws: StubAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infrastructure.account_check.QUESTIONS", {"quotas": quotas, "images": images})

    def denied(_: Any) -> Any:
        raise Refusal("AccessDeniedException", "User: me is not authorized")

    def missing(_: Any) -> Any:
        raise Refusal("ServerException", "try again")

    aws.answers.update(ListServiceQuotas=denied, BatchGetImage=missing)
    found = {finding.about: finding for finding in account_findings(aws.client, WANTED)}
    assert found["quotas"] == Finding(
        "quotas",
        "ListServiceQuotas was denied, so nobody knows",
        "ask somebody who may do ListServiceQuotas",
        known=False,
    )
    assert "BatchGetImage answered ServerException" in found["images"].message
    assert not found["images"].known


def test_a_deny_or_another_principal_trusts_nobody() -> None:
    assert trusts(policy({"Service": "sagemaker.amazonaws.com"}), "sagemaker.amazonaws.com")
    assert not trusts(policy({"Service": "sagemaker.amazonaws.com"}, "Deny"), "sagemaker.amazonaws.com")
    assert not trusts(policy({"Service": "sagemaker.amazonaws.com.evil"}), "sagemaker.amazonaws.com")


def changed(change: Any) -> list[str]:
    """What is said of the approver's role after a change of its policies."""
    role = roles(ACCOUNT)["house-prices-dev-approver"]
    policies = json.loads(json.dumps(role.principal.policies))
    change(policies)
    return list(differences(Deployed(role.name, role.trust, tuple(policies)), role))


def test_a_role_that_others_may_assume_is_told_whatever_it_may_do() -> None:
    role = roles(ACCOUNT)["house-prices-dev-approver"]
    trust = json.loads(json.dumps(role.trust))
    assert list(differences(Deployed(role.name, trust, role.principal.policies), role)) == []
    for entry in trust["Statement"]:
        entry["Principal"] = {kind: [names] for kind, names in entry["Principal"].items()}  # as IAM may write it
    trust["Statement"].reverse()
    assert list(differences(Deployed(role.name, trust, role.principal.policies), role)) == []
    for change in ({"Principal": "*"}, {"Principal": {"AWS": "arn:aws:iam::9:root"}}, {"Condition": {}}):
        others = {**trust, "Statement": [{**trust["Statement"][0], **change}, *trust["Statement"][1:]]}
        assert list(differences(Deployed(role.name, others, role.principal.policies), role)) == [
            "is assumed by others, or under other conditions, than roles.yaml says"
        ]


def test_a_role_as_the_template_has_it_does_not_differ_whatever_the_order() -> None:
    assert changed(lambda policies: policies.reverse()) == []
    assert changed(lambda policies: policies[0]["Statement"].reverse()) == []


def test_a_deployed_role_that_has_less_more_or_other_is_told_apart() -> None:
    (lacks,) = changed(lambda policies: policies.clear())
    assert lacks.startswith("lacks ")
    assert " more of roles.yaml" in lacks
    extra = {"Effect": "Allow", "Action": "s3:DeleteBucket", "Resource": "*"}
    assert changed(lambda policies: policies[0]["Statement"].append(extra)) == [
        "may do s3:DeleteBucket, which roles.yaml does not say"
    ]

    def anywhere(policies: Any) -> None:
        for each in policies:
            for statement in each["Statement"]:
                statement.pop("Condition", None)

    (other,) = changed(anywhere)
    assert other.startswith("has other resources or conditions than roles.yaml for ")


def test_the_roles_trust_and_network_of_an_account_on_moto() -> None:
    program = Path(__file__).parent / "account_on_moto.py"
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    assert said["empty"]["trust"] == ["there is no role house-prices-dev-execution"]
    assert said["empty"]["roles"] == ["there is no stack house-prices-dev-roles in the account"]
    assert said["set up"] == {}
    assert sorted(said["changed"]["roles"]) == [
        "the role house-prices-dev-approver as deployed may do s3:DeleteBucket, which roles.yaml does not say",
        "the role house-prices-dev-execution as deployed is assumed by others, or under other conditions, "
        "than roles.yaml says",
    ]
    assert said["changed"]["trust"] == [
        "the role house-prices-dev-execution does not let sagemaker.amazonaws.com assume it"
    ]
    (lonely,) = said["network without s3"]
    assert "has neither the endpoint com.amazonaws.eu-west-1.s3 nor a NAT gateway" in lonely
    assert said["network with s3"] == []
