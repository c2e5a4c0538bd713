"""The champion as an input of Evaluate: a parameter, and an object that stands for none."""

from pipelines.settings.environment import Environment
from pipelines.settings.settings import Settings

PARAMETER = "ChampionModelUri"
MARKER = b'{"champion": "none"}\n'


def marker_key(name: str) -> str:
    """Where the object lies that stands for "no champion": an input of a job cannot be left out."""
    return f"{name}/champion/none.json"


def no_champion_uri(settings: Settings, environment: Environment) -> str:
    """The default of ChampionModelUri: nothing has to be beaten."""
    return f"s3://{environment.bucket}/{marker_key(settings.name)}"
