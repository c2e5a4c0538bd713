"""What runs inside the jobs and the endpoint. Python 3.10; no SageMaker SDK, boto3 or moto."""
