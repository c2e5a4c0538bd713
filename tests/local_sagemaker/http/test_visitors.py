"""Who may ask: programs of this machine, and pages that it serves itself."""

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.http.visitors import Visitors, is_loopback
from local_sagemaker.wire.http_request import HttpRequest


def check(address: str = "127.0.0.1", **headers: str) -> None:
    environ = {"HTTP_HOST": "127.0.0.1:5599", **{f"HTTP_{name.upper()}": value for name, value in headers.items()}}
    Visitors(address).check(HttpRequest(environ))


@pytest.mark.parametrize("origin", ["http://localhost:8888", "http://127.0.0.1", "http://app.localhost:3000"])
def test_a_page_of_this_machine_may_ask(origin: str) -> None:
    check(origin=origin, sec_fetch_site="same-site")


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example.com", "http://localhost.evil.example.com", "null", "", "http://[", "http://10.0.0.1"],
)
def test_a_page_of_another_site_may_not(origin: str) -> None:
    with pytest.raises(ServiceError, match="is not local") as refusal:
        check(origin=origin)
    assert refusal.value.status == 403


def test_a_page_that_embeds_an_address_of_the_server_may_not_either() -> None:
    with pytest.raises(ServiceError, match="another site"):
        check(sec_fetch_site="cross-site")


def test_an_open_address_lets_ip_addresses_in_and_still_no_foreign_names() -> None:
    check("0.0.0.0", host="192.168.1.7:5599")
    check("0.0.0.0", host="[fe80::1]:5599")
    for headers in ({"host": "evil.example.com"}, {"origin": "http://evil.example.com"}):
        with pytest.raises(ServiceError, match="is not local"):
            check("0.0.0.0", **headers)
    with pytest.raises(ServiceError, match="is not local"):
        check("127.0.0.1", host="192.168.1.7:5599")


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_only_the_loopback_interface_is_out_of_reach(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback
