"""The frozen view: what dbt reads stays as it was, whatever connectors write meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.catalogue import Source
from connectors.compaction import COMPACT_FROM
from connectors.landing import FetchRecord, Landing, Outcome
from connectors.parsing import parse_source
from connectors.region import region
from connectors.staging import StagedWriter, replace_parquet
from connectors.tables import MUNICIPALITY_REGISTER, PARSED_TABLES, STATE_TABLES
from connectors.view import failure_of, freeze, input_key, snapshots_in_force, troubles
from tests.connectors.conftest import AS_OF, Land, Letters, source_of


def source(lines: int, id: str = "town", **overrides: Any) -> Source:
    file = {
        "connector": "letters",
        "url": "https://town.example/{line}",
        "partitions": {"line": [str(line) for line in range(lines)]},
    }
    return source_of({"file": file}, id=id, **overrides)


class House:
    """A landing, a staged folder and as many views as a test wants."""

    def __init__(self, root: Path, land: Land) -> None:
        self.landing, self.staged = root / "landing", root / "staged"
        self._root, self._land, self._views = root, land, 0

    def parse(self, source: Source, files: dict[int, bytes], fetched_at: datetime = AS_OF) -> None:
        landing = Landing(self.landing, source.id)
        for line, content in files.items():
            self._land(f"file/line={line}", content, fetched_at, landing)
        parse_source(source, landing, self.staged)

    def freeze(self, *sources: Source, input_kind: str = "live") -> Path:
        self._views += 1
        view = self._root / f"it's view {self._views}"
        freeze(view, {one.id: one for one in sources}, region(), self.landing, self.staged, input_kind)
        return view

    def key(self, *sources: Source, code: str = "1", as_of: datetime = AS_OF) -> str:
        catalogue = {one.id: one for one in sources}
        trouble = troubles(catalogue, self.landing, self.staged, as_of)
        return input_key(catalogue, region(), snapshots_in_force(catalogue, self.staged), trouble, code, as_of)

    def fetch_ends(
        self,
        one: Source,
        outcome: Outcome,
        error: str | None = None,
        partition: str = "file/line=9",
        evidence: str | None = None,
    ) -> None:
        at = datetime(2024, 3, 15, 5, tzinfo=UTC)
        record = FetchRecord(
            one.id, partition, "https://town.example", at, at, 404, None, None, evidence, 0, outcome, error
        )
        Landing(self.landing, one.id).append(record)


@pytest.fixture
def house(letters: Letters, land: Land, tmp_path: Path) -> House:
    return House(tmp_path, land)


def rows(view: Path, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    with duckdb.connect() as database:
        query = f"select {columns} from read_parquet($files) order by all"
        files = sorted(str(path) for path in (view / table).glob("*.parquet"))
        return database.execute(query, {"files": files}).fetchall()


def contents(lines: int) -> dict[int, bytes]:
    return {line: f"{line} a\n{line} b\n".encode() for line in range(lines)}


def sites(lines: int) -> list[tuple[str]]:
    return sorted((f"{line} {letter}",) for line in range(lines) for letter in "ab")


# -- the view --------------------------------------------------------------------------------------------------------


def test_every_table_is_there_in_its_schema_even_where_nothing_was_ever_staged(house: House) -> None:
    view = house.freeze(source(1))
    names = {path.name for path in view.iterdir()}
    assert names == {table.name for table in (*PARSED_TABLES, *STATE_TABLES)}
    for table in PARSED_TABLES:
        for path in (view / table.name).glob("*.parquet"):
            assert pq.ParquetFile(path).schema_arrow.equals(table.schema), table.name
        assert rows(view, table.name) == []
    for table in STATE_TABLES:
        assert pq.ParquetFile(view / table.name / "rows.parquet").schema_arrow.equals(table.columns), table.name


def test_only_what_is_in_force_is_in_the_view(house: House) -> None:
    town = source(2)
    house.parse(town, {0: b"old\n", 1: b"other\n"})
    house.parse(town, {0: b"new\n"})
    view = house.freeze(town)
    assert rows(view, "count_site", "site_id") == [("new",), ("other",)]
    assert rows(view, "snapshot_in_force", "source_id, partition") == [
        ("town", "file/line=0"),
        ("town", "file/line=1"),
    ]


def test_the_view_is_made_of_hard_links(house: House) -> None:
    town = source(1)
    house.parse(town, {0: b"a\n"})
    (link,) = (house.freeze(town) / "count_site").glob("town-*.parquet")
    (original,) = (house.staged / "count_site").rglob("*.parquet")
    assert link.samefile(original)


def test_a_source_that_left_the_catalogue_leaves_the_view(house: House) -> None:
    town, village = source(1), source(1, "village")
    house.parse(town, {0: b"a\n"})
    house.parse(village, {0: b"b\n"})
    assert rows(house.freeze(town, village), "count_site", "source_id") == [("town",), ("village",)]
    assert rows(house.freeze(town), "count_site", "source_id") == [("town",)]


def test_the_fetch_log_and_the_verdicts_are_there_as_well(house: House) -> None:
    town = source(2)
    house.parse(town, {0: b"a\n", 1: b"broken\n"})
    view = house.freeze(town)
    assert rows(view, "fetch_log", "partition, outcome, bytes, finished_at at time zone 'UTC'") == [
        ("file/line=0", "new", 2, AS_OF.replace(tzinfo=None)),
        ("file/line=1", "new", 7, AS_OF.replace(tzinfo=None)),
    ]
    assert rows(view, "parse_log", "partition, outcome") == [("file/line=0", "staged"), ("file/line=1", "refused")]


def test_drift_and_rejections_are_there_of_superseded_snapshots_as_well(house: House) -> None:
    town = source(1, rejection_limit=0.5)
    house.parse(town, {0: b"new a\nbad b\nc\n"})
    house.parse(town, {0: b"new a\nbad b\nbad c\nd\n"}, AS_OF + timedelta(days=1))
    view = house.freeze(town)
    assert rows(view, "count_site", "site_id") == [("d",), ("new a",)]
    assert rows(view, "column_drift", "column_name") == [("new a",), ("new a",)]
    assert rows(view, "rejected_row", "raw_text") == [("bad b",), ("bad b",), ("bad c",)]
    assert rows(view, "parse_log", "outcome, is_latest") == [("staged", False), ("staged", True)]


def test_each_resource_has_its_own_limit_or_its_sources(house: House) -> None:
    sites = {"connector": "letters", "url": "https://town.example/sites", "fresh_for_days": 30}
    readings = {"connector": "letters", "url": "https://town.example/readings"}
    view = house.freeze(source_of({"sites": sites, "readings": readings}, fresh_for_days=3))
    assert rows(view, "source_resource") == [("town", "readings", "letters", 3), ("town", "sites", "letters", 30)]


@pytest.mark.parametrize(
    ("error", "evidence", "words"),
    [
        ("https://a/1: HTTP 503 after 4 attempts; the next run tries again", None, "HTTP 503"),
        ("https://a/1: HTTP 403 Forbidden, expected 200; see the publisher's page", None, "HTTP 403"),
        ("https://a/1: not reached (ConnectionError) after 4 attempts; the next run tries again", None, "not reached"),
        ("https://a/1: cut off after 4711 bytes after 4 attempts; the next run tries again", None, "no usable answer"),
        ("a.csv: expected csv, html came: '<html> 12:01'; see the kept file", "ab", "expected csv, html came"),
        (
            "a_20240101.zip: expected a zip archive, File is not a zip file; ask",
            "ab",
            "expected a zip archive, File is not a zip file",
        ),
        ("a.zip: unpacks to 99999 bytes, expected at most 5; ask", "ab", "unpacks to … bytes, expected at most …"),
    ],
)
def test_a_failure_is_told_in_words_that_stay_the_same(error: str, evidence: str | None, words: str) -> None:
    at = AS_OF
    record = FetchRecord("a", "p", "https://a/1", at, at, None, None, None, evidence, 0, "failed", error)
    assert failure_of(record) == words


@pytest.mark.parametrize(("kind", "offered", "synthetic"), [("live", True, False), ("sample", False, True)])
def test_the_catalogue_says_whether_a_source_is_offered_and_whether_it_is_synthetic(
    house: House, kind: str, offered: bool, synthetic: bool
) -> None:
    view = house.freeze(source(1, inputs=["live"]), input_kind=kind)
    assert rows(view, "source_catalogue", "source_id, url, is_offered, synthetic") == [
        ("town", "https://town.example/{line}", offered, synthetic)
    ]


def test_the_regions_areas_are_its_kreise_and_itself(house: House) -> None:
    areas = rows(house.freeze(source(1)), "region_area", "area_id, level, parent_area_id")
    kreise = [area for area in areas if area[1] == "kreis"]
    assert [area[0] for area in kreise] == ["05515", "05554", "05558", "05566", "05570"]
    assert {area[2] for area in kreise} == {region().area_id}
    assert [area for area in areas if area[1] == "region"] == [(region().area_id, "region", None)]


def test_a_source_speaks_for_the_municipalities_it_names_and_all_of_its_kreise(house: House) -> None:
    town = source(1, covers=["05515", "05554004"])
    house.parse(town, {0: b"a\n"})
    (in_force,) = snapshots_in_force({"town": town}, house.staged).to_pylist()
    with StagedWriter(house.staged, "town", in_force["snapshot_sha256"], in_force["parse_key"]) as out:
        empty = dict.fromkeys(MUNICIPALITY_REGISTER.columns.names)
        keys = ("05515000", "05554004", "05554008", "05111000")
        out.read(MUNICIPALITY_REGISTER, len(keys))
        out.write(
            MUNICIPALITY_REGISTER,
            [{**empty, "record_number": number, "ags": ags} for number, ags in enumerate(keys, start=1)],
        )
        out.close()
    assert rows(house.freeze(town), "source_coverage") == [("town", "05515000"), ("town", "05554004")]


# -- compaction ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lines", "files"), [(COMPACT_FROM, COMPACT_FROM), (COMPACT_FROM + 1, 1)])
def test_many_small_files_are_read_as_one_with_the_same_rows(house: House, lines: int, files: int) -> None:
    town = source(lines)
    house.parse(town, contents(lines))
    view = house.freeze(town)
    assert len(list((view / "count_site").glob("town-*.parquet"))) == files
    assert rows(view, "count_site", "site_id") == sites(lines)
    assert len(rows(view, "record_account")) == 2 * lines
    for path in (view / "count_site").glob("*.parquet"):
        columns = [field.name for field in pq.ParquetFile(path).schema_arrow]
        assert columns[:3] == ["source_id", "snapshot_sha256", "parse_key"]


def test_a_compaction_is_made_once(house: House) -> None:
    town = source(9)
    house.parse(town, contents(9))
    house.freeze(town)
    (compacted,) = (house.staged / ".compacted" / "count_site" / "town").iterdir()
    before = compacted.stat()
    house.freeze(town)
    after = compacted.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_view_stays_as_it_was_when_its_compaction_is_replaced(house: House) -> None:
    town = source(9)
    house.parse(town, contents(9))
    former = house.freeze(town)
    house.parse(town, {0: b"changed\n"})
    later = house.freeze(town)
    assert rows(former, "count_site", "site_id") == sites(9)
    assert ("changed",) in rows(later, "count_site", "site_id")
    assert len(rows(later, "count_site")) == 17
    assert len(list((house.staged / ".compacted" / "count_site" / "town").iterdir())) == 1


def test_what_is_parsed_again_under_the_same_name_is_compacted_again(house: House) -> None:
    town = source(9)
    house.parse(town, contents(9))
    house.freeze(town)
    staged = sorted((house.staged / "count_site").rglob("*.parquet"))[0]
    table = pq.ParquetFile(staged).read()
    mended = table.set_column(
        table.schema.get_field_index("site_id"), table.schema.field("site_id"), pa.array(["mended"] * table.num_rows)
    )
    replace_parquet(staged, mended)
    assert ("mended",) in rows(house.freeze(town), "count_site", "site_id")


# -- the inputs of a release -----------------------------------------------------------------------------------------


def test_the_key_knows_nothing_of_when_and_in_which_order_was_fetched(
    house: House, letters: Letters, land: Land, tmp_path: Path
) -> None:
    town, village = source(2), source(1, "village")
    house.parse(town, {0: b"a\n", 1: b"b\n"})
    house.parse(village, {0: b"c\n"})
    other = House(tmp_path / "other", land)
    later = AS_OF + timedelta(days=40)
    other.parse(village, {0: b"c\n"}, later)
    other.parse(town, {1: b"b\n"}, later)
    other.parse(town, {0: b"a\n"}, later + timedelta(days=1))
    assert house.key(town, village) == other.key(town, village)


Change = Callable[[House], str]


@pytest.mark.parametrize(
    "change",
    [
        lambda house: house.key(source(2), code="2"),
        lambda house: house.key(source(2), as_of=AS_OF + timedelta(days=1)),
        lambda house: house.key(source(2, title_en="City")),
        lambda house: house.key(source(2), source(1, "village")),
        lambda house: (house.parse(source(2), {0: b"changed\n"}), house.key(source(2)))[1],
        lambda house: (house.parse(source(2), {1: b"b\n"}), house.key(source(2)))[1],
    ],
    ids=["code", "date", "catalogue", "source", "bytes", "partition"],
)
def test_the_key_changes_with_whatever_a_release_is_made_of(house: House, change: Change) -> None:
    house.parse(source(2), {0: b"a\n"})
    before = house.key(source(2))
    assert house.key(source(2)) == before
    assert change(house) != before


def test_the_key_knows_what_coverage_gives_as_reasons_and_forgets_it_when_mended(house: House) -> None:
    town = source(2)
    before = house.key(town)
    house.fetch_ends(town, "absent")
    assert house.key(town) == before
    house.fetch_ends(town, "failed")
    failed = house.key(town)
    assert failed != before
    house.fetch_ends(town, "failed")
    assert house.key(town) == failed
    house.fetch_ends(town, "absent")
    assert house.key(town) == before


def test_the_key_knows_the_clock_by_its_local_date(house: House) -> None:
    town = source(1)
    evening = datetime(2024, 3, 15, 22, 59, tzinfo=UTC)  # 23:59 in Münster
    assert house.key(town, as_of=evening) == house.key(town, as_of=AS_OF)
    assert house.key(town, as_of=evening + timedelta(minutes=1)) != house.key(town, as_of=AS_OF)


def test_the_key_knows_in_which_way_a_fetch_fails_but_not_how_often(house: House) -> None:
    town = source(2)
    house.fetch_ends(town, "failed", "https://a/1: HTTP 503 after 4 attempts")
    first = house.key(town)
    house.fetch_ends(town, "failed", "https://a/1: HTTP 503 after 3 attempts")
    assert house.key(town) == first
    house.fetch_ends(town, "failed", "https://a/1: not reached (Timeout) after 4 attempts")
    assert house.key(town) != first
    # The same error page every day, with another time in it.
    house.fetch_ends(town, "failed", "a.csv: expected csv, html came: '05:01'; see", evidence="ab")
    refused = house.key(town)
    house.fetch_ends(town, "failed", "a.csv: expected csv, html came: '05:02'; see", evidence="cd")
    assert house.key(town) == refused


def test_the_key_knows_a_partition_that_vanished_and_none_that_never_was(house: House) -> None:
    town = source(2)
    house.parse(town, {0: b"a\n"})
    before = house.key(town)
    house.fetch_ends(town, "absent")
    assert house.key(town) == before
    house.fetch_ends(town, "absent", partition="file/line=0")
    assert house.key(town) != before


def test_unknown_partitions_are_forgotten_once_they_are_known(house: House) -> None:
    town = source(2)
    house.parse(town, {0: b"a\n"})
    before = house.key(town)
    house.fetch_ends(town, "failed", "town: sites was never fetched, so its partitions are unknown", partition="file")
    assert house.key(town) != before
    house.fetch_ends(town, "absent")
    assert house.key(town) == before


def test_the_key_knows_when_a_source_is_stale_and_when_it_is_no_longer(house: House) -> None:
    town = source(1)
    house.parse(town, contents(1))
    late = AS_OF + timedelta(days=town.fresh_for_days + 3)
    stale = house.key(town, as_of=late)
    house.parse(town, contents(1), late)
    assert house.key(town, as_of=late) != stale


def test_the_key_knows_refusals_and_what_comparing_found(house: House) -> None:
    town = source(1)
    many = "".join(f"line {number}\n" for number in range(40)).encode()
    house.parse(town, {0: many})
    before = house.key(town)
    house.parse(town, {0: b"few\n"}, AS_OF + timedelta(days=1))
    refused = house.key(town)
    assert refused != before
    trouble = troubles({"town": town}, house.landing, house.staged, AS_OF)
    assert [words.split(":")[0].split(" ")[2] for words in trouble if "refused" in words] == ["refused"]
    assert any("record_guard" in words for words in trouble)
    # The same bytes confirmed change nothing; others refused in the same way are another snapshot.
    house.parse(town, {0: b"few\n"}, AS_OF + timedelta(days=2))
    assert house.key(town) == refused
    house.parse(town, {0: b"two\n"}, AS_OF + timedelta(days=3))
    assert house.key(town) != refused
