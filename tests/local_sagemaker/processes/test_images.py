"""Images and the local runtimes that stand for them."""

import sys

import pytest

from local_sagemaker.processes.images import ImageMap, UnknownImage

ECR = "683313688378.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "family"),
    [
        (f"{ECR}/sagemaker-xgboost:3.0-5", "XGBoost"),
        (f"{ECR}/sagemaker-scikit-learn:1.4-2-cpu-py3", "scikit-learn"),
        (f"{ECR}/sagemaker-base-python-310:1.0", "SageMaker's base"),
        (f"{ECR}/sagemaker-distribution-prod:3", "SageMaker's base"),
        ("python:3.11-slim", "Python"),
        ("public.ecr.aws/docker/library/python:3.11", "Python"),
    ],
)
def test_framework_and_python_images_are_the_current_interpreter(image: str, family: str) -> None:
    runtime = ImageMap().resolve(image)
    assert (runtime.python, runtime.family.name) == ((sys.executable,), family)
    assert runtime.is_current


@pytest.mark.parametrize(
    ("image", "framework"),
    [
        (f"{ECR}/pytorch-training:2.6.0-cpu-py312", "pytorch"),
        (f"{ECR}/tensorflow-inference@sha256:abc", "tensorflow"),
        (f"{ECR}/huggingface-pytorch-training:2", "transformers and pytorch"),
    ],
)
def test_an_image_whose_framework_is_not_installed_is_refused(image: str, framework: str) -> None:
    with pytest.raises(UnknownImage, match=f"has {framework}, which this server's environment lacks"):
        ImageMap().resolve(image)
    assert ImageMap({image: sys.executable}).resolve(image).is_current  # its user says that this one stands for it


def test_a_built_in_algorithm_is_named_as_one() -> None:
    with pytest.raises(UnknownImage, match="SageMaker's built-in algorithm linear-learner"):
        ImageMap().resolve(f"{ECR}/linear-learner:1")


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
