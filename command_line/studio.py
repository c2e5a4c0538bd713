"""The command studio: the web page of the local server in a process of its own, or of AWS until Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.client.lifecycle import Server
from pipelines.exit_codes import EXIT_OK
from studio.errors import StudioError
from studio.place import HOST, PORT, WHO

ROOT = Path(__file__).resolve().parents[1]
LESSONS = ROOT / "lessons"
START_SECONDS = 30.0


def open_studio(options: Namespace, server: Server | None) -> int:
    """studio: start the page of the local server, or find the one that runs, and open it; on AWS serve it here."""
    port = options.port or PORT
    if server is None:
        return _serve_aws(options, port)
    if options.stop:
        return stop(port)
    address = start(server, port)
    print(f"The studio is at {address}, until `run_pipeline.py --local studio --stop{_option(port)}`.")
    if not options.no_open:
        webbrowser.open(address)
    return EXIT_OK


def _option(port: int) -> str:
    return "" if port == PORT else f" --port {port}"


def start(server: Server, port: int) -> str:
    """The address of the studio of a server: of the process that runs, or of a new one in the background."""
    address, found = f"http://{HOST}:{port}/", who(port)
    if found is not None:
        if found.get("endpoint_url") == server.url:
            return address
        raise StudioError(f"Port {port} has the studio of {found.get('endpoint_url')}: give another with --port.")
    log = server.state / "studio.log"
    command = [sys.executable, "-m", "studio", "--endpoint-url", server.url, "--port", str(port), "--no-open"]
    command += ["--lessons", str(LESSONS)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        if who(port) is not None:
            return address
        time.sleep(0.05)
    process.kill()
    said = log.read_text(errors="replace").strip().removeprefix("error: ")
    raise StudioError(said.splitlines()[-1] if said else f"The studio did not start within {START_SECONDS:.0f} s.")


def stop(port: int) -> int:
    """End the studio on a port."""
    found = who(port)
    if found is None:
        print(f"No studio runs on port {port}.")
        return EXIT_OK
    os.kill(int(found["pid"]), signal.SIGTERM)
    while who(port) is not None:
        time.sleep(0.05)
    print("The studio has ended.")
    return EXIT_OK


def who(port: int) -> Mapping[str, Any] | None:
    """What the studio on a port says of itself; None where none answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{HOST}:{port}{WHO}", timeout=2) as answer:
            document = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None
    return document if isinstance(document, dict) and "pid" in document else None


def _serve_aws(options: Namespace, port: int) -> int:
    from studio.account.account import connect
    from studio.serve import serve

    if options.stop:
        raise StudioError("The studio of an AWS account ends with Ctrl-C; --stop is for --local.")
    account = connect(None, os.environ.get("AWS_PROFILE"), os.environ.get("AWS_REGION"), options.allow_changes)
    serve(account, port, not options.no_open, lambda text: print(text, flush=True), LESSONS)
    return EXIT_OK
