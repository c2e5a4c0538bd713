"""What scripts import of packages that only AWS's images have: found in the image that has it, and in no other."""

import subprocess
import sys
from pathlib import Path

import pytest

from local_sagemaker.processes.image_families import family_of
from local_sagemaker.processes.images import Runtime
from local_sagemaker.processes.overlay import make_overlay

pytestmark = pytest.mark.e2e

CONTAINERS = """
from sagemaker_containers.beta.framework import content_types, encoders, env, errors, modules, transformer, worker
import numpy
body = encoders.encode(numpy.array([[1, 2]]), content_types.CSV)
answer = worker.Response(body, mimetype=content_types.CSV, status=201)
print(answer.status_code, answer.mimetype, answer.get_data(), worker.Response("{}").mimetype)
print(encoders.csv_to_numpy("1,2", dtype=float).tolist(), encoders.npy_to_numpy(encoders.array_to_npy([3])).tolist())
try: encoders.decode("<a/>", "text/xml")
except errors.UnsupportedFormatError as error: print(str(error)[:38])
try: env.training_env
except AttributeError as error: print(error)
"""
XGBOOST = """
import os, tempfile
from sagemaker_xgboost_container import encoder as xgb_encoders
from sagemaker_xgboost_container.data_utils import get_dmatrix
print(xgb_encoders.libsvm_to_dmatrix(b"1 1:2 2:3").num_col(), xgb_encoders.csv_to_dmatrix("1,2\\n3,4").num_row())
folder = tempfile.mkdtemp()
open(os.path.join(folder, "rows.csv"), "w").write("1,2\\n0,4\\n")
print(get_dmatrix(folder, "text/csv").get_label().tolist())
"""
INFERENCE = """
from sagemaker_inference import content_types, decoder, encoder, errors
print(decoder.decode("[[1, 2]]", content_types.JSON).tolist(), encoder.encode([3], content_types.JSON))
try: raise errors.GenericInferenceToolkitError(400, "no")
except errors.BaseInferenceToolkitError as error: print(error.status_code, error.message)
"""


def said(repository: str, program: str, folder: Path) -> list[str]:
    """What a program prints in the environment of a job with such an image; the last line of an error."""
    family = family_of(repository)
    assert family is not None
    overlay = make_overlay(folder / "venv", Runtime((sys.executable,), family=family))
    done = subprocess.run([*overlay.python, "-c", program], cwd=folder, capture_output=True, text=True)
    return (done.stdout or done.stderr.splitlines()[-1]).splitlines()


def test_scripts_find_sagemaker_containers(tmp_path: Path) -> None:
    assert said("sagemaker-scikit-learn", CONTAINERS, tmp_path) == [
        "201 text/csv b'1,2\\n' application/json",
        "[1.0, 2.0] [3]",
        "Content type text/xml is not supported",
        "local SageMaker has no sagemaker_containers.beta.framework.env.training_env.",
    ]


def test_scripts_of_the_xgboost_image_find_its_own_package(tmp_path: Path) -> None:
    assert said("sagemaker-xgboost", XGBOOST, tmp_path) == ["2 2", "[1.0, 0.0]"]


def test_handlers_find_sagemaker_inference(tmp_path: Path) -> None:
    assert said("pytorch-inference", INFERENCE, tmp_path) == ["[[1, 2]] [3]", "400 no"]


@pytest.mark.parametrize(
    ("repository", "module"),
    [
        ("pytorch-inference", "sagemaker_containers"),
        ("sagemaker-scikit-learn", "sagemaker_xgboost_container"),
        ("python", "sagemaker_inference"),
    ],
)
def test_an_image_has_no_package_of_another(repository: str, module: str, tmp_path: Path) -> None:
    assert said(repository, f"import {module}", tmp_path) == [f"ModuleNotFoundError: No module named '{module}'"]
