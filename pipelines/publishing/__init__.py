"""What stands on SageMaker, what would change, and changing it."""
