"""A private /opt/ml: mounted as root and as an ordinary user, or by rewriting."""

import io
import json
import os
import subprocess
import sys
import tarfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.processes import isolation
from local_sagemaker.processes.isolation import SUPERVISOR, PrivateFolder, isolation_here, mounts_work
from local_sagemaker.processes.outcome import ClientFault

NOBODY = 65534

# As root, the interpreter may lie where an ordinary user cannot read: so what is needed is loaded first.
AS_ORDINARY_USER = textwrap.dedent(f"""
    import ctypes, os, select, signal, sys, time
    source = compile(open(sys.argv[1]).read(), sys.argv[1], "exec")
    if os.geteuid() == 0:
        os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, which setuid took away
    assert os.geteuid() != 0
    if sys.argv[2] == "--allowed":
        sys.exit(ctypes.CDLL(None).unshare(0x10020000) != 0)
    sys.argv = sys.argv[1:]
    exec(source, {{"__name__": "__main__"}})
""")


def as_ordinary_user(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", "-c", AS_ORDINARY_USER, str(SUPERVISOR), *arguments]
    return subprocess.run(command, capture_output=True, check=False, cwd="/")


@pytest.fixture(name="open_folder")
def open_folder_fixture(tmp_path: Path) -> Path:
    """A folder that an ordinary user may reach and write."""
    folder = tmp_path / "private"
    folder.mkdir()
    for path in (folder, *folder.parents):
        if path != Path("/") and os.stat(path).st_uid == os.geteuid():
            path.chmod(path.stat().st_mode | 0o055)
    folder.chmod(0o777)
    return folder


def test_an_ordinary_user_gets_a_private_opt_ml_wherever_the_kernel_allows_it(open_folder: Path) -> None:
    allowed = as_ordinary_user("--allowed").returncode == 0
    probe = as_ordinary_user("--probe", str(open_folder))
    assert (probe.returncode == 0) == allowed, probe.stderr.decode()


def test_nothing_outside_the_private_folder_changes(make_bench: Callable[..., Any]) -> None:
    before = (sorted(os.listdir("/opt")) if os.path.isdir("/opt") else None, os.path.exists("/opt/ml"))
    script = "open('/opt/ml/model_of_mine', 'w').write('x'); import os; print(sorted(os.listdir('/opt')))"
    bench = make_bench("mount" if mounts_work() else "rewrite")
    assert bench.process(script).status == "Completed", bench.log()
    assert before == (sorted(os.listdir("/opt")) if os.path.isdir("/opt") else None, os.path.exists("/opt/ml"))
    if mounts_work():
        # and the job still sees the other things under /opt, where interpreters may live
        assert bench.log().strip() == str(sorted({*(before[0] or []), "ml"}))


@pytest.mark.e2e
def test_two_jobs_at_once_do_not_see_each_other(make_bench: Callable[..., Any]) -> None:
    import threading

    bench = make_bench()
    script = """
import os, time
path = "/opt/ml/processing/output/result/mine"
open(path, "x").write(os.environ["WHO"]); time.sleep(0.3)
assert open(path).read() == os.environ["WHO"]
"""
    requests = [bench.processing(script, f"job-{who}", Environment={"WHO": who}) for who in "ab"]
    outcomes: list[Any] = []
    threads = [threading.Thread(target=lambda request=r: outcomes.append(bench.run(request))) for r in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.status for outcome in outcomes] == ["Completed"] * 2
    assert bench.store.get("s3://out/job-a/result/mine") == b"a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/opt/ml", "REAL"),
        ("--data=/opt/ml/input", "--data=REAL/input"),
        ("file:///opt/ml/model/code", "file://REAL/model/code"),
        ("a:/opt/ml/x:/opt/ml/y", "a:REAL/x:REAL/y"),
        ("cd '/opt/ml'; x", "cd 'REAL'; x"),
        ("/opt/mlflow", "/opt/mlflow"),
        ("/usr/opt/ml/x", "/usr/opt/ml/x"),
        ("s3://bucket/opt/ml/x", "s3://bucket/opt/ml/x"),
    ],
)
def test_rewriting_touches_the_contract_s_folder_only(tmp_path: Path, text: str, expected: str) -> None:
    private = PrivateFolder(tmp_path / "algo-1", "rewrite")
    assert private.rewrite(text) == expected.replace("REAL", str(private.ml))
    assert PrivateFolder(tmp_path / "algo-2", "mount").rewrite(text) == text


def test_code_files_are_rewritten_also_in_archives_and_data_is_not(tmp_path: Path) -> None:
    private = PrivateFolder(tmp_path / "algo-1", "rewrite")
    code = b"open('/opt/ml/model/x')"
    for name in ("run.py", "data.csv", "large.json"):
        (private.ml / name).write_bytes(code + b" " * (2_000_000 if name == "large.json" else 0))
    with tarfile.open(private.ml / "sourcedir.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("steps/run.py")
        member.size = len(code)
        tar.addfile(member, io.BytesIO(code))
    (private.ml / "broken.tar.gz").write_bytes(b"no archive: the job will say so")
    private.rewrite_code(private.ml)
    real = f"open('{private.ml}/model/x')"
    assert (private.ml / "run.py").read_text() == real
    assert (private.ml / "data.csv").read_bytes() == code
    assert (private.ml / "large.json").read_bytes().startswith(code)
    with tarfile.open(private.ml / "sourcedir.tar.gz") as tar:
        assert tar.extractfile("steps/run.py").read().decode() == real  # type: ignore[union-attr]


def test_a_job_in_a_folder_with_blanks_runs_all_the_same(tmp_path: Path) -> None:
    private = PrivateFolder(tmp_path / "my projects" / "algo-1", "rewrite")
    assert " " not in private.seen_as
    assert os.path.samefile(private.seen_as, private.ml)
    private.close()
    assert not os.path.lexists(private.seen_as)


@pytest.mark.parametrize("path", ["/etc", "/opt/ml/../../etc", "/opt/mlx", "opt/ml", ""])
def test_paths_outside_the_contract_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ClientFault, match="is not under /opt/ml"):
        PrivateFolder(tmp_path, "mount").path(path)


def test_the_switch_forces_a_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_LOCAL_ISOLATION", "rewrite")
    assert isolation_here() == "rewrite"
    monkeypatch.setenv("SAGEMAKER_LOCAL_ISOLATION", "docker")
    with pytest.raises(ValueError, match="set it to mount or rewrite"):
        isolation_here()
    monkeypatch.setenv("SAGEMAKER_LOCAL_ISOLATION", "mount")
    monkeypatch.setattr(isolation, "mounts_work", lambda: False)
    with pytest.raises(ValueError, match="does not allow"):
        isolation_here()
    monkeypatch.delenv("SAGEMAKER_LOCAL_ISOLATION")
    assert isolation_here() == "rewrite"


def test_the_contract_s_config_is_rewritten_too(make_bench: Callable[..., Any]) -> None:
    bench = make_bench("rewrite")
    bench.process("print(open('/opt/ml/config/processingjobconfig.json').read())")
    path = json.loads(bench.log())["ProcessingInputs"][0]["S3Input"]["LocalPath"]
    assert path.startswith(str(bench.folder))
