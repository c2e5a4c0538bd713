"""Stand between the server and one job: give the job a private /opt/ml, and let none of its processes outlive it.

Started as `python -I -S supervisor.py DIRECTORY LOG PRIVATE HOSTS NAME GRACE COMMAND...` in the job's
environment: where the job runs, where its output goes, the folder that is its /opt/ml (or nothing), the file
that is its /etc/hosts and its own host name (or nothing), the seconds between SIGTERM and SIGKILL. It
precedes every job, so it imports little: no json, no typing, no subprocess.

Anything on standard input ends the job; so does the end of the stream, which means that the server is
gone. On standard output: `pid N`, and at the end `end EXIT_CODE STOPPED`, the latter 1 or 0.
"""

import ctypes
import os
import select
import signal
import sys
import time

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER = 0x00020000, 0x04000000, 0x10000000  # linux/sched.h
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000  # linux/mount.h
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
CONTRACT_FOLDER = "/opt/ml"
NOT_STARTED = 127  # the exit code that shells give a command that cannot be started
SIGNAL_BASE = 128  # a process killed by signal n has exit code 128 + n, as Docker reports it
LINUX = sys.platform == "linux"

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Run one job; with `--probe FOLDER`, try the private /opt/ml and exit 0 where it works."""
    if sys.argv[1] == "--probe":
        mount_private(sys.argv[2])
        sys.exit(0 if os.path.samefile(CONTRACT_FOLDER, sys.argv[2]) else 1)
    directory, log, private, hosts, name, grace_seconds, *command = sys.argv[1:]
    if private:
        mount_private(private)
        if hosts:
            name_hosts(hosts, name)
    if LINUX:
        check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")
    wakeup, written = os.pipe()
    os.set_blocking(written, False)
    signal.set_wakeup_fd(written)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    pid = start(command, directory, log)
    report(f"pid {pid}")
    exit_code, stopped = Watch(pid, wakeup, float(grace_seconds)).until_end()
    report(f"end {exit_code} {int(stopped)}")


def start(command: list[str], directory: str, log: str) -> int:
    """Fork the job into its own session and return its pid once it is the job, or has failed to become it."""
    started, failed = os.pipe()  # both close at exec
    supervisor = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            become(command, directory, log, supervisor)
        except OSError as error:
            os.write(2, f"{command[0]}: {error.strerror} ({error.filename})\n".encode())
        finally:
            os._exit(NOT_STARTED)
    os.close(failed)
    os.read(started, 1)
    os.close(started)
    return pid


def become(command: list[str], directory: str, log: str, supervisor: int) -> None:
    """Turn a fresh child into the job: own session, output to the log, no input, then exec."""
    os.setsid()
    if LINUX:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:  # it died before the line above
            return
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them; the job should not
        signal.signal(number, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(directory)
    os.execvp(command[0], command)  # noqa: S606 - there is no shell to start it


class Watch:
    """The job's life from here on; at its end nothing that it started is left."""

    def __init__(self, pid: int, wakeup: int, grace_seconds: float) -> None:
        self.pid = pid
        self.wakeup = wakeup
        self.grace_seconds = grace_seconds
        self.exit_code: int | None = None
        self.has_children = True

    def until_end(self) -> tuple[int, bool]:
        """Wait for the end; the exit code, and whether the job was asked to stop."""
        sources = [self.wakeup, 0]
        asked = False
        deadline = None
        self.reap()
        while self.exit_code is None:
            if asked and deadline is None:
                deadline = time.monotonic() + self.grace_seconds
                signal_group(self.pid, signal.SIGTERM)
            wait = None if deadline is None else deadline - time.monotonic()
            if wait is not None and wait <= 0:
                break
            ready, _, _ = select.select(sources, [], [], wait)
            if self.wakeup in ready and signal.SIGTERM in os.read(self.wakeup, 512):
                asked = True
            if 0 in ready:
                asked = True
                if not os.read(0, 512):
                    sources.remove(0)
            self.reap()
        self.kill_rest()
        return (self.exit_code if self.exit_code is not None else SIGNAL_BASE + signal.SIGKILL), asked

    def reap(self) -> None:
        """Collect every child that has ended."""
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.has_children = False
                return
            if ended == 0:
                return
            if ended == self.pid:
                code = os.waitstatus_to_exitcode(status)
                self.exit_code = code if code >= 0 else SIGNAL_BASE - code

    def kill_rest(self) -> None:
        """Kill whatever is left; as a subreaper this process inherits all that the job abandoned."""
        while self.has_children:
            if LINUX:
                for descendant in descendants():
                    send(descendant, signal.SIGKILL)
            else:
                signal_group(self.pid, signal.SIGKILL)
            self.reap()
            if self.has_children:
                time.sleep(0.002)


def descendants() -> list[int]:
    """Every process below this one, from /proc."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stream:
                    # pid (name) state ppid ...: the name may hold spaces and brackets
                    parent = int(stream.read().rpartition(b")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents.setdefault(parent, []).append(int(name))
    found = list(parents.get(os.getpid(), []))
    for pid in found:  # grows while it is walked
        found.extend(parents.get(pid, []))
    return found


def signal_group(pid: int, number: int) -> None:
    """Signal the job's process group, if it still has one."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group that has just ended
        return


def send(pid: int, number: int) -> None:
    """Signal one process, if it still exists."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def mount_private(private: str) -> None:
    """Enter a mount namespace in which /opt/ml is the folder `private`; nothing is created outside of it.

    Where /opt/ml does not exist, /opt becomes a tmpfs to which /opt's own children are bound back.
    OSError where the kernel forbids it, or where there is no /opt.
    """
    enter_namespace()
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    source = os.open(private, os.O_PATH)
    if not os.path.isdir(CONTRACT_FOLDER):
        parent = os.path.dirname(CONTRACT_FOLDER)
        # Opened before the tmpfs hides them; /proc/self/fd names them afterwards.
        others = {entry.name: (entry, os.open(entry.path, os.O_PATH | os.O_NOFOLLOW)) for entry in os.scandir(parent)}
        mount("tmpfs", parent, "tmpfs", 0)
        os.chmod(parent, 0o755)  # noqa: S103 - as /opt is
        for name, (entry, descriptor) in others.items():
            bind_back(entry, descriptor, f"{parent}/{name}")
        os.mkdir(CONTRACT_FOLDER)
    mount(f"/proc/self/fd/{source}", CONTRACT_FOLDER, None, MS_BIND | MS_REC)
    os.close(source)


def name_hosts(hosts: str, name: str) -> None:
    """Give the job's hosts their names, within the namespace: other hosts in /etc/hosts, its own as host name."""
    mount(hosts, "/etc/hosts", None, MS_BIND)
    check(libc.sethostname(name.encode(), len(name.encode())), "sethostname")


def bind_back(entry: "os.DirEntry[str]", descriptor: int, target: str) -> None:
    """Make one child of the hidden folder visible again in the tmpfs above it."""
    if entry.is_symlink():
        os.symlink(os.readlink("", dir_fd=descriptor), target)
    else:
        if entry.is_dir():
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
        mount(f"/proc/self/fd/{descriptor}", target, None, MS_BIND | MS_REC)
    os.close(descriptor)


def enter_namespace() -> None:
    """Mounts and a host name of its own; an ordinary user needs a user namespace for it, mapped to themselves."""
    if os.geteuid() == 0 and libc.unshare(CLONE_NEWNS | CLONE_NEWUTS) == 0:
        return
    uid, gid = os.geteuid(), os.getegid()
    check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS), "unshare")
    # user_namespaces(7): setgroups must be denied before an unprivileged process may write gid_map
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as stream:
            stream.write(text)


def mount(source: str, target: str, kind: str | None, flags: int) -> None:
    """mount(2); OSError where it fails."""
    encoded = None if kind is None else kind.encode()
    arguments = (os.fsencode(source), os.fsencode(target), encoded, ctypes.c_ulong(flags), None)
    check(libc.mount(*arguments), target)


def check(result: int, what: str) -> None:
    """Raise the OSError of a failed call to the C library."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def report(line: str) -> None:
    """Tell the server; a server that is gone needs no telling."""
    try:
        os.write(1, f"{line}\n".encode())
    except BrokenPipeError:
        return


if __name__ == "__main__":
    main()
