"""Staged readings of many quarter-hourly counters, as a frozen view holds them: made by DuckDB, the same every time.

A site has one channel and one snapshot a month. Its counts follow the hour, the weekday and the season; days without
lines, blank cells and status marks are strewn in, and in autumn the repeated hour lies merged in its first pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from connectors.tables import COUNT_READING, COUNT_SITE, SNAPSHOT_IN_FORCE

SOURCE, PARSE_KEY = "counters", "p1"
# Where the months end: before the clock of `tests.dbt_project.conftest`.
LAST_MONTH = date(2026, 10, 1)
# What `connectors.view` writes: months of some sites together, in order of site and time.
SITES_PER_FILE, ROW_GROUP = 256, 30_720


@dataclass(frozen=True)
class Size:
    """How many sites, and for how many years each was counted."""

    sites: int
    years: int

    @property
    def site_years(self) -> int:
        """What the targets are told in."""
        return self.sites * self.years

    @property
    def readings(self) -> int:
        """About how many lines that makes."""
        return self.site_years * 35_064


LARGE, SMALL = Size(sites=1_000, years=10), Size(sites=20, years=5)


def site_id(number: int) -> str:
    """The id of a site by its number, from 0."""
    return f"1{number:08d}"


def months(size: Size) -> list[date]:
    """The first days of the months that were counted, in order."""
    last = LAST_MONTH.year * 12 + LAST_MONTH.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(last - 12 * size.years + 1, last + 1)]


def stage(view: Path, size: Size) -> None:
    """Write the readings, the list of sites and what is in force below `view`, one folder per table."""
    with _database() as db:
        for month in months(size):
            for first in range(0, size.sites, SITES_PER_FILE):
                sites = range(first, min(first + SITES_PER_FILE, size.sites))
                place = view / COUNT_READING.name / f"{SOURCE}-{month:%Y-%m}-{first}.parquet"
                write_readings(db, place, month, sites)
        _copy(
            db,
            f"""
            select '{SOURCE}' as source_id, sha256('sites') as snapshot_sha256, '{PARSE_KEY}' as parse_key,
                number + 1 as record_number, printf('1%08d', number) as site_id, 'Weg ' || number as site_name,
                cast(2000 as integer) as first_year, cast(null as double) as longitude,
                cast(null as double) as latitude, cast(null as varchar) as mode, cast(null as varchar) as operator,
                cast(null as varchar) as ags
            from range({size.sites}) as site (number)
            """,
            view / COUNT_SITE.name / f"{SOURCE}.parquet",
        )
        _copy(db, _in_force(size), view / SNAPSHOT_IN_FORCE.name / f"{SOURCE}.parquet")


def correct(view: Path, size: Size, number: int) -> None:
    """The last month of one site comes again with other values: a new snapshot, and what was compacted with it."""
    first = number // SITES_PER_FILE * SITES_PER_FILE
    sites = range(first, min(first + SITES_PER_FILE, size.sites))
    month = months(size)[-1]
    place = view / COUNT_READING.name / f"{SOURCE}-{month:%Y-%m}-{first}.parquet"
    with _database() as db:
        write_readings(db, place, month, sites, corrected=number)
        _copy(db, _in_force(size, corrected=number), view / SNAPSHOT_IN_FORCE.name / f"{SOURCE}.parquet")


def write_readings(
    db: duckdb.DuckDBPyConnection, place: Path, month: date, sites: range, corrected: int | None = None
) -> None:
    """Write a month of some sites, in order of site and time; `corrected` is the site that comes with other values."""
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    quarters = int((_midnight(following) - _midnight(month)).total_seconds()) // 900
    is_corrected = "false" if corrected is None else f"number = {corrected}"
    _copy(
        db,
        f"""
        with
        site as (
            select number, printf('1%08d', number) as site_id, printf('1%08d-sum', number) as channel_id,
                'Weg ' || number as channel_label, 4 + number % 60 as base, {is_corrected} as is_corrected,
                {_sha256("number", f"date '{month}'", is_corrected)} as snapshot_sha256
            from range({sites.start}, {sites.stop}) as sites (number)
        ),
        moment as (
            select
                row_number() over (order by start_at) - 1 as place,
                start_at, timezone('Europe/Berlin', start_at) as start_local, epoch(start_at)::bigint // 900 as quarter,
                [1, 1, 1, 1, 2, 5, 14, 30, 28, 18, 15, 16, 18, 18, 20, 26, 30, 28, 20, 13, 9, 6, 4, 2][
                    extract(hour from timezone('Europe/Berlin', start_at)) + 1
                ]
                * case when isodow(timezone('Europe/Berlin', start_at)) > 5 then 0.6 else 1.0 end
                * (1.0 - 0.4 * cos(2 * pi() * (dayofyear(start_at) - 190) / 365 + pi())) as strength,
                timezone('Europe/Berlin', start_at) = timezone('Europe/Berlin', start_at + interval 1 hour)
                    as is_first_pass,
                timezone('Europe/Berlin', start_at) = timezone('Europe/Berlin', start_at - interval 1 hour)
                    as is_second_pass
            from generate_series(
                timezone('Europe/Berlin', timestamp '{month}'),
                timezone('Europe/Berlin', timestamp '{following}') - interval 15 minute,
                interval 15 minute
            ) as series (start_at)
        ),
        -- Numbered in the order they shall lie in, which looking up keeps: sorting them would take three times as long.
        reading as (
            select site.*, moment.*, hash(number, quarter) as dice
            from range({quarters * len(sites)}) as line (line)
            inner join site on site.number = {sites.start} + line.line // {quarters}
            inner join moment on moment.place = line.line % {quarters}
            where not is_second_pass and hash(number, start_local::date) % 150 <> 0
        )
        select
            '{SOURCE}' as source_id,
            snapshot_sha256,
            '{PARSE_KEY}' as parse_key,
            row_number() over () as record_number,
            site_id,
            channel_id,
            channel_label,
            'sum' as channel_role,
            'bicycle' as mode,
            'both' as direction,
            start_local as interval_start_local,
            start_at as interval_start_at,
            cast(15 as integer) as interval_minutes,
            case when dice % 5000 <> 0 then cast(
                floor(base * strength / 16 * (0.75 + (dice % 500) / 1000.0))
                * case when is_first_pass then 2 else 1 end + case when is_corrected then 1 else 0 end as bigint
            ) end as count,
            cast(null as varchar) as value_mark,
            case when dice % 20011 = 0 then '4' else '0' end as raw_status,
            case when is_first_pass then 'merged' end as clock_change
        from reading
        """,
        place,
    )


def _in_force(size: Size, corrected: int | None = None) -> str:
    """The query of the snapshots in force: one per site and month, and the list of sites."""
    is_corrected = "false" if corrected is None else f"number = {corrected} and month = date '{months(size)[-1]}'"
    months_in_sql = ", ".join(f"date '{month}'" for month in months(size))
    return f"""
        select '{SOURCE}' as source_id, 'sites' as partition, sha256('sites') as snapshot_sha256,
            '{PARSE_KEY}' as parse_key, timestamptz '2026-11-22 05:00:00+00' as fetched_at
        union all
        select '{SOURCE}', 'readings/station=' || printf('1%08d', number) || '/month=' || strftime(month, '%Y-%m'),
            {_sha256("number", "month", is_corrected)}, '{PARSE_KEY}', timestamptz '2026-11-22 05:00:00+00'
        from range({size.sites}) as sites (number) cross join unnest([{months_in_sql}]) as months (month)
    """


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)


def _sha256(number: str, month: str, is_corrected: str) -> str:
    return f"sha256({number} || '/' || {month} || case when {is_corrected} then ' corrected' else '' end)"


def _copy(db: duckdb.DuckDBPyConnection, query: str, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}")
    db.execute(f"copy ({query}) to '{draft}' (format parquet, compression zstd, row_group_size {ROW_GROUP})")
    # A new file, not the old one written over: what others have linked stays as it was.
    draft.replace(place)


def _database() -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    db.execute("load icu")
    db.execute("set TimeZone = 'UTC'")
    db.execute("set enable_progress_bar = false")
    return db
