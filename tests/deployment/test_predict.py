"""Predictions, and the model's own words on what is wrong with a request."""

import io
import json
from dataclasses import replace
from pathlib import Path

import botocore.exceptions
import pytest

from deployment.errors import DeploymentError
from deployment.predict import Answer, Payload, Row, model_sentence, predict, read_payload
from tests.aws_stub import Refusal
from tests.deployment.conftest import Hosting
from tests.deployment.test_deploy import ENDPOINT, deploy

PAYLOAD = Payload("house.json", b'{"bedrooms": 3}', "application/json")


def send(hosting: Hosting) -> Answer:
    runtime = hosting.aws.client("sagemaker-runtime")
    return predict(runtime, hosting.sagemaker, ENDPOINT, PAYLOAD, "deploy_model.py deploy", "/logs/staging")


def answer_with(hosting: Hosting, status: int, message: str) -> None:
    def refuse(body: bytes, content_type: str) -> tuple[bytes, str]:
        raise Refusal("ModelError", "Received an error", 424, OriginalStatusCode=status, OriginalMessage=message)

    hosting.aws.models[ENDPOINT] = refuse


def test_the_file_goes_to_the_model_as_it_is_and_the_answer_comes_back(hosting: Hosting) -> None:
    seen = []

    def model(body: bytes, content_type: str) -> tuple[bytes, str]:
        seen.append((body, content_type))
        return b'{"predictions": [{"score": 543210.5}]}', "application/json"

    hosting.aws.models[ENDPOINT] = model
    assert send(hosting).rows() == [Row(543210.5)]
    assert seen == [(PAYLOAD.body, "application/json")]


class Recording:
    """A runtime that keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: dict[str, object] = {}

    def invoke_endpoint(self, **request: object) -> dict[str, object]:
        self.asked = request
        return {"Body": io.BytesIO(b"1.5"), "ContentType": "text/csv"}


@pytest.mark.parametrize(("given", "sent"), [(None, {}), ("house-7", {"InferenceId": "house-7"})])
def test_an_inference_id_goes_along_where_one_is_given(given: str | None, sent: dict[str, str]) -> None:
    runtime = Recording()
    predict(runtime, None, ENDPOINT, replace(PAYLOAD, inference_id=given), "deploy", "/logs")
    assert {name: value for name, value in runtime.asked.items() if name == "InferenceId"} == sent


@pytest.mark.parametrize("inference_id", ["", " a", "a" * 65, "a\n", "ä"])
def test_an_inference_id_that_sagemaker_does_not_take_is_refused(tmp_path: Path, inference_id: str) -> None:
    with pytest.raises(DeploymentError, match="must have 1 to 64 ASCII characters"):
        read_payload("house.json", None, io.BytesIO(), inference_id)


def test_a_refused_request_gives_the_models_sentence(hosting: Hosting) -> None:
    answer_with(hosting, 400, "Row 1 lacks the field bedrooms.\nTraceback (most recent call last): ...")
    with pytest.raises(DeploymentError) as caught:
        send(hosting)
    assert str(caught.value) == "The model refused house.json (status 400): Row 1 lacks the field bedrooms."


def test_a_model_that_fails_names_its_log(hosting: Hosting) -> None:
    answer_with(hosting, 500, "")
    with pytest.raises(DeploymentError, match=r"failed on house.json \(status 500\).*Its log: /logs/staging"):
        send(hosting)


def test_a_missing_endpoint_names_the_command_that_makes_it(hosting: Hosting) -> None:
    with pytest.raises(DeploymentError, match=f"{ENDPOINT} does not exist: deploy to it with `deploy_model.py deploy`"):
        send(hosting)


def test_an_endpoint_that_is_not_ready_says_so(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    hosting.endpoints[ENDPOINT]["EndpointStatus"] = "Creating"
    with pytest.raises(DeploymentError, match="is Creating, not InService"):
        send(hosting)


def test_other_refusals_stay_what_they_are(hosting: Hosting) -> None:
    def deny(body: bytes, content_type: str) -> tuple[bytes, str]:
        raise Refusal("AccessDeniedException", "no", 403)

    hosting.aws.models[ENDPOINT] = deny
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        send(hosting)


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ('{"predictions": [{"score": 1.5}, {"score": 2}]}', "application/json", [1.5, 2.0]),
        ("1.5\n2\n", "text/csv; charset=utf-8", [1.5, 2.0]),
        ('{"labels": ["a"]}', "application/json", None),
        ("not json", "application/json", None),
    ],
)
def test_known_layouts_are_read_and_others_are_left_as_they_are(
    body: str, content_type: str, expected: list[float] | None
) -> None:
    rows = Answer(body, content_type).rows()
    assert (rows and [row.score for row in rows]) == expected


def test_intervals_are_read_where_the_model_gives_them() -> None:
    rows = '{"predictions": [{"score": 1.5, "lower": 1, "upper": 2.5}]'
    assert Answer(rows + ', "coverage": 0.9}', "application/json").rows() == [Row(1.5, (1.0, 2.5), 0.9)]
    assert Answer(rows + "}", "application/json").rows() == [Row(1.5, (1.0, 2.5))]
    assert Answer("1.5\n", "text/csv").rows() == [Row(1.5)]


def test_a_row_with_warnings_has_no_coverage_whatever_the_others_have() -> None:
    entry = {"score": 1.5, "lower": 1, "upper": 2.5, "coverage": None, "warnings": ["a 9 is far"]}
    document = {"predictions": [entry, {**entry, "coverage": 0.9, "warnings": []}], "coverage": None}
    first, second = Answer(json.dumps(document), "application/json").rows() or ()
    assert (first.coverage, first.warnings) == (None, ("a 9 is far",))
    assert (second.coverage, second.warnings) == (0.9, ())


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ('{"id": 7, "day": "today", "x": 1}', "application/json", [{"id": "7", "day": "today"}]),
        ('[{"id": "7", "day": "a"}, {"id": "8", "day": null}]', "application/json", [{"id": "7", "day": "a"}, {}]),
        ('{"day": "today", "x": 1}', "application/json", []),
        ('{"instances": [{"id": "7", "day": "2020-01-01"}]}', "application/json", [{"id": "7", "day": "2020-01-01"}]),
        ("\ufeffday, id\n1, 7\n\n2,8\n", "text/csv", [{"id": "7", "day": "1"}, {"id": "8", "day": "2"}]),
        ("x\n1\n", "text/csv", []),
        ("", "text/csv", []),
        ("1,2\n", "text/csv", []),
        ('{"x": 1}', "application/json", []),
        ("[1]", "application/json", []),
        ("7", "application/json", []),
        ("{", "application/json", []),
    ],
)
def test_what_names_a_row_in_the_request_is_found(body: str, content_type: str, expected: list[dict[str, str]]) -> None:
    assert Payload("house", body.encode(), content_type).identities(("id", "day")) == expected


def test_the_answer_carries_the_identities_where_there_is_one_for_each_row() -> None:
    answer = Answer('{"predictions": [{"score": 1.5}], "model": "m"}', "application/json")
    expected = {"predictions": [{"identity": {"id": "7"}, "score": 1.5}], "model": "m"}
    assert json.loads(answer.with_identities([{"id": "7"}])) == expected
    for identities in ([], [{"id": "7"}, {"id": "8"}]):
        assert answer.with_identities(identities) == answer.body
    assert Answer("1.5\n", "text/csv").with_identities([{"id": "7"}]) == "1.5\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"error": "No."}', "No."),
        ('{"message": "No.\\nmore"}', "No."),
        ("No.\nTraceback", "No."),
        ("\n  \n", ""),
        ("[1]", "[1]"),
    ],
)
def test_the_models_sentence_is_found_in_whatever_its_server_sends(text: str, sentence: str) -> None:
    assert model_sentence(text) == sentence


def test_the_type_of_a_file_follows_from_its_name_or_is_told(tmp_path: Path) -> None:
    for name, told, expected in (
        ("a.json", None, "application/json"),
        ("a.CSV", None, "text/csv"),
        ("a.txt", "text/csv", "text/csv"),
    ):
        (tmp_path / name).write_text("1,2")
        assert read_payload(str(tmp_path / name), told, io.BytesIO()).content_type == expected


def test_standard_input_needs_a_content_type() -> None:
    assert read_payload("-", "text/csv", io.BytesIO(b"1,2")).body == b"1,2"
    with pytest.raises(DeploymentError, match="--content-type"):
        read_payload("-", None, io.BytesIO(b"1,2"))


def test_files_that_cannot_be_sent_are_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text(" \n")
    (tmp_path / "house.txt").write_text("1")
    for name, reason in (
        ("missing.json", "cannot be read: no such file"),
        ("empty.json", "is empty"),
        ("house.txt", "does not end in .json or .csv"),
    ):
        with pytest.raises(DeploymentError, match=reason):
            read_payload(str(tmp_path / name), None, io.BytesIO())
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(DeploymentError, match="cannot be read: is a directory"):
        read_payload(str(tmp_path / "folder.json"), None, io.BytesIO())
