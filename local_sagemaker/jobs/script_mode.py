"""Script mode: how the framework images start a training script, and what they say of one that fails.

Facts from sagemaker-containers 2.8.6 (_env.py, _mapping.py, _params.py, _errors.py, _trainer.py) and
sagemaker-training 5.1 (errors.py, trainer.py).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from local_sagemaker.jobs.entry_point import module_of
from local_sagemaker.processes.image_families import CONTAINERS

FRAMEWORK_PREFIX = "sagemaker_"
FRAMEWORK_NAMES = ("_tuning_objective_metric", "default_user_module_name")
INFO = 20  # logging.INFO, the log level of the images
TOOLKIT_EXIT_CODE = 1  # whatever the script's is


@dataclass(frozen=True)
class Script:
    """A training script and what it is told; hyperparameters are text, as the request has them."""

    job_name: str
    hyperparameters: dict[str, str]
    resources: dict[str, Any]
    channels: dict[str, dict[str, str]]
    processors: int

    @property
    def program(self) -> str | None:
        """The hyperparameter sagemaker_program."""
        value = self._decoded.get("sagemaker_program")
        return None if value is None else str(value)

    @property
    def submit_directory(self) -> str | None:
        """The hyperparameter sagemaker_submit_directory: the S3 URI of a tar.gz."""
        value = self._decoded.get("sagemaker_submit_directory")
        return None if value is None else str(value)

    @property
    def own(self) -> dict[str, Any]:
        """The script's own hyperparameters, each JSON-decoded where it is JSON."""
        return {name: value for name, value in self._decoded.items() if not _for_framework(name)}

    @property
    def framework(self) -> dict[str, Any]:
        """Those that start with sagemaker_ and are not among the ones that every image knows."""
        known = ("program", "submit_directory", "enable_cloudwatch_metrics", "container_log_level", "job_name")
        names = {f"{FRAMEWORK_PREFIX}{name}" for name in (*known, "region", "s3_output")}
        return {
            name: value
            for name, value in self._decoded.items()
            if name.startswith(FRAMEWORK_PREFIX) and name not in names
        }

    @property
    def arguments(self) -> list[str]:
        """`--name value` for each of the script's own hyperparameters, sorted by name."""
        arguments = []
        for name, value in sorted(self.own.items()):
            arguments += [f"--{name}" if len(name) > 1 else f"-{name}", _argument(value)]
        return arguments

    @cached_property
    def _decoded(self) -> dict[str, Any]:
        return {name: _decoded(value) for name, value in self.hyperparameters.items()}


def toolkit_failure(toolkit: str, command: Sequence[str], exit_code: int, last_line: str) -> str:
    """What a toolkit writes to /opt/ml/output/failure after a script that failed, over what the script wrote there.

    sagemaker-containers names the command and no more. sagemaker-training adds what the script wrote to stderr: here
    the last line of the log, as the two streams are one.
    """
    said = "" if toolkit == CONTAINERS else f'ExitCode {exit_code}\nErrorMessage "{last_line}"\n'
    return f'ExecuteUserScriptError:\n{said}Command "{" ".join(command)}"'


def script_variables(script: Script) -> dict[str, str]:
    """Every SM_ variable."""
    folders = {
        "model_dir": "/opt/ml/model",
        "input_dir": "/opt/ml/input",
        "input_config_dir": "/opt/ml/input/config",
        "output_dir": "/opt/ml/output",
        "output_data_dir": "/opt/ml/output/data",
        "output_intermediate_dir": "/opt/ml/output/intermediate",
    }
    hosts = script.resources["hosts"]
    channel_folders = {name: f"/opt/ml/input/data/{name}" for name in script.channels}
    common = {
        **folders,
        "hosts": hosts,
        "current_host": script.resources["current_host"],
        "network_interface_name": script.resources["network_interface_name"],
        "resource_config": script.resources,
        "input_data_config": script.channels,
        "module_name": None if script.program is None else module_of(script.program),
        "module_dir": script.submit_directory or "/opt/ml/code",
        "user_entry_point": script.program,
        "framework_module": None,
        "log_level": script.hyperparameters.get("sagemaker_container_log_level", INFO),
        "num_cpus": script.processors,
        "num_gpus": 0,
    }
    training = {
        **common,
        "hyperparameters": script.own,
        "additional_framework_parameters": script.framework,
        "channel_input_dirs": channel_folders,
        "job_name": script.job_name,
        "is_master": script.resources["current_host"] == hosts[0],
        "master_hostname": hosts[0],
    }
    values = {
        **common,
        "hps": script.own,
        "framework_params": script.framework,
        "channels": sorted(script.channels),
        "user_args": script.arguments,
        "training_env": training,
        **{f"channel_{name}": folder for name, folder in channel_folders.items()},
        **{f"hp_{name}": value for name, value in script.own.items()},
    }
    return {f"SM_{name.upper()}": _variable(value) for name, value in values.items()}


def _for_framework(name: str) -> bool:
    return name.startswith(FRAMEWORK_PREFIX) or name in FRAMEWORK_NAMES


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _argument(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={item}" for name, item in sorted(value.items()))
    return "" if value is None else str(value)


def _variable(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
