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
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from connectors.archive import extract, files, open_zip
from connectors.connector import Connector, Snapshot
from connectors.errors import Reason, SnapshotRefused
from connectors.formats.gtfs_checks import check
from connectors.formats.gtfs_measures import measure
from connectors.formats.gtfs_modes import mode_sql
from connectors.region import BoundingBox, Region
from connectors.staging import REJECTED_LIMIT, StagedWriter
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
from connectors.text import CsvRecords, mostly_without_mojibake, text_lines

OUTSIDE = "outside the region"
# The feed of all local transit in Germany unpacks to 2.5 GB.
UNPACKED_LIMIT_BYTES = 6 * 2**30

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
            for file in _FILES
            if file.name in members
        }
        for name in [name for name, records in present.items() if records.lacks]:
            present.pop(name).leave_out()
        for file in _SMALL_FILES:
            if file.name in present:
                present[file.name].load(db)
        if region_only:
            _cut_to_region(db, out, present, region.bounding_box)
        else:
            present[_STOP_TIMES.name].load(db)
        for records in present.values():
            records.settle(db)
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
        self._path = path
        self._where = f"{snapshot.source_id}: {snapshot.path.name}: {file.name}"
        self._out = out
        self._header, self._read = self._count()
        self.lacks: str | None = None
        self._check_header()
        out.read(file.table, self._read)

    def _count(self) -> tuple[list[str], int]:
        """Header and number of records, by Python's csv module: a count apart from the reader that stages."""
        text = mostly_without_mojibake(text_lines(self._path, self._where), self._where)
        rows = CsvRecords(text, self._where, strict=True)
        header = [name.strip() for name in next(rows, [])]
        return header, sum(1 for row in rows if row)

    def _no_csv(self, error: Exception) -> SnapshotRefused:
        return SnapshotRefused(f"{self._where}: expected CSV in UTF-8, {error}; ask the publisher again")

    def _check_header(self) -> None:
        self._out.saw_header(self.file.table, self._header)
        staged = {column.source for column in self.file.columns}
        for name in set(self._header) - staged:
            self._out.drift(self.file.table, name, "new")
        for column in self.file.columns:
            if column.need in ("cell", "column") and column.source not in self._header:
                self._out.drift(self.file.table, column.source, "missing")
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
        self._out.out_of_scope(self.file.table, f"no column {self.lacks}", self._read)

    def stream(self, malformed: list[tuple[int, str, str]]) -> pa.RecordBatchReader:
        """`record_number` (from 1, blank lines apart) and the columns to be staged as text, `raw_` before their names.

        A record with more or fewer fields than the header goes to `malformed` as (record number, text, reason).
        """

        def put_aside(row: arrow_csv.InvalidRow) -> str:
            if len(malformed) > REJECTED_LIMIT:
                return "error"
            reason = f"expected {row.expected_columns} fields, found {row.actual_columns}"
            malformed.append((row.number - 1, row.text, reason))  # the header is row 1
            return "skip"

        # Columns go by position: a name may stand twice among those nobody stages.
        places = {
            column.source: f"column_{self._header.index(column.source)}"
            for column in self.file.columns
            if column.source in self._header
        }
        schema = pa.schema([("record_number", pa.int64()), *((f"raw_{source}", pa.string()) for source in places)])
        if not self._read:
            return pa.RecordBatchReader.from_batches(schema, [])
        reader = arrow_csv.open_csv(
            self._path,
            arrow_csv.ReadOptions(
                use_threads=False,  # rows are numbered only then
                column_names=[f"column_{place}" for place in range(len(self._header))],
                skip_rows_after_names=1,
            ),
            arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=put_aside),
            arrow_csv.ConvertOptions(
                column_types={place: pa.string() for place in places.values()},
                include_columns=list(places.values()),
            ),
        )
        return pa.RecordBatchReader.from_batches(schema, _numbered(reader, schema, malformed))

    def scan(self, db: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[int, str, str]]:
        """Run `sql` over the table `records`, the stream of this file; returns the malformed records."""
        malformed: list[tuple[int, str, str]] = []
        try:
            db.register("records", self.stream(malformed))
            db.execute(sql)
        except (pa.ArrowInvalid, duckdb.InvalidInputException) as error:
            raise self._no_csv(error) from error
        db.unregister("records")
        return malformed

    def load(self, db: duckdb.DuckDBPyConnection, condition: str = "true") -> None:
        """Make the file's typed table of the records that meet `condition`, the unreadable ones marked."""
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
        malformed = self.scan(
            db,
            f"""
            create table {self.file.table.name} as
            select record_number, {", ".join(column.staged for column in typed)},
                {_choose([(when, f"'{column.source}'") for when, column, _ in problems])} as problem_column,
                {_choose([(when, raw[column.source]) for when, column, _ in problems])} as problem_text,
                {_choose([(when, f"'{reason}'") for when, _, reason in problems])} as problem_reason,
                {_choose([(when, f"'{column.source}'") for when, column in unread])} as unread_column,
                {_choose([(when, raw[column.source]) for when, column in unread])} as unread_text
            from (
                select *, {", ".join(f"{sql} as {column.staged}" for column, sql in typed.items())}
                from records where {condition}
            ) as read
            """,
        )
        for number, text, reason in malformed:
            self._out.reject(self.file.table, number, "", text, reason)

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
        if self.file is _STOP_TIMES:
            for column, known in (("trip_id", GTFS_TRIPS.name), ("stop_id", GTFS_STOPS.name)):
                self._reject(
                    db,
                    f"""
                    select record_number, '{column}', {column}, 'unknown {column}' from {table}
                    where {column} not in (select {column} from {known})
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
        self._out.write(
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
            self._out.unread(self.file.table, column, _UNREADABLE[kinds[column]], records, example)

    def _reject(self, db: duckdb.DuckDBPyConnection, offenders: str) -> None:
        table = self.file.table
        db.execute(
            f"create or replace temp table offender(record_number, column_name, raw_text, reason) as {offenders}"
        )
        for number, column, raw, reason in db.execute("select * from offender order by record_number").fetchall():
            self._out.reject(table, number, column, raw, reason)
        db.execute(f"delete from {table.name} where record_number in (select record_number from offender)")


def _choose(cases: list[tuple[str, str]]) -> str:
    return (
        f"case {' '.join(f'when {when} then {then}' for when, then in cases)} end" if cases else "cast(null as varchar)"
    )


def _numbered(
    reader: arrow_csv.CSVStreamingReader, schema: pa.Schema, malformed: list[tuple[int, str, str]]
) -> Iterator[pa.RecordBatch]:
    """The reader's batches with their record numbers, leaving out those of the malformed records."""
    following, passed = 1, 0
    for batch in reader:
        gaps = [number for number, _, _ in malformed[passed:]]
        numbers = np.setdiff1d(np.arange(following, following + batch.num_rows + len(gaps)), gaps)[: batch.num_rows]
        if batch.num_rows:
            following = int(numbers[-1]) + 1
            passed += sum(gap < following for gap in gaps)
        yield pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64()), *batch.columns], schema=schema)


# -- national feeds --------------------------------------------------------------------------------------------------


def _cut_to_region(
    db: duckdb.DuckDBPyConnection, out: StagedWriter, present: Mapping[str, _Records], box: BoundingBox
) -> None:
    """Keep the trips with a stop in the box and what they refer to; account for the rest as out of scope.

    stop_times are read twice, so that memory holds the region's part only: first to know each trip's extent, then
    to load those of kept and of unknown trips.
    """
    stop_times = present[_STOP_TIMES.name]
    db.execute(
        "create table inner_stop as select stop_id from gtfs_stops "
        "where stop_id is not null and stop_lon between ? and ? and stop_lat between ? and ?",
        [box.west, box.east, box.south, box.north],
    )
    stop_times.scan(
        db,
        """
        create table trip_extent as
        select raw_trip_id as trip_id, count(*) as records,
            bool_or(raw_stop_id in (select stop_id from inner_stop)) as is_kept
        from records where raw_trip_id in (select trip_id from gtfs_trips) group by raw_trip_id
        """,
    )
    db.execute("create table kept_trip as select trip_id from trip_extent where is_kept")
    stop_times.load(db, "raw_trip_id not in (select trip_id from trip_extent where not is_kept)")
    left_out = db.execute("select sum(records) from trip_extent where not is_kept").fetchall()[0][0]
    out.out_of_scope(GTFS_STOP_TIMES, OUTSIDE, left_out or 0)
    db.execute(
        """
        create table kept_stop as
        with recursive kept(stop_id) as (
            select stop_id from inner_stop
            union
            select stop_id from gtfs_stop_times where trip_id in (select trip_id from kept_trip)
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
    version=5,
    payload="zip",
    tables=tuple(file.table for file in _FILES),
    parse=parse,
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
