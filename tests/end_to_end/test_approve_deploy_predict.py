"""From a model package that waits to predictions from an endpoint, with the commands that `run` prints."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "house.json"
HOUSE = json.loads(SAMPLE.read_text())


@pytest.fixture(scope="module")
def deployed(cli: Any, first_run: Any) -> str:
    """Version 1 approved and serving; what `deploy` printed. Before that, nothing could be deployed."""
    refused = cli.deploy("deploy", "--latest-approved", "--stage", "staging", expect=1)
    assert "approve 1" in refused.stderr
    refused = cli.deploy("deploy", "--model-package", "1", "--stage", "staging", expect=1)
    assert "PendingManualApproval" in refused.stderr
    cli.pipeline("approve", "1", "--comment", "looks right")
    return str(cli.deploy("deploy", "--latest-approved", "--stage", "staging").stdout)


@pytest.fixture
def runtime(server: Any, deployed: str) -> Any:
    return server.client("sagemaker-runtime")


def invoke(runtime: Any, body: bytes, content_type: str = "application/json", accept: str = "application/json") -> str:
    """The endpoint's answer."""
    response = runtime.invoke_endpoint(
        EndpointName="house-prices-staging", Body=body, ContentType=content_type, Accept=accept
    )
    return str(response["Body"].read().decode())


def test_the_models_are_listed_with_status_metrics_and_comment(cli: Any, deployed: str) -> None:
    out = cli.pipeline("models").stdout
    line = next(line for line in out.splitlines() if line.startswith("1 "))
    assert "Approved" in line
    assert "looks right" in line
    assert "$" in line


def test_a_record_of_a_local_run_says_so_and_turns_nothing_into_seen(cli: Any, deployed: str) -> None:
    page = (ROOT / "docs" / "aws.md").read_text()
    out = cli.pipeline("aws-evidence", "--output", "record.json").stdout
    assert "it answered 5 golden rows as the evaluation did" in out
    assert "A record of local SageMaker changes nothing in docs/aws.md." in out
    text = (cli.folder / "record.json").read_text()
    record = json.loads(text)
    assert record["where"] == "local"
    assert {"execution", "jobs", "metrics", "made_by", "endpoint"} <= set(record["seen"])
    assert "000000000000" not in text
    assert "sagemaker-us-east-1" not in text
    assert (ROOT / "docs" / "aws.md").read_text() == page


def test_a_check_of_the_account_says_what_is_wrong_and_what_nobody_knows(cli: Any, first_run: Any) -> None:
    """Local SageMaker has no role of this name, and neither quotas nor a registry of images to ask."""
    found = cli.pipeline("check", "--account", "--json", expect=1)
    document = json.loads(found.stdout)
    assert [(fault["path"], fault["message"]) for fault in document["faults"]] == [
        ("account.trust", "there is no role SageMakerPipelineRole")
    ]
    assert {warning["path"] for warning in document["warnings"]} == {
        "account.quotas",
        "account.images",
        "account.roles",
    }


def test_approving_twice_changes_nothing_and_an_unknown_version_is_named(cli: Any, deployed: str) -> None:
    assert "already" in cli.pipeline("approve", "1").stdout
    assert "99" in cli.pipeline("approve", "99", expect=1).stderr


def test_deploying_twice_changes_nothing(cli: Any, deployed: str) -> None:
    assert "nothing changed" in cli.deploy("deploy", "--latest-approved", "--stage", "staging").stdout
    assert "InService" in cli.deploy("status").stdout


def test_a_version_that_does_not_exist_is_not_deployed(cli: Any, deployed: str) -> None:
    done = cli.deploy("deploy", "--model-package", "99", "--stage", "staging", expect=1)
    assert "99" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stage_that_does_not_exist_is_named(cli: Any, deployed: str) -> None:
    assert "There is no stage stagin" in cli.deploy("predict", "--stage", "stagin", str(SAMPLE), expect=1).stderr


def test_predict_prints_a_price_in_dollars_with_its_interval(cli: Any, deployed: str) -> None:
    out = cli.deploy("predict", "--stage", "staging", str(SAMPLE)).stdout.strip()
    line = re.fullmatch(r"\$([\d,]+)  \(90% interval: \$([\d,]+) to \$([\d,]+)\)", out)
    assert line is not None, out
    price, lower, upper = (float(number.replace(",", "")) for number in line.groups())
    assert 100_000 < lower < price < upper < 3_000_000


def test_any_client_with_any_credentials_gets_predictions_in_both_formats(server: Any, deployed: str) -> None:
    program = (
        "import boto3, json, sys\n"
        "client = boto3.client('sagemaker-runtime', region_name='us-east-1')\n"
        "body = open(sys.argv[1], 'rb').read()\n"
        "house = json.loads(body)\n"
        "rows = ','.join(house) + chr(10) + ','.join(str(value) for value in house.values())\n"
        "for content_type, body in (('application/json', body), ('text/csv', rows.encode())):\n"
        "    answer = client.invoke_endpoint(EndpointName='house-prices-staging', Body=body,\n"
        "                                    ContentType=content_type, Accept=content_type)\n"
        "    print(answer['ContentType'].partition(';')[0], answer['Body'].read().decode().strip())\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "whatever",
        "AWS_SECRET_ACCESS_KEY": "whatever",
    }
    done = subprocess.run(
        [sys.executable, "-c", program, str(SAMPLE)], env=environment, capture_output=True, text=True, check=True
    )
    (json_type, *json_body), (csv_type, csv_body) = (line.split(" ", 1) for line in done.stdout.splitlines())
    assert (json_type, csv_type) == ("application/json", "text/csv")
    assert json.loads(" ".join(json_body))["predictions"][0]["score"] == pytest.approx(float(csv_body))


def test_many_houses_get_many_prices_in_their_order(runtime: Any) -> None:
    bigger = {**HOUSE, "sqft_living": 6000, "sqft_above": 6000, "grade": 12}
    answer = json.loads(invoke(runtime, json.dumps({"instances": [HOUSE, bigger, HOUSE]}).encode()))
    first, second, third = (prediction["score"] for prediction in answer["predictions"])
    assert first == third < second


def test_a_folder_of_parquet_files_gets_the_endpoints_predictions_on_one_host_or_two(
    cli: Any, runtime: Any, s3: Any
) -> None:
    houses = pd.read_parquet(ROOT / "data" / "house_prices.parquet")[:30].reset_index(drop=True)
    houses["sqft_lot"] = houses["sqft_lot"].astype("Int64").mask(houses.index == 12)
    (cli.folder / "sales" / "late").mkdir(parents=True)
    for name, rows in (("a", houses[:10]), ("b", houses[10:25]), ("late/c", houses[25:])):
        rows.to_parquet(cli.folder / "sales" / f"{name}.parquet", index=False)
    said = cli.deploy("batch", "--version", "1", "sales", "one").stdout
    assert "3 Parquet files in sales\n" in said
    assert "29 rows are predicted by version 1: one\n" in said
    assert (
        "1 row without a prediction, see predicted_price_fault; the first: b.parquet, row 3, field sqft_lot: " in said
    )
    s3.create_bucket(Bucket="scored")
    words = ("--instance-count", "2", "--json")
    told = json.loads(cli.deploy("batch", "--version", "1", "sales/", "s3://scored/two/", *words).stdout)
    assert (told["files"], told["rows"], told["unpredicted"]) == (3, 30, 1)
    for name in ("a", "b", "late/c"):
        content = s3.get_object(Bucket="scored", Key=f"two/{name}.parquet")["Body"].read()
        assert content == (cli.folder / "one" / f"{name}.parquet").read_bytes()
    scored = pd.concat([pd.read_parquet(cli.folder / "one" / f"{name}.parquet") for name in ("a", "b", "late/c")])
    fields = json.loads(
        houses.drop(index=12).drop(columns=["id", "price"]).to_json(orient="records", date_format="iso")
    )
    answers = json.loads(invoke(runtime, json.dumps({"instances": fields}).encode()))["predictions"]
    for column, name in (("", "score"), ("_lower", "lower"), ("_upper", "upper")):
        assert scored[f"predicted_price{column}"].dropna().tolist() == [answer[name] for answer in answers]
    left = s3.list_objects_v2(Bucket="sagemaker-us-east-1-000000000000", Prefix="house-prices/batch/")
    assert left["KeyCount"] == 0
    refused = cli.deploy("batch", "--version", "1", "sales", "four", "--instance-count", "4", expect=1).stderr
    assert "sales holds 3 files, and --instance-count is 4: " in refused
    houses.drop(columns=["sqft_lot"]).to_parquet(cli.folder / "sales" / "a.parquet")
    failed = cli.deploy("batch", "--version", "1", "sales", "three", expect=1).stderr
    assert "is Failed: a.parquet lacks sqft_lot, which the model needs. Its log: " in failed


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in HOUSE.items() if key != name}


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (json.dumps(without("grade")), "application/json", 400, "grade"),
        (json.dumps({**HOUSE, "colour": "red"}), "application/json", 400, "colour"),
        (json.dumps({**HOUSE, "grade": "high"}), "application/json", 400, "grade"),
        ("", "application/json", 400, "empty"),
        ("", "text/csv", 400, "empty"),
        ("{", "application/json", 400, "JSON"),
        ("1,2,3", "text/csv", 400, "3"),
        ("<house/>", "application/xml", 415, "application/xml"),
    ],
)
def test_a_bad_request_is_answered_with_one_sentence_that_names_the_fault(
    runtime: Any, body: str, content_type: str, status: int, words: str
) -> None:
    with pytest.raises(ClientError) as caught:
        invoke(runtime, body.encode(), content_type)
    response = caught.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == status
    assert words in response["OriginalMessage"]
    assert "Traceback" not in response["OriginalMessage"]


@pytest.mark.parametrize(
    ("content", "suffix", "words"),
    [(json.dumps(without("lat")), ".json", "lat"), ("", ".json", "empty"), ("a,b\n1,2\n", ".csv", "a")],
)
def test_predict_says_what_is_wrong_with_a_file(
    cli: Any, deployed: str, tmp_path: Path, content: str, suffix: str, words: str
) -> None:
    file = tmp_path / f"request{suffix}"
    file.write_text(content)
    done = cli.deploy("predict", "--stage", "staging", str(file), expect=1)
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_an_endpoint_comes_back_serving_after_a_kill_of_the_server(server: Any, cli: Any, deployed: str) -> None:
    before = cli.deploy("predict", "--stage", "staging", str(SAMPLE)).stdout
    os.kill(server.up().pid, signal.SIGKILL)
    cli.pipeline("models")
    deadline = time.monotonic() + 30
    while "InService" not in cli.deploy("status", "--stage", "staging").stdout:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert cli.deploy("predict", "--stage", "staging", str(SAMPLE)).stdout == before


def test_a_request_at_a_time_or_many_at_once_have_the_same_answer(runtime: Any) -> None:
    body = json.dumps(HOUSE).encode()
    alone = invoke(runtime, body)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: invoke(runtime, body), range(40))) == {alone}
