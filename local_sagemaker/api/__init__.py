"""The SageMaker API on this machine: one module per family of operations."""
