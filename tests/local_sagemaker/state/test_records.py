"""The document store: order, atomic creation, and what a kill -9 leaves."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from local_sagemaker.state.database import Database
from local_sagemaker.state.records import Records


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(Database(tmp_path / "state.db"))


def test_a_document_comes_back_as_it_was_put(records: Records) -> None:
    records.put("job", "a", {"Status": "InProgress", "Count": 2, "Nested": {"x": [1, 2.5, None]}})
    assert records.get("job", "a") == {"Status": "InProgress", "Count": 2, "Nested": {"x": [1, 2.5, None]}}
    assert records.get("job", "b") is None


def test_a_name_is_given_away_once_however_many_threads_ask(records: Records) -> None:
    won: list[int] = []

    def ask(number: int) -> None:
        if records.create("job", "only", {"Number": number}):
            won.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert records.get("job", "only") == {"Number": won[0]}


def test_documents_of_a_kind_are_listed_in_the_order_of_their_creation(records: Records) -> None:
    for name in ("x/2", "x/1", "y/1"):
        records.create("step", name, {"Name": name})
    records.put("step", "x/2", {"Name": "x/2", "Changed": True})
    assert [document["Name"] for document in records.all("step")] == ["x/2", "x/1", "y/1"]
    assert [document["Name"] for document in records.all("step", prefix="x/")] == ["x/2", "x/1"]


def test_a_prefix_with_wildcards_of_the_database_means_itself(records: Records) -> None:
    records.create("step", "a%b/1", {"Name": 1})
    records.create("step", "axb/1", {"Name": 2})
    assert [document["Name"] for document in records.all("step", prefix="a%b/")] == [1]


def test_an_update_changes_named_fields_and_none_removes_one(records: Records) -> None:
    records.put("job", "a", {"Status": "InProgress", "Reason": "x"})
    assert records.update("job", "a", {"Status": "Completed", "Reason": None}) == {"Status": "Completed"}
    with pytest.raises(KeyError):
        records.update("job", "missing", {"Status": "Completed"})


def test_what_was_written_survives_a_kill_of_the_process(tmp_path: Path) -> None:
    writer = (
        "import sys, time; from pathlib import Path\n"
        "from local_sagemaker.state.database import Database; from local_sagemaker.state.records import Records\n"
        "records = Records(Database(Path(sys.argv[1])))\n"
        "for number in range(50): records.put('job', str(number), {'Number': number})\n"
        "print('written', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", writer, str(tmp_path / "state.db")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(Records(Database(tmp_path / "state.db")).all("job")) == 50


def test_a_status_is_found_by_in_a_kind_that_has_one_alone(records: Records) -> None:
    with pytest.raises(ValueError, match="A job has no status to be found by"):
        records.find("job", status="Failed")


def test_a_document_is_found_by_what_it_says_now(tmp_path: Path) -> None:
    records = Records(Database(tmp_path / "of-status.db"), {"job": "JobStatus"})
    records.put("job", "n", {"CreationTime": 1.5, "JobStatus": "InProgress"})
    records.update("job", "n", {"JobStatus": "Completed"})
    assert records.find("job", status="InProgress") == []
    found = records.find("job", status="Completed", since=1.5, until=1.5)
    assert [each.document for each in found] == [{"CreationTime": 1.5, "JobStatus": "Completed"}]
    assert records.find("job", since=1.6) == records.find("job", until=1.4) == []


def test_documents_that_were_written_before_there_was_a_status_have_one(tmp_path: Path) -> None:
    database = Database(tmp_path / "older.db")
    Records(database).put("job", "n", {"CreationTime": 1.0, "JobStatus": "Failed"})
    database.execute("UPDATE records SET created = NULL")
    assert len(Records(database, {"job": "JobStatus"}).find("job", status="Failed", since=1.0)) == 1


def test_a_prefix_is_no_more_than_a_prefix(records: Records) -> None:
    for name in ("a", "a/1", "a/2", "a0", "b"):
        records.put("k", name, {"Name": name})
    assert [document["Name"] for document in records.all("k", "a/")] == ["a/1", "a/2"]
    records.delete_all("k", "a/")
    assert [document["Name"] for document in records.all("k")] == ["a", "a0", "b"]
