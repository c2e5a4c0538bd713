"""Images and the local runtimes that stand for them."""

import sys

import pytest

from local_sagemaker.processes.images import ImageMap, Runtime, UnknownImage

ECR = "683313688378.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    "image",
    [
        f"{ECR}/sagemaker-xgboost:3.0-5",
        f"{ECR}/sagemaker-scikit-learn:1.4-2-cpu-py3",
        f"{ECR}/pytorch-training:2.6.0-cpu-py312",
        f"{ECR}/tensorflow-inference@sha256:abc",
        f"{ECR}/huggingface-pytorch-training:2",
        f"{ECR}/sagemaker-base-python-310:1.0",
        f"{ECR}/sagemaker-distribution-prod:3",
        "python:3.11-slim",
        "public.ecr.aws/docker/library/python:3.11",
    ],
)
def test_framework_and_python_images_are_the_current_interpreter(image: str) -> None:
    assert ImageMap().resolve(image) == Runtime((sys.executable,))
    assert ImageMap().resolve(image).is_current


@pytest.mark.parametrize("image", [f"{ECR}/mine:1", "", f"{ECR}/not-pytorch:1", "xpython:3", f"{ECR}/pythonic:1"])
def test_an_unknown_image_is_named_with_the_remedy(image: str) -> None:
    with pytest.raises(UnknownImage, match="map it") as fault:
        ImageMap().resolve(image)
    assert repr(image) in str(fault.value)


def test_the_longest_mapped_beginning_wins_over_the_known_images() -> None:
    images = ImageMap({f"{ECR}/": ["env", "python3"], f"{ECR}/sagemaker-xgboost:1": sys.executable})
    assert images.resolve(f"{ECR}/sagemaker-xgboost:1.7").python == (sys.executable,)
    assert images.resolve(f"{ECR}/sagemaker-xgboost:3.0-5").python[0].endswith("/env")
    assert images.resolve(f"{ECR}/anything").python[1:] == ("python3",)


def test_a_mapping_to_nothing_is_named() -> None:
    with pytest.raises(UnknownImage, match=r"'mine:1' is mapped to '/no/such/python'"):
        ImageMap({"mine": "/no/such/python"}).resolve("mine:1")
