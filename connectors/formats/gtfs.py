"""Parse a GTFS Schedule zip into the staged `gtfs_` tables.

Format: https://gtfs.org/documentation/schedule/reference/ . Staged are agency, stops, routes, trips, stop_times,
calendar, calendar_dates, frequencies, transfers, shapes, attributions and feed_info, with every column the reference
has. Its other files (fares, pathways, translations, flex …) are known and left alone; a file or column the reference
does not know is reported as drift.

- Times become seconds after noon minus 12 h of the service day; they may pass 24:00:00.
- Names lose their control characters (0x08 and the like) and nothing else; ids stay as they are, byte for byte.
- A stop whose coordinates are no place on earth, or 0,0, is staged with both null: trips and children depend on it.
- A record whose key came before is rejected, the first one stays.
- A record is rejected for a cell that supply depends on. A cell that only informs and cannot be read is null, and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.archive import extract, files, open_zip
from connectors.blocks import Parsed, cut_into_blocks
from connectors.connector import Connector, Snapshot
from connectors.errors import Reason, SnapshotRefused
from connectors.formats.gtfs_checks import check
from connectors.formats.gtfs_measures import measure
from connectors.formats.gtfs_modes import mode_sql
from connectors.region import BoundingBox, Region
from connectors.staging import DISTINCT_TEXT, REJECTED_LIMIT, StagedWriter
from connectors.tables import (
    GTFS_AGENCY,
    GTFS_ATTRIBUTIONS,
    GTFS_CALENDAR,
    GTFS_CALENDAR_DATES,
    GTFS_FEED_INFO,
    GTFS_FINDING,
    GTFS_FREQUENCIES,
    GTFS_ROUTES,
    GTFS_SHAPES,
    GTFS_STOP_TIMES,
    GTFS_STOPS,
    GTFS_TRANSFERS,
    GTFS_TRIPS,
    Table,
)

OUTSIDE = "outside the region"
# The feed of all local transit in Germany unpacks to 2.5 GB.
UNPACKED_LIMIT_BYTES = 6 * 2**30
# A day and a half has 130,000 seconds. A column with more different texts has them read block by block.
TEXTS_LIMIT = 200_000
# A statement per block costs more than its rows.
NOTED_AT_ONCE = 100_000

# -- what the reference says ---------------------------------------------------------------------------------------

Kind = Literal[
    "text", "name", "whole", "positive", "number", "time", "day", "flag", "degrees", "latitude", "longitude", "mode"
]
# cell: every record must fill it. column: the file must have the column. optional: neither. informs: nor does what the
# marts count depend on it, so that a cell that cannot be read costs no record.
Need = Literal["cell", "column", "optional", "informs"]

_PLACE_ON_EARTH = r"""
    case when regexp_full_match(trim(raw_stop_lat), '[+-]?\d{{1,2}}(\.\d*)?')
        and regexp_full_match(trim(raw_stop_lon), '[+-]?\d{{1,3}}(\.\d*)?')
        and abs(try_cast(trim(raw_stop_lat) as double)) <= 90 and abs(try_cast(trim(raw_stop_lon) as double)) <= 180
        and not (try_cast(trim(raw_stop_lat) as double) = 0 and try_cast(trim(raw_stop_lon) as double) = 0)
    then try_cast(trim({raw}) as double) end
"""
# {raw} is the cell as text, never null; the result is null where the cell is blank or cannot be read.
_READ: Mapping[Kind, str] = {
    "text": "nullif({raw}, '')",
    "name": r"nullif(regexp_replace({raw}, '\p{{Cc}}', '', 'g'), '')",
    "whole": r"case when regexp_full_match(trim({raw}), '\d{{1,9}}') then try_cast(trim({raw}) as integer) end",
    "positive": r"""case when regexp_full_match(trim({raw}), '0*[1-9]\d{{0,8}}')
        then try_cast(trim({raw}) as integer) end""",
    "number": r"""case when regexp_full_match(trim({raw}), '[+-]?\d{{1,15}}(\.\d*)?([eE][+-]?\d{{1,2}})?')
        then try_cast(trim({raw}) as double) end""",
    "latitude": r"""case when regexp_full_match(trim({raw}), '[+-]?\d{{1,2}}(\.\d*)?')
        and abs(try_cast(trim({raw}) as double)) <= 90 then try_cast(trim({raw}) as double) end""",
    "longitude": r"""case when regexp_full_match(trim({raw}), '[+-]?\d{{1,3}}(\.\d*)?')
        and abs(try_cast(trim({raw}) as double)) <= 180 then try_cast(trim({raw}) as double) end""",
    "time": r"""case when regexp_full_match(trim({raw}), '\d{{1,2}}:[0-5]\d:[0-5]\d') then
        try_cast(split_part(trim({raw}), ':', 1) as integer) * 3600
        + try_cast(split_part({raw}, ':', 2) as integer) * 60
        + try_cast(split_part(trim({raw}), ':', 3) as integer) end""",
    "day": r"""case when regexp_full_match(trim({raw}), '\d{{8}}')
        then try_cast(try_strptime(trim({raw}), '%Y%m%d') as date) end""",
    "flag": "case trim({raw}) when '1' then true when '0' then false end",
    "degrees": _PLACE_ON_EARTH,
    "mode": mode_sql("try_cast(trim({raw}) as integer)"),
}
_UNREADABLE: Mapping[Kind, str] = {
    "whole": "not a whole number",
    "positive": "not a whole number above 0",
    "number": "not a number",
    "latitude": "not a latitude",
    "longitude": "not a longitude",
    "time": "not a time H:MM:SS",
    "day": "not a date YYYYMMDD",
    "flag": "neither 0 nor 1",
}


class _Column(NamedTuple):
    staged: str
    source: str
    kind: Kind
    need: Need


def _column(source: str, kind: Kind = "text", need: Need = "optional", staged: str | None = None) -> _Column:
    return _Column(staged or source, source, kind, need)


@dataclass(frozen=True)
class _File:
    """A file of the reference: the table it fills, its key and its columns."""

    name: str
    table: Table
    key: tuple[str, ...]
    columns: tuple[_Column, ...]


def _file(name: str, table: Table, key: str, columns: tuple[_Column, ...]) -> _File:
    return _File(name, table, tuple(key.split()), columns)


def _inform(kind: Kind, names: str) -> tuple[_Column, ...]:
    """Columns of one kind that only inform."""
    return tuple(_column(name, kind, "informs") for name in names.split())


_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_STOP_TIMES = _file(
    "stop_times.txt",
    GTFS_STOP_TIMES,
    "trip_id stop_sequence",
    (
        _column("trip_id", need="cell"),
        _column("stop_sequence", "whole", "cell"),
        _column("stop_id", need="cell"),
        _column("arrival_time", "time", "column", staged="arrival_s"),
        _column("departure_time", "time", "column", staged="departure_s"),
        _column("pickup_type", "whole"),
        _column("drop_off_type", "whole"),
        *_inform("name", "stop_headsign"),
        *_inform("whole", "timepoint continuous_pickup continuous_drop_off"),
        *_inform("number", "shape_dist_traveled"),
        *_inform("text", "location_group_id location_id pickup_booking_rule_id drop_off_booking_rule_id"),
        _column("start_pickup_drop_off_window", "time", "informs", staged="start_pickup_drop_off_window_s"),
        _column("end_pickup_drop_off_window", "time", "informs", staged="end_pickup_drop_off_window_s"),
    ),
)
# All but stop_times, which comes last: it needs the stops and trips that were accepted.
_SMALL_FILES = (
    _file(
        "agency.txt",
        GTFS_AGENCY,
        "agency_id",
        (
            _column("agency_id"),
            _column("agency_name", "name", "cell"),
            _column("agency_url", need="column"),
            _column("agency_timezone", need="cell"),
            *_inform("text", "agency_lang agency_phone agency_fare_url agency_email"),
            *_inform("whole", "cemv_support"),
        ),
    ),
    _file(
        "stops.txt",
        GTFS_STOPS,
        "stop_id",
        (
            _column("stop_id", need="cell"),
            _column("stop_code"),
            _column("stop_name", "name", "column"),
            _column("stop_lat", "degrees", "column"),
            _column("stop_lon", "degrees", "column"),
            _column("location_type", "whole"),
            _column("parent_station"),
            _column("wheelchair_boarding", "whole"),
            _column("platform_code"),
            *_inform("name", "tts_stop_name stop_desc"),
            *_inform("text", "zone_id stop_url stop_timezone level_id"),
            *_inform("whole", "stop_access"),
        ),
    ),
    _file(
        "routes.txt",
        GTFS_ROUTES,
        "route_id",
        (
            _column("route_id", need="cell"),
            _column("agency_id"),
            _column("route_short_name", "name"),
            _column("route_long_name", "name"),
            _column("route_type", "whole", "cell"),
            _column("route_type", "mode", staged="mode"),
            *_inform("name", "route_desc"),
            *_inform("text", "route_url route_color route_text_color network_id"),
            *_inform("whole", "route_sort_order continuous_pickup continuous_drop_off cemv_support"),
        ),
    ),
    _file(
        "trips.txt",
        GTFS_TRIPS,
        "trip_id",
        (
            _column("trip_id", need="cell"),
            _column("route_id", need="cell"),
            _column("service_id", need="cell"),
            _column("trip_headsign", "name"),
            _column("direction_id", "whole"),
            _column("shape_id"),
            *_inform("name", "trip_short_name"),
            *_inform("text", "block_id"),
            *_inform("whole", "wheelchair_accessible bikes_allowed cars_allowed"),
            *_inform("number", "safe_duration_factor"),
            _column("safe_duration_offset", "number", "informs", staged="safe_duration_offset_s"),
        ),
    ),
    _file(
        "calendar.txt",
        GTFS_CALENDAR,
        "service_id",
        (
            _column("service_id", need="cell"),
            *(_column(day, "flag", "cell") for day in _WEEKDAYS),
            _column("start_date", "day", "cell"),
            _column("end_date", "day", "cell"),
        ),
    ),
    _file(
        "calendar_dates.txt",
        GTFS_CALENDAR_DATES,
        "service_id date",
        (
            _column("service_id", need="cell"),
            _column("date", "day", "cell"),
            _column("exception_type", "positive", "cell"),
        ),
    ),
    _file(
        "frequencies.txt",
        GTFS_FREQUENCIES,
        "trip_id start_s",
        (
            _column("trip_id", need="cell"),
            _column("start_time", "time", "cell", staged="start_s"),
            _column("end_time", "time", "cell", staged="end_s"),
            _column("headway_secs", "positive", "cell", staged="headway_s"),
            _column("exact_times", "whole"),
        ),
    ),
    _file(
        "feed_info.txt",
        GTFS_FEED_INFO,
        "",  # the reference allows one record
        (
            _column("feed_publisher_name", "name", "column"),
            _column("feed_version"),
            _column("feed_start_date", "day"),
            _column("feed_end_date", "day"),
            *_inform("text", "feed_publisher_url feed_lang default_lang feed_contact_email feed_contact_url"),
        ),
    ),
    _file(
        "transfers.txt",
        GTFS_TRANSFERS,
        "from_stop_id to_stop_id from_route_id to_route_id from_trip_id to_trip_id",
        (
            *(_column(f"{side}_{what}_id") for what in ("stop", "route", "trip") for side in ("from", "to")),
            _column("transfer_type", "whole", "column"),
            _column("min_transfer_time", "whole", staged="min_transfer_time_s"),
        ),
    ),
    _file(
        "shapes.txt",
        GTFS_SHAPES,
        "shape_id shape_pt_sequence",
        (
            _column("shape_id", need="cell"),
            _column("shape_pt_sequence", "whole", "cell"),
            _column("shape_pt_lat", "latitude", "cell"),
            _column("shape_pt_lon", "longitude", "cell"),
            *_inform("number", "shape_dist_traveled"),
        ),
    ),
    _file(
        "attributions.txt",
        GTFS_ATTRIBUTIONS,
        "attribution_id agency_id route_id trip_id organization_name",
        (
            *(_column(name) for name in ("attribution_id", "agency_id", "route_id", "trip_id")),
            _column("organization_name", "name", "cell"),
            *_inform("flag", "is_producer is_operator is_authority"),
            *_inform("text", "attribution_url attribution_email attribution_phone"),
        ),
    ),
)
_FILES = (*_SMALL_FILES, _STOP_TIMES)
# Supply is counted without them: where one lacks a column it requires, it is left out and the feed stays.
_INFORMING_FILES = ("transfers.txt", "shapes.txt", "attributions.txt")
_REQUIRED = ("agency.txt", "stops.txt", "routes.txt", "trips.txt", "stop_times.txt")
_UNSTAGED_FILES = frozenset(
    f"{name}.txt"
    for name in (
        *("fare_attributes", "fare_rules", "timeframes", "rider_categories", "fare_media", "fare_products"),
        *("fare_leg_rules", "fare_leg_join_rules", "fare_transfer_rules", "areas", "stop_areas", "networks"),
        *("route_networks", "pathways", "levels", "location_groups", "location_group_stops"),
        *("booking_rules", "translations"),
    )
) | {"locations.geojson"}


# -- the parser ------------------------------------------------------------------------------------------------------


def parse(snapshot: Snapshot, out: StagedWriter, region: Region, /, *, region_only: bool = False) -> None:
    """Stage a feed; with `region_only` the trips that touch the region's bounding box, kept whole.

    A kept trip brings all its stop_times and stops, with the stops' parents; stops in the box stay even if nothing
    serves them. Raises SnapshotRefused where a required file or column is missing or a file is no CSV in UTF-8,
    PayloadRefused where the zip is damaged or hostile.
    """
    with open_zip(snapshot.path, UNPACKED_LIMIT_BYTES) as archive, out.database() as db:
        members = files(archive)
        out.saw_header(GTFS_FEED_INFO, [f"file:{name}" for name in sorted(members)])
        _refuse_incomplete(snapshot, members)
        for name in sorted(members.keys() - _UNSTAGED_FILES - {file.name for file in _FILES}):
            out.drift(GTFS_FEED_INFO, f"file:{name}", "new")
        present = {
            file.name: _Records(snapshot, file, extract(archive, members[file.name], out.scratch), out)
            for file in _SMALL_FILES
            if file.name in members
        }
        place = extract(archive, members[_STOP_TIMES.name], out.scratch)
        stop_times = _StopTimes(_Records(snapshot, _STOP_TIMES, place, out), db)
        for name in [name for name, records in present.items() if records.lacks]:
            present.pop(name).leave_out()
        for records in present.values():
            records.load(db)
        if region_only:
            _cut_to_region(db, out, present, stop_times, region.bounding_box)
        else:
            stop_times.survey()
        for records in present.values():
            records.settle(db)
        stop_times.stage()
        out.note(GTFS_FINDING, [finding._asdict() for finding in check(db)])
        for row in measure(db, region).to_pylist():
            out.measure(**row)


def _refuse_incomplete(snapshot: Snapshot, members: Mapping[str, object]) -> None:
    missing = [name for name in _REQUIRED if name not in members]
    if "calendar.txt" not in members and "calendar_dates.txt" not in members:
        missing.append("calendar.txt or calendar_dates.txt")
    if missing:
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name} has no {', '.join(missing)}; a GTFS feed must have it, "
            f"found {', '.join(sorted(members)) or 'nothing'}; ask the publisher again",
            Reason("missing_required_file", ", ".join(missing)),
        )


class _Records:
    """The records of one file of a feed, on their way from CSV to a DuckDB table to Parquet."""

    def __init__(self, snapshot: Snapshot, file: _File, path: Path, out: StagedWriter) -> None:
        self.file = file
        self.out = out
        self._where = f"{snapshot.source_id}: {snapshot.path.name}: {file.name}"
        self.csv = cut_into_blocks(path, self._where)
        self._header = self.csv.header
        self.lacks: str | None = None
        self._check_header()
        out.read(file.table, self.csv.records)

    @property
    def places(self) -> dict[str, int]:
        """The columns to be staged that the file has, with their places in its header."""
        return {column.source: self._header.index(column.source) for column in self.file.columns if self.has(column)}

    def has(self, column: _Column) -> bool:
        """Whether the file has the column."""
        return column.source in self._header

    def _check_header(self) -> None:
        self.out.saw_header(self.file.table, self._header)
        staged = {column.source for column in self.file.columns}
        for name in set(self._header) - staged:
            self.out.drift(self.file.table, name, "new")
        for column in self.file.columns:
            if column.need in ("cell", "column") and column.source not in self._header:
                self.out.drift(self.file.table, column.source, "missing")
                if self.file.name in _INFORMING_FILES:
                    self.lacks = column.source
                    continue
                raise SnapshotRefused(
                    f"{self._where} has no column {column.source}, which GTFS requires; "
                    f"found {', '.join(self._header)[:300] or 'nothing'}; ask the publisher again",
                    Reason("missing_required_column", f"{self.file.table.name.removeprefix('gtfs_')}.{column.source}"),
                )
            if self._header.count(column.source) > 1:
                raise SnapshotRefused(f"{self._where} has column {column.source} twice; ask the publisher which holds")

    def leave_out(self) -> None:
        """Count every record as out of scope: the file lacks a column without which it says nothing."""
        self.out.out_of_scope(self.file.table, f"no column {self.lacks}", self.csv.records)

    def sound(self, parsed: Parsed) -> pa.RecordBatch:
        """The records of a block that fit the header; the others are rejected."""
        for record in parsed.malformed:
            self.out.reject(self.file.table, record.record_number, "", record.text, record.reason)
        return parsed.batch

    def load(self, db: duckdb.DuckDBPyConnection) -> None:
        """Make the file's typed table, the records that cannot be read marked."""
        raw = {c.source: f"raw_{c.source}" if c.source in self._header else "''" for c in self.file.columns}
        typed = {c: _READ[c.kind].format(raw=raw[c.source]) for c in self.file.columns}
        problems = [
            (f"trim({raw[c.source]}) = ''", c, f"no {c.source}") for c in self.file.columns if c.need == "cell"
        ] + [
            (f"trim({raw[c.source]}) <> '' and {c.staged} is null", c, _UNREADABLE[c.kind])
            for c in self.file.columns
            if c.kind in _UNREADABLE and c.need != "informs"
        ]
        unread = [
            (f"trim({raw[c.source]}) <> '' and {c.staged} is null", c)
            for c in self.file.columns
            if c.kind in _UNREADABLE and c.need == "informs" and c.source in self._header
        ]
        rows = f"""
            select record_number, {", ".join(column.staged for column in typed)},
                {_choose([(when, f"'{column.source}'") for when, column, _ in problems])} as problem_column,
                {_choose([(when, raw[column.source]) for when, column, _ in problems])} as problem_text,
                {_choose([(when, f"'{reason}'") for when, _, reason in problems])} as problem_reason,
                {_choose([(when, f"'{column.source}'") for when, column in unread])} as unread_column,
                {_choose([(when, raw[column.source]) for when, column in unread])} as unread_text
            from (
                select *, {", ".join(f"{sql} as {column.staged}" for column, sql in typed.items())}
                from records
            ) as read
        """
        columns = {f"raw_{source}": place for source, place in self.places.items()}
        nothing = {"record_number": pa.array([], pa.int64()), **{name: pa.array([], pa.string()) for name in columns}}
        db.register("records", pa.table(nothing))
        db.execute(f"create table {self.file.table.name} as {rows}")
        for parsed in self.csv.parse(columns, REJECTED_LIMIT):
            db.register("records", pa.Table.from_batches([self.sound(parsed)]))
            db.execute(f"insert into {self.file.table.name} {rows}")
        db.unregister("records")

    def settle(self, db: duckdb.DuckDBPyConnection) -> None:
        """Reject what cannot be read, refers to nothing or repeats a key; stage the rest in the file's order."""
        table = self.file.table.name
        self._reject(
            db,
            f"""
            select record_number, problem_column, problem_text, problem_reason from {table}
            where problem_reason is not null
            """,
        )
        same_key = " and ".join(f"{table}.{name} is not distinct from first.{name}" for name in self.file.key) or "true"
        keys = "".join(f"{name}, " for name in self.file.key)
        self._reject(
            db,
            f"""
            with first as (
                select {keys} min(record_number) as first_number from {table}
                group by {keys or "()"} having count(*) > 1
            )
            select {table}.record_number, '{" ".join(self.file.key)}',
                concat_ws(' ', {", ".join(f"{table}.{name}" for name in self.file.key) or "null"}), 'repeated key'
            from {table} inner join first on {same_key}
            where {table}.record_number > first.first_number
            """,
        )
        self._tell_unread(db)
        staged = ", ".join(self.file.table.columns.names)
        self.out.write(
            self.file.table,
            db.sql(f"select record_number, {staged} from {table} order by record_number").to_arrow_reader(),
        )

    def _tell_unread(self, db: duckdb.DuckDBPyConnection) -> None:
        kinds = {column.source: column.kind for column in self.file.columns}
        found = db.execute(
            f"""
            select unread_column, count(*), arg_min(unread_text, record_number) from {self.file.table.name}
            where unread_column is not null group by unread_column order by unread_column
            """
        )
        for column, records, example in found.fetchall():
            self.out.unread(self.file.table, column, _UNREADABLE[kinds[column]], records, example)

    def _reject(self, db: duckdb.DuckDBPyConnection, offenders: str) -> None:
        table = self.file.table
        db.execute(
            f"create or replace temp table offender(record_number, column_name, raw_text, reason) as {offenders}"
        )
        for number, column, raw, reason in db.execute("select * from offender order by record_number").fetchall():
            self.out.reject(table, number, column, raw, reason)
        db.execute(f"delete from {table.name} where record_number in (select record_number from offender)")


def _choose(cases: list[tuple[str, str]]) -> str:
    return (
        f"case {' '.join(f'when {when} then {then}' for when, then in cases)} end" if cases else "cast(null as varchar)"
    )


# -- stop_times ------------------------------------------------------------------------------------------------------


class _Fault(NamedTuple):
    """Why records are not staged, or not wholly: the column at fault and the reason."""

    column: str
    reason: str


class _Marks:
    """The rows of a block with the first fault that was marked in each."""

    def __init__(self, rows: int) -> None:
        self._faults: list[_Fault] = []
        self._of_row = np.full(rows, -1, np.int16)

    def mark(self, fault: _Fault, is_marked: npt.NDArray[np.bool_]) -> None:
        """Mark rows that bear no mark yet."""
        if is_marked.any():
            self._of_row[is_marked & (self._of_row < 0)] = len(self._faults)
            self._faults.append(fault)

    @property
    def is_marked(self) -> npt.NDArray[np.bool_]:
        """Which rows bear a mark."""
        return self._of_row >= 0

    def marked(self) -> Iterator[tuple[int, _Fault]]:
        """The marked rows in their order, by place, each with its fault."""
        for place in np.flatnonzero(self.is_marked).tolist():
            yield place, self._faults[self._of_row[place]]

    def counted(self, is_counted: npt.NDArray[np.bool_]) -> Iterator[tuple[_Fault, int, int]]:
        """Per fault how many of the rows to be counted bear it, and the first one's place."""
        for number, fault in enumerate(self._faults):
            places = np.flatnonzero((self._of_row == number) & is_counted)
            if len(places):
                yield fault, len(places), int(places[0])


class _Judged(NamedTuple):
    """A block's records: as texts, as rows with typed columns, and what in them cannot be staged."""

    texts: pa.RecordBatch
    rows: pa.RecordBatch
    faults: _Marks
    unread: _Marks

    @property
    def good(self) -> pa.RecordBatch:
        """The rows without fault."""
        is_faulty = self.faults.is_marked
        return self.rows.filter(pa.array(~is_faulty)) if is_faulty.any() else self.rows


class _StopTimes:
    """The records of stop_times.txt, of which a country has 32 million: they never lie in memory as a whole.

    They are read in blocks, twice or more: `survey` notes which trips and stops each block names, the last reading
    stages them. A text is read once per block, however many records have it.
    """

    def __init__(self, records: _Records, db: duckdb.DuckDBPyConnection) -> None:
        self._records, self._db, self._out = records, db, records.out
        self._file = records.file
        self._texts = {
            column.source: _Texts(db, column.kind, self._file.table.columns.field(column.staged).type)
            for column in self._file.columns
        }
        self._waiting: dict[str, list[pa.Table]] = {}
        self._with_unknown: dict[str, set[int]] = {}
        self._unread: dict[str, tuple[int, str]] = {}
        db.execute(
            """
            create table trip_part(
                block integer, trip_id varchar, records bigint, is_inner boolean, is_rising boolean,
                first_sequence integer, last_sequence integer
            );
            create table stop_part(block integer, stop_id varchar);
            create table inner_stop(stop_id varchar);
            create table wanted_part(block integer, trip_id varchar);
            create table repeated(record_number bigint)
            """
        )
        self._is_cut = self._are_repeated = False

    def survey(self) -> None:
        """Note the trips and stops of each block; reject the malformed records.

        Table `trip_part`: per block and trip its records, whether one of them is at an `inner_stop`, and whether their
        stop_sequence rises from record to record. Table `stop_part`: the stops of each block.
        """
        are_inner = self._value("select count(*) from inner_stop") > 0
        for parsed in self._parse(("trip_id", "stop_id", "stop_sequence")):
            batch = self._records.sound(parsed)
            if not batch.num_rows:
                continue
            trips, stops = batch.column("trip_id"), batch.column("stop_id")
            sequences = batch.column("stop_sequence")
            sequence = self._texts["stop_sequence"].read(sequences.dictionary).values.take(sequences.indices)
            is_inner = np.zeros(len(stops.dictionary), bool)
            if are_inner:
                is_inner = self._among(stops.dictionary, "select stop_id from inner_stop")
            parts = _parts(_indices(trips), sequence, is_inner[_indices(stops)])
            self._note(
                "trip_part",
                block=_repeat(parsed.block.number, len(parts.trip)),
                trip_id=trips.dictionary.take(pa.array(parts.trip)),
                records=pa.array(parts.records),
                is_inner=pa.array(parts.is_inner),
                is_rising=pa.array(parts.is_rising),
                first_sequence=pa.array(parts.first),
                last_sequence=pa.array(parts.last),
            )
            self._note("stop_part", block=_repeat(parsed.block.number, len(stops.dictionary)), stop_id=stops.dictionary)
        self._noted("trip_part", "stop_part")

    def cut(self) -> None:
        """Keep the trips of `kept_trip` and those that trips.txt does not know; say that the rest lies outside.

        Table `called_stop`: the stops that kept trips call at, some more than once.
        """
        self._is_cut = True
        self._db.execute(
            """
            create table known_trip as select distinct trip_id from gtfs_trips where trip_id is not null;
            insert into wanted_part
            select block, trip_id from trip_part
            where trip_id in (select trip_id from kept_trip) or trip_id not in (select trip_id from known_trip);
            create table called_stop(stop_id varchar);
            create table kept_part as from wanted_part where trip_id in (select trip_id from kept_trip)
            """
        )
        for _, batch in self._of_trips(("trip_id", "stop_id"), "kept_part"):
            self._note("called_stop", stop_id=pc.unique(batch.column("stop_id")).cast(pa.string()))
        self._noted("called_stop")
        left_out = self._value(
            """
            select coalesce(sum(records), 0) from trip_part
            where trip_id not in (select trip_id from kept_trip) and trip_id in (select trip_id from known_trip)
            """
        )
        self._out.out_of_scope(self._file.table, OUTSIDE, left_out)

    def stage(self) -> None:
        """Reject what cannot be read, refers to nothing or repeats a key; stage the rest in the file's order.

        View `gtfs_stop_times`: what is staged.
        """
        for name, known in (("trip_id", GTFS_TRIPS.name), ("stop_id", GTFS_STOPS.name)):
            self._db.execute(
                f"""
                create table unknown_{name} as
                select block, {name} from {name.removesuffix("_id")}_part
                where {name} not in (select {name} from {known})
                """
            )
            self._with_unknown[name] = self._blocks_of(f"unknown_{name}")
        self._find_repeated()
        wanted = "wanted_part" if self._is_cut else None
        with ThreadPoolExecutor(1) as delivery:
            # While a block is written the next one is judged.
            delivered: Future[None] | None = None
            for number, batch in self._of_trips(tuple(self._records.places), wanted):
                judged = self._judge(number, batch)
                self._mark_repeated(judged)
                if delivered is not None:
                    delivered.result()
                delivered = delivery.submit(self._deliver, judged)
            if delivered is not None:
                delivered.result()
        for name, (count, example) in sorted(self._unread.items()):
            self._out.unread(self._file.table, name, _UNREADABLE[self._column(name).kind], count, example)
        self._out.show(self._file.table, self._db)

    def _deliver(self, judged: _Judged) -> None:
        """Reject what is at fault, stage the rest."""
        numbers = judged.rows.column("record_number")
        for place, fault in judged.faults.marked():
            columns = fault.column.split()
            source = judged.texts if len(columns) == 1 else judged.rows
            raw = " ".join(str(source.column(name)[place]) for name in columns)
            self._out.reject(self._file.table, numbers[place].as_py(), fault.column, raw, fault.reason)
        for fault, count, place in judged.unread.counted(~judged.faults.is_marked):
            former, example = self._unread.get(fault.column, (0, judged.texts.column(fault.column)[place].as_py()))
            self._unread[fault.column] = (former + count, example)
        good = judged.good
        if good.num_rows:
            self._out.write(self._file.table, pa.Table.from_batches([good]))

    # -- reading ----------------------------------------------------------------------------------------------------

    def _parse(self, columns: tuple[str, ...], blocks: set[int] | None = None) -> Iterator[Parsed]:
        places = {name: self._records.places[name] for name in columns}
        all_blocks = self._records.csv.blocks
        chosen = all_blocks if blocks is None else [block for block in all_blocks if block.number in blocks]
        return self._records.csv.parse(places, REJECTED_LIMIT, chosen, DISTINCT_TEXT)

    def _of_trips(self, columns: tuple[str, ...], wanted: str | None) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Blocks by number with the records of the trips in a table (block, trip_id), or all records."""
        if wanted is None:
            yield from ((parsed.block.number, parsed.batch) for parsed in self._parse(columns))
            return
        for block, batch, _ in self._parse(columns, self._blocks_of(wanted)):
            trips = batch.column("trip_id")
            is_wanted = self._among(trips.dictionary, f"select trip_id from {wanted} where block = {block.number}")
            yield block.number, batch.filter(pa.array(is_wanted[_indices(trips)]))

    def _judge(self, block: int, batch: pa.RecordBatch) -> _Judged:
        """The typed rows of a block, and those that cannot be read or refer to nothing."""
        staged: dict[str, pa.Array] = {"record_number": batch.column("record_number")}
        faults, unread = _Marks(batch.num_rows), _Marks(batch.num_rows)
        unreadable: list[tuple[_Fault, npt.NDArray[np.bool_]]] = []
        for column in self._file.columns:
            type_ = self._file.table.columns.field(column.staged).type
            if not self._records.has(column):
                staged[column.staged] = pa.nulls(batch.num_rows, type_)
                continue
            cells = batch.column(column.source)
            values, is_blank = self._texts[column.source].read(cells.dictionary)
            staged[column.staged] = _spread(values, cells.indices)
            if column.need == "cell":
                faults.mark(_Fault(column.source, f"no {column.source}"), is_blank[_indices(cells)])
            if column.kind in _UNREADABLE:
                is_unreadable = values.is_null().to_numpy(zero_copy_only=False) & ~is_blank
                if is_unreadable.any():
                    fault = _Fault(column.source, _UNREADABLE[column.kind])
                    unreadable.append((fault, is_unreadable[_indices(cells)]))
        for fault, is_marked in unreadable:
            informs = self._column(fault.column).need == "informs"
            (unread if informs else faults).mark(fault, is_marked)
        for name in ("trip_id", "stop_id"):
            cells = batch.column(name)
            if block in self._with_unknown[name]:
                is_unknown = self._among(cells.dictionary, f"select {name} from unknown_{name} where block = {block}")
                faults.mark(_Fault(name, f"unknown {name}"), is_unknown[_indices(cells)])
        return _Judged(batch, pa.RecordBatch.from_pydict(staged), faults, unread)

    # -- keys -------------------------------------------------------------------------------------------------------

    def _find_repeated(self) -> None:
        """Fill the table `repeated` with the records whose key came before.

        No key comes twice in a trip whose stop_sequence rises through the whole file: only others are looked at.
        """
        self._db.execute(
            f"""
            create table suspect_part as
            with in_several_blocks as (
                select trip_id from trip_part group by trip_id having count(*) > 1
            ),
            followed as (
                select trip_id, first_sequence, max(last_sequence) over (
                    partition by trip_id order by block rows between unbounded preceding and 1 preceding
                ) as former_sequence
                from trip_part where trip_id in (select trip_id from in_several_blocks)
            ),
            suspect as (
                select trip_id from trip_part where not is_rising
                union
                select trip_id from followed where first_sequence <= former_sequence
            )
            select block, trip_id from {"wanted_part" if self._is_cut else "trip_part"}
            where trip_id in (select trip_id from suspect) and trip_id in (select trip_id from gtfs_trips)
            """
        )
        self._db.execute("create table suspect_key(record_number bigint, trip_id varchar, stop_sequence integer)")
        columns = tuple(self._records.places)
        for number, batch in self._of_trips(columns, "suspect_part"):
            good = self._judge(number, batch).good
            keys = {name: good.column(name) for name in ("record_number", "trip_id", "stop_sequence")}
            self._note("suspect_key", **keys)
        self._noted("suspect_key")
        self._db.execute(
            """
            insert into repeated
            with first as (
                select trip_id, stop_sequence, min(record_number) as first_number from suspect_key
                group by trip_id, stop_sequence having count(*) > 1
            )
            select record_number from suspect_key inner join first using (trip_id, stop_sequence)
            where record_number > first_number
            """
        )
        self._are_repeated = self._value("select count(*) from repeated") > 0

    def _mark_repeated(self, judged: _Judged) -> None:
        numbers = judged.rows.column("record_number").to_numpy()
        if self._are_repeated and len(numbers):
            found = self._db.execute(
                "select record_number from repeated where record_number between ? and ?",
                [int(numbers[0]), int(numbers[-1])],
            ).fetchnumpy()["record_number"]
            judged.faults.mark(_Fault(" ".join(self._file.key), "repeated key"), np.isin(numbers, found))

    # -- inside -----------------------------------------------------------------------------------------------------

    def _column(self, source: str) -> _Column:
        return next(column for column in self._file.columns if column.source == source)

    def _blocks_of(self, table: str) -> set[int]:
        return {number for (number,) in self._db.execute(f"select distinct block from {table}").fetchall()}

    def _among(self, texts: pa.Array, query: str) -> npt.NDArray[np.bool_]:
        """Which of the texts a query's only column holds."""
        held = self._db.execute(query).to_arrow_table().column(0).combine_chunks()
        found: npt.NDArray[np.bool_] = pc.is_in(texts, value_set=held).to_numpy(zero_copy_only=False)
        return found

    def _note(self, table: str, **columns: pa.Array) -> None:
        """Add rows to a table of the database; they are there after `_noted`."""
        self._waiting.setdefault(table, []).append(pa.table(columns))
        if sum(rows.num_rows for rows in self._waiting[table]) > NOTED_AT_ONCE:
            self._noted(table)

    def _noted(self, *tables: str) -> None:
        for table in tables:
            if waiting := self._waiting.pop(table, []):
                rows = pa.concat_tables(waiting)
                self._db.register("noted", rows)
                names = ", ".join(rows.column_names)
                self._db.execute(f"insert into {table} ({names}) select {names} from noted")
                self._db.unregister("noted")

    def _value(self, query: str) -> int:
        return int(self._db.execute(query).fetchall()[0][0])


class _Read(NamedTuple):
    """Texts as values, null where they are blank or cannot be read, and whether they are blank."""

    values: pa.Array
    is_blank: npt.NDArray[np.bool_]


class _Texts:
    """The texts of a column, read once: clock times and small numbers come again in every block."""

    def __init__(self, db: duckdb.DuckDBPyConnection, kind: Kind, type_: pa.DataType) -> None:
        self._db, self._kind, self._type = db, kind, type_
        self._known = pa.array([], pa.string())
        self._read = _Read(pa.array([], type_), np.zeros(0, bool))

    def read(self, texts: pa.Array) -> _Read:
        """The texts, none of them null, as `_READ` says."""
        if self._kind == "text":
            is_blank = pc.equal(pc.utf8_trim(texts, characters=" "), "").to_numpy(zero_copy_only=False)
            return _Read(pc.if_else(pc.equal(texts, ""), None, texts), is_blank)
        if len(self._known) > TEXTS_LIMIT:
            return self._read_anew(texts)
        new = texts.filter(pc.invert(pc.is_in(texts, value_set=self._known)))
        if len(new):
            values, is_blank = self._read_anew(new)
            self._known = pa.concat_arrays([self._known, new])
            self._read = _Read(
                pa.concat_arrays([self._read.values, values]), np.concatenate([self._read.is_blank, is_blank])
            )
        places = pc.index_in(texts, value_set=self._known)
        return _Read(self._read.values.take(places), self._read.is_blank[places.to_numpy()])

    def _read_anew(self, texts: pa.Array) -> _Read:
        self._db.register("distinct_text", pa.table({"raw": texts}))
        sql = _READ[self._kind].format(raw="raw")
        read = self._db.execute(
            f"select {sql} as value, trim(raw) = '' as is_blank from distinct_text"
        ).to_arrow_table()
        return _Read(read.column("value").combine_chunks().cast(self._type), read.column("is_blank").to_numpy())


class _Parts(NamedTuple):
    """What a block has of each trip, see `_StopTimes.survey`; `trip` is its place in the block's dictionary."""

    trip: npt.NDArray[np.int32]
    records: npt.NDArray[np.int64]
    is_inner: npt.NDArray[np.bool_]
    is_rising: npt.NDArray[np.bool_]
    first: npt.NDArray[np.int32]
    last: npt.NDArray[np.int32]


def _parts(trip: npt.NDArray[np.int32], sequence: pa.Array, is_inner: npt.NDArray[np.bool_]) -> _Parts:
    """The records of a block by trip; a sequence that is null rises from nothing."""
    number = sequence.fill_null(-1).to_numpy()
    # A dictionary is filled as texts come: where the places never fall, trips follow each other.
    if (np.diff(trip) < 0).any():
        order = np.argsort(trip, kind="stable")
        trip, number, is_inner = trip[order], number[order], is_inner[order]
    begins = np.flatnonzero(np.diff(trip, prepend=-1))
    rises = np.diff(number, prepend=-1) > 0
    rises[begins] = True
    rises &= number >= 0
    return _Parts(
        trip[begins],
        np.diff(begins, append=len(trip)),
        np.logical_or.reduceat(is_inner, begins),
        np.logical_and.reduceat(rises, begins),
        np.minimum.reduceat(number, begins),
        np.maximum.reduceat(number, begins),
    )


def _spread(values: pa.Array, places: pa.Array) -> pa.Array:
    """The values at their places; text stays a dictionary."""
    if not pa.types.is_string(values.type):
        return values.take(places)
    distinct = values.dictionary_encode()
    return pa.DictionaryArray.from_arrays(distinct.indices.take(places), distinct.dictionary)


def _indices(cells: pa.DictionaryArray) -> npt.NDArray[np.int32]:
    found: npt.NDArray[np.int32] = cells.indices.to_numpy()
    return found


def _repeat(value: int, times: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.int32()), times)


# -- national feeds --------------------------------------------------------------------------------------------------


def _cut_to_region(
    db: duckdb.DuckDBPyConnection,
    out: StagedWriter,
    present: Mapping[str, _Records],
    stop_times: _StopTimes,
    box: BoundingBox,
) -> None:
    """Keep the trips with a stop in the box and what they refer to; account for the rest as out of scope."""
    db.execute(
        "insert into inner_stop select stop_id from gtfs_stops "
        "where stop_id is not null and stop_lon between ? and ? and stop_lat between ? and ?",
        [box.west, box.east, box.south, box.north],
    )
    stop_times.survey()
    db.execute(
        """
        create table kept_trip as
        select distinct trip_id from trip_part where is_inner and trip_id in (select trip_id from gtfs_trips)
        """
    )
    stop_times.cut()
    db.execute(
        """
        create table kept_stop as
        with recursive kept(stop_id) as (
            select stop_id from inner_stop
            union
            select stop_id from called_stop
            union
            select gtfs_stops.parent_station from gtfs_stops inner join kept using (stop_id)
        )
        select stop_id from kept where stop_id is not null
        """
    )
    db.execute(
        """
        create table kept_service as
        select distinct route_id, service_id from gtfs_trips where trip_id in (select trip_id from kept_trip);
        create table kept_shape as
        select distinct shape_id from gtfs_trips where trip_id in (select trip_id from kept_trip);
        create table kept_route as
        select agency_id from gtfs_routes where route_id in (select route_id from kept_service)
        """
    )
    # Without an agency_id a route belongs to the feed's only agency. A record without its id stays, to be rejected.
    kept = {
        "agency.txt": "agency_id is null or agency_id in (select agency_id from kept_route) "
        "or exists (select 1 from kept_route where agency_id is null)",
        "stops.txt": "stop_id is null or stop_id in (select stop_id from kept_stop)",
        "routes.txt": "route_id is null or route_id in (select route_id from kept_service)",
        "trips.txt": "trip_id is null or trip_id in (select trip_id from kept_trip)",
        "calendar.txt": "service_id is null or service_id in (select service_id from kept_service)",
        "calendar_dates.txt": "service_id is null or service_id in (select service_id from kept_service)",
        "frequencies.txt": "trip_id is null or trip_id in (select trip_id from kept_trip)",
        "transfers.txt": " and ".join(
            f"({side}_{what}_id is null or {side}_{what}_id in (select {what}_id from {kept}))"
            for what, kept in (("stop", "kept_stop"), ("route", "kept_service"), ("trip", "kept_trip"))
            for side in ("from", "to")
        ),
        "shapes.txt": "shape_id is null or shape_id in (select shape_id from kept_shape)",
        "attributions.txt": "(agency_id is null or agency_id in (select agency_id from kept_route)) "
        "and (route_id is null or route_id in (select route_id from kept_service)) "
        "and (trip_id is null or trip_id in (select trip_id from kept_trip))",
    }
    for name, condition in kept.items():
        if name in present:
            table = present[name].file.table
            rows = db.execute(f"delete from {table.name} where ({condition}) is not true").fetchall()
            out.out_of_scope(table, OUTSIDE, rows[0][0])


CONNECTOR = Connector(
    name="gtfs",
    version=6,
    payload="zip",
    tables=tuple(file.table for file in _FILES),
    parse=parse,
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
