"""The versions of the model: evaluation, approval, lineage, and rebuilding one."""
