"""Faults of a request for training, in the image's words for whose they are."""


class UserError(Exception):
    """What the user can fix: hyperparameters, channels, data."""


class AlgorithmError(Exception):
    """What XGBoost itself refused."""
