"""Where local SageMaker runs: what the environment, and what the state folder says of it.

Imports only the standard library: every command line tool asks it before anything else.
"""

import os
import socket
from pathlib import Path

from local_sagemaker.errors import LocalSageMakerError

DEFAULT_PORT = 5599
PORTS = range(5610, 5700)  # for projects beside the first
DEFAULT_REGION = "us-east-1"
LARGEST_SCALE = 600  # then a minute takes a tenth of a second
LOCK = "lock"  # in the state folder: held by the server, and saying which one
PORT = "port"  # in the state folder: the port that this project has, where another project has the default one


def configured_port(state: Path) -> int:
    """The port of SAGEMAKER_LOCAL_PORT, or the one that the state folder has kept, or 5599."""
    text = os.environ.get("SAGEMAKER_LOCAL_PORT")
    if text is None:
        return kept_port(configured_state(state)) or DEFAULT_PORT
    try:
        return port_number(text)
    except ValueError:
        raise LocalSageMakerError(f"SAGEMAKER_LOCAL_PORT is {text!r}: set it to a port number, 1 to 65535.") from None


def configured_address() -> str:
    """The address of SAGEMAKER_LOCAL_ADDRESS, or the loopback interface, which only this machine reaches."""
    return os.environ.get("SAGEMAKER_LOCAL_ADDRESS", "127.0.0.1")


def configured_state(default: Path) -> Path:
    """The state folder of SAGEMAKER_LOCAL_STATE, or the default."""
    return Path(os.environ.get("SAGEMAKER_LOCAL_STATE", default)).absolute()


def configured_handlers() -> Path | None:
    """The file of SAGEMAKER_LOCAL_HANDLERS, or None."""
    file = os.environ.get("SAGEMAKER_LOCAL_HANDLERS")
    return Path(file).absolute() if file else None


def configured_enforcement() -> bool:
    """Whether SAGEMAKER_LOCAL_ENFORCE_IAM asks for IAM's policies to be enforced: 1, or 0."""
    text = os.environ.get("SAGEMAKER_LOCAL_ENFORCE_IAM", "0")
    if text not in ("0", "1"):
        raise LocalSageMakerError(f"SAGEMAKER_LOCAL_ENFORCE_IAM is {text!r}: set it to 1 or 0.")
    return text == "1"


def configured_record() -> Path | None:
    """The file of SAGEMAKER_LOCAL_CALLS, to which every call is written, or None."""
    file = os.environ.get("SAGEMAKER_LOCAL_CALLS")
    return Path(file).absolute() if file else None


def configured_time_scale() -> float:
    """How many times faster waits and alarm periods pass: SAGEMAKER_LOCAL_TIME_SCALE, or 1."""
    text = os.environ.get("SAGEMAKER_LOCAL_TIME_SCALE", "1")
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 1 <= scale <= LARGEST_SCALE:
        raise LocalSageMakerError(
            f"SAGEMAKER_LOCAL_TIME_SCALE is {text!r}: set it to a number between 1 and {LARGEST_SCALE}."
        )
    return scale


def configured_model_memory() -> int | None:
    """The bytes that the models of an instance of a multi-model endpoint may have together; None for the default.

    SAGEMAKER_LOCAL_MODEL_MEMORY says it in MB.
    """
    text = os.environ.get("SAGEMAKER_LOCAL_MODEL_MEMORY")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise LocalSageMakerError(f"SAGEMAKER_LOCAL_MODEL_MEMORY is {text!r}: set it to a number of MB, at least 1.")
    return int(text) << 20


def configured_region() -> str:
    """The region of AWS_REGION or AWS_DEFAULT_REGION, or us-east-1."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION


def kept_port(state: Path) -> int | None:
    """The port that a state folder has kept, or None."""
    try:
        return port_number((state / PORT).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None


def port_number(text: str) -> int:
    """A port, 1 to 65535; ValueError for any other text."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"{text!r} is not a port number")
    return int(text)


def free_port() -> int:
    """A port of the loopback interface that nobody has."""
    for port in (*PORTS, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LocalSageMakerError("No port on 127.0.0.1 is free: set SAGEMAKER_LOCAL_PORT to one.")
