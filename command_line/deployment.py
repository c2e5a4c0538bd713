"""The command line deploy_model.py: which commands there are, and what it connects them to."""

import sys
from collections.abc import Sequence

from command_line.deployment_arguments import build_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, point boto3 at local SageMaker if asked to, run the command, and return the exit code."""
    options = build_parser().parse_args(arguments)
    from command_line.console import run_command
    from command_line.deployment_commands import COMMANDS
    from command_line.session import Session
    from deployment.errors import DeploymentError, Inconclusive, RolledBack
    from local_sagemaker.errors import LocalSageMakerError
    from pipelines.errors import PipelineError
    from pipelines.exit_codes import EXIT_INCONCLUSIVE, EXIT_OK, EXIT_ROLLED_BACK

    def run() -> int:
        log_folder, time_scale = None, 1.0
        if getattr(options, "local", False):
            from command_line.local_server import local_server

            server = local_server()
            log_folder, time_scale = server.state / "endpoints", server.time_scale
        try:
            COMMANDS[options.command](Session(options, log_folder, time_scale), options)
        except RolledBack as error:
            print(f"error: {error}", file=sys.stderr)
            return EXIT_INCONCLUSIVE if isinstance(error, Inconclusive) else EXIT_ROLLED_BACK
        return EXIT_OK

    return run_command(options.command, run, expected=(DeploymentError, PipelineError, LocalSageMakerError))
