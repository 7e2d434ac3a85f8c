"""Multiply a GTFS feed to the size of a country's: deterministic, written in bulk by DuckDB.

The feed's stops become *areas*, copies of its town with ids of their own. One area in fifty lies in the region, beside
the original, all others somewhere else in the country. A trip of an area runs a line of the feed to and fro until it
has its share of the stop_times, so that neighbours in a trip stay neighbours on the map. Routes and services are
copied per area, agencies are not. Files of the feed that are not named here (shapes, transfers, fares …) are left out.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from connectors.archive import extract, files, open_zip
from connectors.region import BoundingBox

# One area in as many lies in the region: the Münsterland has about 2 % of the country's people and trips.
AREAS_PER_REGION_AREA = 50
# What a vehicle waits before it runs back, and by how many minutes the copies of a trip are moved.
TURN_S, MOVED_MINUTES = 300, 60
# Clock texts are looked up, not formatted for each row.
LATEST_S = 99 * 3_600
MEMORY_LIMIT = "6GB"


@dataclass(frozen=True)
class Size:
    """How many records a feed has in its large files."""

    stop_times: int
    trips: int
    stops: int

    def part(self, divisor: int) -> Size:
        """The same feed at a fraction of its size."""
        return Size(self.stop_times // divisor, self.trips // divisor, self.stops // divisor)


# The feed of all local transit in Germany.
NATIONAL = Size(stop_times=32_000_000, trips=1_600_000, stops=660_000)
SMALL = Size(stop_times=80_000, trips=4_000, stops=3_300)

_COPIED = ("agency.txt", "feed_info.txt")
_ID_COLUMNS = ("stop_id", "parent_station", "route_id", "service_id")


def multiply(base: Path, folder: Path, size: Size, box: BoundingBox) -> dict[str, Path]:
    """Write the files of a feed of just `size` below `folder`, made of the feed `base`; its files by name.

    Raises ValueError where the feed has more stops than are asked for, or a trip would have no stop_time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "base").mkdir()
    with open_zip(base) as archive, duckdb.connect() as db:
        db.execute("set memory_limit = ?", [MEMORY_LIMIT])
        db.execute("set temp_directory = ?", [str(folder / "spill")])
        members = files(archive)
        for name in members:
            if name.endswith(".txt"):
                place = extract(archive, members[name], folder / "base")
                db.execute(
                    f'create table "{name.removesuffix(".txt")}" as select row_number() over () as base_row, * from '
                    "read_csv(?, all_varchar = true, header = true, delim = ',', quote = '\"', null_padding = false)",
                    [str(place)],
                )
        _lay_out(db, size, box)
        written: dict[str, Path] = {}
        for table, query in _queries(db, size).items():
            written[f"{table}.txt"] = folder / f"{table}.txt"
            db.execute(f"copy ({query}) to '{folder / table}.txt' (format csv, header true)")
    return written


def pack(members: dict[str, Path], target: Path) -> Path:
    """The files as one zip, as a publisher would send it."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, place in sorted(members.items()):
            archive.write(place, name)
    return target


def _lay_out(db: duckdb.DuckDBPyConnection, size: Size, box: BoundingBox) -> None:
    """Tables of what the rows of a copy are computed from: `area`, `line` (a trip of the feed), `call`, `clock`."""
    (stops,) = _row(db, "select count(*) from stops")
    if size.stops < stops or size.stop_times < size.trips:
        raise ValueError(f"{size} cannot be made of a feed with {stops} stops: ask for more stops, or fewer trips")
    areas = size.stops // stops
    latitude, longitude = _row(db, "select median(stop_lat::double), median(stop_lon::double) from stops")
    to_region = (0.0, 0.0)
    if not box.holds(longitude, latitude):
        to_region = ((box.south + box.north) / 2 - latitude, (box.west + box.east) / 2 - longitude)
    # The last one is not served: it holds the stops that make the number round.
    db.execute(
        f"""
        create table area as
        select area, area % {AREAS_PER_REGION_AREA} = 0 as is_in_region, area // {AREAS_PER_REGION_AREA} as copy,
            {to_region[0]} + case when is_in_region then (copy % 5) * 0.002
                else [-3.4, -2.4, -1.4, 1.2, 2.0][1 + area % 5] + (copy % 20) * 0.002 end as moved_lat,
            {to_region[1]} + case when is_in_region then (copy // 5 % 5) * 0.003
                else [0.0, 2.4, 4.8][1 + area // 5 % 3] + (copy // 20) * 0.002 end as moved_lon
        from range({areas} + 1) as number(area)
        """
    )
    db.execute(
        f"""
        create table clock as
        select second::integer as second,
            format('{{:02d}}:{{:02d}}:{{:02d}}', second // 3600, second // 60 % 60, second % 60) as clock
        from range({LATEST_S}) as number(second);
        create table call as
        with timed as (
            select trip_id, base_row,
                row_number() over (partition by trip_id order by stop_sequence::integer, base_row) - 1 as position,
                {_seconds("arrival_time")} as arrival_s, {_seconds("departure_time")} as departure_s
            from stop_times
        )
        select *, min(coalesce(arrival_s, departure_s)) over (partition by trip_id) as start_s,
            max(coalesce(departure_s, arrival_s)) over (partition by trip_id) as end_s,
            count(*) over (partition by trip_id) as calls
        from timed;
        create table line as
        select row_number() over (order by min(trips.base_row)) - 1 as line, trip_id, any_value(calls) as calls,
            any_value(start_s) as start_s, any_value(end_s) - any_value(start_s) as duration_s
        from trips inner join call using (trip_id) group by trip_id
        """
    )
    (lines,) = _row(db, "select count(*) from line")
    per_area = -(-size.trips // areas)
    db.execute(
        f"""
        create table run as
        select run, run * {areas} // {size.trips} as area,
            ((run - (area * {size.trips} + {areas} - 1) // {areas}) * {lines} // {per_area} + area) % {lines} as line,
            run * 37 % {MOVED_MINUTES} * 60 as moved_s
        from range({size.trips}) as number(run)
        """
    )


def _queries(db: duckdb.DuckDBPyConnection, size: Size) -> dict[str, str]:
    """A query per file, its columns those of the feed in their order."""
    tables = {name for (name,) in db.execute("select table_name from duckdb_tables()").fetchall()}
    served = "(select * from area where area < (select max(area) from area))"
    queries = {
        name.removesuffix(".txt"): f"select * exclude (base_row) from {name.removesuffix('.txt')} order by base_row"
        for name in _COPIED
    }
    moved = {
        axis: f"case when {axis} is not null then printf('%.6f', {axis}::double + {step}) end"
        for axis, step in (("stop_lat", "moved_lat"), ("stop_lon", "moved_lon"))
    }
    # Stations before their platforms: those cut off at the end are parents of nothing.
    queries["stops"] = f"""
        select {_columns(db, "stops", **moved)} from stops cross join area
        order by area, parent_station is not null, base_row limit {size.stops}
    """
    for name in ("routes", "calendar", "calendar_dates"):
        queries[name] = f"select {_columns(db, name)} from {name} cross join {served} as area order by area, base_row"
    run_id = "trip_id || '-' || run"
    queries["trips"] = f"""
        select {_columns(db, "trips", trip_id=run_id)}
        from run inner join line using (line) inner join trips using (trip_id) order by run
    """
    queries["frequencies"] = f"""
        select {_columns(db, "frequencies", trip_id=run_id)}
        from run inner join line using (line) inner join frequencies using (trip_id) order by run, base_row
    """
    called = {"stop_sequence": "nth", "arrival_time": "arrival.clock", "departure_time": "departure.clock"}
    queries["stop_times"] = f"""
        with place as (
            select number, ((number + 1) * {size.trips} - 1) // {size.stop_times} as run,
                number - run * {size.stop_times} // {size.trips} as nth
            from range({size.stop_times}) as numbers(number)
        ),
        turned as (
            select number, nth, run, area, line.trip_id, start_s, duration_s, nth // calls % 2 = 1 as is_back,
                case when is_back then calls - 1 - nth % calls else nth % calls end as position,
                moved_s + nth // calls * (duration_s + {TURN_S}) as later_s
            from place inner join run using (run) inner join line using (line)
        ),
        timed as (
            select turned.*, base_row, call.departure_s as dep_s, call.arrival_s as arr_s,
                (later_s + case when is_back then call.end_s - dep_s + call.start_s else arr_s end)::integer as at_s,
                (later_s + case when is_back then call.end_s - arr_s + call.start_s else dep_s end)::integer as off_s
            from turned inner join call using (trip_id, position)
        )
        select {_columns(db, "stop_times", trip_id=run_id, **called)}
        from timed inner join stop_times using (trip_id, base_row)
        left join clock as arrival on at_s = arrival.second left join clock as departure on off_s = departure.second
        order by number
    """
    return {table: query for table, query in queries.items() if table in tables}


def _columns(db: duckdb.DuckDBPyConnection, table: str, **changed: str) -> str:
    """The columns of a table in its order; ids get the number of their area, others are `changed` to an expression."""
    names = [name for (name,) in db.execute(f"select column_name from (describe {table})").fetchall()]
    expressions = {name: f"{table}.{name}" for name in names if name != "base_row"}
    expressions |= {name: f"{table}.{name} || '~' || area" for name in _ID_COLUMNS if name in expressions}
    expressions |= {name: changed[name] for name in changed if name in expressions}
    return ", ".join(f"{expression} as {name}" for name, expression in expressions.items())


def _seconds(column: str) -> str:
    parts = [f"split_part(trim({column}), ':', {part})::integer" for part in (1, 2, 3)]
    return f"case when {column} is not null then {parts[0]} * 3600 + {parts[1]} * 60 + {parts[2]} end"


def _row(db: duckdb.DuckDBPyConnection, query: str) -> tuple[float, ...]:
    row = db.execute(query).fetchone()
    assert row is not None
    return row
