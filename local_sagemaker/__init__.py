"""SageMaker on this machine: control plane, job runtime and hosting, for any pipeline definition."""
