"""Processes of jobs and of models: how they are isolated, what they get and what becomes of their output."""
