"""Two accounts: one registers versions, the other deploys them. Both sides must allow each access, as AWS asks."""

from collections.abc import Mapping
from typing import Any

import pytest

from infrastructure.roles import Account, Role, roles
from infrastructure.template import FOLDER, Resolved, read_template
from local_sagemaker.iam.access import Access
from local_sagemaker.iam.policy import Decision, covers, decide, statements

DEV, PRODUCTION = "111122223333", "222233334444"
KEY = f"arn:aws:kms:eu-west-1:{DEV}:key/1"
BUCKET = "arn:aws:s3:::dev-houses"
DEPLOY = f"arn:aws:iam::{PRODUCTION}:role/house-prices-production-deploy"
DEPLOYER = f"arn:aws:iam::{DEV}:role/house-prices-dev-deploy"
VERSION = f"arn:aws:sagemaker:eu-west-1:{DEV}:model-package/house-prices/3"
EXECUTION = f"arn:aws:sagemaker:eu-west-1:{DEV}:pipeline/house-prices-training/execution/abc"
MODEL = Access("s3:GetObject", f"{BUCKET}/house-prices/models/a/output/model.tar.gz")
GOLDEN = Access("s3:GetObject", f"{BUCKET}/house-prices/executions/abc/Evaluate/evaluation/golden.json")
DECRYPT = Access("kms:Decrypt", KEY)
DESCRIBE, CREATE = Access("sagemaker:DescribeModelPackage", VERSION), Access("sagemaker:CreateModel", VERSION)
# What each role reads of the other account, and which of its policies lets that in; a pipeline is shared by RAM.
READ = [
    ("deploy", DESCRIBE, "Registry"),
    ("deploy", CREATE, "Registry"),
    ("deploy", GOLDEN, "BucketPolicy"),
    ("deploy", DECRYPT, "Key"),
    ("deploy", Access("sagemaker:DescribePipelineExecution", EXECUTION), None),
    ("mlops-engineer", CREATE, "Registry"),
    ("mlops-engineer", DECRYPT, "Key"),
    ("serving", MODEL, "BucketPolicy"),
    ("serving", DECRYPT, "Key"),
]


def shared(name: str, trusted: list[str]) -> Mapping[str, Any]:
    """A policy of the dev account's storage that lets in other accounts."""
    values = {"AWS::Region": "eu-west-1", "AWS::AccountId": DEV, "AWS::Partition": "aws", "Bucket.Arn": BUCKET}
    template = read_template(FOLDER / "storage.yaml")
    properties = Resolved(template, {**values, "TrustedAccounts": trusted}).resources[name]["Properties"]
    kinds = ("KeyPolicy", "PolicyDocument", "ModelPackageGroupPolicy")
    return next((properties[kind] for kind in kinds if kind in properties), {})


def lets_in(document: Mapping[str, Any], access: Access) -> bool:
    """Whether a policy of dev's lets in the production account; of a key, whose policy says *, the key itself."""
    return any(
        statement["Effect"] == "Allow"
        and isinstance(statement["Principal"], Mapping)
        and PRODUCTION in statement["Principal"].get("AWS", [])
        and covers(statement, access)
        for statement in statements(document)
    )


def production(**given: str) -> dict[str, Role]:
    account = Account(PRODUCTION, "eu-west-1", "house-prices", "production-houses", stage="production")
    return roles(account, given=given)


ELSEWHERE = {"RegistryAccount": DEV, "RegistryBucket": "dev-houses", "RegistryKeyArn": KEY}


@pytest.mark.parametrize(("kind", "access", "policy"), READ, ids=lambda value: getattr(value, "action", str(value)))
def test_a_role_deploys_what_another_account_registered_where_both_accounts_say_so(
    kind: str, access: Access, policy: str | None
) -> None:
    role = production(**ELSEWHERE)[f"house-prices-production-{kind}"]
    assert decide(access, role.principal) is Decision.ALLOWED
    alone = production()[f"house-prices-production-{kind}"]
    assert decide(access, alone.principal) is Decision.IMPLICIT_DENY
    if policy is not None:
        assert lets_in(shared(policy, [PRODUCTION]), access)
        assert not lets_in(shared(policy, []), access)


@pytest.mark.parametrize("action", ["UpdateModelPackage", "DeleteModelPackage", "CreateModelPackage"])
def test_another_account_changes_no_version(action: str) -> None:
    assert not lets_in(shared("Registry", [PRODUCTION]), Access(f"sagemaker:{action}", VERSION))
    data = Access("s3:GetObject", f"{BUCKET}/house-prices/data/house_prices.parquet")
    assert not lets_in(shared("BucketPolicy", [PRODUCTION]), data)


@pytest.mark.parametrize("kind", ["deploy", "mlops-engineer"])
def test_who_deploys_may_take_the_deploy_role_of_another_account_that_names_it(kind: str) -> None:
    assume = Access("sts:AssumeRole", DEPLOY)
    dev = Account(DEV, "eu-west-1", "house-prices", "dev-houses")
    given = {"DeployRolesElsewhere": [DEPLOY]}
    assert decide(assume, roles(dev, given=given)[f"house-prices-dev-{kind}"].principal) is Decision.ALLOWED
    assert decide(assume, roles(dev)[f"house-prices-dev-{kind}"].principal) is Decision.IMPLICIT_DENY
    named = {"Deployers": [DEPLOYER]}
    account = Account(PRODUCTION, "eu-west-1", "house-prices", "production-houses", stage="production")
    trust = roles(account, given=named)["house-prices-production-deploy"].trust
    assert [each["Principal"]["AWS"] for each in trust["Statement"] if "AWS" in each["Principal"]] == [[DEPLOYER]]
