"""DuckDB in place of Athena: the same query, Parquet files, faults in one sentence."""

import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from infrastructure.local_query import QueryFailed, answer, write_result

SALES = pd.DataFrame({"price": [100, 200, 300], "zip": ["98103", "98104", None]})


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, list[Path]]:
    """sales, two Parquet files in folders of a year; zips, a CSV file."""
    files = [tmp_path / f"sales/year={year}/part-0.parquet" for year in (2014, 2015)]
    for file in files:
        file.parent.mkdir(parents=True)
        SALES.to_parquet(file, index=False)
    (tmp_path / "zips.csv").write_text("zip,name\n98103,Fremont\n")
    return {"sales": files, "zips": [tmp_path / "zips.csv"]}


def definition(sql: str, **changes: Any) -> dict[str, Any]:
    return {"Catalog": "AwsDataCatalog", "Database": "houses", "QueryString": sql, "OutputFormat": "PARQUET", **changes}


def result(sql: str, tables: dict[str, list[Path]], tmp_path: Path) -> pd.DataFrame:
    folder = tmp_path / "result"
    folder.mkdir(exist_ok=True)
    write_result(definition(sql), tables, folder)
    assert all("." not in path.name for path in folder.iterdir()), "Athena's files have no ending"
    return pd.concat([pd.read_parquet(path) for path in sorted(folder.iterdir())], ignore_index=True)


@pytest.mark.e2e
@pytest.mark.parametrize("table", ["sales", "houses.sales", '"AwsDataCatalog"."houses"."sales"', "HOUSES.Sales"])
def test_a_table_has_its_name_in_its_database_and_its_catalog(
    tables: dict[str, list[Path]], tmp_path: Path, table: str
) -> None:
    found = result(f"SELECT price, year FROM {table} WHERE price < 300 AND year = 2015 -- no more", tables, tmp_path)
    assert found.to_dict("list") == {"price": [100, 200], "year": [2015, 2015]}


@pytest.mark.e2e
def test_tables_of_both_kinds_are_joined(tables: dict[str, list[Path]], tmp_path: Path) -> None:
    sql = "SELECT name, count(*) AS n FROM sales JOIN zips ON sales.zip = CAST(zips.zip AS varchar) GROUP BY name;"
    assert result(sql, tables, tmp_path).to_dict("list") == {"name": ["Fremont"], "n": [2]}


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM salez", 'Table with name salez does not exist! Did you mean "sales"\\?$'),
        ("SELECT prize FROM sales", 'column "prize" not found in FROM clause! Candidate bindings: .*price'),
        ("SELEC 1", 'syntax error at or near "SELEC"$'),
        ("DROP VIEW sales", "syntax error"),
    ],
)
def test_a_fault_of_the_query_is_one_line(tables: dict[str, list[Path]], tmp_path: Path, sql: str, words: str) -> None:
    with pytest.raises(QueryFailed, match=words) as failed:
        result(sql, tables, tmp_path)
    assert "\n" not in str(failed.value)


@pytest.mark.e2e
def test_many_rows_are_several_files_in_their_order(tmp_path: Path) -> None:
    found = result("SELECT range AS n FROM range(600000)", {}, tmp_path)
    assert list(found["n"]) == list(range(600000))
    assert 2 < len(list((tmp_path / "result").iterdir())) < 6


def test_a_table_of_two_kinds_of_files_and_another_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryFailed, match="the OutputFormat ORC is not supported here: use PARQUET"):
        answer(definition("SELECT 1", OutputFormat="ORC", ResultFolder=str(tmp_path)), None)
    with pytest.raises(QueryFailed, match="the table t has Parquet and other files: give one kind"):
        write_result(definition("SELECT 1"), {"t": [tmp_path / "a.parquet", tmp_path / "b.csv"]}, tmp_path)


def test_without_duckdb_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(
        QueryFailed, match=r"DuckDB, which .* is not installed: run .*python -m pip install 'duckdb >=2, <3'"
    ):
        write_result(definition("SELECT 1"), {}, tmp_path)
