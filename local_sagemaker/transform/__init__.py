"""Batch transform: files in S3 through a model behind the hosting contract, and back to S3."""
