"""Functions of Lambda that were created here: their records and code, and calling them."""
