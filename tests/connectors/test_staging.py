"""Staged files appear whole or not at all, and every record is accounted for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors import staging
from connectors.errors import AccountingError, SnapshotRefused
from connectors.formats.gtfs_reference import FILES
from connectors.staging import Account, StagedWriter, remove_leftovers, replace_parquet
from connectors.tables import (
    COLUMN_DRIFT,
    COUNT_CHANNEL,
    COUNT_READING,
    MUNICIPALITY_BOUNDARY,
    RECORD_ACCOUNT,
    REJECTED_ROW,
    Table,
)

GTFS_TABLES = [file.table for file in FILES]
SITE = Table(
    "count_site", pa.schema([("site_id", pa.string()), ("site_name", pa.string()), ("first_year", pa.int32())])
)


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    return tmp_path / "staged"


@pytest.fixture
def out(staged: Path) -> StagedWriter:
    return StagedWriter(staged, "town", "ab12", "1-cd")


def site(number: int) -> dict[str, Any]:
    return {"record_number": number, "site_id": f"{number}", "site_name": "Neutor", "first_year": 2020}


def rows_of(place: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.ParquetFile(place).read().to_pylist()
    return rows


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# -- rows ------------------------------------------------------------------------------------------------------------


def test_rows_lie_with_their_key_in_the_tables_schema(staged: Path, out: StagedWriter) -> None:
    with out:
        out.read(SITE, 2)
        out.write(SITE, [site(1), site(2)])
        assert files_below(staged / SITE.name) == []
        out.close()
    place = staged / "count_site" / "source_id=town" / "snapshot_sha256=ab12" / "1-cd.parquet"
    assert out.file_of("count_site") == place
    assert pq.ParquetFile(place).schema_arrow.equals(SITE.schema)
    assert rows_of(place)[1] == {
        "source_id": "town",
        "snapshot_sha256": "ab12",
        "parse_key": "1-cd",
        "record_number": 2,
        "site_id": "2",
        "site_name": "Neutor",
        "first_year": 2020,
    }


@pytest.mark.parametrize("table", [SITE, COUNT_CHANNEL, *GTFS_TABLES, MUNICIPALITY_BOUNDARY, COUNT_READING])
def test_whatever_lies_in_a_file_its_readers_see_the_tables_schema(out: StagedWriter, table: Table) -> None:
    """Text is written as distinct texts and their places, which Arrow would show to readers as such."""
    columns = pa.schema([pa.field("record_number", pa.int64()), *table.columns])
    distinct = [pa.dictionary(pa.int32(), pa.string()) if f.type == pa.string() else f.type for f in columns]
    row = pa.Table.from_arrays([pa.nulls(2, type_) for type_ in distinct], names=columns.names)
    with out:
        out.read(table, 4)
        out.write(table, row.set_column(0, "record_number", pa.array([1, 2])))
        out.write(table, [{**dict.fromkeys(table.columns.names), "record_number": number} for number in (3, 4)])
        out.close()
    file = pq.ParquetFile(out.file_of(table.name))
    assert file.schema_arrow.equals(table.schema)
    assert file.read().column("record_number").to_pylist() == [1, 2, 3, 4]


def test_texts_come_plain_or_as_distinct_ones_in_any_turn(out: StagedWriter) -> None:
    def rows(names: pa.Array) -> pa.Table:
        count = len(names)
        numbers = pa.array(range(1, count + 1))
        return pa.table({"record_number": numbers, "site_id": names, "site_name": names, "first_year": numbers})

    plain = pa.array(["a", None, "", "a"])
    with out:
        out.read(SITE, 12)
        for names in (plain.dictionary_encode(), plain, plain.dictionary_encode()):
            out.write(SITE, rows(names))
        out.close()
    assert [row["site_name"] for row in rows_of(out.file_of("count_site"))] == ["a", None, "", "a"] * 3


def test_what_was_written_can_be_queried_before_it_is_in_place(out: StagedWriter) -> None:
    with out, out.database() as db:
        out.read(SITE, 1)
        out.write(SITE, [site(1)])
        out.show(SITE, db)
        out.show(COUNT_CHANNEL, db)
        assert db.sql("select site_name, first_year from count_site").fetchall() == [("Neutor", 2020)]
        assert db.sql("select count(*) from count_channel").fetchall() == [(0,)]
        out.close()
    assert len(rows_of(out.file_of("count_site"))) == 1


def test_rows_come_as_a_table_a_reader_or_dictionaries_with_columns_in_any_order(out: StagedWriter) -> None:
    table = pa.table(
        {"site_name": ["a"], "first_year": pa.array([None], pa.int64()), "site_id": ["1"], "record_number": [1]}
    )
    with out:
        out.read(SITE, 4)
        out.write(SITE, table)
        out.write(SITE, pa.RecordBatchReader.from_batches(table.schema, [*table.to_batches(), *table.to_batches()]))
        out.write(SITE, [site(4)])
        out.write(SITE, [])
        assert out.close()["count_site"] == Account(read=4, staged=4)
    assert [row["site_id"] for row in rows_of(out.file_of("count_site"))] == ["1", "1", "1", "4"]


@pytest.mark.parametrize(
    "row",
    [
        {"record_number": [1], "site_id": ["1"], "site_name": ["a"]},
        {"record_number": [1], "site_id": ["1"], "site_name": ["a"], "first_year": ["twenty"]},
        {"record_number": [1], "site_id": ["1"], "site_name": ["a"], "first_year": [2**40]},
    ],
    ids=["missing", "type", "range"],
)
def test_rows_that_do_not_fit_the_schema_are_refused(out: StagedWriter, row: dict[str, Any]) -> None:
    with out, pytest.raises((pa.ArrowInvalid, KeyError)):
        out.write(SITE, pa.table(row))


# -- the account -----------------------------------------------------------------------------------------------------


def test_the_account_says_what_became_of_every_record(out: StagedWriter) -> None:
    with out:
        out.read(SITE, 5)
        out.write(SITE, [site(1)])
        out.reject(SITE, 2, "site_name", "x" * 900, "too long")
        out.reject(SITE, 3, "site_id", None, "no id")
        out.out_of_scope(SITE, "footer", 2)
        out.out_of_scope(SITE, "preamble", 0)
        out.drift(SITE, "colour", "new")
        out.drift(SITE, "colour", "new")
        accounts = out.close()
    assert accounts == {"count_site": Account(read=5, staged=1, rejected=2, out_of_scope=2)}
    told = [(row["outcome"], row["reason"], row["records"]) for row in rows_of(out.file_of(RECORD_ACCOUNT.name))]
    assert told == [
        ("read", None, 5),
        ("staged", None, 1),
        ("rejected", "no id", 1),
        ("rejected", "too long", 1),
        ("out_of_scope", "footer", 2),
    ]
    first, second = rows_of(out.file_of(REJECTED_ROW.name))
    assert (first["table_name"], first["record_number"], first["column_name"]) == ("count_site", 2, "site_name")
    assert first["raw_text"] == "x" * 500
    assert (second["raw_text"], second["reason"]) == (None, "no id")
    (drift,) = rows_of(out.file_of(COLUMN_DRIFT.name))
    assert (drift["table_name"], drift["column_name"], drift["change"]) == ("count_site", "colour", "new")


@pytest.mark.parametrize("read", [0, 2, 4])
def test_a_lost_or_doubled_record_is_an_error_and_nothing_is_staged(staged: Path, out: StagedWriter, read: int) -> None:
    with (
        pytest.raises(
            AccountingError, match=f"town ab12: count_site: read {read} records, but staged 2 \\+ rejected 1"
        ),
        out,
    ):
        out.read(COUNT_CHANNEL, 0)
        out.read(SITE, read)
        out.write(SITE, [site(1), site(2)])
        out.reject(SITE, 3, "site_id", "?", "no id")
        out.close()
    assert files_below(staged) == []


@pytest.mark.parametrize(
    ("account", "share"),
    [
        (Account(read=10, staged=9, rejected=1), 0.1),
        (Account(read=10, staged=1, rejected=1, out_of_scope=8), 0.5),
        (Account(read=10, out_of_scope=10), 0.0),
        (Account(), 0.0),
    ],
)
def test_the_rejected_share_is_of_the_records_in_scope(account: Account, share: float) -> None:
    assert account.rejected_share == share


def test_the_first_rejection_is_told_in_words(out: StagedWriter) -> None:
    with out:
        out.reject(COUNT_CHANNEL, 1, "channels", "?", "elsewhere")
        out.reject(SITE, 7, "site_id", "ä?", "no id")
        out.reject(SITE, 8, "site_id", "b", "later")
        assert out.first_rejection("count_site") == "record 7, site_id: no id ('ä?')"


# -- nothing half ----------------------------------------------------------------------------------------------------


def test_what_was_begun_is_gone_after_an_error(staged: Path, out: StagedWriter) -> None:
    with pytest.raises(ZeroDivisionError), out:
        (out.scratch / "unpacked").write_bytes(b"x")
        out.write(SITE, [site(1)])
        _ = 1 / 0
    assert list(staged.iterdir()) == []


def test_the_account_is_placed_last(staged: Path, out: StagedWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    placed: list[str] = []
    replace = Path.replace

    def watched(draft: Path, place: Path) -> Path:
        placed.append(draft.stem)
        return replace(draft, place)

    monkeypatch.setattr(Path, "replace", watched)
    with out:
        out.read(SITE, 2)
        out.write(SITE, [site(1)])
        out.reject(SITE, 2, "site_id", "?", "no id")
        out.close()
    assert placed == ["count_site", "rejected_row", "record_account"]


def test_leftovers_of_a_killed_parse_are_removed_but_no_one_elses(staged: Path) -> None:
    StagedWriter(staged, "town", "ab", "1-c").write(SITE, [site(1)])
    StagedWriter(staged, "town-hall", "ab", "1-c")
    remove_leftovers(staged, "town")
    (left,) = staged.iterdir()
    assert left.name.startswith(".writing.town-hall.")


def test_a_replaced_file_is_met_whole_by_those_who_read_it(tmp_path: Path) -> None:
    place = tmp_path / "table" / "town.parquet"
    replace_parquet(place, pa.table({"a": [1]}))
    reader = pq.ParquetFile(place)
    replace_parquet(place, pa.table({"a": [2, 3]}))
    assert reader.read().to_pydict() == {"a": [1]}
    assert pq.ParquetFile(place).read().to_pydict() == {"a": [2, 3]}
    assert files_below(tmp_path) == ["table/town.parquet"]


def test_the_former_file_stays_where_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "town.parquet"
    replace_parquet(place, pa.table({"a": [1]}))

    def full(rows: pa.Table, draft: Path, **_: Any) -> None:
        draft.write_bytes(b"PAR1 half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(OSError, match="No space left"):
        replace_parquet(place, pa.table({"a": [2]}))
    assert files_below(tmp_path) == ["town.parquet"]
    assert rows_of(place) == [{"a": 1}]


def test_the_database_for_bulk_work_thinks_in_utc_and_loads_nothing_from_the_network(out: StagedWriter) -> None:
    with out, out.database() as database:
        asked = "select current_setting('TimeZone'), current_setting('autoinstall_known_extensions')"
        assert database.sql(asked).fetchall() == [("UTC", False)]
        assert database.sql("select timezone('Europe/Berlin', timestamp '2024-07-01 12:00')").fetchone() is not None


# -- bounds ----------------------------------------------------------------------------------------------------------


def test_rejected_rows_are_written_in_batches_and_none_is_lost(
    staged: Path, out: StagedWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "REJECTED_BATCH", 3)
    with out:
        out.read(SITE, 7)
        for number in range(1, 8):
            out.reject(SITE, number, "site_name", f"raw {number}", "bad")
        assert out.first_rejection("count_site") == "record 1, site_name: bad ('raw 1')"
        out.close()
    assert [row["raw_text"] for row in rows_of(out.file_of("rejected_row"))] == [f"raw {n}" for n in range(1, 8)]


def test_more_unreadable_records_than_any_good_file_has_end_the_snapshot(
    staged: Path, out: StagedWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "REJECTED_LIMIT", 2)
    with out:
        out.reject(SITE, 1, "site_name", "a", "bad")
        out.reject(COUNT_CHANNEL, 1, "channel_id", "b", "bad")
        with pytest.raises(SnapshotRefused, match="town: more than 2 records of count_site cannot be read; first: rec"):
            out.reject(SITE, 2, "site_name", "c", "bad")


def test_half_of_a_surrogate_pair_is_kept_as_it_is_spelt(staged: Path, out: StagedWriter) -> None:
    with out:
        out.read(SITE, 1)
        out.reject(SITE, 1, "site_name", "M\ud800nster", "not a text")
        out.drift(SITE, "na\udfffme", "new")
        out.close()
    assert rows_of(out.file_of("rejected_row"))[0]["raw_text"] == "M\\ud800nster"
    assert rows_of(out.file_of("column_drift"))[0]["column_name"] == "na\\udfffme"
