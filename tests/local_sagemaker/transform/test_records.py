"""Splitting files into payloads, and putting the answers together."""

from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.transform.records import MEGABYTE, Splitting, assembled


def splitting(split: str = "Line", **fields: Any) -> Splitting:
    return Splitting.of({"TransformInput": {"SplitType": split}, **fields})


def batches(path: Path, content: bytes, how: Splitting) -> list[list[bytes]]:
    path.write_bytes(content)
    return [list(batch) for batch in how.batches(path)]


def test_a_file_is_one_payload_or_a_line_each_or_as_many_lines_as_fit(tmp_path: Path) -> None:
    path, text = tmp_path / "a.csv", b"1,2\n3,4\n\n5,6"
    assert batches(path, text, splitting("None")) == [[text]]
    assert batches(path, text, splitting(BatchStrategy="SingleRecord")) == [[b"1,2\n"], [b"3,4\n"], [b"5,6"]]
    assert batches(path, text, splitting()) == [[b"1,2\n", b"3,4\n", b"5,6"]]
    assert batches(path, b"", splitting()) == []
    line = b"x" * (MEGABYTE // 2 - 1) + b"\n"
    assert [len(batch) for batch in batches(path, line * 5, splitting(MaxPayloadInMB=1))] == [2, 2, 1]


def test_a_record_that_no_payload_holds_is_named(tmp_path: Path) -> None:
    path, long = tmp_path / "a.csv", b"x" * (MEGABYTE + 1)
    with pytest.raises(ClientFault, match=r"Too much data for max payload size: a\.csv has"):
        batches(path, long, splitting("None", MaxPayloadInMB=1))
    with pytest.raises(ClientFault, match="line 2 has"):
        batches(path, b"1\n" + long, splitting(MaxPayloadInMB=1))
    assert batches(path, long, splitting("None", MaxPayloadInMB=0)) == [[long]]


@pytest.mark.parametrize("split", ["RecordIO", "TFRecord"])
def test_other_formats_are_refused_by_name(split: str) -> None:
    with pytest.raises(ClientFault, match=f"does not support the SplitType {split}"):
        splitting(split)


def test_payloads_that_are_too_large_together_are_refused() -> None:
    with pytest.raises(ClientFault, match="exceeds 100 MB"):
        splitting(MaxPayloadInMB=6, MaxConcurrentTransforms=17)


def test_answers_are_put_together_with_or_without_line_ends() -> None:
    assert assembled(b"1", by_line=True) == b"1\n"
    assert assembled(b"1\n", by_line=True) == b"1\n"
    assert assembled(b"", by_line=True) == b""
    assert assembled(b"1", by_line=False) == b"1"
