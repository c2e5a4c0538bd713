"""The form of an endpoint: fields from the sample payload of its version, hints from its data quality baseline."""

import io
import json
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from studio.account.account import Account
from studio.account.attempts import attempt
from studio.errors import StudioError
from studio.pages.metrics import is_number
from studio.pages.registry import describe
from studio.previews.objects import read_json, read_whole

MOST_ARCHIVE, MOST_PAYLOAD = 32 << 20, 6 << 20  # 6 MB is what InvokeEndpoint takes
MOST_CHOICES = 200
TYPES = {".json": "application/json", ".csv": "text/csv"}


@dataclass(frozen=True)
class Field:
    """One field of the form: its name, the sample's value, how it is entered, and what is known of it."""

    name: str
    value: Any
    kind: str  # number, boolean, choice, text, json
    hint: str = ""
    choices: tuple[str, ...] = ()
    beside: bool = False  # it stands beside the list that the object stands in

    @property
    def key(self) -> str:
        """What the form calls it: an object may have a field with the name of one beside it."""
        return f"beside.{self.name}" if self.beside else self.name

    @property
    def text(self) -> str:
        """The sample's value as it stands in the form."""
        return self.value if isinstance(self.value, str) else json.dumps(self.value)


@dataclass(frozen=True)
class Sample:
    """A request that the model answers. `fields` is empty where its body is not one object, such as CSV."""

    package: str
    body: bytes
    content_type: str
    fields: tuple[Field, ...]
    wrapper: str | None  # the key of the list that the object stands in, such as instances

    def filled(self, values: Mapping[str, str]) -> bytes:
        """The body with other values; StudioError for one that is not of its field's type."""
        parsed = [(field, _parsed(field, values.get(field.key, field.text))) for field in self.fields]
        content, beside = (
            {field.name: value for field, value in parsed if value is not None and field.beside is place}
            for place in (False, True)
        )
        document: Any = {self.wrapper: [content], **beside} if self.wrapper else content
        return json.dumps(document, indent=1, ensure_ascii=False).encode()


def read_sample(account: Account, package_arn: str | None) -> Sample | None:
    """The sample payload of a version; None where it has none, or no version is known."""
    if package_arn is None:
        return None
    package = describe(account, package_arn)
    uri = package.get("SamplePayloadUrl")
    if not uri:
        return None
    name, body = first_payload(read_whole(account, uri, MOST_ARCHIVE), uri)
    supported = package.get("InferenceSpecification", {}).get("SupportedContentTypes") or ["application/json"]
    content_type = next((kind for ending, kind in TYPES.items() if name.endswith(ending)), supported[0])
    content, wrapper, beside = _object(body) if content_type == "application/json" else ({}, None, {})
    known = _known(account, package) if content else {}
    fields = [_field(name, value, known.get(name, {})) for name, value in content.items()]
    fields += [replace(_field(name, value, {}), beside=True) for name, value in beside.items()]
    return Sample(package_arn, body, content_type, tuple(fields), wrapper)


def first_payload(archive: bytes, uri: str) -> tuple[str, bytes]:
    """Name and content of the first file of a .tar.gz; StudioError where there is none."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() and member.size <= MOST_PAYLOAD else None
                if content is not None:
                    return member.name, content.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        raise StudioError(f"The sample payload {uri} is not a .tar.gz.") from None
    raise StudioError(f"The sample payload {uri} holds no file of at most {MOST_PAYLOAD:,} bytes.")


def _object(body: bytes) -> tuple[dict[str, Any], str | None, dict[str, Any]]:
    """The object of a request, the key of the list that it stands in, and the values beside that list."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}, None, {}
    if not isinstance(document, dict):
        return {}, None, {}
    beside = {key: value for key, value in document.items() if not isinstance(value, (list, dict))}
    others = document.keys() - beside.keys()
    key = others.pop() if len(others) == 1 else None
    rows = document[key] if key is not None else None
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        return rows[0], key, beside
    return document, None, {}


def _known(account: Account, package: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the data quality baseline of a version, in Model Monitor's layout, says of each field."""
    baselines = package.get("DriftCheckBaselines", {}).get("ModelDataQuality", {})
    measured = package.get("ModelMetrics", {}).get("ModelDataQuality", {})
    known: dict[str, dict[str, Any]] = {}
    for kind in ("Constraints", "Statistics"):
        uri = (baselines.get(kind) or measured.get(kind) or {}).get("S3Uri")
        document = attempt(partial(read_json, account, uri)).value if uri else None
        for feature in (document or {}).get("features", []) if isinstance(document, Mapping) else []:
            known.setdefault(str(feature.get("name")), {}).update(feature)
    return known


def _field(name: str, value: Any, known: Mapping[str, Any]) -> Field:
    if isinstance(value, bool):
        return Field(name, value, "boolean")
    if isinstance(value, (int, float)):
        numbers = known.get("numerical_statistics", {})
        ends = [_amount(numbers[name]) for name in ("min", "max") if is_number(numbers.get(name))]
        hint = f"{' to '.join(ends)} in the training data" if len(ends) == 2 else ""
        return Field(name, value, "number", hint)
    if isinstance(value, str):
        domains = tuple(map(str, known.get("string_constraints", {}).get("domains", [])))
        if domains and len(domains) <= MOST_CHOICES:
            return Field(name, value, "choice", f"{len(domains)} values in the training data", domains)
        return Field(name, value, "text")
    return Field(name, value, "json")


def _amount(value: float) -> str:
    """A number as people write it: 1900 may be a year."""
    if abs(value) >= 100_000:
        return f"{value:,.0f}"
    return f"{value:,.6g}" if abs(value) >= 10_000 else f"{value:.6g}"


def _parsed(field: Field, text: str) -> Any:
    text = text.strip()
    if text == "":
        return None
    if field.kind in ("text", "choice"):
        return text
    try:
        return json.loads(text.lower() if field.kind == "boolean" else text)
    except ValueError:
        noun = {"number": "a number", "boolean": "true or false"}.get(field.kind, "JSON")
        raise StudioError(f"{field.name} is {text!r}: it must be {noun}.") from None
