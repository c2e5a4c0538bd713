"""Lifetimes: stopping, time limits, hosts, crashes, and a clean environment, through real processes."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.processes.isolation import mounts_work
from local_sagemaker.processes.outcome import Outcome

pytestmark = pytest.mark.e2e

FAMILY = """
import os, subprocess, sys, time
hidden = [sys.executable, "-c", "import time; time.sleep(60)  # family"]
subprocess.Popen(hidden, start_new_session=True)
subprocess.Popen(["/bin/sh", "-c", "trap '' TERM; sleep 60"])
print("ready")
time.sleep(60)
"""


def processes_with(text: str) -> list[str]:
    found = subprocess.run(["ps", "-ww", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if text in line]


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


class Background:
    """A job that runs in a thread, as in the server."""

    def __init__(self, bench: Any, request: dict[str, Any]) -> None:
        self.stop = threading.Event()
        self.outcome: Outcome | None = None
        self._thread = threading.Thread(target=self._run, args=(bench, request), daemon=True)
        self._thread.start()

    def _run(self, bench: Any, request: dict[str, Any]) -> None:
        self.outcome = bench.runtime.run_processing_job(request, self.stop)

    def join(self) -> Outcome:
        self._thread.join(20)
        assert self.outcome is not None
        return self.outcome


def test_stop_ends_a_job_and_all_that_it_started(bench: Any) -> None:
    mark = f"family-{os.getpid()}-{time.monotonic_ns()}"
    job = Background(bench, bench.processing(FAMILY.replace("family", mark)))
    wait_for(lambda: "ready" in bench.log())
    assert processes_with(mark)
    job.stop.set()
    outcome = job.join()
    assert (outcome.status, outcome.failure_reason) == ("Stopped", None)
    assert processes_with(mark) == []


def test_a_job_may_save_its_work_when_it_is_asked_to_stop(bench: Any) -> None:
    script = """
import signal, sys, time
def save(*_):
    open("/opt/ml/processing/output/result/saved", "w").write("half")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("ready"); time.sleep(60)
"""
    job = Background(bench, bench.processing(script))
    wait_for(lambda: "ready" in bench.log())
    job.stop.set()
    assert job.join().status == "Stopped"
    assert bench.store.get("s3://out/job/result/saved") == b"half"


def test_a_job_that_ignores_sigterm_is_killed_after_the_grace_period(bench: Any) -> None:
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"
    job = Background(bench, bench.processing(script))
    wait_for(lambda: "ready" in bench.log())
    job.stop.set()
    outcome = job.join()
    assert (outcome.status, outcome.exit_code) == ("Stopped", 128 + signal.SIGKILL)


def test_a_stop_before_the_start_runs_nothing(bench: Any) -> None:
    stop = threading.Event()
    stop.set()
    assert bench.runtime.run_processing_job(bench.processing("print('ran')"), stop).status == "Stopped"
    assert bench.log() == ""


def test_what_a_job_leaves_running_ends_with_it(bench: Any) -> None:
    mark = f"daemon-{os.getpid()}-{time.monotonic_ns()}"
    daemon = f"[sys.executable, '-c', 'import time; time.sleep(60)  # {mark}']"
    script = f"import subprocess, sys\nsubprocess.Popen({daemon}, start_new_session=True)"
    assert bench.process(script).status == "Completed"
    assert processes_with(mark) == []


def test_the_time_limit_stops_a_processing_job(bench: Any) -> None:
    script = "import time; time.sleep(60)"
    started = time.monotonic()
    outcome = bench.process(script, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (outcome.status, outcome.failure_reason) == ("Stopped", None)
    assert time.monotonic() - started < 5


def test_a_job_gets_a_clean_environment(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "GITHUB_TOKEN", "PYTHONPATH"):
        monkeypatch.setenv(name, "secret-of-the-caller")
    outcome = bench.process(
        "import json, os; print(json.dumps(dict(os.environ)))", Environment={"OMP_NUM_THREADS": "7"}
    )
    assert outcome.status == "Completed", bench.log()
    environment = json.loads(bench.log())
    assert "secret-of-the-caller" not in environment.values()
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5599"
    own = str(bench.folder / "job" / "algo-1" / "venv" / "bin")
    assert environment["PATH"].split(":")[:2] == [own, str(Path(sys.executable).parent)]
    assert environment["OMP_NUM_THREADS"] == "7"
    assert environment["MKL_NUM_THREADS"] == environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["HOME"] != os.environ["HOME"]
    assert environment["TMPDIR"].startswith(str(bench.folder))


def test_several_hosts_share_sharded_inputs_and_a_failing_one_ends_the_others(
    bench: Any, s3_input: Callable[..., Any]
) -> None:
    for number in range(5):
        bench.store.put(f"s3://in/data/{number}", str(number))
    script = """
import json, os
hosts = json.load(open("/opt/ml/config/resourceconfig.json"))
me = hosts["current_host"]
names = sorted(os.listdir("/opt/ml/processing/input/data"))
open(f"/opt/ml/processing/output/result/{me}", "w").write(" ".join(names) + f" of {len(hosts['hosts'])}")
"""
    cluster = {"ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large"}}
    data = s3_input("data", "s3://in/data/", S3DataDistributionType="ShardedByS3Key")
    assert bench.process(script, inputs=[data], ProcessingResources=cluster).status == "Completed", bench.log()
    assert bench.store.get("s3://out/job/result/algo-1") == b"0 2 4 of 2"
    assert bench.store.get("s3://out/job/result/algo-2") == b"1 3 of 2"

    script = """
import json, sys, time
if json.load(open("/opt/ml/config/resourceconfig.json"))["current_host"] == "algo-2":
    sys.exit(5)
time.sleep(60)
"""
    outcome = bench.process(script, ProcessingResources=cluster)
    assert (outcome.status, outcome.exit_code) == ("Failed", 5)


MEETING = """
import json, os, pathlib, socket, time
hosts = json.load(open("/opt/ml/config/resourceconfig.json"))
me, others = hosts["current_host"], [name for name in hosts["hosts"] if name != hosts["current_host"]]
assert socket.gethostname() == me
def meet(name):
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection((name, 7777), timeout=30)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
listener = socket.create_server((me, 7777))  # every host listens on the same port, under its own name
outgoing = [meet(name) for name in others]
for connection in outgoing:
    connection.sendall(me.encode() + b"\\n")
heard = sorted(listener.accept()[0].makefile().readline().strip() for _ in others)
pathlib.Path(f"/opt/ml/processing/output/result/{me}").write_text(" ".join(heard))
"""


@pytest.mark.skipif(not mounts_work(), reason="without namespaces, the names of hosts do not resolve; the log says so")
def test_hosts_reach_each_other_by_name_also_while_another_job_uses_the_same_port(make_bench: Any) -> None:
    bench = make_bench("mount", grace_seconds=0.5)
    cluster = {"ClusterConfig": {"InstanceCount": 3, "InstanceType": "ml.m5.large"}}
    first, second = (
        Background(bench, bench.processing(MEETING, name=name, ProcessingResources=cluster)) for name in ("one", "two")
    )
    assert first.join().status == second.join().status == "Completed", bench.log("one") + bench.log("two")
    for name in ("one", "two"):
        assert bench.store.get(f"s3://out/{name}/result/algo-1") == b"algo-2 algo-3"
        assert bench.store.get(f"s3://out/{name}/result/algo-3") == b"algo-1 algo-2"


def test_without_namespaces_the_log_says_that_names_do_not_resolve(make_bench: Any) -> None:
    bench = make_bench("rewrite")
    cluster = {"ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large"}}
    assert bench.process("", ProcessingResources=cluster).status == "Completed"
    assert "warning: the names algo-1, algo-2 do not resolve" in bench.log()


@pytest.mark.parametrize("count", [0, -3])
def test_a_job_of_no_host_is_refused(bench: Any, count: int) -> None:
    cluster = {"ClusterConfig": {"InstanceCount": count, "InstanceType": "ml.m5.large"}}
    outcome = bench.process("", ProcessingResources=cluster)
    assert outcome.failure_reason == f"ClientError: InstanceCount is {count}: a job needs one instance at least."


def test_a_command_that_cannot_start_says_so_in_the_log(bench: Any) -> None:
    request = bench.processing("")
    request["AppSpecification"]["ContainerEntrypoint"] = ["/no/such/program"]
    outcome = bench.run(request)
    assert (outcome.status, outcome.exit_code) == ("Failed", 127)
    assert bench.log().startswith("/no/such/program: No such file or directory")


def test_stdout_and_stderr_are_in_the_log_in_the_order_of_writing(bench: Any) -> None:
    bench.process("import sys\nfor n in range(3): print('out', n); print('err', n, file=sys.stderr)")
    assert bench.log() == "out 0\nerr 0\nout 1\nerr 1\nout 2\nerr 2\n"


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "", ".", "x" * 64])
def test_a_name_that_is_no_folder_is_refused_and_touches_nothing(bench: Any, name: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    request = {**bench.processing(""), "ProcessingJobName": name}
    assert bench.run(request).failure_reason == f"ClientError: {name!r} is not a valid job name."
    assert (tmp_path / "elsewhere").is_dir()


SERVER = """
import sys, threading
from pathlib import Path
sys.path.insert(0, {tests!r})
from job_fixtures import Bench, FolderStore
from local_sagemaker.processes.images import ImageMap
from local_sagemaker.jobs.runtime import JobRuntime
root = Path({root!r})
store = FolderStore(root / "s3")
bench = Bench(store, JobRuntime(root / "jobs", store, ImageMap(), {{}}, {isolation!r}, 0.5), root / "jobs")
bench.process({script!r})
"""


@pytest.mark.parametrize("victims", ["server", "server and supervisor"])
def test_no_process_outlives_a_killed_server(bench: Any, tmp_path: Path, victims: str, request: Any) -> None:
    mark = f"orphan-{os.getpid()}-{time.monotonic_ns()}"
    isolation = request.node.callspec.params["bench"]
    source = SERVER.format(
        tests=str(Path(__file__).parents[1]),
        root=str(tmp_path),
        isolation=isolation,
        script=FAMILY.replace("family", mark),
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    server = subprocess.Popen([sys.executable, "-c", textwrap.dedent(source)], env=environment)
    wait_for(lambda: bench.runtime.log_path("job").exists() and "ready" in bench.log())
    assert processes_with(mark)
    supervisor = subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True, check=True)
    server.kill()
    if victims == "server and supervisor":
        os.kill(int(supervisor.stdout), signal.SIGKILL)
        server.wait()
        assert (bench.folder / "job" / "algo-1" / "process.json").exists()
        bench.runtime.reap()
    server.wait()
    wait_for(lambda: processes_with(mark) == [])
    bench.runtime.reap()
    assert not (bench.folder / "job" / "algo-1" / "opt" / "ml" / "processing" / "input").exists()
    assert not (bench.folder / "job" / "algo-1" / "process.json").exists() or victims == "server"
    assert "ready" in bench.log()


def test_reap_kills_no_stranger(bench: Any, tmp_path: Path) -> None:
    """A record whose pid now belongs to another process."""
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        root = bench.folder / "old" / "algo-1"
        root.mkdir(parents=True)
        record = {"token": "f" * 32, "pid": stranger.pid, "started": "long ago"}
        (root / "process.json").write_text(json.dumps(record))
        bench.runtime.reap()
        assert stranger.poll() is None
        assert not (root / "process.json").exists()
    finally:
        stranger.kill()
        stranger.wait()
