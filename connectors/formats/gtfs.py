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

from collections.abc import Mapping

import duckdb

from connectors.archive import extract, files, open_zip
from connectors.connector import Connector, Snapshot
from connectors.errors import Reason, SnapshotRefused
from connectors.formats.gtfs_checks import check
from connectors.formats.gtfs_measures import measure
from connectors.formats.gtfs_records import Records
from connectors.formats.gtfs_reference import FILES, REQUIRED, SMALL_FILES, STOP_TIMES, UNSTAGED_FILES
from connectors.formats.gtfs_stop_times import StopTimes
from connectors.region import BoundingBox, Region
from connectors.staging import StagedWriter
from connectors.tables import GTFS_FEED_INFO, GTFS_FINDING

OUTSIDE = "outside the region"
# The feed of all local transit in Germany unpacks to 2.5 GB.
UNPACKED_LIMIT_BYTES = 6 * 2**30


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
        for name in sorted(members.keys() - UNSTAGED_FILES - {file.name for file in FILES}):
            out.drift(GTFS_FEED_INFO, f"file:{name}", "new")
        present = {
            file.name: Records(snapshot, file, extract(archive, members[file.name], out.scratch), out)
            for file in SMALL_FILES
            if file.name in members
        }
        place = extract(archive, members[STOP_TIMES.name], out.scratch)
        stop_times = StopTimes(Records(snapshot, STOP_TIMES, place, out), db)
        for name in [name for name, records in present.items() if records.lacks]:
            present.pop(name).leave_out()
        for records in present.values():
            records.load(db)
        if region_only:
            _cut_to_region(db, out, present, stop_times, region.bounding_box)
        for records in present.values():
            records.settle(db)
        stop_times.stage()
        out.note(GTFS_FINDING, [finding._asdict() for finding in check(db)])
        for row in measure(db, region).to_pylist():
            out.measure(**row)


def _refuse_incomplete(snapshot: Snapshot, members: Mapping[str, object]) -> None:
    missing = [name for name in REQUIRED if name not in members]
    if "calendar.txt" not in members and "calendar_dates.txt" not in members:
        missing.append("calendar.txt or calendar_dates.txt")
    if missing:
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name} has no {', '.join(missing)}; a GTFS feed must have it, "
            f"found {', '.join(sorted(members)) or 'nothing'}; ask the publisher again",
            Reason("missing_required_file", ", ".join(missing)),
        )


# -- national feeds --------------------------------------------------------------------------------------------------


def _cut_to_region(
    db: duckdb.DuckDBPyConnection,
    out: StagedWriter,
    present: Mapping[str, Records],
    stop_times: StopTimes,
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
    out.out_of_scope(STOP_TIMES.table, OUTSIDE, stop_times.cut())
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
    tables=tuple(file.table for file in FILES),
    parse=parse,
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
