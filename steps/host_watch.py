"""Ends a job of several hosts when one of them ends: XGBoost's collective alone may wait for a dead one for ever.

Every other host keeps a connection to the first one, on which both say now and then that they are alive, why they
failed, or that they are done. A host whose connection ends without a word, or that is silent for too long, is dead:
then each host says so where SageMaker looks for the reason, and ends. Of several reasons all hosts give the one that
the first host was the first to hear of. Messages are JSON, a line each.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from steps.failure import JobError, report
from steps.hosts import Hosts

PORT = 9499  # of the first host
ARRIVAL_SECONDS = 600.0  # until all hosts are there: they download inputs of different sizes
BEAT_SECONDS, SILENCE_SECONDS = 5.0, 60.0
HELLO_SECONDS, PAUSE_SECONDS = 5.0, 0.2
VERDICT_SECONDS = 15.0  # to hear who is dead, after XGBoost has found that somebody is
LAST_WORD_SECONDS = 1.0  # of a host that is told to end: perhaps because another one is dead


class HostWatch:
    """This host's connections: of the first host to each of the others, of the others to the first."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._peers: dict[str, socket.socket] = {}
        self._heard: dict[str, Iterator[dict[str, Any]]] = {}
        self._ending = threading.Event()
        self._decided = threading.Event()
        self._verdict: str | None = None  # the first host's, of a failure of which this host has told it
        self._lock = threading.Lock()

    def meet(self) -> None:
        """Wait for the other hosts. Raises JobError naming those that do not come."""
        if self._hosts.is_first:
            self._listen()
        else:
            self._reach(self._hosts.names[0])

    def say(self, message: dict[str, Any]) -> None:
        """Tell every peer; one that is gone is found by who reads from it."""
        line = json.dumps(message).encode() + b"\n"
        with self._lock:
            for peer in self._peers.values():
                try:
                    peer.sendall(line)
                except OSError:
                    continue

    def hear(self) -> dict[str, Any]:
        """The next message of the first host that says more than that it is alive, before `start`."""
        first = self._hosts.names[0]
        for message in self._heard[first]:
            if "failed" in message:
                raise JobError(message["failed"])
            if "beat" not in message:
                return message
        raise JobError(_gone(first))

    def start(self) -> None:
        """Begin to watch, in threads of their own; SIGTERM waits for a last word from now on.

        It is handled rather than blocked: XGBoost and Arrow have threads already, which would not block it.
        """
        told, tell = os.pipe()
        os.set_blocking(tell, False)
        signal.set_wakeup_fd(tell)  # written in whichever thread is told: the main one may be in XGBoost
        signal.signal(signal.SIGTERM, lambda *_: None)
        threading.Thread(target=self._until_told_to_end, args=(told,), daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()
        for name, peer in self._peers.items():
            threading.Thread(target=self._watch, args=(name, peer), daemon=True).start()

    def end(self) -> None:
        """Say goodbye; what the others say from now on is of no interest."""
        self._ending.set()
        self.say({"done": True})
        self._leave()

    def fail(self, reason: str) -> None:
        """Say why this host failed, here and to the others; where another one failed at once, why that one did."""
        with self._lock:
            given_up = self._ending.is_set()
            self._ending.set()
        if given_up:
            threading.Event().wait()  # the thread that has given up ends the process
        self.say({"failed": reason})
        if not self._hosts.is_first and self._decided.wait(VERDICT_SECONDS):
            reason = self._verdict or reason
        self._report(reason)
        self._leave()

    def _report(self, reason: str) -> None:
        report(reason)
        if self._hosts.is_first:
            time.sleep(LAST_WORD_SECONDS)  # the end of this process would undo what is on its way to the others

    def _leave(self) -> None:
        for peer in self._peers.values():
            try:
                peer.shutdown(socket.SHUT_WR)
            except OSError:
                continue
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def wait_for_verdict(self) -> None:
        """After a fault of the collective: this process ends as soon as it is known which host is dead."""
        if self._ending.wait(VERDICT_SECONDS):
            time.sleep(VERDICT_SECONDS)  # the thread that knows ends the process

    def _listen(self) -> None:
        missing = set(self._hosts.names[1:])
        deadline = time.monotonic() + ARRIVAL_SECONDS
        address = _address_of(self._hosts.current)
        with socket.create_server((address, PORT)) as server:
            while missing:
                server.settimeout(max(0.01, deadline - time.monotonic()))
                try:
                    peer, _ = server.accept()
                    peer.settimeout(HELLO_SECONDS)
                    messages = _messages(peer)
                    name = next(messages)["host"]
                except TimeoutError:
                    names = ", ".join(sorted(missing))
                    raise JobError(
                        f"{names} did not reach {self._hosts.current} within {ARRIVAL_SECONDS / 60:.0f} minutes: look "
                        "into their logs; in a VPC, the jobs' security group must let its members reach each other."
                    ) from None
                except (OSError, StopIteration, ValueError, KeyError, TypeError):
                    continue  # not a host, or one that is gone
                if name in missing:
                    missing.remove(name)
                    self._peers[name], self._heard[name] = peer, messages

    def _reach(self, first: str) -> None:
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while True:
            try:
                peer = socket.create_connection((_address_of(first), PORT), timeout=SILENCE_SECONDS)
            except OSError as error:
                if time.monotonic() > deadline:
                    raise JobError(
                        f"{self._hosts.current} cannot reach {first} ({error}): look into its log; in a VPC, the jobs' "
                        "security group must let its members reach each other."
                    ) from error
                time.sleep(PAUSE_SECONDS)
            else:
                peer.settimeout(ARRIVAL_SECONDS)  # the others may take their time
                peer.sendall(json.dumps({"host": self._hosts.current}).encode() + b"\n")
                self._peers[first], self._heard[first] = peer, _messages(peer)
                return

    def _beat(self) -> None:
        while not self._ending.wait(BEAT_SECONDS):
            self.say({"beat": True})

    def _watch(self, name: str, peer: socket.socket) -> None:
        peer.settimeout(SILENCE_SECONDS)
        for message in self._heard[name]:
            if "failed" in message:
                self._give_up(message["failed"])
            if "done" in message:
                return
        self._give_up(_gone(name))

    def _give_up(self, reason: str) -> None:
        """End this process with what another host has failed of, after it has told the rest."""
        with self._lock:
            if self._ending.is_set():  # this host has ended, too, and has said why
                self._verdict = reason
                self._decided.set()
                return
            self._ending.set()
        self.say({"failed": reason})
        self._report(reason)
        os._exit(1)  # the main thread may wait in XGBoost for the dead host

    def _until_told_to_end(self, told: int) -> None:
        while signal.SIGTERM not in os.read(told, 1):
            continue  # another signal, which has a handler of its own
        time.sleep(LAST_WORD_SECONDS)
        os._exit(128 + signal.SIGTERM)


def _gone(name: str) -> str:
    return f"The host {name} ended, or was silent for {SILENCE_SECONDS:.0f} s, before the step was done: see its log."


def _address_of(name: str) -> str:
    return socket.gethostbyname(name)


def _messages(peer: socket.socket) -> Iterator[dict[str, Any]]:
    """What a peer says, until it ends or is silent for the socket's timeout."""
    rest = b""
    while True:
        try:
            received = peer.recv(1 << 16)
        except OSError:
            return
        if not received:
            return
        *lines, rest = (rest + received).split(b"\n")
        yield from map(json.loads, lines)
