"""Join the hosts of a job through XGBoost's collective; the first one runs its tracker. One host needs no XGBoost."""

from __future__ import annotations

import os
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any, NoReturn

from steps.failure import JobError
from steps.host_watch import HostWatch
from steps.hosts import Hosts
from steps.machine import used_up

FAREWELL_SECONDS = 10  # for the others, which say goodbye to the tracker
# How long a host may wait for the others, which may have more to do: the watch finds those that are dead, and the
# collective itself needs no limit.
PATIENCE_SECONDS = 7 * 24 * 3600
Meeting = Callable[[], AbstractContextManager[None]]


@contextmanager
def joined(hosts: Hosts) -> Iterator[None]:
    """Within, the hosts can tell each other (`Hosts`), and XGBoost trains one model on the rows of all.

    A fault on any of several hosts ends the process of each, with one reason that names the host. With one host nothing
    happens.
    """
    with watched(hosts) as meeting, meeting():
        yield


@contextmanager
def watched(hosts: Hosts) -> Iterator[Meeting]:
    """As `joined`, but the hosts can tell each other within the one meeting only that this gives them.

    What XGBoost does before and after the meeting is each host's own.
    """
    if hosts.count == 1:
        yield nullcontext
        return
    watch = HostWatch(hosts)
    watch.meet()
    try:
        with _tracker(hosts, watch) as arguments:
            yield partial(_meeting, hosts, arguments)
    except JobError as error:
        _fail(watch, f"{hosts.current}: {error}")
    except Exception as error:
        traceback.print_exc()
        from xgboost.core import XGBoostError

        if isinstance(error, XGBoostError):
            watch.wait_for_verdict()  # mostly another host has ended, and XGBoost does not say which
        _fail(watch, f"{hosts.current}: {used_up(error) or f'{type(error).__name__}: {error}'}")
    watch.end()


def _fail(watch: HostWatch, reason: str) -> NoReturn:
    """Tell the others, and end as `steps.failure.run_job` does; XGBoost's threads would crash an orderly exit."""
    watch.fail(reason)
    sys.stdout.flush()
    os._exit(1)


@contextmanager
def _tracker(hosts: Hosts, watch: HostWatch) -> Iterator[dict[str, Any]]:
    """Where the hosts will meet, as XGBoost's collective is told of it; the watch begins."""
    from steps.boosting import xgboost

    tracker = None
    address = socket.gethostbyname(hosts.names[0])
    if hosts.is_first:
        tracker = xgboost.tracker.RabitTracker(n_workers=hosts.count, host_ip=address, sortby="task")
        tracker.start()
        port = tracker.worker_args()["dmlc_tracker_port"]
        watch.say({"port": port})
    else:
        port = watch.hear()["port"]
    watch.start()
    yield {
        "dmlc_communicator": "rabit",
        "dmlc_tracker_uri": address,
        "dmlc_tracker_port": port,
        "dmlc_task_id": f"{hosts.number:05d}",  # ranks follow these as texts
        "dmlc_timeout": PATIENCE_SECONDS,
    }
    if tracker is not None:
        with suppress(xgboost.core.XGBoostError, ValueError):
            tracker.wait_for(FAREWELL_SECONDS)
        with suppress(xgboost.core.XGBoostError):
            tracker.free()


@contextmanager
def _meeting(hosts: Hosts, arguments: Mapping[str, Any]) -> Iterator[None]:
    from xgboost import collective

    collective.init(**arguments)
    yield
    hosts.total(0.0)  # each waits for all: until then a host that dies is missed by its name
    collective.finalize()
