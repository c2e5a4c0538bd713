"""A person's file: what of it goes to the model, and how the predictions come back to its rows."""

from pathlib import Path

import pytest

from deployment.batch_table import Table, merge, open_table, write_records
from deployment.errors import DeploymentError


def table_of(folder: Path, text: str, name: str = "houses.csv") -> Table:
    path = folder / name
    path.write_text(text)
    return open_table(path)


def test_the_model_gets_a_number_and_its_own_fields_in_its_order(tmp_path: Path) -> None:
    table = table_of(tmp_path, "id,rooms,size,owner\n7,3,50,Ada\n8,4,60,Bob\n")
    assert write_records(table, ["size", "rooms", "view"], tmp_path / "records") == 2
    assert (tmp_path / "records").read_text() == "1,50,3,\n2,60,4,\n"


def test_predictions_stand_beside_the_whole_row(tmp_path: Path) -> None:
    table = table_of(tmp_path, '\ufeffid, size\n7,50\n\n"a,b",60\n')
    (tmp_path / "answers").write_text("1,100.5\n2,200.25\n")
    merge(table, tmp_path / "answers", tmp_path / "out.csv", "price")
    assert (tmp_path / "out.csv").read_text() == 'id,size,predicted_price\n7,50,100.5\n"a,b",60,200.25\n'


def test_json_rows_may_lack_fields(tmp_path: Path) -> None:
    table = table_of(tmp_path, '{"instances": [{"size": 50, "sold": null}, {"size": 6.5, "new": true}]}', "houses.json")
    assert table.header == ("size", "sold", "new")
    assert list(table.rows()) == [["50", "", ""], ["6.5", "", "true"]]


@pytest.mark.parametrize("answers", ["1,5\n", "1,5\n3,6\n", "1,5\n2,nan\n", "1,5\n2,x\n", "1,5\n2,6,7\n"])
def test_a_row_without_a_prediction_of_its_own_leaves_no_output(tmp_path: Path, answers: str) -> None:
    table = table_of(tmp_path, "size\n50\n60\n")
    (tmp_path / "answers").write_text(answers)
    (tmp_path / "out.csv").write_text("what was there")
    with pytest.raises(DeploymentError, match="row 2 has no prediction"):
        merge(table, tmp_path / "answers", tmp_path / "out.csv", "price")
    assert (tmp_path / "out.csv").read_text() == "what was there"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("houses.parquet", "", "does not end in .csv or .json"),
        ("houses.csv", "", "has no rows"),
        ("houses.csv", "size\n", "has no rows"),
        ("houses.csv", "size,size\n1,2\n", "has 'size' more than once"),
        ("houses.csv", "size,rooms\n1\n", "row 1 has 1 fields, and the header 2"),
        ("houses.csv", 'size,note\n1,"a\nb"\n', "row 1 has a line break within a field"),
        ("houses.csv", 'size\n"1\n', "is not CSV in UTF-8"),
        ("houses.json", "{", "is not JSON"),
        ("houses.json", "[1]", "must hold"),
        ("houses.json", "[]", "has no rows"),
        ("a.csv", "size;rooms\n1,5;2\n", "separated by ';': write them with commas between them"),
        ("a.csv", "size\trooms\n1\t2\n", r"separated by '\\t': write them with commas"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused_in_one_sentence(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(DeploymentError, match=said) as refused:
        table_of(tmp_path, text, name)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_missing_and_one_of_another_model_are_named(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="no such file"):
        open_table(tmp_path / "none.csv")
    with pytest.raises(DeploymentError, match="has none of the model's fields size, rooms"):
        write_records(table_of(tmp_path, "a,b\n1,2\n"), ["size", "rooms"], tmp_path / "records")
