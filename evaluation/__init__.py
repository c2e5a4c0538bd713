"""What runs inside the evaluation job; may import steps."""
