"""See sagemaker_containers."""
