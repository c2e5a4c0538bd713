"""An experiment with version 3: Run with parameters and metrics.

As in aws/sagemaker-python-sdk, v3-examples (sagemaker.core.experiments).
"""

from botocore.exceptions import ClientError
from sagemaker.core.experiments.run import Run
from sagemaker.core.helper.session_helper import Session

try:
    with Run(experiment_name="houses", run_name="first", sagemaker_session=Session()) as run:
        run.log_parameter("depth", 6)
        for step in range(3):
            run.log_metric("rmse", 10 - step, step=step)
    print("=> logged")
except ClientError as error:
    print("=>", error.response["Error"]["Message"])
