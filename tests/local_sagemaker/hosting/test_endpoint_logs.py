"""The logs of endpoints by their names in CloudWatch."""

from pathlib import Path

from local_sagemaker.hosting.endpoint_logs import EndpointLogs


def test_each_generation_of_a_variant_has_a_stream(tmp_path: Path) -> None:
    for generation in ("1", "2"):
        folder = tmp_path / "houses" / generation / "AllTraffic"
        folder.mkdir(parents=True)
        (folder / "output.log").write_text(f"generation {generation}\n")
    logs = EndpointLogs(tmp_path)
    assert list(logs.names()) == ["houses"]
    streams = {stream.name: [event.message for event in stream.log.events()] for stream in logs.streams("houses", "")}
    assert streams == {
        "AllTraffic/i-00000000000000001": ["generation 1"],
        "AllTraffic/i-00000000000000002": ["generation 2"],
    }
    assert [stream.name for stream in logs.streams("houses", "Other")] == []
    assert list(logs.streams("../houses", "")) == []
