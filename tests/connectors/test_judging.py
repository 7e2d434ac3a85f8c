"""What is in force is a function of landing and catalogue: guards, drift, exceptions, and the same again from anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.catalogue import CatalogueError, Source
from connectors.connector import Connector
from connectors.landing import Landing
from connectors.parsing import parse_source
from connectors.registry import check_source
from connectors.tables import COUNT_SITE
from tests.connectors.conftest import AS_OF, Land, Letters, source_of

Fetch = Callable[..., str]


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    return tmp_path / "staged"


@pytest.fixture
def fetch(land: Land) -> Fetch:
    """Land a file of so many records, each a day after the one before; returns its sha256."""
    days = iter(range(1_000))

    def come(records: int, mark: str = "line", partition: str = "file") -> str:
        text = "".join(f"{mark} {number}\n" for number in range(records))
        return land(partition, text.encode(), AS_OF + timedelta(days=next(days)))

    return come


def town(guards: dict[str, Any] | None = None, accept: tuple[str, ...] = (), **overrides: Any) -> Source:
    file: dict[str, Any] = {"connector": "letters", "url": "https://town.example/file.csv", "accept": accept}
    if guards is not None:
        file["guards"] = guards
    options = overrides.pop("options", {})
    return source_of({"file": {**file, "options": options}}, **overrides)


def state(staged: Path, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.ParquetFile(staged / table / "town.parquet").read().to_pylist()
    return rows


def in_force(staged: Path) -> list[str]:
    return [row["snapshot_sha256"] for row in state(staged, "snapshot_in_force")]


def found(staged: Path) -> list[tuple[str, str, str]]:
    return [(row["code"], row["subject"], row["example"]) for row in state(staged, "snapshot_finding")]


# -- guards ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "is_refused"),
    [(70, False), (69, True), (100, False), (200, False), (201, True), (0, True)],
)
def test_by_default_seven_tenths_to_twice_the_records_may_come(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path, records: int, is_refused: bool
) -> None:
    first = fetch(100)
    parse_source(town(), landing, staged)
    second = fetch(records, "other")
    summary = parse_source(town(), landing, staged)
    assert (summary.parsed, summary.refused) == ((0, 1) if is_refused else (1, 0))
    assert in_force(staged) == [first if is_refused else second]


def test_the_message_names_both_figures_the_bound_the_key_and_what_to_do(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path
) -> None:
    fetch(100)
    fetch(40, "other")
    (error,) = parse_source(town(), landing, staged).errors
    assert error == (
        "file: file.csv: count_site: 40 records, the former snapshot has 100: 0.40 times as many, record_ratio.min "
        "allows no less than 0.7 (resources.file.guards); look at the file: if it is right, name the snapshot under "
        "resources.file.accept in town.yml or change the limit there, else tell the publisher; "
        "the former snapshot stays in force"
    )


def test_a_size_out_of_range_is_told_and_by_default_not_refused(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path
) -> None:
    fetch(100)
    second = fetch(100, "x" * 60)
    assert parse_source(town(), landing, staged).refused == 0
    assert in_force(staged) == [second]
    ((code, subject, example),) = found(staged)
    assert (code, subject) == ("size_guard", "bytes")
    assert example == (
        f"{100 * 62 + 190} bytes, the former snapshot has {100 * 6 + 190}: 8.09 times as many, "
        "size_ratio.max allows no more than 3"
    )


def test_a_size_may_be_refused_and_records_only_told(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path
) -> None:
    first = fetch(100)
    guards = {
        "size_ratio": {"max": 3, "severity": "refuse"},
        "record_ratio": {"min": 0.9, "severity": "report"},
    }
    fetch(100, "x" * 60)
    assert parse_source(town(guards), landing, staged).refused == 1
    assert in_force(staged) == [first]
    third = fetch(50, "third")
    assert parse_source(town(guards), landing, staged).refused == 0
    assert in_force(staged) == [third]
    assert [code for code, _, _ in found(staged)] == ["size_guard", "record_guard"]


@pytest.mark.parametrize(
    "guards",
    [
        {"record_ratio": "off"},
        {"record_ratio": {"max": 2}},
        {"record_ratio": {"min": 0.7, "from_records": 101}},
        {"record_ratio": {"min": 0.7, "tables": ["count_channel"]}},
    ],
    ids=["off", "no-lower-bound", "too-few-to-tell", "another-table"],
)
def test_a_guard_checks_what_it_is_told_to(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path, guards: dict[str, Any]
) -> None:
    fetch(100)
    second = fetch(10, "other")
    assert parse_source(town({"size_ratio": "off", **guards}), landing, staged).refused == 0
    assert in_force(staged) == [second]
    assert found(staged) == []


def test_records_out_of_scope_do_not_count(letters: Letters, fetch: Fetch, landing: Landing, staged: Path) -> None:
    fetch(100)
    second = fetch(500, "skip")
    parse_source(town({"size_ratio": "off"}), landing, staged)
    assert in_force(staged) != [second]
    assert found(staged)[0][2].startswith("count_site: 0 records, the former snapshot has 100")


def test_a_month_may_grow_thirtyfold_but_not_shrink(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path
) -> None:
    file = {
        "connector": "letters",
        "url": "https://town.example/{month}.csv",
        "partitions": {"month": {"first": "2024-01"}},
    }
    source = source_of({"file": file})
    fetch(100, "one", "file/month=2024-01")
    whole = fetch(3_000, "two", "file/month=2024-01")
    fetch(100, "three", "file/month=2024-01")
    # Each month is compared with itself.
    other = fetch(20, "four", "file/month=2024-02")
    assert parse_source(source, landing, staged).refused == 1
    assert in_force(staged) == [whole, other]


# -- a function of landing and catalogue -----------------------------------------------------------------------------


def test_a_refused_snapshot_is_no_measure_for_the_next(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path
) -> None:
    fetch(100)
    fetch(50, "half")
    parse_source(town(), landing, staged)
    fetch(45, "less")
    parse_source(town(), landing, staged)
    again = fetch(95, "well")
    parse_source(town(), landing, staged)
    assert in_force(staged) == [again]


def test_whether_parsed_day_by_day_or_all_at_once_the_same_is_in_force(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path, tmp_path: Path
) -> None:
    for records, mark in ((100, "a"), (50, "b"), (40, "c"), (120, "d"), (100, "a"), (10, "e"), (90, "f"), (30, "g")):
        fetch(records, mark)
        daily = parse_source(town(), landing, staged)
    at_once = parse_source(town(), landing, tmp_path / "rebuilt")
    for table in ("snapshot_in_force", "snapshot_finding", "parse_log"):
        assert state(tmp_path / "rebuilt", table) == state(staged, table)
    assert (daily.staged, daily.errors) == (at_once.staged, at_once.errors)
    assert [row["outcome"] for row in state(staged, "parse_log")] == [
        *("staged", "refused", "refused", "staged"),
        *("staged", "refused", "staged", "refused"),
    ]


def test_a_second_call_parses_and_changes_nothing(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path
) -> None:
    for records, mark in ((100, "a"), (50, "b"), (90, "c"), (20, "d")):
        fetch(records, mark)
    parse_source(town(), landing, staged)
    before = [state(staged, table) for table in ("snapshot_in_force", "snapshot_finding", "parse_log")]
    parsed = len(letters.parsed)
    summary = parse_source(town(), landing, staged)
    assert (summary.parsed, summary.kept, summary.refused) == (0, 0, 1)
    assert len(letters.parsed) == parsed == 4
    assert [state(staged, table) for table in ("snapshot_in_force", "snapshot_finding", "parse_log")] == before


@pytest.mark.parametrize(
    "mended",
    [
        lambda sha256: town({"record_ratio": {"min": 0.3}}),
        lambda sha256: town(accept=(sha256,)),
    ],
    ids=["another-limit", "accepted"],
)
def test_a_commit_in_the_catalogue_brings_a_refused_snapshot_into_force(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path, mended: Callable[[str], Source]
) -> None:
    fetch(100)
    half = fetch(55, "half")
    assert parse_source(town(), landing, staged).refused == 1
    assert parse_source(mended(half), landing, staged).parsed == 1
    assert in_force(staged) == [half]
    # What was found stays told, and the next one is measured by the accepted.
    assert [code for code, _, _ in found(staged)] == (["record_guard"] if mended(half).resources["file"].accept else [])
    fetch(40, "next")
    assert parse_source(mended(half), landing, staged).refused == 0


def test_a_tighter_limit_takes_back_what_passed_the_former_one(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path
) -> None:
    first = fetch(100)
    second = fetch(80, "fewer")
    parse_source(town(), landing, staged)
    assert in_force(staged) == [second]
    parsed = len(letters.parsed)
    assert parse_source(town({"record_ratio": {"min": 0.9}}), landing, staged).refused == 1
    assert in_force(staged) == [first]
    assert len(letters.parsed) == parsed


def test_another_rejection_limit_judges_again(letters: Letters, land: Land, landing: Landing, staged: Path) -> None:
    sha256 = land("file", b"a\nbad b\n")
    assert parse_source(town(), landing, staged).refused == 1
    assert parse_source(town(rejection_limit=0.5), landing, staged).parsed == 1
    assert in_force(staged) == [sha256]


def test_accepting_does_not_make_an_unreadable_file_readable(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    sha256 = land("file", b"broken\n")
    assert parse_source(town(accept=(sha256,)), landing, staged).refused == 1
    assert in_force(staged) == []


def test_a_new_parser_parses_what_counts_and_not_the_whole_history(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mark in "abcd":
        last = fetch(100, mark)
    parse_source(town(), landing, staged)
    letters.parsed.clear()
    newer = Connector("letters", 2, "csv", (COUNT_SITE,), letters.parse)
    monkeypatch.setattr("connectors.parsing.connector", lambda _: newer)
    monkeypatch.setattr("connectors.registry.connector", lambda _: newer)
    parse_source(town(), landing, staged)
    # The latest, and the one it is compared with.
    assert [snapshot.path.read_text()[0] for snapshot in letters.parsed] == ["c", "d"]
    (row,) = state(staged, "snapshot_in_force")
    assert (row["snapshot_sha256"], row["parse_key"][:2]) == (last, "2-")


def test_bytes_that_were_pruned_are_passed_over(letters: Letters, fetch: Fetch, landing: Landing, staged: Path) -> None:
    refused = [fetch(100), fetch(40, "b"), fetch(30, "c")][1:]
    parse_source(town(), landing, staged)
    before = in_force(staged)
    for sha256 in refused:
        shutil.rmtree(landing.folder / sha256)
    parse_source(town(), landing, staged)
    assert in_force(staged) == before


def test_what_was_in_force_stays_where_the_landing_is_gone(
    letters: Letters, fetch: Fetch, landing: Landing, staged: Path
) -> None:
    first = fetch(100)
    parse_source(town(), landing, staged)
    shutil.rmtree(landing.folder)
    parse_source(town(), landing, staged)
    assert in_force(staged) == [first]


# -- drift from the former snapshot ----------------------------------------------------------------------------------


def test_a_column_that_vanishes_comes_or_is_renamed_is_told(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    land("file", b"columns id,Strasse,fax\n")
    second = land("file", "columns id,Straße,mail\n".encode())
    parse_source(town(), landing, staged)
    assert in_force(staged) == [second]
    assert sorted(found(staged)) == [
        ("column_missing", "fax", "count_site.fax: was in the former snapshot"),
        ("column_new", "mail", "count_site.mail: not in the former snapshot"),
        ("column_renamed", "Strasse -> Straße", "count_site.Strasse -> Straße: renamed"),
    ]


def test_what_a_snapshot_tells_of_itself_is_not_told_twice(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    land("file", b"columns id,a\n")
    land("file", b"new b\ncolumns id,new b\n")
    parse_source(town(), landing, staged)
    assert [(code, subject) for code, subject, _ in found(staged)] == [("column_missing", "a")]


def test_files_of_an_archive_come_and_go_by_name(letters: Letters, land: Land, landing: Landing, staged: Path) -> None:
    land("file", b"columns file:calendar.txt,file:stops.txt\n")
    land("file", b"columns file:calendar_dates.txt,file:stops.txt\n")
    parse_source(town(), landing, staged)
    assert sorted(found(staged)) == [
        ("file_missing", "file:calendar.txt", "calendar.txt: was in the former snapshot"),
        ("file_new", "file:calendar_dates.txt", "calendar_dates.txt: not in the former snapshot"),
    ]


def test_freeze_refuses_what_changed_since_the_former_snapshot_until_accepted(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    first = land("file", b"columns id,fax\n")
    parse_source(town(drift="freeze"), landing, staged)
    second = land("file", b"columns id\n")
    (error,) = parse_source(town(drift="freeze"), landing, staged).errors
    assert error.startswith(
        "file: file.csv: missing column 'fax' in count_site, but town.yml says drift: freeze; look at the file"
    )
    assert in_force(staged) == [first]
    assert found(staged) == [("column_missing", "fax", "count_site.fax: was in the former snapshot")]
    parse_source(town(drift="freeze", accept=(second,)), landing, staged)
    assert in_force(staged) == [second]
    assert parse_source(town(drift="report"), landing, staged / "reported").refused == 0


def test_a_refused_snapshot_leaves_its_columns_as_evidence_and_no_rows(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    sha256 = land("file", b"columns id\nnew colour\nbroken\n")
    assert parse_source(town(), landing, staged).refused == 1
    tables = {path.relative_to(staged).parts[0] for path in staged.rglob("*.parquet") if sha256 in str(path)}
    assert tables == {"column_drift", "column_seen"}


# -- the catalogue ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guards", "words"),
    [
        ({"size": {"min": 0.5}}, "guards.size\n  unknown key"),
        ({"size_ratio": {"minimum": 0.5}}, "guards.size_ratio"),
        ({"size_ratio": {}}, "needs min, max or both; to check nothing write off"),
        ({"size_ratio": {"min": 1.1}}, "guards.size_ratio"),
        ({"record_ratio": {"max": 0.9}}, "guards.record_ratio"),
        ({"record_ratio": {"min": 0.5, "severity": "warn"}}, "guards.record_ratio"),
        ({"record_ratio": "no"}, "guards.record_ratio"),
    ],
)
def test_a_guard_that_does_not_fit_is_refused_by_its_key(letters: Letters, guards: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=r"resources\.file\.") as caught:
        town(guards)
    assert words in str(caught.value)


def test_only_whole_hashes_are_accepted() -> None:
    with pytest.raises(ValueError, match=r"resources\.file\.accept"):
        town(accept=("ab12",))


def test_a_guard_on_a_table_the_connector_does_not_fill_is_refused(letters: Letters) -> None:
    with pytest.raises(CatalogueError, match=r"guards\.record_ratio\.tables: letters fills no 'count_chanel'"):
        check_source(town({"record_ratio": {"min": 0.5, "tables": ["count_chanel"]}}))
