"""Clients drop personal columns before they send a request."""

import json

import pytest

from deployment.personal import without_personal
from deployment.predict import Payload

PERSONAL = ("owner", "phone")


def sent(body: str, kind: str) -> tuple[str, list[str]]:
    payload, dropped = without_personal(Payload("file", body.encode(), kind), PERSONAL)
    return payload.body.decode(), dropped


@pytest.mark.parametrize(
    ("body", "left", "dropped"),
    [
        ('{"x": 1, "owner": "Ada"}', {"x": 1}, ["owner"]),
        ('{"instances": [{"x": 1, "Phone ": 2}, {"owner": 3}]}', {"instances": [{"x": 1}, {}]}, ["owner", "phone"]),
        ('[{"x": 1}]', [{"x": 1}], []),
    ],
)
def test_of_json_at_any_depth(body: str, left: object, dropped: list[str]) -> None:
    text, names = sent(body, "application/json; charset=utf-8")
    assert (json.loads(text), names) == (left, dropped)


def test_of_csv_with_a_header() -> None:
    assert sent('x,Owner,y\n1,"Lovelace, Ada",2\n3,b,4\n', "text/csv") == ("x,y\n1,2\n3,4\n", ["owner"])
    assert sent("1,2\n", "text/csv") == ("1,2\n", [])


@pytest.mark.parametrize(("body", "kind"), [("{", "application/json"), ('x,owner\n"', "text/csv"), ("", "text/csv")])
def test_what_cannot_be_read_is_sent_as_it_is(body: str, kind: str) -> None:
    assert sent(body, kind) == (body, [])


def test_without_personal_columns_the_bytes_stay() -> None:
    payload = Payload("file", b'{"x":  1}', "application/json")
    assert without_personal(payload, ()) == (payload, [])
    assert without_personal(payload, PERSONAL) == (payload, [])
