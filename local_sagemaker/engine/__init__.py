"""The pipeline engine: definitions, their expressions, and the executions that they drive."""
