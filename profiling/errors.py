"""A data file that cannot be described; the message is one sentence."""


class DataError(Exception):
    """What is wrong with the file or the wish, and what to do."""
