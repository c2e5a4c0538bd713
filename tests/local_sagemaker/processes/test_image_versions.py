"""What an image's URI says is inside, against what is here."""

import logging
import sys

import pytest

from local_sagemaker.processes.image_versions import differences, warn_once
from local_sagemaker.processes.images import ImageMap, Runtime
from local_sagemaker.processes.overlay import Interpreter

ECR = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
HERE = Interpreter("/python", "3.11.7", (), "/", {"xgboost-cpu": "3.0.5", "torch": "2.6.0+cpu"})


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("sagemaker-xgboost:3.0-5", ["it has Python 3.10; this environment has 3.11.7"]),
        (
            "sagemaker-xgboost:3.2-0",
            ["it has Python 3.12; this environment has 3.11.7", "it has xgboost 3.2; this environment has 3.0.5"],
        ),
        ("sagemaker-xgboost:1.7-1", ["it has xgboost 1.7; this environment has 3.0.5"]),
        ("sagemaker-scikit-learn:1.2-1-cpu-py3", ["it has scikit-learn 1.2; this environment has none"]),
        ("pytorch-training:2.6.0-cpu-py312-ubuntu22.04-sagemaker", ["it has Python 3.12; this environment has 3.11.7"]),
        ("pytorch-inference:2.6.0-cpu-py311", []),
        (
            "huggingface-pytorch-training:2.1.0-transformers4.36.0-gpu-py310",
            [
                "it has Python 3.10; this environment has 3.11.7",
                "it has transformers 4.36.0; this environment has none",
                "it has pytorch 2.1.0; this environment has 2.6.0+cpu",
            ],
        ),
        ("sagemaker-base-python-310:1.0", ["it has Python 3.10; this environment has 3.11.7"]),
        ("python:3.12-slim", ["it has Python 3.12; this environment has 3.11.7"]),
        ("python:3", []),
        ("sagemaker-xgboost@sha256:0123", []),
        ("pytorch-training:latest", []),
    ],
)
def test_only_version_lines_that_differ_are_named(image: str, expected: list[str]) -> None:
    assert list(differences(f"{ECR}/{image}", HERE)) == expected


def test_the_warning_comes_once_for_each_image_in_both_logs(caplog: pytest.LogCaptureFixture) -> None:
    images, said = ImageMap(), list[str]()
    runtime = Runtime((sys.executable,))
    with caplog.at_level(logging.WARNING):
        for image in ("python:2.7", "python:2.7", "python:2.6"):
            warn_once(images, image, runtime, said.append)
    assert [line.partition(" differs")[0] for line in said] == [
        "warning: the image python:2.7",
        "warning: the image python:2.6",
    ]
    assert len(caplog.records) == 2
    assert "handlers file" in said[0]
