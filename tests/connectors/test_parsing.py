"""Each snapshot is parsed once; what is refused leaves the former one in force."""

from __future__ import annotations

import sys
import zlib
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from shapely.errors import GEOSException

from connectors.catalogue import Source
from connectors.connector import Connector
from connectors.landing import Landing
from connectors.parsing import ParseSummary, parse_source
from connectors.staging import StagedWriter, staged_file
from connectors.tables import COUNT_SITE
from tests.connectors.conftest import AS_OF, Land, Letters, source_of


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    return tmp_path / "staged"


def town(options: dict[str, Any] | None = None, **overrides: Any) -> Source:
    file = {"connector": "letters", "url": "https://town.example/file.csv", "options": options or {}}
    return source_of({"file": file}, **overrides)


def state(staged: Path, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.ParquetFile(staged / table / "town.parquet").read().to_pylist()
    return rows


def sites_in_force(staged: Path) -> list[str]:
    found = []
    for row in state(staged, "snapshot_in_force"):
        place = staged_file(staged, "count_site", "town", row["snapshot_sha256"], row["parse_key"])
        found += [site["site_id"] for site in pq.ParquetFile(place).read().to_pylist()]
    return found


def counted(summary: ParseSummary) -> tuple[int, int, int]:
    return summary.parsed, summary.kept, summary.refused


# -- once ------------------------------------------------------------------------------------------------------------


def test_a_new_snapshot_is_parsed_and_in_force(letters: Letters, land: Land, landing: Landing, staged: Path) -> None:
    sha256 = land("file", b"a\nbad b\nskip c\nd\ne\n")
    summary = parse_source(town(rejection_limit=0.25), landing, staged)
    assert summary == ParseSummary(
        "town", parsed=1, kept=0, refused=0, read=5, staged=3, rejected=1, out_of_scope=1, errors=()
    )
    (snapshot,) = letters.parsed
    assert (snapshot.source_id, snapshot.sha256, snapshot.partition) == ("town", sha256, {})
    (row,) = state(staged, "snapshot_in_force")
    assert (row["source_id"], row["partition"], row["snapshot_sha256"]) == ("town", "file", sha256)
    assert row["fetched_at"] == AS_OF
    assert sites_in_force(staged) == ["a", "d", "e"]


def test_the_parser_learns_its_partition(letters: Letters, land: Land, landing: Landing, staged: Path) -> None:
    file = {
        "connector": "letters",
        "url": "https://town.example/{station}/{month}",
        "partitions": {"station": ["7"], "month": {"first": "2024-01"}},
    }
    land("file/station=7/month=2024-02", b"a\n")
    parse_source(source_of({"file": file}), landing, staged)
    assert letters.parsed[0].partition == {"station": "7", "month": "2024-02"}


def test_a_second_call_parses_nothing_and_says_the_same(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    land("file", b"a\nb\n")
    first = parse_source(town(), landing, staged)
    in_force = state(staged, "snapshot_in_force")
    second = parse_source(town(), landing, staged)
    assert len(letters.parsed) == 1
    assert (counted(first), counted(second)) == ((1, 0, 0), (0, 1, 0))
    assert (second.read, second.staged) == (2, 2)
    assert state(staged, "snapshot_in_force") == in_force


def test_the_same_bytes_of_a_later_fetch_are_not_parsed_again(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    land("file", b"a\n")
    parse_source(town(), landing, staged)
    land("file", b"a\n", AS_OF + timedelta(days=1))
    assert counted(parse_source(town(), landing, staged)) == (0, 1, 0)
    assert state(staged, "snapshot_in_force")[0]["fetched_at"] == AS_OF + timedelta(days=1)


def test_a_changed_option_parses_again(letters: Letters, land: Land, landing: Landing, staged: Path) -> None:
    land("file", b"a\n")
    parse_source(town(), landing, staged)
    assert counted(parse_source(town({"prefix": "x-"}), landing, staged)) == (1, 0, 0)
    assert sites_in_force(staged) == ["x-a"]
    assert len(state(staged, "snapshot_in_force")) == 1


def test_staged_files_that_were_lost_are_made_again(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    land("file", b"a\n")
    parse_source(town(), landing, staged)
    for place in staged.rglob("snapshot_sha256=*/*.parquet"):
        place.unlink()
    assert counted(parse_source(town(), landing, staged)) == (1, 0, 0)
    assert sites_in_force(staged) == ["a"]


def test_new_bytes_replace_the_former_ones_and_other_partitions_stay(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    file = {
        "connector": "letters",
        "url": "https://town.example/{line}",
        "partitions": {"line": ["1", "2"]},
    }
    source = source_of({"file": file})
    land("file/line=1", b"a\n")
    land("file/line=2", b"b\n")
    parse_source(source, landing, staged)
    land("file/line=1", b"c\n")
    assert counted(parse_source(source, landing, staged)) == (1, 1, 0)
    assert sites_in_force(staged) == ["c", "b"]


def test_a_resource_the_source_no_longer_has_is_not_in_force(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    land("file", b"a\n")
    parse_source(town(), landing, staged)
    other = {"connector": "letters", "url": "https://town.example/other.csv"}
    parse_source(source_of({"other": other}), landing, staged)
    assert state(staged, "snapshot_in_force") == []


# -- refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x\nbad y\n", "1 of 2 records of count_site rejected, at most 5% allowed; first: record 2, site_name: said"),
        (b"x\nskip y\nbad z\n", "1 of 2 records of count_site rejected"),
        (b"x\nbroken\n", "file.csv: is broken"),
        (b"x\nlost y\n", "count_site: read 2 records, but staged 1 + rejected 0 + out of scope 0; mend the parser"),
    ],
    ids=["over-the-limit", "over-the-limit-in-scope", "unreadable", "record-lost"],
)
def test_a_refused_snapshot_leaves_the_former_in_force_and_is_not_parsed_again(
    letters: Letters, land: Land, landing: Landing, staged: Path, content: bytes, words: str
) -> None:
    land("file", b"a\nb\n")
    parse_source(town(), landing, staged)
    before = state(staged, "snapshot_in_force")
    refused_sha256 = land("file", content, AS_OF + timedelta(days=1))
    for _ in range(3):
        summary = parse_source(town(), landing, staged)
        assert counted(summary) == (0, 0, 1)
        assert words in summary.errors[0]
        assert (summary.read, summary.staged, summary.rejected) == (2, 2, 0)
    assert len(letters.parsed) == 2
    assert state(staged, "snapshot_in_force") == before
    assert sites_in_force(staged) == ["a", "b"]
    assert not list(staged.rglob(f"*{refused_sha256}*"))
    first, verdict = state(staged, "parse_log")
    assert (first["outcome"], first["is_latest"]) == ("staged", False)
    assert (verdict["snapshot_sha256"], verdict["outcome"]) == (refused_sha256, "refused")
    assert (verdict["former_sha256"], verdict["is_latest"]) == (first["snapshot_sha256"], True)
    assert verdict["fetched_at"] == AS_OF + timedelta(days=1)
    assert words in verdict["error"]


FAULTS = [ZeroDivisionError("by zero"), KeyError("x"), RecursionError("deep"), GEOSException("geos"), zlib.error("z")]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_parsers_own_fault_refuses_its_snapshot_and_no_other(
    letters: Letters,
    land: Land,
    landing: Landing,
    staged: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
) -> None:
    land("file", b"a\n")
    parse_source(town(), landing, staged)
    before = state(staged, "snapshot_in_force")

    def parse(*arguments: Any, **options: Any) -> None:
        letters.parse(*arguments, **options)
        if arguments[0].path.read_bytes() == b"b\n":
            raise fault

    module = SimpleNamespace(CONNECTOR=Connector("letters", 1, "csv", (COUNT_SITE,), parse))
    monkeypatch.setitem(sys.modules, "connectors.formats.letters", module)  # type: ignore[arg-type]
    source = source_of(
        {name: {"connector": "letters", "url": f"https://t.example/{name}"} for name in ("file", "more")}
    )
    sha256 = land("file", b"b\n", AS_OF + timedelta(days=1))
    land("more", b"c\n")
    summary = parse_source(source, landing, staged)

    assert counted(summary) == (1, 0, 1)
    (message,) = summary.errors
    name = type(fault).__name__
    for part in (
        "file: town: file.csv: the parser letters failed on this file with",
        name,
        "the former snapshot stays",
    ):
        assert part in message
    assert "Traceback" in caplog.text
    assert [row for row in state(staged, "snapshot_in_force") if row["partition"] == "file"] == before
    assert not list(staged.rglob(f"*{sha256}*"))
    assert not list(staged.glob(".writing.*"))


@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), MemoryError(), duckdb.IOException("disk")])
def test_a_trouble_of_the_machine_is_no_verdict_on_the_snapshot(
    letters: Letters, land: Land, landing: Landing, staged: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    land("file", b"a\n")
    with monkeypatch.context() as full:
        full.setattr(StagedWriter, "read", lambda *_: (_ for _ in ()).throw(trouble))
        with pytest.raises(type(trouble)):
            parse_source(town(), landing, staged)
    assert counted(parse_source(town(), landing, staged)) == (1, 0, 0)
    assert sites_in_force(staged) == ["a"]


def test_as_much_rejected_as_the_source_allows_is_staged(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    land("file", b"a\nbad b\n")
    summary = parse_source(town(rejection_limit=0.5), landing, staged)
    assert counted(summary) == (1, 0, 0)
    (row,) = pq.ParquetFile(next((staged / "rejected_row").rglob("*.parquet"))).read().to_pylist()
    assert (row["record_number"], row["raw_text"], row["reason"]) == (2, "bad b", "said to be bad")


def test_a_refused_snapshot_is_parsed_again_when_an_option_changes(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    land("file", b"broken\n")
    parse_source(town(), landing, staged)
    assert state(staged, "snapshot_in_force") == []
    parse_source(town({"year": 2020}), landing, staged)
    assert len(letters.parsed) == 2


def test_drift_is_reported_or_freezes_the_source(letters: Letters, land: Land, landing: Landing, staged: Path) -> None:
    land("file", b"new colour\n")
    frozen = parse_source(town(drift="freeze"), landing, staged / "frozen")
    assert frozen.refused == 1
    assert "new column 'new colour' in count_site, but town.yml says drift: freeze" in frozen.errors[0]
    assert parse_source(town(drift="report"), landing, staged / "reported").parsed == 1
    (drift,) = pq.ParquetFile(next((staged / "reported" / "column_drift").rglob("*.parquet"))).read().to_pylist()
    assert (drift["column_name"], drift["change"]) == ("new colour", "new")


# -- killed ----------------------------------------------------------------------------------------------------------


def test_what_a_killed_parse_left_is_removed_and_the_next_run_completes(
    letters: Letters, land: Land, landing: Landing, staged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land("file", b"a\ncrash\n")
    with monkeypatch.context() as killed:
        killed.setattr(StagedWriter, "__exit__", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            parse_source(town(), landing, staged)
    assert list(staged.glob(".writing.*"))
    assert not list(staged.rglob("snapshot_sha256=*"))
    # The machine is well again: the same bytes are parsed to their end.
    letters.kills = False
    assert counted(parse_source(town(), landing, staged)) == (1, 0, 0)
    assert not list(staged.glob(".writing.*"))
    assert sites_in_force(staged) == ["a", "crash"]


def test_a_parse_killed_between_two_files_is_done_again(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    land("file", b"a\n")
    parse_source(town(), landing, staged)
    # As if killed before the account, the last file, was placed and anything was written down.
    next((staged / "record_account").rglob("*.parquet")).unlink()
    for table in ("parse_log", "snapshot_in_force"):
        (staged / table / "town.parquet").unlink()
    assert counted(parse_source(town(), landing, staged)) == (1, 0, 0)
    assert sites_in_force(staged) == ["a"]


# -- what tells of the moment ----------------------------------------------------------------------------------------


def moments(days: int = 2, **overrides: Any) -> Source:
    file = {"connector": "letters", "url": "https://town.example/file.csv", "accumulate_days": days}
    return source_of({"file": file}, **overrides)


def test_all_snapshots_of_the_last_whole_days_are_in_force(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    for hours, site in ((0, b"mon a"), (1, b"mon b"), (24, b"tue"), (48, b"wed"), (72, b"thu"), (73, b"thu b")):
        land("file", site, AS_OF + timedelta(hours=hours))
    summary = parse_source(moments(), landing, staged)
    assert sites_in_force(staged) == ["tue", "wed"]
    assert (summary.parsed, summary.staged, summary.errors) == (6, 2, ())
    # Asked again within the day, nothing that is in force changes; the first answer of the next day brings the last.
    before = state(staged, "snapshot_in_force")
    land("file", b"thu c", AS_OF + timedelta(hours=74))
    parse_source(moments(), landing, staged)
    assert state(staged, "snapshot_in_force") == before
    land("file", b"fri", AS_OF + timedelta(hours=96))
    parse_source(moments(), landing, staged)
    assert sites_in_force(staged) == ["wed", "thu", "thu b", "thu c"]


def test_on_the_first_day_its_own_snapshots_are_in_force(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    land("file", b"early")
    land("file", b"late", AS_OF + timedelta(hours=1))
    parse_source(moments(), landing, staged)
    assert sites_in_force(staged) == ["early", "late"]


def test_a_day_ends_at_local_midnight(letters: Letters, land: Land, landing: Landing, staged: Path) -> None:
    # 2024-03-15 22:59 and 23:00 UTC are 23:59 and 00:00 in Münster.
    land("file", b"before", AS_OF.replace(hour=22, minute=59))
    land("file", b"after", AS_OF.replace(hour=23))
    parse_source(moments(), landing, staged)
    assert sites_in_force(staged) == ["before"]


def test_what_came_twice_counts_once_and_what_was_refused_never(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    for hours, site in ((0, b"a"), (1, b"b"), (2, b"a"), (3, b"broken"), (24, b"c")):
        land("file", site, AS_OF + timedelta(hours=hours))
    summary = parse_source(moments(), landing, staged)
    assert sites_in_force(staged) == ["a", "b"]
    assert summary.refused == 0
    outcomes = {row["snapshot_sha256"]: row["outcome"] for row in state(staged, "parse_log")}
    assert sorted(outcomes.values()) == ["refused", "staged", "staged", "staged"]


def test_a_new_parser_reads_everything_that_counts_again(
    letters: Letters, land: Land, landing: Landing, staged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hours, site in ((0, b"a"), (24, b"b"), (25, b"c"), (48, b"d")):
        land("file", site, AS_OF + timedelta(hours=hours))
    parse_source(moments(1), landing, staged)
    newer = Connector("letters", 2, "csv", (COUNT_SITE,), letters.parse)
    monkeypatch.setattr(sys.modules["connectors.formats.letters"], "CONNECTOR", newer)
    letters.parsed.clear()
    parse_source(moments(1), landing, staged)
    # One parser's columns: b and c, which count, and d, which is the latest; a counts no more.
    assert sorted(snapshot.path.read_text() for snapshot in letters.parsed) == ["b", "c", "d"]
    assert {row["parse_key"].split("-")[0] for row in state(staged, "snapshot_in_force")} == {"2"}


def test_in_force_is_the_same_in_a_home_built_anew_and_on_another_day(
    letters: Letters, land: Land, landing: Landing, staged: Path, tmp_path: Path
) -> None:
    for hours in range(0, 100, 7):
        land("file", b"site %d" % hours, AS_OF + timedelta(hours=hours))
        parse_source(moments(), landing, staged)
    parse_source(moments(), landing, tmp_path / "anew")
    assert state(staged, "snapshot_in_force") == state(tmp_path / "anew", "snapshot_in_force")


def test_what_tells_of_the_moment_may_shrink_at_night(
    letters: Letters, land: Land, landing: Landing, staged: Path
) -> None:
    land("file", b"\n".join(b"day %d" % number for number in range(50)))
    land("file", b"night", AS_OF + timedelta(hours=10))
    assert parse_source(moments(), landing, staged).refused == 0
    assert state(staged, "snapshot_finding") == []
