"""Pipeline definitions, read and checked: pure and offline."""
