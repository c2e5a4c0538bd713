"""The registered model behind this project's model server, and behind those that others would take: requests a second.

Each server calls the same handlers in as many workers as the image starts, one for each core.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from answers import records
from load import Asked, requests_a_second
from project import by_hand
from rows import PYTHON, ROOT, Row, free_port

HERE = Path(__file__).parent / "servers"
OTHERS = ROOT / ".venv-servers" / "bin"
WORKERS = str(os.cpu_count())
SECONDS, TURNS = 3.0, 5
CLIENTS = (1, 8, MANY := 32)
STARTS_WITHIN = 300  # seconds


@dataclass(frozen=True)
class Server:
    """One server: its command, and how it is asked."""

    name: str
    command: list[str]
    asked: Asked
    environment: dict[str, str]


def server_rows(folder: Path) -> list[Row]:
    """Rows for the table, from the model of the default data."""
    by_hand(folder)
    return compared(folder / "work")


def compared(work: Path) -> list[Row]:
    """Ours over each other one: all are up, and asked in turns, so that what else the machine does meets all.

    A duration for each answer, so that less is better: of the clock, and of the processors, which what shares the
    machine changes less.
    """
    everyone = servers(work)
    clock, processor = defaultdict[tuple[str, int], list[float]](list), defaultdict[tuple[str, int], list[float]](list)
    with ExitStack() as up:
        started = [(server, *up.enter_context(running(server))) for server in everyone]
        for turn in range(TURNS + 1):
            for clients in CLIENTS:
                for server, pid, _ in started:
                    before, start = processor_seconds(pid), time.perf_counter()
                    rate = requests_a_second(server.asked, clients, SECONDS)
                    answers = rate * (time.perf_counter() - start)
                    if turn:  # the first one warms up
                        clock[server.name, clients].append(1000 / rate)
                        processor[server.name, clients].append(1000 * (processor_seconds(pid) - before) / answers)
        loading = {server.name: seconds for server, _, seconds in started}
        memory = {server.name: megabytes(pid) / int(WORKERS) for server, pid, _ in started}
    ours, *others = (server.name for server in everyone)
    rows = []
    for other in others:
        for clients in CLIENTS:
            found = [statistics.median(clock[name, clients]) for name in (ours, other)]
            rows.append(Row(f"ms for each answer, clients: {clients}, workers: {WORKERS} / {other}", *found, 1.0))
        found = [statistics.median(processor[name, MANY]) for name in (ours, other)]
        rows.append(Row(f"  ms of the processors for each, clients: {MANY} / {other}", *found, 1.0))
        rows.append(Row(f"  seconds until it answers / {other}", loading[ours], loading[other], 1.0))
        rows.append(Row(f"  MB for each worker / {other}", memory[ours], memory[other], 1.0))
    return rows


def servers(work: Path) -> list[Server]:
    """This project's first."""
    model = {"MODEL_CODE": str(work / "model" / "code"), "MODEL_FOLDER": str(work / "model"), "OMP_NUM_THREADS": "1"}
    body = json.dumps({"instances": records(work)[:1]}).encode()
    image = {
        "SAGEMAKER_PROGRAM": "steps.serve",
        "SAGEMAKER_SUBMIT_DIRECTORY": model["MODEL_CODE"],
        "SAGEMAKER_BASE_DIR": str(work),
        "SAGEMAKER_MODEL_SERVER_WORKERS": WORKERS,
        "PYTHONPATH": str(ROOT),
    }
    port = free_port()
    ours = Server(
        "the model server of local SageMaker",
        [
            PYTHON,
            str(ROOT / "local_sagemaker" / "toolkits" / "model_server.py"),
            "--toolkit",
            "containers",
            "--port",
            port,
        ],
        Asked(int(port), "/invocations", body, b'"score"'),
        image,
    )
    return [ours, *(make(work, model, body) for make in (_gunicorn, _mlserver, _litserve))]


def _gunicorn(work: Path, model: dict[str, str], body: bytes) -> Server:
    """As the image has it, but for nginx in front."""
    port = free_port()
    options = ["-k", "gevent", "--worker-connections", "1000", "--timeout", "60", "--log-level", "error"]
    command = [str(OTHERS / "gunicorn"), *options, "-w", WORKERS, "-b", f"127.0.0.1:{port}", "flask_app:app"]
    return Server("gunicorn + Flask", command, Asked(int(port), "/invocations", body, b'"score"'), model)


def _mlserver(work: Path, model: dict[str, str], body: bytes) -> Server:
    ports = {name: int(free_port()) for name in ("http_port", "grpc_port", "metrics_port")}
    folder = work / "mlserver"
    folder.mkdir(exist_ok=True)
    settings = {"parallel_workers": int(WORKERS), "host": "127.0.0.1", "debug": False, **ports}
    (folder / "settings.json").write_text(json.dumps(settings))
    implementation = {"name": "house", "implementation": "mlserver_model.Handlers"}
    (folder / "model-settings.json").write_text(json.dumps(implementation))
    value = {"name": "body", "shape": [1], "datatype": "BYTES", "data": [body.decode()]}
    asked = Asked(ports["http_port"], "/v2/models/house/infer", json.dumps({"inputs": [value]}).encode(), b"score")
    return Server("MLServer", [str(OTHERS / "mlserver"), "start", str(folder)], asked, model)


def _litserve(work: Path, model: dict[str, str], body: bytes) -> Server:
    port = free_port()
    command = [str(OTHERS / "python"), str(HERE / "litserve_app.py"), port, WORKERS]
    return Server("LitServe", command, Asked(int(port), "/predict", body, b'"score"'), model)


@contextmanager
def running(server: Server) -> Iterator[tuple[int, float]]:
    """The process of a server that answers, and the seconds that it took to."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            server.command,
            cwd=folder,  # some write files there
            env={**os.environ, "PYTHONPATH": str(HERE), **server.environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            while not _answers(server.asked):
                if process.poll() is not None or time.perf_counter() - start > STARTS_WITHIN:
                    log.seek(0)
                    sys.exit(f"{server.name} did not start:\n{log.read()}")
                time.sleep(0.02)
            yield process.pid, time.perf_counter() - start
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _answers(asked: Asked) -> bool:
    try:
        return requests_a_second(asked, 1, 0) > 0
    except (OSError, SystemExit):
        return False


def family(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(_stat(int(folder.name))[1])
        except OSError:
            continue  # it has ended meanwhile
        children.setdefault(parent, []).append(int(folder.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def megabytes(pid: int) -> float:
    """What a process and all below it have of the memory; what several share is counted once."""
    lines = [line for each in family(pid) for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def processor_seconds(pid: int) -> float:
    """What a process and all below it have used of the processors."""
    return sum(int(ticks) for each in family(pid) for ticks in _stat(each)[11:13]) / os.sysconf("SC_CLK_TCK")
