"""Which account is looked at, and what was asked of it."""
