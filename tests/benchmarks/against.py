"""`make bench AGAINST=COMMIT`: this checkout and that commit, timed in turn on this machine; exit code 1 if slower.

Each side has its own code, the packages of its own lock, its own server and state. Only what both sides offer is
used: the commands, and the API through boto3. A measurement is slower where the ratio of the medians stays above
SLOWER with the noise taken off: the spread of both sides, as the median deviation from their medians.
"""

import argparse
import compileall
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))

import boto3
from botocore.config import Config
from noop_steps import definition
from rows import ROOT, free_port
from serving import BODY, deploy

SLOWER = 1.15
ROUNDS, CALLS = 9, 40
KEYS = 2000
PACKAGES = (
    "local_sagemaker",
    "pipelines",
    "command_line",
    "infrastructure",
    "deployment",
    "steps",
    "evaluation",
    "monitoring",
)


@dataclass
class Side:
    """One of the two, while its server runs."""

    name: str
    code: Path
    python: Path
    state: Path
    port: str = field(default_factory=free_port)

    @property
    def environment(self) -> dict[str, str]:
        """Of every command: nothing of the user's settings, and a server of its own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAGEMAKER_"))}
        return kept | {"SAGEMAKER_LOCAL_PORT": self.port, "SAGEMAKER_LOCAL_STATE": str(self.state)}

    def run(self, *words: str) -> None:
        """A command of this side, to its end; its output is shown where it fails."""
        done = subprocess.run(
            [str(self.python), *words], cwd=self.code, env=self.environment, capture_output=True, text=True
        )
        if done.returncode != 0:
            sys.exit(f"{self.name}: {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")

    def client(self, service: str) -> Any:
        """A boto3 client of its server."""
        return boto3.session.Session().client(
            service,  # type: ignore[call-overload]
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )


@dataclass(frozen=True)
class Measurement:
    """What is timed, and how many calls one timing is of; `prepare` is called once, with each side."""

    name: str
    prepare: Callable[[Side], Callable[[int], object]]
    calls: int = 1
    rounds: int = ROUNDS


def measurements(folder: Path) -> list[Measurement]:
    """Everything that is timed."""
    steps = folder / "steps.json"
    steps.write_text(json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": definition(5, True)["Steps"]}))
    return [
        Measurement("run_pipeline.py --help", _command("run_pipeline.py", "--help")),
        Measurement("run_pipeline.py check, compiled before", _command("run_pipeline.py", "check"), rounds=5),
        Measurement("5 no-op steps, the whole command", _command("-m", "local_sagemaker", "run", str(steps)), rounds=5),
        Measurement("PutObject of 1 kB", _put, CALLS),
        Measurement("GetObject of 1 kB", _get, CALLS),
        Measurement("HeadObject", _head, CALLS),
        Measurement(f"page of 1,000 of {KEYS:,} keys", _page, 5),
        Measurement("multipart upload of 12 MB", _parts, 1),
        Measurement("CreateModelPackage", _package, CALLS),
        Measurement("ListModelPackages", _packages, CALLS),
        Measurement("DescribeModelPackageGroup", _group, CALLS),
        Measurement("GetRole", _role, CALLS),
        Measurement("InvokeEndpoint", _invoke, CALLS),
        Measurement("restart of the server", _restart, rounds=5),  # after which the endpoint comes up again
    ]


def _command(*words: str) -> Callable[[Side], Callable[[int], object]]:
    return lambda side: lambda number: side.run(*words)


def _restart(side: Side) -> Callable[[int], object]:
    def restart(number: int) -> None:
        side.run("-m", "local_sagemaker", "down")
        side.run("-m", "local_sagemaker", "up")

    return restart


def _put(side: Side) -> Callable[[int], object]:
    s3 = side.client("s3")
    return lambda number: s3.put_object(Bucket="bench", Key=f"put/{number}", Body=b"x" * 1000)


def _get(side: Side) -> Callable[[int], object]:
    s3 = side.client("s3")
    return lambda number: s3.get_object(Bucket="bench", Key="keys/0000")["Body"].read()


def _head(side: Side) -> Callable[[int], object]:
    s3 = side.client("s3")
    return lambda number: s3.head_object(Bucket="bench", Key="keys/0000")


def _page(side: Side) -> Callable[[int], object]:
    s3 = side.client("s3")
    return lambda number: s3.list_objects_v2(Bucket="bench", Prefix="keys/")


def _parts(side: Side) -> Callable[[int], object]:
    s3, part = side.client("s3"), b"x" * (6 << 20)

    def upload(number: int) -> None:
        named = {"Bucket": "bench", "Key": "parts"}
        identifier = s3.create_multipart_upload(**named)["UploadId"]
        parts = [
            {
                "PartNumber": each,
                "ETag": s3.upload_part(**named, UploadId=identifier, PartNumber=each, Body=part)["ETag"],
            }
            for each in (1, 2)
        ]
        s3.complete_multipart_upload(**named, UploadId=identifier, MultipartUpload={"Parts": parts})

    return upload


def _package(side: Side) -> Callable[[int], object]:
    sagemaker = side.client("sagemaker")
    return lambda number: sagemaker.create_model_package(ModelPackageGroupName="bench")


def _packages(side: Side) -> Callable[[int], object]:
    sagemaker = side.client("sagemaker")
    return lambda number: sagemaker.list_model_packages(ModelPackageGroupName="bench", MaxResults=100)


def _group(side: Side) -> Callable[[int], object]:
    sagemaker = side.client("sagemaker")
    return lambda number: sagemaker.describe_model_package_group(ModelPackageGroupName="bench")


def _role(side: Side) -> Callable[[int], object]:
    iam = side.client("iam")
    return lambda number: iam.get_role(RoleName="bench")


def _invoke(side: Side) -> Callable[[int], object]:
    runtime = side.client("sagemaker-runtime")
    return lambda number: runtime.invoke_endpoint(EndpointName="bench", Body=BODY, ContentType="text/csv")[
        "Body"
    ].read()


def _fill(side: Side) -> None:
    """What the measurements ask for, made through the API as a user would."""
    s3, sagemaker, iam = (side.client(name) for name in ("s3", "sagemaker", "iam"))
    deploy(f"http://127.0.0.1:{side.port}")
    for number in range(KEYS):
        s3.put_object(Bucket="bench", Key=f"keys/{number:04d}", Body=b"x" * 1000)
    sagemaker.create_model_package_group(ModelPackageGroupName="bench")
    iam.create_role(RoleName="bench", AssumeRolePolicyDocument="{}")


def compare(sides: tuple[Side, Side], found: list[Measurement]) -> bool:
    """Time everything in turn and print the table; whether nothing is slower."""
    width = max(len(measurement.name) for measurement in found)
    print(f"{'WHAT'.ljust(width)}  {sides[0].name:>10}  {sides[1].name:>10}  RATIO  NOISE")
    good = True
    for measurement in found:
        calls = [measurement.prepare(side) for side in sides]
        taken: tuple[list[float], list[float]] = ([], [])
        for round_number in range(measurement.rounds + 1):
            for position in (0, 1) if round_number % 2 else (1, 0):
                start = time.perf_counter()
                for call in range(measurement.calls):
                    calls[position](round_number * measurement.calls + call)
                if round_number:  # the first warms up
                    taken[position].append((time.perf_counter() - start) / measurement.calls)
        now, then = (statistics.median(seconds) for seconds in taken)
        noise = sum(_deviation(seconds) / statistics.median(seconds) for seconds in taken)
        slower = now / then - noise > SLOWER
        good = good and not slower
        durations = "  ".join(f"{seconds * 1000:7.1f} ms" for seconds in (now, then))
        verdict = "  SLOWER" if slower else ""
        print(f"{measurement.name.ljust(width)}  {durations}  {now / then:5.2f}  {noise:5.2f}{verdict}", flush=True)
    return good


def _deviation(seconds: list[float]) -> float:
    middle = statistics.median(seconds)
    return statistics.median(abs(value - middle) for value in seconds)


def _python_of(code: Path) -> Path:
    """The interpreter with the packages of a checkout's lock: this one's where it has them all."""
    lock = code / "requirements.lock"
    ours, theirs = (ROOT / "requirements-dev.lock").read_text(), lock.read_text()
    if _versions(theirs) <= _versions(ours):
        return Path(sys.executable)
    folder = ROOT / ".venv-bench" / "locks" / hashlib.sha256(theirs.encode()).hexdigest()[:12]
    python = folder / "bin/python"
    if not (folder / "installed").exists():
        print(f"installing the packages of {code.name}'s lock ...", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        hashes = ["--require-hashes"] if "--hash=" in theirs else []
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*install, *hashes, "-r", str(lock)], check=True)
        (folder / "installed").touch()
    return python


def _versions(lock: str) -> set[str]:
    """The pins of a lock, whether it has hashes or not."""
    return {line.partition(" \\")[0].strip() for line in lock.splitlines() if "==" in line}


@contextmanager
def _server(side: Side) -> Iterator[None]:
    for package in PACKAGES:
        compileall.compile_dir(side.code / package, quiet=1)
    side.run("-m", "local_sagemaker", "up")
    try:
        _fill(side)
        yield
    finally:
        side.run("-m", "local_sagemaker", "down")


def main() -> int:
    """Compare this checkout with a commit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("commit", help="what git calls it")
    commit = parser.parse_args().commit
    with tempfile.TemporaryDirectory() as name, ExitStack() as servers:
        folder = Path(name)
        code = folder / "code"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(code)], check=True)
        if subprocess.run(["git", "checkout", "--quiet", commit], cwd=code).returncode != 0:
            sys.exit(f"git knows no commit {commit}.")
        now = Side("now", ROOT, Path(sys.executable), folder / "now")
        then = Side(commit[:10], code, _python_of(code), folder / "then")
        for side in (now, then):
            print(f"filling the server of {side.name} ...", file=sys.stderr, flush=True)
            servers.enter_context(_server(side))
        return 0 if compare((now, then), measurements(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
