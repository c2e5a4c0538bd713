"""Who may ask the server: programs of this machine, and no page of another site in its browser.

A page can send requests to 127.0.0.1, and it can have its own name resolve to 127.0.0.1 (DNS rebinding). The
browser then says whose page it is, in Host, Origin or Sec-Fetch-Site.
"""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.http_request import HttpRequest

LOOPBACK = "127.0.0.1"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
WARNING = (
    "local SageMaker listens on {address}, not on the loopback interface only: "
    "whoever reaches that address can run code as you, without any credentials."
)


class Visitors:
    """Decides over each request. With an address that others reach, the machine's IP addresses and name are local.

    An IP address as host is safe from DNS rebinding, which needs a name.
    """

    def __init__(self, address: str = LOOPBACK) -> None:
        self._open = not is_loopback(address)
        self._names = (*LOCAL_HOSTS, socket.gethostname(), address) if self._open else LOCAL_HOSTS

    def check(self, request: HttpRequest) -> None:
        """Raise AccessDenied (403) for a request from elsewhere."""
        host = re.sub(r":\d+$", "", request.headers.get("Host", ""))
        if not self._is_local(host):
            raise ServiceError("AccessDenied", f"The host {host!r} is not local.", 403)
        origin = request.headers.get("Origin")
        if origin is not None and not self._is_local(_host_of(origin)):
            raise ServiceError("AccessDenied", f"The origin {origin!r} of the request is not local.", 403)
        if request.headers.get("Sec-Fetch-Site") == "cross-site" and origin is None:
            raise ServiceError("AccessDenied", "The request comes from a page of another site.", 403)

    def _is_local(self, host: str) -> bool:
        return host in self._names or host.endswith(".localhost") or (self._open and _is_ip(host))


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address."""
    return address == "localhost" or (_is_ip(address) and ipaddress.ip_address(address).is_loopback)


def _host_of(origin: str) -> str:
    """The host of an origin such as http://localhost:8888, as it is in a Host header; empty for `null`."""
    try:
        return re.sub(r":\d+$", "", urlsplit(origin).netloc)
    except ValueError:
        return ""


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
