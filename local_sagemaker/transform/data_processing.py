"""DataProcessing: what of a record goes to the model, what its answer is joined with, what of that is kept.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.transform.json_path import InvalidPath, JSONPath, NotThere

CSV_TYPES = ("text/csv",)
JSON_TYPES = ("application/json", "application/jsonlines", "application/x-jsonlines", "application/jsonl")
INPUT, OUTPUT = "SageMakerInput", "SageMakerOutput"


@dataclass(frozen=True)
class Format:
    """CSV or JSON: a record is an array of texts, or any JSON value."""

    name: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    join: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class DataProcessing:
    """The filters and the join of a job, for its format."""

    format: Format
    input_filter: JSONPath
    output_filter: JSONPath
    join: bool

    @classmethod
    def of(cls, request: dict[str, Any]) -> "DataProcessing | None":
        """None where records and answers stay as they are; ClientFault where the request cannot be met."""
        config = request.get("DataProcessing", {})
        join = config.get("JoinSource", "None") == "Input"
        try:
            input_filter, output_filter = (
                JSONPath.parse(config.get(name, "$")) for name in ("InputFilter", "OutputFilter")
            )
        except InvalidPath as error:
            raise ClientFault(str(error)) from None
        if not join and input_filter.selects_all and output_filter.selects_all:
            return None
        content_type = _media_type(request["TransformInput"].get("ContentType", ""))
        if content_type in CSV_TYPES:
            return cls(Format("CSV", _read_row, _write_row, _join_rows), input_filter, output_filter, join)
        if content_type in JSON_TYPES:
            return cls(Format("JSON", json.loads, _write_json, _join_json), input_filter, output_filter, join)
        raise ClientFault(
            f"DataProcessing needs the ContentType {', '.join((*CSV_TYPES, *JSON_TYPES[:2]))}, not {content_type!r}."
        )

    def payload(self, records: Sequence[bytes]) -> bytes:
        """What the model is sent; ClientFault names the record that has not the format, or lacks what is selected."""
        if self.input_filter.selects_all:
            return b"".join(records)
        values = [self.input_filter_of(record) for record in self._lines(b"".join(records))]
        return "".join(f"{self.format.write(value)}\n" for value in values).encode()

    def input_filter_of(self, record: str) -> Any:
        """What InputFilter selects of one record."""
        return self._select(self.input_filter, self._read(record))

    def result(self, records: Sequence[bytes], answer: bytes, answer_type: str) -> bytes:
        """The answer joined with its records and filtered, a line each; ClientFault where that cannot be."""
        other = JSON_TYPES if self.format.name == "CSV" else CSV_TYPES
        if _media_type(answer_type) in other:
            raise ClientFault(
                f"The input is {self.format.name}, and the model answered {answer_type}: "
                "give TransformOutput.Accept the type of the input."
            )
        lines = self._lines(answer)
        joined = [self._read(line) for line in lines]
        if self.join:
            inputs = [self._read(record) for record in self._lines(b"".join(records))]
            if len(inputs) != len(joined):
                raise ClientFault(
                    f"The model answered {len(inputs)} records with {len(joined)}: they cannot be joined."
                )
            joined = [self.format.join(one, other) for one, other in zip(inputs, joined, strict=True)]
        kept = [self._select(self.output_filter, value) for value in joined]
        return "".join(f"{self.format.write(value)}\n" for value in kept).encode()

    def _lines(self, text: bytes) -> list[str]:
        """The records of a payload; JSON that is one value over several lines is one record."""
        try:
            decoded = text.decode()
        except UnicodeDecodeError:
            raise ClientFault(f"It is not {self.format.name}: it is not UTF-8 text.") from None
        if self.format.name == "JSON" and _is_json(decoded):
            return [decoded]
        lines = (line.removesuffix("\r") for line in decoded.split("\n"))  # and at no other character: see SplitType
        return [line for line in lines if line.strip()]

    def _read(self, line: str) -> Any:
        try:
            return self.format.read(line)
        except (ValueError, csv.Error) as error:
            raise ClientFault(f"It is not {self.format.name} ({error}): {line[:100]!r}.") from None

    @staticmethod
    def _select(path: JSONPath, value: Any) -> Any:
        try:
            return path.select(value)
        except NotThere as error:
            raise ClientFault(f"The filter {path.text!r} does not fit the record: {error}.") from None


def _read_row(line: str) -> list[str]:
    return next(csv.reader([line], strict=True))


def _write_row(value: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(value if isinstance(value, list) else [value])
    return text.getvalue()


def _join_rows(record: list[str], answer: list[str]) -> list[str]:
    return [*record, *answer]


def _write_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _join_json(record: Any, answer: Any) -> dict[str, Any]:
    return {**(record if isinstance(record, dict) else {INPUT: record}), OUTPUT: answer}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
