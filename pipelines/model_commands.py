"""What the commands about the versions of the model do."""

from argparse import Namespace
from collections.abc import Callable

from pipelines import registry
from pipelines.console import EXIT_OK
from pipelines.context import Context


def list_models(context: Context, options: Namespace) -> int:
    """models"""
    group = context.settings.name
    versions = registry.models(context.sagemaker, context.client("s3"), group)
    context.console.show(registry.models_table(versions, group, context.target_unit))
    return EXIT_OK


def approve_model(context: Context, options: Namespace) -> int:
    """approve"""
    registry.approve(context.sagemaker, context.settings.name, options.version, options.comment, context.console)
    return EXIT_OK


def reject_model(context: Context, options: Namespace) -> int:
    """reject"""
    registry.reject(context.sagemaker, context.settings.name, options.version, options.comment, context.console)
    return EXIT_OK


COMMANDS: dict[str, Callable[[Context, Namespace], int]] = {
    "models": list_models,
    "approve": approve_model,
    "reject": reject_model,
}
