"""Personal columns of a request are found wherever they stand, and refused where requests are captured."""

import json
from pathlib import Path

import pytest

from steps import serve
from steps.personal import VARIABLE, personal_columns
from tests.steps.test_serve import ROW, invoke

PERSONAL = ("owner", "phone number")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('{"area": 1, "owner": "Ada"}', ["owner"]),
        ('{"instances": [{"area": 1}, {"Owner ": "Ada", "PHONE NUMBER": "1"}]}', ["owner", "phone number"]),
        ('{"instances": [{"house": {"owner": null}}]}', ["owner"]),
        (b"\xef\xbb\xbfarea,owner\n1,Ada\n", ["owner"]),
        ('area,"phone number"\n1,2\n', ["phone number"]),
        ("area\n1\nowner\n", []),
        ('{"area": "owner"}', []),
        ("", []),
        (b"\xff\xfe", []),
        ("[" * 100_000, []),
    ],
)
def test_names_are_found_in_json_and_csv(body: bytes | str, found: list[str]) -> None:
    assert personal_columns(body, PERSONAL) == found


def test_a_request_with_one_is_refused_only_where_requests_are_captured(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = serve.model_fn(str(model_folder))
    body = json.dumps({**ROW, "flat": "12a"})
    monkeypatch.setenv(VARIABLE, '["flat"]')
    answer = invoke(model, body, "application/json")
    assert answer.status_code == 400
    assert answer.get_data(as_text=True) == (
        "The request holds the personal column flat, and requests are captured: leave it out."
    )
    assert json.loads(invoke(model, json.dumps(ROW), "application/json")[0])["predictions"]
    monkeypatch.delenv(VARIABLE)
    without_capture = invoke(model, body, "application/json")
    assert "personal" not in (
        without_capture[0] if isinstance(without_capture, tuple) else without_capture.get_data(as_text=True)
    )
