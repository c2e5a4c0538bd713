"""A log file read as timed lines."""

import os
import subprocess
import sys
from pathlib import Path

from local_sagemaker.processes.log_events import LARGEST_EVENT, LogFile


def append(path: Path, content: bytes, seconds: float) -> None:
    """Write as a job does, at a moment of our choice."""
    with path.open("ab") as stream:
        stream.write(content)
    os.utime(path, (seconds, seconds))


def test_each_line_has_the_moment_when_it_was_noted(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "output.log")
    for second, line in enumerate((b"one\ntwo\n", b"three\n"), start=1000):
        append(log.path, line, second)
        log.note()
    found = [(event.message, event.timestamp) for event in log.events()]
    assert found == [("one", 1_000_000), ("two", 1_000_000), ("three", 1_001_000)]
    assert log.created == 1_000_000


def test_a_reader_sees_what_nobody_has_noted_yet_and_other_readers_agree(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    append(path, b"one\n", 1000)
    assert [event.timestamp for event in LogFile(path).events()] == [1_000_000]
    append(path, b"two\n", 2000)
    assert [event.timestamp for event in LogFile(path).events()] == [1_000_000, 2_000_000]


def test_reading_goes_on_where_an_event_ended(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    append(path, b"one\n\ntwo\r\nthr\xff\n", 1000)
    first, *rest = LogFile(path).events()
    assert (first.start, first.end) == (0, 4)
    assert list(LogFile(path).events(first.end)) == rest
    assert [event.message for event in rest] == ["two", "thr\ufffd"]


def test_a_line_without_an_end_is_one_once_nobody_writes_any_more(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    append(path, b"one\nhalf", 1000)
    assert [event.message for event in LogFile(path).events(ended=False)] == ["one"]
    assert [event.message for event in LogFile(path).events()] == ["one", "half"]


def test_a_line_without_end_is_split_rather_than_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    append(path, b"x" * (LARGEST_EVENT + 1), 1000)
    assert [len(event.message) for event in LogFile(path).events()] == [LARGEST_EVENT, 1]


def test_no_file_has_no_events(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "output.log")
    log.note()
    assert list(log.events()) == []
    assert log.created is None


LIMITED = """
import resource, sys
from pathlib import Path
from local_sagemaker.processes.log_events import LogFile
log = LogFile(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (log.path.with_suffix(".times").stat().st_size + 3,) * 2)
log.note()
"""


def test_a_full_disk_delays_the_moments_and_leaves_no_half_line(tmp_path: Path) -> None:
    """A process that may not make the file larger, for all but three bytes, writes as on a full disk."""
    log = LogFile(tmp_path / "output.log")
    append(log.path, b"one\n", 1000)
    log.note()
    before = (tmp_path / "output.times").read_bytes()
    append(log.path, b"two\n", 2000)
    subprocess.run([sys.executable, "-c", LIMITED, str(log.path)], check=True, cwd=Path(__file__).parents[3])
    assert (tmp_path / "output.times").read_bytes() == before
    assert [(event.message, event.timestamp) for event in log.events()] == [("one", 1_000_000), ("two", 2_000_000)]
