"""Join the hosts of a training job through XGBoost's collective; the first one runs its tracker."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from steps.boosting import xgboost
from steps.failure import JobError
from steps.host_watch import HostWatch
from steps.hosts import Hosts

FAREWELL_SECONDS = 10  # for the others, which say goodbye to the tracker


@contextmanager
def joined(hosts: Hosts) -> Iterator[None]:
    """Within, XGBoost trains one model on the rows of all hosts; with one host nothing happens.

    Raises JobError with the name of the host that failed, on every host.
    """
    if hosts.count == 1:
        yield
        return
    watch = HostWatch(hosts)
    watch.meet()
    try:
        with _communicator(hosts, watch):
            yield
    except JobError as error:
        reason = f"{hosts.current}: {error}"
        watch.end(reason)
        raise JobError(reason) from error
    except xgboost.core.XGBoostError as error:
        watch.wait_for_verdict()  # mostly another host has ended, and XGBoost does not say which
        watch.end(f"{hosts.current}: {_first_line(error)}")
        raise
    except Exception as error:
        watch.end(f"{hosts.current}: {type(error).__name__}: {error}")
        raise
    watch.end()


@contextmanager
def _communicator(hosts: Hosts, watch: HostWatch) -> Iterator[None]:
    from xgboost import collective
    from xgboost.tracker import RabitTracker

    tracker = None
    address = socket.gethostbyname(hosts.names[0])
    if hosts.is_first:
        tracker = RabitTracker(n_workers=hosts.count, host_ip=address, sortby="task")
        tracker.start()
        port = tracker.worker_args()["dmlc_tracker_port"]
        watch.say({"port": port})
    else:
        port = watch.hear()["port"]
    watch.start()
    arguments: dict[str, Any] = {
        "dmlc_communicator": "rabit",
        "dmlc_tracker_uri": address,
        "dmlc_tracker_port": port,
        "dmlc_task_id": f"{hosts.number:05d}",  # ranks follow these as texts
    }
    try:
        collective.init(**arguments)
        yield
    except BaseException:
        if tracker is not None:  # freed while its thread still waits for hosts, it would end the process
            del tracker.handle
        raise  # and finalize would wait for a host that may be dead
    collective.finalize()
    if tracker is not None:
        with suppress(xgboost.core.XGBoostError, ValueError):
            tracker.wait_for(FAREWELL_SECONDS)
        with suppress(xgboost.core.XGBoostError):
            tracker.free()


def _first_line(error: Exception) -> str:
    return f"XGBoost failed: {str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__}"
