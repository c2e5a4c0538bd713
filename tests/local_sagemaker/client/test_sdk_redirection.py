"""The STS address that the SDK writes into its clients leads to the local server, and nothing else does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_sagemaker.client.sdk_redirection import SITE

pytestmark = pytest.mark.e2e

CREATE = (
    "import boto3; print(boto3.client('{service}', region_name='us-east-1', endpoint_url='{url}').meta.endpoint_url)"
)


def address(service: str, url: str, here: str = "http://127.0.0.1:5599", *path: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(SITE), *path]),
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        **({"AWS_ENDPOINT_URL": here} if here else {}),
    }
    program = CREATE.format(service=service, url=url)
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_fixed_address_of_sts_leads_here() -> None:
    assert address("sts", "https://sts.us-east-1.amazonaws.com") == "http://127.0.0.1:5599"


@pytest.mark.parametrize(
    ("service", "url", "here"),
    [
        ("sts", "https://sts.us-east-1.amazonaws.com", ""),
        ("sts", "https://sts.us-east-1.amazonaws.com", "https://proxy.example.com"),
        ("s3", "https://s3.us-east-1.amazonaws.com", "http://127.0.0.1:5599"),
        ("sts", "https://sts.example.com", "http://127.0.0.1:5599"),
    ],
)
def test_any_other_address_stays(service: str, url: str, here: str) -> None:
    assert address(service, url, here) == url


def test_the_sitecustomize_of_somebody_else_runs_too(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('theirs')")
    found = address("sts", "https://sts.us-east-1.amazonaws.com", "http://127.0.0.1:5599", str(tmp_path))
    assert found.splitlines() == ["theirs", "http://127.0.0.1:5599"]
