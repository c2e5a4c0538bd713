"""The environment variables of a job process: its own, and nothing of the caller's."""

import logging
import os
import re
from collections.abc import Iterable, Mapping

from local_sagemaker.processes.isolation import PrivateFolder
from local_sagemaker.processes.overlay import PYTHON_NAMES, Overlay

LOG = logging.getLogger("local_sagemaker.jobs")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "LOKY_MAX_CPU_COUNT",  # scikit-learn's n_jobs=-1
)
IMAGE = "LOCAL_SAGEMAKER_IMAGE"  # the image that a process stands for, for what differs by its version (toolkits/)
LOCAL_NAMES = ("127.0.0.1", "localhost")
# What pip and uv must know of this machine's way to a package index, and nothing that says where to install.
NETWORK = re.compile(
    r"(PIP|UV)_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|NO_INDEX|FIND_LINKS|TRUSTED_HOST|INSECURE_HOST|CERT"
    r"|NATIVE_TLS|PROXY|TIMEOUT|DEFAULT_TIMEOUT|HTTP_TIMEOUT|RETRIES|CONSTRAINT|DISABLE_PIP_VERSION_CHECK)"
    r"|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE",
    re.IGNORECASE,
)
CREDENTIALS = re.compile(r"//[^/\s@]*@|^[^/\s@]+:[^/\s@]+@")  # user:password@host, as in the URL of an index


def clean_environment(
    private: PrivateFolder, overlay: Overlay, threads: int, layers: Iterable[Mapping[str, str]]
) -> dict[str, str]:
    """The basic variables, over which later layers win.

    `threads` limits the numeric libraries, so that jobs that run at once do not fight for the cores.
    """
    environment = {
        **network_environment(),
        **overlay.variables,
        "PATH": ":".join([*overlay.path, SYSTEM_PATH]),
        "HOME": str(private.home),
        "TMPDIR": str(private.temporary),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",  # the log has the lines of stdout and stderr in the order of their writing
        **dict.fromkeys(THREADS, str(threads)),
        # How often a thread of GNU OpenMP looks before it sleeps. By default it looks so long that, where jobs share
        # the cores, it keeps the core from the very thread that it waits for; sleeping at once doubles the time of a
        # training that is alone. Measured with XGBoost: as fast alone, half the time beside two others.
        "GOMP_SPINCOUNT": "3000",
    }
    for layer in layers:
        environment.update(layer)
    return environment


def network_environment(caller: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a job must know of the network to install packages: indexes, proxies, certificates.

    A value with credentials in it stays with the caller; a job that needs it gets it as it would on AWS, in its
    own Environment. With a proxy, this machine itself is still reached directly.
    """
    found = {}
    for name, value in caller.items():
        if NETWORK.fullmatch(name):
            if CREDENTIALS.search(value):
                LOG.warning(
                    "%s is not passed to jobs, because it contains credentials: set it in their Environment", name
                )
            else:
                found[name] = value
    if any(name.upper().endswith("_PROXY") for name in found):
        direct = ",".join(filter(None, [found.get("NO_PROXY", found.get("no_proxy", "")), *LOCAL_NAMES]))
        found.update(NO_PROXY=direct, no_proxy=direct)
    return found


def with_interpreter(arguments: list[str], overlay: Overlay) -> list[str]:
    """A container's command with `python`, `/usr/bin/python3` and the like being the job's interpreter."""
    name = os.path.basename(arguments[0])
    if name in PYTHON_NAMES or name.startswith("python3."):
        return [*overlay.python, *arguments[1:]]
    return arguments
