"""What policies allow, by the cases of AWS's own pages on the evaluation logic and on the elements of policies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from typing import Any

import pytest

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.iam.access import Access
from local_sagemaker.iam.policy import Decision, Principal, decide

ROLE = "arn:aws:iam::111122223333:role/ada"
ALLOWED, EXPLICIT, IMPLICIT = Decision.ALLOWED, Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def decided(access: Access, *policies: dict[str, Any], boundary: Any = None, resource_policy: Any = None) -> Decision:
    return decide(access, Principal(ROLE, policies, boundary), resource_policy)


READ = Access("s3:GetObject", "arn:aws:s3:::carlossalazar-logs/a.log")


def test_what_nothing_allows_is_denied() -> None:
    assert decided(READ) is IMPLICIT
    assert decided(READ, document(allow("s3:PutObject"))) is IMPLICIT


def test_a_deny_goes_before_every_allow_wherever_it_stands() -> None:
    """AWS's example of Carlos: all of S3 is allowed, his logs are denied."""
    policy = document(allow("s3:*"), deny("s3:*", "arn:aws:s3:::*log*"))
    assert decided(READ, policy) is EXPLICIT
    assert decided(Access("s3:GetObject", "arn:aws:s3:::carlossalazar/a.txt"), policy) is ALLOWED
    assert decided(READ, document(deny("s3:*", "arn:aws:s3:::*log*")), document(allow("*"))) is EXPLICIT


@pytest.mark.parametrize(
    ("action", "named"),
    [
        ("s3:GetObject", True),
        ("S3:getobject", True),  # the case of actions does not matter
        ("s3:Get*", True),
        ("s3:GetObjec?", True),
        ("s3:GetObject?", False),
        ("*", True),
        ("s3:GetObjects", False),
        (["sqs:*", "s3:G*t"], True),
    ],
)
def test_actions_are_patterns(action: Any, named: bool) -> None:
    assert (decided(READ, document(allow(action))) is ALLOWED) is named


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        ("arn:aws:s3:::carlossalazar-logs/*", True),
        ("arn:aws:s3:::carlossalazar-logs", False),  # a bucket is not its objects
        ("arn:aws:s3:::carlossalazar-logs/A.log", False),  # the case of resources does
        ("arn:aws:s3:::*/a.log", True),
        ("arn:aws:s3:::carlossalazar-log?/a.log", True),
        ("*", True),
    ],
)
def test_resources_are_patterns(resource: str, named: bool) -> None:
    assert (decided(READ, document(allow("s3:GetObject", resource))) is ALLOWED) is named


def test_not_action_and_not_resource_name_everything_else() -> None:
    other_than_iam = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    assert decided(READ, document(other_than_iam)) is ALLOWED
    assert decided(Access("iam:GetRole", ROLE), document(other_than_iam)) is IMPLICIT
    elsewhere = {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::mine/*"}
    assert decided(READ, document(allow("s3:*"), elsewhere)) is EXPLICIT
    assert decided(Access("s3:GetObject", "arn:aws:s3:::mine/a"), document(allow("s3:*"), elsewhere)) is ALLOWED


def test_a_statement_without_an_action_is_an_error() -> None:
    with pytest.raises(LocalSageMakerError, match="neither Action nor NotAction"):
        decided(READ, document({"Effect": "Allow", "Resource": "*"}))


def test_variables_stand_for_the_values_of_the_request() -> None:
    policy = document(allow("s3:GetObject", "arn:aws:s3:::bucket/${aws:username}/*"))
    of_ada = Access("s3:GetObject", "arn:aws:s3:::bucket/ada/x", {"aws:username": ("ada",)})
    assert decided(of_ada, policy) is ALLOWED
    assert decided(Access("s3:GetObject", "arn:aws:s3:::bucket/bob/x", of_ada.context), policy) is IMPLICIT
    assert decided(Access("s3:GetObject", "arn:aws:s3:::bucket/ada/x"), policy) is IMPLICIT
    star = Access("s3:GetObject", "arn:aws:s3:::bucket/bob/x", {"aws:username": ("*",)})
    assert decided(star, policy) is IMPLICIT  # a value is never a pattern
    defaulted = document(allow("s3:GetObject", "arn:aws:s3:::bucket/${aws:username, 'all'}/*"))
    assert decided(Access("s3:GetObject", "arn:aws:s3:::bucket/all/x"), defaulted) is ALLOWED
    literal = document(allow("s3:GetObject", "arn:aws:s3:::bucket/a${*}"))
    assert decided(Access("s3:GetObject", "arn:aws:s3:::bucket/a*"), literal) is ALLOWED
    assert decided(Access("s3:GetObject", "arn:aws:s3:::bucket/ab"), literal) is IMPLICIT


def test_in_documents_of_2008_variables_are_text() -> None:
    policy = document(allow("s3:GetObject", "arn:aws:s3:::b/${aws:username}"), version="2008-10-17")
    context = {"aws:username": ("ada",)}
    assert decided(Access("s3:GetObject", "arn:aws:s3:::b/ada", context), policy) is IMPLICIT
    assert decided(Access("s3:GetObject", "arn:aws:s3:::b/${aws:username}", context), policy) is ALLOWED


def test_a_boundary_allows_nothing_and_limits_everything() -> None:
    everything, reading = document(allow("*")), document(allow("s3:Get*"))
    assert decided(READ, everything, boundary=reading) is ALLOWED
    assert decided(Access("s3:PutObject", READ.resource), everything, boundary=reading) is IMPLICIT
    assert decided(READ, boundary=everything) is IMPLICIT
    assert decided(READ, everything, boundary=document(allow("*"), deny("s3:*"))) is EXPLICIT


def test_the_policy_of_a_bucket_allows_by_itself_and_denies_everyone() -> None:
    to_ada = document(allow("s3:GetObject", "arn:aws:s3:::carlossalazar-logs/*", Principal={"AWS": ROLE}))
    assert decided(READ, resource_policy=to_ada) is ALLOWED
    of_bob = document(allow("s3:GetObject", "*", Principal={"AWS": "arn:aws:iam::111122223333:role/bob"}))
    assert decided(READ, resource_policy=of_bob) is IMPLICIT
    secure = document(deny("s3:*", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}))
    plain = Access(READ.action, READ.resource, {"aws:SecureTransport": ("false",)})
    assert decided(plain, document(allow("s3:*")), resource_policy=secure) is EXPLICIT
    encrypted = Access(READ.action, READ.resource, {"aws:SecureTransport": ("true",)})
    assert decided(encrypted, document(allow("s3:*")), resource_policy=secure) is ALLOWED


def test_the_account_in_a_resources_policy_leaves_it_to_the_accounts_own_policies() -> None:
    root = document(allow("s3:*", Principal={"AWS": "arn:aws:iam::111122223333:root"}))
    assert decided(READ, resource_policy=root) is IMPLICIT
    assert decided(READ, document(allow("s3:GetObject")), resource_policy=root) is ALLOWED


def test_a_key_lets_in_only_whom_its_own_policy_does() -> None:
    """https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"""
    use = Access("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/1")
    own = document(allow("kms:Decrypt"))
    account = document(allow("kms:*", Principal={"AWS": "111122223333"}))
    nobody = document(allow("kms:*", Principal={"AWS": "arn:aws:iam::111122223333:role/bob"}))
    ada = document(allow("kms:Decrypt", Principal={"AWS": ROLE}))
    assert decided(use, own, resource_policy=account) is ALLOWED
    assert decided(use, resource_policy=account) is IMPLICIT
    assert decided(use, own, resource_policy=nobody) is IMPLICIT
    assert decided(use, resource_policy=ada) is ALLOWED


def test_a_role_is_assumed_by_whom_it_trusts() -> None:
    trust = document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
        }
    )
    assume = Access("sts:AssumeRole", ROLE, {"aws:SourceAccount": ("111122223333",)})
    assert decide(assume, Principal("sagemaker.amazonaws.com"), trust) is ALLOWED
    assert decide(assume, Principal("codebuild.amazonaws.com"), trust) is IMPLICIT
    other = Access("sts:AssumeRole", ROLE, {"aws:SourceAccount": ("444455556666",)})
    assert decide(other, Principal("sagemaker.amazonaws.com"), trust) is IMPLICIT


def test_not_principal_names_everyone_else() -> None:
    but_ada = document({"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "s3:*", "Resource": "*"})
    assert decided(READ, document(allow("s3:*")), resource_policy=but_ada) is ALLOWED
    bob = Principal("arn:aws:iam::111122223333:role/bob", (document(allow("s3:*")),))
    assert decide(READ, bob, but_ada) is EXPLICIT
