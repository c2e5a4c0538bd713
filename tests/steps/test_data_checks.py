"""Each leak that is put into the data is found before anything is trained; sound data is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from steps.data_checks import Finding, check_parts, refuse_severe
from steps.failure import JobError
from steps.leaks import SEVERE_R2, TOGETHER_R2, explained, most_telling_pair, told_together
from steps.learned_settings import LearnedFeature
from steps.row_source import InMemory
from steps.settings import Column, DataSettings, JobSettings, SplitSettings

DATA = DataSettings(
    file="x.csv",
    target="rent",
    identity=("flat", "signed"),
    group=("flat",),
    date="signed",
    columns={
        "flat": Column(type="text", feature=False),
        "signed": Column(type="date"),
        "rent": Column(type="number"),
        "size": Column(type="number"),
        "kind": Column(type="category"),
    },
)
SETTINGS = JobSettings(data=DATA)
BY_TIME = replace(SETTINGS, split=SplitSettings(by="time"))


def flats(first: int, count: int, seed: int, since: str = "2024-01-01") -> pd.DataFrame:
    random = np.random.default_rng(seed)
    size = random.uniform(20, 120, count)
    signed = pd.Timestamp(since) + pd.to_timedelta(random.integers(0, 300, count), unit="D")
    kind = random.choice(["a", "b", "c"], count)
    rent = 10 * size + random.normal(0, 100, count)
    flat = [str(number) for number in range(first, first + count)]
    return pd.DataFrame({"flat": flat, "signed": signed, "rent": rent, "size": size, "kind": kind})


def checked(train: pd.DataFrame, test: pd.DataFrame, settings: JobSettings) -> list[Finding]:
    return check_parts(InMemory(train), InMemory(test), settings)


def severities(train: pd.DataFrame, test: pd.DataFrame, settings: JobSettings = SETTINGS) -> dict[str, str]:
    return {finding.check: finding.severity for finding in checked(train, test, settings)}


def with_column(name: str, column: Column, make: object) -> tuple[pd.DataFrame, pd.DataFrame, JobSettings]:
    """Both parts with one more column, made from each part, and settings that know it."""
    assert callable(make)
    settings = replace(SETTINGS, data=replace(DATA, columns={**DATA.columns, name: column}))
    return TRAIN.assign(**{name: make(TRAIN)}), TEST.assign(**{name: make(TEST)}), settings


def finding(name: str, found: list[Finding]) -> Finding:
    return next(each for each in found if each.check == name)


TRAIN, TEST = flats(0, 1500, 1), flats(2000, 600, 2)
ORDERED = TRAIN["rent"].sort_values()


def test_sound_data_has_no_finding() -> None:
    assert set(severities(TRAIN, TEST).values()) == {"ok"}
    refuse_severe(checked(TRAIN, TEST, SETTINGS))


def test_same_entity_on_both_sides_is_severe_in_a_hash_split_and_told_in_a_split_by_time() -> None:
    shared = TEST.assign(flat=[*TRAIN["flat"][:5], *TEST["flat"][5:]])
    assert severities(TRAIN, shared)["same entity"] == "severe"
    later = flats(2000, 600, 2, since="2025-06-01").assign(flat=shared["flat"])
    assert severities(TRAIN, later, BY_TIME)["same entity"] == "warning"
    with pytest.raises(JobError, match="cannot be trusted: 5 of 600 test rows share flat with a training row"):
        refuse_severe(checked(TRAIN, shared, SETTINGS))


def test_copies_under_another_identity_are_found() -> None:
    values = ["rent", "size", "kind"]
    few, many = TEST.copy(), TEST.copy()
    few.loc[:2, values] = TRAIN.loc[:2, values].to_numpy()
    many.loc[:50, values] = TRAIN.loc[:50, values].to_numpy()
    few, many = (table.astype({"rent": float, "size": float}) for table in (few, many))
    assert severities(TRAIN, few)["copied rows"] == "warning"
    assert severities(TRAIN, many)["copied rows"] == "severe"


def test_rows_that_differ_in_a_feature_of_their_identity_are_no_copies() -> None:
    """What names a row is what the model sees: rows that differ there are other rows."""
    columns = {name: column for name, column in DATA.columns.items() if name in ("rent", "size", "kind")}
    settings = JobSettings(data=DataSettings(file="x.csv", target="rent", identity=("size",), columns=columns))
    train, test = (table[list(columns)].assign(rent=table["size"].round(-1), kind="a") for table in (TRAIN, TEST))
    assert severities(train, test, settings)["copied rows"] == "ok"


def test_without_an_identity_no_row_is_said_to_be_another() -> None:
    settings = replace(SETTINGS, data=replace(DATA, identity=(), group=()))
    assert severities(TRAIN, TEST, settings)["same entity"] == "ok"


def test_rows_that_are_there_twice_are_told() -> None:
    doubled = pd.concat([TRAIN, TRAIN.head(100).assign(flat=[f"x{n}" for n in range(100)])], ignore_index=True)
    assert severities(doubled, TEST)["duplicated rows"] == "warning"


def test_split_by_time_that_looks_ahead_is_severe() -> None:
    assert severities(TRAIN, TEST, BY_TIME)["time order"] == "severe"
    assert severities(TRAIN, flats(2000, 600, 2, since="2025-06-01"), BY_TIME)["time order"] == "ok"


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(0, 1, count)


@pytest.mark.parametrize(
    ("check", "name", "column", "make", "severity"),
    [
        ("telling columns", "tax", Column(type="number"), lambda t: t["rent"] * 0.8 + 3, "severe"),
        ("telling columns", "deposit", Column(type="number"), lambda t: t["rent"] + 60 * noise(len(t)), "warning"),
        ("telling columns", "class", Column(type="category"), lambda t: (t["rent"] // 250).astype(str), "severe"),
        ("telling columns", "step", Column(type="integer"), lambda t: t["rent"].floordiv(250), "severe"),
        ("telling columns", "dear", Column(type="boolean"), lambda t: (t["rent"] > 700).astype(float), "severe"),
        ("telling columns", "row", Column(type="integer"), lambda t: ORDERED.searchsorted(t["rent"]), "severe"),
        ("telling columns", "street", Column(type="category"), lambda t: t["flat"].str[-2:], "ok"),
        ("telling pairs", "rent_of_metre", Column(type="number"), lambda t: t["rent"] / t["size"], "severe"),
        ("telling pairs", "rent_times", Column(type="number"), lambda t: t["rent"] * t["size"], "severe"),
        ("telling pairs", "rooms", Column(type="number"), lambda t: (t["size"] // 25) + 1, "ok"),
    ],
)  # fmt: skip
def test_what_holds_the_target_is_found(check: str, name: str, column: Column, make: object, severity: str) -> None:
    found = finding(check, checked(*with_column(name, column, make)))
    assert found.severity == severity, found.text
    if severity == "severe":
        assert name in found.text
        hidden = replace(column, feature=False)
        assert finding(check, checked(*with_column(name, hidden, make))).severity == "ok"


def test_what_is_called_an_r2_is_one() -> None:
    """Two values divide any target into bands that overlap little, and explain little of it."""
    dear = np.quantile(pd.concat([TRAIN, TEST])["rent"], 0.995)
    found = finding(
        "telling columns", checked(*with_column("dear", Column(type="boolean"), lambda t: (t["rent"] > dear) * 1.0))
    )
    assert found.text.startswith("The values of dear divide the target into bands that hardly overlap (1.000; not")
    train, test, settings = with_column(
        "dear", Column(type="boolean"), lambda t: (t["rent"] + 200 * noise(len(t)) > dear) * 1.0
    )
    columns = {**settings.data.columns, "size": replace(settings.data.columns["size"], feature=False)}
    without_size = replace(settings, data=replace(settings.data, columns=columns))
    almost = finding("telling columns", checked(train, test, without_size))
    assert almost.severity == "ok"
    assert almost.values["dear"] < 0.2


def parts_of_the_rent(table: pd.DataFrame, *, of: int, product: bool = False) -> dict[str, pd.Series]:
    """Numbers whose sum, or product, is the rent, and none of which tells it alone."""
    random = np.random.default_rng(len(table))
    if product:
        factors = [pd.Series(random.lognormal(0, 0.8, len(table))) for _ in range(of - 1)]
        return {f"part{n}": each for n, each in enumerate([*factors, table["rent"] / np.prod(factors, axis=0)])}
    shares = random.dirichlet(np.full(of, 3.0), len(table))
    return {f"part{n}": table["rent"] * shares[:, n] for n in range(of)}


@pytest.mark.parametrize(("of", "product"), [(2, False), (4, False), (3, True)])
def test_what_tells_the_target_together_and_not_alone_is_found(of: int, product: bool) -> None:
    train, test = (
        table[table["rent"] > 0]
        .reset_index(drop=True)
        .pipe(lambda t: t.assign(**parts_of_the_rent(t, of=of, product=product)))
        for table in (TRAIN, TEST)
    )
    names = [f"part{n}" for n in range(of)]
    columns = {**DATA.columns, **{name: Column(type="number") for name in names}}
    settings = replace(SETTINGS, data=replace(DATA, columns=columns))
    found = finding("telling together", checked(train, test, settings))
    assert found.severity == "warning", found.text
    assert all(name in found.text for name in names)
    assert min(found.values.values()) > 0.99
    fewer = {name: replace(column, feature=name != "part0") for name, column in columns.items()}
    left = replace(SETTINGS, data=replace(DATA, columns=fewer))
    assert finding("telling together", checked(train, test, left)).severity == "ok"


def test_numbers_of_very_different_sizes_are_no_leak_where_only_their_logarithms_are_told() -> None:
    random = np.random.default_rng(5)
    size, count = random.lognormal(5, 3, 2000), random.lognormal(2, 1, 2000)
    target = size * count**0.5 * random.lognormal(0, 0.25, 2000)
    assert told_together({"size": size, "count": count}, target)[1] < TOGETHER_R2
    assert told_together({"size": size, "count": count}, size * count**0.5)[1] > TOGETHER_R2


def test_the_pair_that_a_few_rows_choose_is_judged_by_all() -> None:
    random = np.random.default_rng(4)
    columns = {f"n{place}": random.lognormal(0, 1, 12_000) for place in range(14)}
    target = columns["n3"] / columns["n9"] * random.lognormal(0, 0.3, 12_000)
    pair, value = most_telling_pair(columns, target)
    assert pair in ("n3 / n9", "n9 / n3")
    first, _, second = pair.split()
    assert value == explained(columns[first] / columns[second], target) > 0.5


def test_a_leak_is_found_beside_columns_that_tell_nearly_as_much_alone() -> None:
    """Their products with each other explain as much as the leak, but hardly more than each of them alone."""
    random = np.random.default_rng(0)
    size, price = random.lognormal(7, 0.4, 3000), random.lognormal(13, 0.6, 3000)
    columns = {f"assessed{year}": price * random.lognormal(0, 0.1, 3000) for year in range(12)}
    columns |= {"size": size, "rate": price / size * random.lognormal(0, 0.06, 3000)}
    ranks = price.argsort().argsort().astype(float)
    pair, value = most_telling_pair(columns, ranks)
    assert set(pair.split(" x ")) == {"size", "rate"}
    assert value > SEVERE_R2


def test_a_ratio_is_found_among_many_numbers_that_go_along_with_the_target() -> None:
    train, test, settings = with_column("rate", Column(type="number"), lambda t: t["rent"] / t["size"])
    sizes = [f"size{n}" for n in range(30)]
    train, test = (
        table.assign(**{name: table["size"] * np.exp(noise(len(table) + n)[n:] / 3) for n, name in enumerate(sizes)})
        for table in (train, test)
    )
    columns = {**settings.data.columns, **{name: Column(type="number") for name in sizes}}
    settings = replace(settings, data=replace(settings.data, columns=columns))
    found = finding("telling pairs", checked(train, test, settings))
    assert found.severity == "severe", found.text
    assert "rate" in found.text


def test_a_code_made_of_the_target_leaks_through_its_encoding() -> None:
    train, test, settings = with_column(
        "code", Column(type="text"), lambda t: "c" + (t["rent"] // 4).astype(int).astype(str)
    )
    encoded = {"worth_of_code": LearnedFeature(kind="target_encoding", of=("code",))}
    settings = replace(settings, data=replace(settings.data, learned=encoded))
    found = finding("telling columns", checked(train, test, settings))
    assert found.severity == "severe", found.text
    street = train.assign(code=train["flat"].str[-3:]), test.assign(code=test["flat"].str[-3:])
    assert finding("telling columns", checked(*street, settings)).severity == "ok"


def test_a_test_part_that_can_measure_nothing_is_refused_before_training() -> None:
    assert finding("size of the test part", checked(TRAIN, TEST.head(20), SETTINGS)).severity == "ok"
    few = finding("size of the test part", checked(TRAIN, TEST.head(19), SETTINGS))
    assert (few.severity, few.text[:27]) == ("warning", "The test part has 19 rows: ")
    for unmeasurable in (TEST.head(1), TEST.head(40).assign(rent=7.0)):
        assert finding("size of the test part", checked(TRAIN, unmeasurable, SETTINGS)).severity == "severe"


def test_a_derived_feature_can_leak_too() -> None:
    train, test, settings = with_column("fee", Column(type="number", feature=False), lambda t: t["rent"] / 12)
    data = replace(settings.data, derived={"year": "fee * 12"})
    found = finding("telling columns", checked(train, test, replace(settings, data=data)))
    assert found.severity == "severe"
    assert "year" in found.text


def test_a_date_that_is_after_the_rows_own_was_not_known_then() -> None:
    def paid(table: pd.DataFrame) -> pd.Series:
        return table["signed"] + pd.Timedelta(days=30)

    train, test, settings = with_column("paid", Column(type="date"), paid)
    assert severities(train, test, settings)["later dates"] == "ok"  # no feature is made of it
    used = replace(settings, data=replace(settings.data, derived={"days_to_pay": "days(paid)"}))
    assert severities(train, test, used)["later dates"] == "warning"


def test_few_rows_are_no_proof_of_a_leak() -> None:
    assert severities(TRAIN.head(30), TEST.head(20))["telling columns"] == "ok"


def test_findings_are_the_same_from_several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = flats(0, 300, seed=1), flats(250, 200, seed=2)
    alone = checked(train, test, SETTINGS)
    monkeypatch.setattr("steps.data_checks.FEWEST_AT_ONCE", 0)
    monkeypatch.setattr("steps.workers.cores", lambda: 2)
    assert checked(train, test, SETTINGS) == alone


def test_a_missing_key_is_not_the_text_none() -> None:
    train, test = flats(0, 300, seed=1), flats(1000, 200, seed=2)
    train["flat"] = train["flat"].where(train.index > 0, None)
    test["flat"] = test["flat"].where(test.index > 0, "None")
    assert severities(train, test)["same entity"] == "ok"
