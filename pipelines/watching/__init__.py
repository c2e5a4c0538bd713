"""Executions and their logs."""
