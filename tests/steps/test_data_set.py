"""The files of a data set, and what identifies it."""

import hashlib
from pathlib import Path

import pytest

from steps.data_set import digest_of, parts_of, runs
from steps.failure import JobError


def written(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_a_file_is_a_data_set_of_one(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv") / "a.csv"
    [part] = parts_of(file)
    assert (part.name, part.path, part.partition) == ("a.csv", file, {})
    assert digest_of([part]) == hashlib.sha256(b"a.csv").hexdigest()


def test_a_folder_is_all_files_below_it_but_those_that_are_hidden(tmp_path: Path) -> None:
    folder = written(
        tmp_path / ".hidden" / "data", "b.csv", "a/2.csv", "a/1.csv", "_SUCCESS", "a/.x.crc", "_temporary/3.csv"
    )
    assert [part.name for part in parts_of(folder)] == ["a/1.csv", "a/2.csv", "b.csv"]


def test_the_names_of_folders_are_values(tmp_path: Path) -> None:
    names = ("year=2015/area=North%2FEast/x.csv", "year=__HIVE_DEFAULT_PARTITION__/a=b=c/x.csv", "plain/x=1.csv")
    partitions = {part.name: part.partition for part in parts_of(written(tmp_path, *names))}
    assert partitions == {names[0]: {"year": "2015", "area": "North/East"}, names[1]: {"year": "", "a": "b=c"},
                          names[2]: {}}  # fmt: skip


def test_the_hash_is_that_of_the_contents_whatever_their_names_and_order(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in "xyz")
    for folder, names in ((first, "ab"), (second, "ba"), (third, "ab")):
        folder.mkdir()
        for name, content in zip(names, ("one", "two"), strict=True):
            (folder / name).write_text(content)
    (third / "c").write_text("")
    assert digest_of(parts_of(first)) == digest_of(parts_of(second)) != digest_of(parts_of(third))


def test_what_holds_no_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(JobError, match=f"There is no data.*{path.name}"):
            parts_of(path)


def test_what_other_programs_leave_beside_the_parts_is_no_data(tmp_path: Path) -> None:
    names = ("a.csv", "a.csv.crc", "year=2014_$folder$", "b_$folder$.csv")
    assert [part.name for part in parts_of(written(tmp_path, *names))] == ["a.csv", "b_$folder$.csv"]


def test_what_the_folders_say_belongs_to_the_hash(tmp_path: Path) -> None:
    """A part that moves to another year is other data; one that is renamed is not."""
    digests = []
    for number, name in enumerate(("year=2014/a.csv", "year=2014/b.csv", "year=2015/a.csv", "a.csv")):
        path = tmp_path / str(number) / name
        path.parent.mkdir(parents=True)
        path.write_text("x")
        digests.append(digest_of(parts_of(tmp_path / str(number))))
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [
        ([10] * 10, [3, 2, 3, 2]),
        ([90, 1, 1, 1], [1, 3]),
        ([1], [1]),
        ([0, 0], [2]),
        ([500] * 3 + [1], [1, 1, 1, 1]),
    ],
)
def test_parts_are_in_runs_of_about_the_same_size_for_each_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int], lengths: list[int]
) -> None:
    monkeypatch.setattr("steps.data_set.SMALL", 0)
    parts = []
    for number, size in enumerate(sizes):
        path = tmp_path / f"{number}.csv"
        path.write_bytes(b"1" * size)
        parts += parts_of(path)
    found = runs(parts, processes=2)
    assert [len(parts[each]) for each in found] == lengths
    assert [place for each in found for place in range(each.start, each.stop)] == list(range(len(sizes)))
    monkeypatch.setattr("steps.data_set.SMALL", sum(sizes))
    assert runs(parts, processes=2) == [slice(0, len(sizes))]
