"""A PyTorch script, where PyTorch is not installed.

As in aws/amazon-sagemaker-examples, sagemaker-python-sdk/pytorch_mnist.
"""

import pathlib

import sagemaker
from botocore.exceptions import ClientError
from sagemaker.pytorch import PyTorch

session, role = sagemaker.Session(), sagemaker.get_execution_role()
pathlib.Path("mnist.py").write_text("import torch\nprint(torch.__version__)\n")
estimator = PyTorch(
    "mnist.py",
    role=role,
    framework_version="2.1.0",
    py_version="py310",
    instance_count=1,
    instance_type="ml.c4.xlarge",
    hyperparameters={"epochs": 1},
    sagemaker_session=session,
)
try:
    estimator.fit({"training": f"s3://{session.default_bucket()}/"})
    print("=>", "trains")
except ClientError as refusal:
    print("=>", refusal.response["Error"]["Message"])
except sagemaker.exceptions.UnexpectedStatusException as failure:
    print("=>", str(failure).partition("Reason: ")[2].partition(". Check troubleshooting")[0])
