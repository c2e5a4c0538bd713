"""S3 URIs."""

from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.storage import fetch, split_s3_uri


def test_a_uri_is_bucket_and_key() -> None:
    assert split_s3_uri("s3://b/a/key") == ("b", "a/key")
    assert split_s3_uri("s3://b") == split_s3_uri("s3://b/") == ("b", "")


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.amazonaws.com/b/a/a%20key",
        "https://s3.eu-west-1.amazonaws.com/b/a/a%20key",
        "https://s3-eu-west-1.amazonaws.com/b/a/a%20key",
        "https://b.s3.eu-west-1.amazonaws.com/a/a%20key",
        "https://b.s3.amazonaws.com/a/a%20key",
    ],
)
def test_an_https_url_of_s3_is_bucket_and_key_too(url: str) -> None:
    assert split_s3_uri(url) == ("b", "a/a key")


def test_a_bucket_in_an_https_url_may_have_dots() -> None:
    assert split_s3_uri("https://my.own.bucket.s3.us-east-1.amazonaws.com/k") == ("my.own.bucket", "k")
    assert split_s3_uri("https://s3.us-east-1.amazonaws.com/b") == ("b", "")


@pytest.mark.parametrize(
    "uri",
    ["https://s3.example.com/b/k", "http://b.s3.amazonaws.com/k", "", "s3://", "s3:///key", "https://b/key", "/opt/ml"],
)
def test_anything_else_is_named(uri: str) -> None:
    with pytest.raises(ClientFault, match="is not an S3 URI"):
        split_s3_uri(uri)


def test_a_missing_object_is_named(store: Any, tmp_path: Path) -> None:
    with pytest.raises(ClientFault, match="The object s3://in/gone cannot be downloaded"):
        fetch(store, "s3://in/gone", tmp_path / "x")
