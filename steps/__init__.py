"""What runs inside the jobs and the endpoint. Python 3.10; no SageMaker SDK, boto3 or moto."""

import os

# Read when numpy is imported. Threads of BLAS spin while they wait, which costs the processes that share the work of a
# step (workers.py) more than they gain; and what they sum depends on their number in its last digits.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
