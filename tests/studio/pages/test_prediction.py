"""Answers of models as people read them, and requests as programs send them."""

import shlex

import pytest

from studio.pages.prediction import Prediction, read_answer, snippets
from tests.studio.conftest import FakeAccount


def test_a_score_with_its_interval_and_what_else_came_with_it() -> None:
    text = '{"predictions": [{"score": 5, "lower": 4, "upper": 6, "reasons": {"a": 1}}], "coverage": 0.9}'
    assert read_answer(text) == ((Prediction(5, (4, 6), {"reasons": {"a": 1}}),), 0.9)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1.5\n2\n", ["1.5", "2"]),
        ("[1, 2]", [1, 2]),
        ('{"predictions": [[1]]}', [[1]]),
        ('{"score": 3}', [3]),
        ("", []),
    ],
)
def test_other_layouts(text: str, values: list[object]) -> None:
    rows, coverage = read_answer(text)
    assert ([row.value for row in rows], coverage) == (values, None)


def test_a_body_with_quotes_survives_every_shell() -> None:
    body = '{"note": "it\'s $(here) `x` \\\\"}'
    made = snippets(FakeAccount(), "e", body.encode(), "application/json")  # type: ignore[arg-type]
    words = shlex.split(made["curl"].replace("\\\n", " "))
    assert words[words.index("--data-binary") + 1] == body
    assert words[-1] == "http://127.0.0.1:1/endpoints/e/invocations"
    assert shlex.split(made["AWS CLI"].splitlines()[0])[2] == body
    names: dict[str, object] = {}
    exec(made["boto3"].splitlines()[3], names)
    assert names["body"] == body


def test_on_aws_no_credentials_stand_in_the_code() -> None:
    account = FakeAccount()
    account.endpoint_url, account.is_local = None, False  # type: ignore[assignment]
    made = snippets(account, "e", b"1", "text/csv")  # type: ignore[arg-type]
    assert "$AWS_SECRET_ACCESS_KEY" in made["curl"]
    assert "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/e/invocations" in made["curl"]
    assert "aws_access_key_id" not in made["boto3"]
