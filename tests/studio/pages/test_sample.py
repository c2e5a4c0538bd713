"""The form made from a sample payload."""

import io
import json
import tarfile
from typing import Any

import pytest

from studio.errors import StudioError
from studio.pages.sample import Field, Sample, _field, first_payload, read_sample
from tests.studio.conftest import Answering, FakeAccount
from tests.studio.world import packed

BASELINE = {
    "features": [
        {"name": "rooms", "numerical_statistics": {"min": 1, "max": 33}},
        {"name": "zip", "string_constraints": {"domains": ["98001", "98052"]}},
    ]
}


def account(payload: bytes, **package: Any) -> Any:
    bodies = {"p.tar.gz": payload, "s.json": json.dumps(BASELINE).encode()}

    def get_object(Bucket: str, Key: str) -> dict[str, Any]:
        return {"ContentLength": len(bodies[Key]), "Body": io.BytesIO(bodies[Key])}

    quality = {"ModelDataQuality": {"Constraints": {"S3Uri": "s3://b/s.json"}}}
    described = {"SamplePayloadUrl": "s3://b/p.tar.gz", "DriftCheckBaselines": quality, **package}
    return FakeAccount(s3=Answering(get_object=get_object), sagemaker=Answering(describe_model_package=described))


def sample(document: Any) -> Sample:
    found = read_sample(account(packed({"payload.json": json.dumps(document)})), "arn")
    assert found is not None
    return found


def test_each_field_is_of_the_kind_of_its_value_with_what_is_known_of_it() -> None:
    fields = {
        field.name: field for field in sample({"rooms": 3, "lake": False, "zip": "98052", "day": "x", "l": [1]}).fields
    }
    assert (fields["rooms"].kind, fields["rooms"].hint) == ("number", "1 to 33 in the training data")
    assert (fields["lake"].kind, fields["lake"].text) == ("boolean", "false")
    assert (fields["zip"].kind, fields["zip"].choices) == ("choice", ("98001", "98052"))
    assert fields["day"].kind == "text"
    assert (fields["l"].kind, fields["l"].text) == ("json", "[1]")


def test_other_values_keep_their_types_and_an_empty_one_is_left_out() -> None:
    filled = sample({"rooms": 3, "lake": False, "zip": "98052", "day": "x"}).filled(
        {"rooms": "4", "lake": "True", "zip": "00981", "day": ""}
    )
    assert json.loads(filled) == {"rooms": 4, "lake": True, "zip": "00981"}


def test_the_list_that_an_object_stands_in_is_kept() -> None:
    assert json.loads(sample({"instances": [{"a": 1}]}).filled({"a": "2"})) == {"instances": [{"a": 2}]}


def test_what_stands_beside_the_list_is_a_field_too() -> None:
    found = sample({"instances": [{"rooms": 3, "why": 1}], "why": True, "most": 5})
    assert [(field.key, field.kind) for field in found.fields] == [
        ("rooms", "number"), ("why", "number"), ("beside.why", "boolean"), ("beside.most", "number")]  # fmt: skip
    filled = json.loads(found.filled({"rooms": "4", "beside.why": "false", "beside.most": ""}))
    assert filled == {"instances": [{"rooms": 4, "why": 1}], "why": False}


def test_an_object_with_a_list_of_plain_values_is_the_object_itself() -> None:
    found = sample({"rooms": 3, "sizes": [1, 2]})
    assert [field.key for field in found.fields] == ["rooms", "sizes"]


def test_large_ranges_are_written_out() -> None:
    assert _field("lot", 1, {"numerical_statistics": {"min": 0.5, "max": 1074218.0}}).hint == (
        "0.5 to 1,074,218 in the training data"
    )


@pytest.mark.parametrize(("kind", "noun"), [("number", "a number"), ("boolean", "true or false"), ("json", "JSON")])
def test_a_wrong_value_is_named(kind: str, noun: str) -> None:
    with pytest.raises(StudioError, match=f"^f is 'maybe': it must be {noun}\\.$"):
        Sample("arn", b"", "application/json", (Field("f", 1, kind),), None).filled({"f": "maybe"})


def test_a_payload_that_is_no_object_has_no_fields() -> None:
    found = read_sample(account(packed({"rows.csv": "1,2\n"})), "arn")
    assert found is not None
    assert (found.content_type, found.fields, found.body) == ("text/csv", (), b"1,2\n")


def test_a_version_without_a_payload_has_no_form() -> None:
    assert read_sample(account(b"", SamplePayloadUrl=None), "arn") is None
    assert read_sample(account(b""), None) is None


def test_what_is_no_archive_or_an_empty_one_is_named() -> None:
    with pytest.raises(StudioError, match=r"s3://b/p is not a \.tar\.gz"):
        first_payload(b"text", "s3://b/p")
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w:gz").close()
    with pytest.raises(StudioError, match="holds no file"):
        first_payload(empty.getvalue(), "s3://b/p")
