"""Where the data lies in S3: under its own hash, so that other content never hides behind the same URI."""

from pipelines.settings.environment import Environment
from pipelines.settings.settings import Settings

DIGEST_LENGTH = 16


def default_data_uri(settings: Settings, environment: Environment) -> str:
    """Where `run --data` puts the YAML's own file; the default of InputDataUri."""
    digest = settings.data.sha256[:DIGEST_LENGTH] if settings.data.sha256 else "latest"
    return f"s3://{environment.bucket}/{settings.name}/data/{digest}/{settings.data.file}"
