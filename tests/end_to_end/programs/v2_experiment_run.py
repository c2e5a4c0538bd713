"""An experiment from a notebook: Run with parameters and metrics.

As in aws/amazon-sagemaker-examples, sagemaker-experiments/sagemaker_job_tracking and local_experiment_tracking.
"""

import sagemaker
from botocore.exceptions import ClientError
from sagemaker.experiments.run import Run

try:
    with Run(experiment_name="houses", run_name="first", sagemaker_session=sagemaker.Session()) as run:
        run.log_parameter("depth", 6)
        for step in range(3):
            run.log_metric("rmse", 10 - step, step=step)
    print("=> logged")
except ClientError as error:
    print("=>", error.response["Error"]["Message"])
