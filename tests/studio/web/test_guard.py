"""Who is let in."""

import pytest

from studio.web.guard import PAGE_POLICY, UNTRUSTED_POLICY, Gatekeeper

KEEPER = Gatekeeper(5600, None)


@pytest.mark.parametrize(
    ("headers", "method", "let_in"),
    [
        ({"host": "127.0.0.1:5600"}, "GET", True),
        ({"host": "localhost:5600", "origin": "http://localhost:5600"}, "POST", True),
        ({"host": "127.0.0.1:5600", "sec-fetch-site": "cross-site"}, "GET", True),  # a link from elsewhere only reads
        ({"host": "127.0.0.1:5600", "sec-fetch-site": "cross-site"}, "POST", False),
        ({"host": "127.0.0.1:5600", "sec-fetch-site": "same-site"}, "POST", False),  # another port of this machine
        ({"host": "127.0.0.1:5601"}, "GET", False),
        ({"host": "evil.example"}, "GET", False),
        ({}, "GET", False),
        ({"host": "127.0.0.1:5600", "origin": "null"}, "GET", False),
        ({"host": "127.0.0.1:5600", "origin": "https://127.0.0.1:5600"}, "GET", False),
    ],
)
def test_only_this_ports_own_pages_ask(headers: dict[str, str], method: str, let_in: bool) -> None:
    assert (KEEPER.refusal(headers, method) is None) is let_in


def test_the_token_is_of_this_start_and_hard_to_guess() -> None:
    assert KEEPER.knows(KEEPER.token)
    assert not KEEPER.knows(Gatekeeper(5600, None).token)
    assert not KEEPER.knows("")
    assert not KEEPER.knows("é")
    assert len(KEEPER.token) > 40


def test_no_login_is_no_secret_that_fits() -> None:
    assert not KEEPER.is_login("")
    assert Gatekeeper(1, "secret").is_login("secret")
    assert not Gatekeeper(1, "secret").is_login("secre")


def test_pages_run_only_their_own_scripts_and_reports_none() -> None:
    assert "unsafe" not in PAGE_POLICY
    assert "frame-ancestors 'none'" in PAGE_POLICY
    assert "script-src" not in UNTRUSTED_POLICY
    assert "default-src 'none'" in UNTRUSTED_POLICY
    assert "allow-" not in UNTRUSTED_POLICY
