"""A definition as data: its steps, what differs between two, what a cache will hit."""
