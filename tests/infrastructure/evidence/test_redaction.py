"""Nothing of an account gets through the redaction, wherever in a document it stands, and what says nothing stays."""

import json
from typing import Any

import pytest

from infrastructure.evidence.redaction import Redactor

SECRETS = {
    "an account": "210987654321",
    "an ARN": "arn:aws:sagemaker:eu-west-1:210987654321:training-job/pipelines-x",
    "a bucket's URI": "s3://acme-secret-bucket/house-prices/data",
    "a bucket's ARN": "arn:aws:s3:::acme-secret-bucket/*",
    "a bucket's address": "https://acme-secret-bucket.s3.eu-west-1.amazonaws.com/x",
    "a key": "arn:aws:kms:eu-west-1:210987654321:key/1b2c3d4e-1111-2222-3333-444455556666",
    "an alias": "arn:aws-cn:kms:cn-north-1:210987654321:alias/acme",
    "a key's id": "1b2c3d4e-1111-2222-3333-444455556666",
    "a key of several regions": "mrk-0123456789abcdef0123456789abcdef",
    "an address of mail": "ada.lovelace+aws@example.co.uk",
    "a session": "arn:aws:sts::210987654321:assumed-role/Admin/ada.lovelace",
    "a user": "arn:aws:iam::210987654321:user/team/ada.lovelace",
    "an access key": "AKIAIOSFODNN7EXAMPLE",
    "a temporary access key": "ASIAIOSFODNN7EXAMPLE",
    "a secret key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "a session token": "FwoGZXIvYXdzEBYaDCtokenTOKENtoken/0123+4567==abcdefghijklmnop",
    "a subnet": "subnet-0a1b2c3d4e5f60718",
    "a security group": "sg-0a1b2c3d",
    "an IP address": "10.20.30.40",
}
PARTS = (
    "210987654321",
    "acme",
    "1b2c3d4e",
    "0123456789abcdef0",
    "lovelace",
    "IOSFODNN7",
    "wJalr",
    "FwoG",
    "0a1b2c3d",
    "10.20",
)
KNOWN = {"houses-of-acme": "bucket", "Secret1": "role", "bob": "person"}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("form", ["{}", "it is {}.", '"{}"', "({},1)", "x={} y"])
def test_a_secret_is_replaced_in_any_text_key_and_list(secret: str, form: str) -> None:
    text = form.format(secret)
    document = {"a": text, text: 1, "list": [{"b": [text]}, (text,)]}
    written = json.dumps(Redactor({}).value(document))
    assert [part for part in PARTS if part in written] == []
    assert Redactor({}).leaks(json.loads(written)) == []
    assert Redactor({}).leaks(document) != []


def test_a_number_that_is_an_account_is_replaced_too() -> None:
    assert Redactor({}).value({"n": 210987654321}) == {"n": "<account>"}
    assert Redactor({}).leaks({"n": 210987654321}) == ["<account>"]
    assert Redactor({}).leaks({"n": 2109876543210}) == []


def test_what_is_known_is_replaced_also_where_its_form_says_nothing() -> None:
    redactor = Redactor(KNOWN)
    assert redactor.text("in houses-of-acme2 by bob, as Secret1/x") == "in <bucket>2 by <person>, as <role>/x"
    assert redactor.text("bobsled") == "bobsled"  # a short one is a word of its own
    assert redactor.leaks(["bob"]) == ["<person>"]
    assert Redactor({"ab": "person", "": "bucket"}).text("abc ab") == "abc ab"  # too short to mean anything


@pytest.mark.parametrize(
    "value",
    [
        "Succeeded", "sagemaker-xgboost:3.2-0", "2 x ml.m5.xlarge", "eu-west-1", "2026-11-28", 17.1, 8,
        None, True, "DescribeStacks: ValidationException", "4 jobs Completed (Processing, Training)",
        "0123456789abcdef0123456789abcdef01234567",
    ],
)  # fmt: skip
def test_what_says_nothing_of_an_account_stays(value: Any) -> None:
    assert Redactor(KNOWN).value({"v": [value]}) == {"v": [value]}
    assert Redactor(KNOWN).leaks(value) == []
