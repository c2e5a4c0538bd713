"""Send a file to an endpoint and read the predictions, or the model's own words on what is wrong with it."""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from deployment.endpoint import describe_endpoint
from deployment.errors import DeploymentError
from deployment.packages import SageMakerClient

RuntimeClient = Any  # boto3's client of sagemaker-runtime
INFERENCE_ID = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,63}")  # botocore's pattern of InferenceId
CONTENT_TYPES = {".json": "application/json", ".csv": "text/csv"}


@dataclass(frozen=True)
class Payload:
    """The body of one request; `name` is what a person calls it.

    inference_id: what its prices will be joined by, kept with the captured request; None where nobody wants to know.
    """

    name: str
    body: bytes
    content_type: str
    inference_id: str | None = None

    def asking(self, names: Sequence[str]) -> "Payload":
        """The payload with parameters of its content type that ask the model for more, such as comparables=true."""
        return replace(self, content_type="; ".join([self.content_type, *(f"{name}=true" for name in names)]))

    def identities(self, columns: Sequence[str]) -> list[dict[str, str]]:
        """The values of these columns, in the order of the rows: what names a row in the file that was sent.

        A row that lacks one of them has no name ({}). Empty where no row has one, and for a layout not known here.
        """
        try:
            text = self.body.decode("utf-8-sig")
            rows = _csv_rows(text) if self.content_type.startswith("text/csv") else _json_rows(text)
            given = [{name: str(row[name]) for name in columns if row.get(name) is not None} for row in rows]
        except (ValueError, AttributeError, TypeError, csv.Error, RecursionError):
            return []
        found = [each if len(each) == len(columns) else {} for each in given]
        return found if any(found) else []


def _json_rows(text: str) -> list[dict[str, object]]:
    document = json.loads(text)
    if isinstance(document, dict):
        document = document.get("instances", document)
    return [document] if isinstance(document, dict) else document


def _csv_rows(text: str) -> list[dict[str, str]]:
    rows = [row for row in csv.reader(io.StringIO(text), skipinitialspace=True) if row]
    header = [name.strip() for name in rows[0]] if rows else []
    return [dict(zip(header, row, strict=False)) for row in rows[1:]]


@dataclass(frozen=True)
class Row:
    """One prediction, with the interval that holds the actual value with `coverage`; None for what was not answered.

    `warnings` say how the row is unlike those that the model learned from; such an interval has no coverage.
    Where they were asked for: `comparables` are the training rows most like it, and `reasons` what each feature adds to
    what is `expected` of any row, each as the model tells it.
    """

    score: float
    interval: tuple[float, float] | None = None
    coverage: float | None = None
    warnings: tuple[str, ...] = ()
    comparables: tuple[dict[str, Any], ...] = ()
    expected: float | None = None
    reasons: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Answer:
    """What the model answered, as it came."""

    body: str
    content_type: str

    def rows(self) -> list[Row] | None:
        """The predictions in the order of the rows; None where the answer is of a layout not known here.

        Known are the layouts of SageMaker's built-in algorithms: {"predictions": [{"score": 1.5}, ...]} as
        JSON, and one number per line as CSV. https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
        Beside a score there may be lower, upper, coverage, warnings, comparables, expected and reasons; a coverage
        beside `predictions` is that of rows that have none of their own.
        """
        try:
            if self.content_type.startswith("text/csv"):
                return [Row(float(line)) for line in self.body.split()]
            document = json.loads(self.body)
            return [_row(entry, document.get("coverage")) for entry in document["predictions"]]
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def with_identities(self, identities: Sequence[dict[str, str]]) -> str:
        """The body, each of its predictions with the `identity` of its row; as it came where there are not as many."""
        rows = self.rows()
        if not identities or rows is None or len(rows) != len(identities) or self.content_type.startswith("text/csv"):
            return self.body
        document = json.loads(self.body)
        pairs = zip(document["predictions"], identities, strict=True)
        document["predictions"] = [{"identity": identity, **entry} for entry, identity in pairs]
        return json.dumps(document)


def _row(entry: dict[str, Any], coverage: float | None) -> Row:
    low, high = entry.get("lower"), entry.get("upper")
    interval = None if low is None or high is None else (float(low), float(high))
    covered = entry.get("coverage", coverage)
    known = None if covered is None else float(covered)
    warnings, comparables, reasons = (tuple(entry.get(name) or ()) for name in ("warnings", "comparables", "reasons"))
    expected = None if entry.get("expected") is None else float(entry["expected"])
    return Row(float(entry["score"]), interval, known, tuple(map(str, warnings)), comparables, expected, reasons)


def read_payload(
    file: str, content_type: str | None, standard_input: BinaryIO, inference_id: str | None = None
) -> Payload:
    """Read a .json or .csv file, or standard input for `-`, which needs a content type.

    What the fields must be is the model's to say. Raises DeploymentError for a file that is missing,
    unreadable, empty or of a type not told, and for an inference id that SageMaker does not take.
    """
    if inference_id is not None and not INFERENCE_ID.fullmatch(inference_id):
        raise DeploymentError(
            f"The inference id {inference_id!r} must have 1 to 64 ASCII characters and must not start with a space."
        )
    chosen = content_type or CONTENT_TYPES.get(Path(file).suffix.lower())
    if chosen is None:
        what = "Standard input has no file name" if file == "-" else f"{file} does not end in .json or .csv"
        raise DeploymentError(f"{what}: give its type with --content-type application/json or text/csv.")
    try:
        body = standard_input.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise DeploymentError(f"{file} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    name = "standard input" if file == "-" else file
    if not body.strip():
        raise DeploymentError(f"{name} is empty: it must hold at least one row to predict.")
    return Payload(name, body, chosen, inference_id)


def predict(
    runtime: RuntimeClient,
    sagemaker: SageMakerClient,
    endpoint: str,
    payload: Payload,
    deploy_command: str,
    log: str,
) -> Answer:
    """Invoke the endpoint once.

    Raises DeploymentError with the model's sentence where it refuses the payload (4xx), with the place of
    its `log` where it fails (5xx), and with `deploy_command` where there is no endpoint.
    """
    from botocore.exceptions import ClientError

    try:
        response = runtime.invoke_endpoint(
            EndpointName=endpoint,
            Body=payload.body,
            ContentType=payload.content_type,
            Accept="application/json",
            **({"InferenceId": payload.inference_id} if payload.inference_id else {}),
        )
    except ClientError as error:
        raise _explained(error, sagemaker, endpoint, payload, deploy_command, log) from error
    return Answer(response["Body"].read().decode(errors="replace"), response.get("ContentType", ""))


def _explained(
    error: Any, sagemaker: SageMakerClient, endpoint: str, payload: Payload, deploy_command: str, log: str
) -> Exception:
    code = error.response["Error"]["Code"]
    if code == "ModelError":
        status, said = error.response.get("OriginalStatusCode"), error.response.get("OriginalMessage", "")
        sentence = model_sentence(said) or "it said nothing"
        if isinstance(status, int) and 400 <= status < 500:
            return DeploymentError(f"The model refused {payload.name} (status {status}): {sentence}")
        return DeploymentError(f"The model failed on {payload.name} (status {status}): {sentence} Its log: {log}.")
    if code in ("ValidationError", "ValidationException"):
        description = describe_endpoint(sagemaker, endpoint)
        if description is None:
            return DeploymentError(f"Endpoint {endpoint} does not exist: deploy to it with `{deploy_command}`.")
        if description["EndpointStatus"] != "InService":
            return DeploymentError(
                f"Endpoint {endpoint} is {description['EndpointStatus']}, not InService: wait for it."
            )
    return error if isinstance(error, Exception) else DeploymentError(str(error))


def model_sentence(text: str) -> str:
    """What the model said, in one line: the message of a JSON error, else the first line (a traceback follows)."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if isinstance(document, dict):
        for key in ("error", "message", "detail"):
            if isinstance(document.get(key), str):
                text = document[key]
                break
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else ""
