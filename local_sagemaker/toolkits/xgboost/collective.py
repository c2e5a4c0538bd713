"""Training on several hosts: XGBoost's collective, with the first host that has data as its tracker."""

import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from xgboost import collective
from xgboost.core import XGBoostError
from xgboost.tracker import RabitTracker

PORT = 9099  # of the tracker in which the hosts find out who has data; the one that trains has the next
TIMEOUT_SECONDS = 60
ATTEMPTS = 60
PAUSE_SECONDS = 0.5
FAREWELL_SECONDS = 10  # for the others, which say goodbye to the tracker


def hosts_with_data(hosts: Sequence[str], current: str, has_data: bool) -> list[str]:
    """The hosts that have data, as every host of the job then knows."""
    with joined(hosts, current, PORT):
        world = collective.get_world_size()
        told = [collective.broadcast(json.dumps([current, has_data]), rank) for rank in range(world)]
    return [host for host, has in map(json.loads, told) if has]


@contextmanager
def joined(hosts: Sequence[str], current: str, port: int) -> Iterator[bool]:
    """Within, XGBoost trains one model on all of the hosts; the value says whether this one keeps the model."""
    if len(hosts) == 1:
        yield True
        return
    ordered = sorted(hosts)
    master = ordered[0]
    address = socket.gethostbyname(master)
    tracker = None
    if current == master:
        tracker = RabitTracker(n_workers=len(ordered), host_ip=address, port=port, sortby="task")
        tracker.start()
    arguments = {
        "dmlc_communicator": "rabit",
        "dmlc_tracker_uri": address,
        "dmlc_tracker_port": port,
        "dmlc_task_id": str(ordered.index(current)),
        "dmlc_timeout": TIMEOUT_SECONDS,
    }
    context = _connected(arguments)
    try:
        yield current == master
    finally:
        context.__exit__(None, None, None)
        if tracker is not None:
            with suppress(XGBoostError, ValueError):  # freed while its own thread still accepts, it may end the process
                tracker.wait_for(FAREWELL_SECONDS)
            with suppress(XGBoostError):
                tracker.free()


def _connected(arguments: dict[str, Any]) -> Any:
    """The collective, once its tracker listens."""
    for attempt in range(ATTEMPTS):
        context = collective.CommunicatorContext(**arguments)
        try:
            context.__enter__()
            return context
        except Exception:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(PAUSE_SECONDS)
    raise AssertionError
