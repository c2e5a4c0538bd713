"""Hyperparameter tuning: what is tried, and the training jobs that try it."""
