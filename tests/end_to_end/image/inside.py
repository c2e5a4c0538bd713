"""Become a command as in a container: /opt, /tmp and /etc are folders of ours, the network is the loopback interface.

`unshare --mount --net python inside.py SOURCE=TARGET ... -- COMMAND ...`, the interpreter being the image's.
"""

import ctypes
import fcntl
import os
import socket
import struct
import sys

MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
IFF_UP, SIOCGIFFLAGS, SIOCSIFFLAGS = 1, 0x8913, 0x8914


def mount(source: str, target: str, flags: int) -> None:
    """mount(2); OSError where it fails."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.mount(source.encode(), target.encode(), None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


def loopback_up() -> None:
    """Bring up the one interface of a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sh14s", b"lo", 0, b"")
        flags = struct.unpack("16sh14s", fcntl.ioctl(probe, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh14s", b"lo", flags | IFF_UP, b""))


def main() -> None:
    """Mount in the given order, then become the command."""
    end = sys.argv.index("--")
    loopback_up()
    mount("none", "/", MS_REC | MS_PRIVATE)
    for pair in sys.argv[1:end]:
        source, _, target = pair.partition("=")
        mount(source, target, MS_BIND | MS_REC)
    command = sys.argv[end + 1 :]
    os.chdir("/opt/ml")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
