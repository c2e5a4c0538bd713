"""Lineage and experiments: what the records of jobs, model packages, endpoints and executions say, as a graph."""
