"""One request to the SageMaker API and its caller, checked against botocore's model."""
