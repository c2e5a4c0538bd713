"""Calls as code that can be pasted, and kept for the page that made them."""

import shlex

from studio.account.calls import Call, note, recording, together


def test_a_call_is_a_line_of_python_and_a_command() -> None:
    call = Call("sagemaker", "ListPipelines", {"MaxResults": 5, "SortBy": "CreationTime"})
    assert call.boto3 == "boto3.client(\"sagemaker\").list_pipelines(MaxResults=5, SortBy='CreationTime')"
    assert call.cli == "aws sagemaker list-pipelines --max-results 5 --sort-by CreationTime"


def test_the_command_has_the_names_of_the_cli_and_survives_a_shell() -> None:
    call = Call("s3", "GetObject", {"Bucket": "b", "Key": "it's $(here)"})
    assert shlex.split(call.cli) == [
        "aws",
        "s3api",
        "get-object",
        "--bucket",
        "b",
        "--key",
        "it's $(here)",
        "/dev/stdout",
    ]
    structure = Call("cloudwatch", "GetMetricData", {"MetricDataQueries": [{"Id": "a"}], "ScanBy": "x"}).cli
    assert shlex.split(structure)[3:5] == ["--metric-data-queries", '[{"Id": "a"}]']
    assert Call("sagemaker", "UpdateEndpoint", {"RetainAllVariantProperties": False}).cli.endswith(
        " --no-retain-all-variant-properties"
    )


def test_calls_of_other_threads_belong_to_the_page_that_asked() -> None:
    with recording() as record:
        together([lambda: note("s3", "ListBuckets", {}), lambda: note("s3", "GetObject", {"Key": "1"})])
        note("s3", "GetObject", {"Key": "2"})
    note("s3", "GetObject", {"Key": "3"})
    assert sorted((call.operation, count) for call, count in record.kinds()) == [("GetObject", 2), ("ListBuckets", 1)]


def test_bytes_and_long_texts_are_shown_in_short() -> None:
    shown = Call("sagemaker-runtime", "InvokeEndpoint", {"Body": b"x" * 5000}).boto3
    assert len(shown) < 2200
    assert "xxx..." in shown
