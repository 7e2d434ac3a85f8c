"""How much a GTFS feed offers per agency and Kreis: what the next feed is compared with."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from connectors.region import Region

_CENTRE = pa.schema([("kreis", pa.string()), ("longitude", pa.float64()), ("latitude", pa.float64())])


def measure(db: duckdb.DuckDBPyConnection, region: Region) -> pa.Table:
    """Trips and stop_times by agency name and Kreis, and the feed's trips, as sorted (measure, subject, amount).

    `db` holds the feed in tables `gtfs_…`.

    Agencies go by name, for ids are given anew from one feed to the next. The Kreis of a stop is the one its DHID
    (`de:05566:…`, or its station's) names, else, within the region's bounding box, that of the nearest municipality's
    centre: not exact at borders, but the same for two feeds that call at the same stop. A trip that passes two Kreise
    counts in both; what lies outside counts in none of the region's and so is told without a Kreis.
    """
    places = [(ags[:5], *place) for ags, place in region.centres.items()]
    centres = [dict(zip(_CENTRE.names, place, strict=True)) for place in places]
    db.register("kreis_centre", pa.Table.from_pylist(centres, _CENTRE))
    box = region.bounding_box
    return db.execute(
        """
        with told as (
            select stops.stop_id, stop_lon, stop_lat,
                coalesce(
                    nullif(regexp_extract(stops.stop_id, '^de:(\\d{5}):', 1), ''),
                    nullif(regexp_extract(stops.parent_station, '^de:(\\d{5}):', 1), '')
                ) as told_kreis
            from gtfs_stops as stops
        ),
        nearest as (
            select stop_id, arg_min(
                kreis, (stop_lat - latitude) ** 2 + ((stop_lon - longitude) * cos(radians(latitude))) ** 2
            ) as kreis
            from told cross join kreis_centre
            where told_kreis is null and stop_lon between $west and $east and stop_lat between $south and $north
            group by stop_id
        ),
        placed as (
            select told.stop_id, case
                when told_kreis is null then nearest.kreis
                when told_kreis in (select kreis from kreis_centre) then told_kreis
            end as kreis
            from told left join nearest using (stop_id)
        ),
        named as (
            select trips.trip_id,
                coalesce(agency.agency_name, (select min(agency_name) from gtfs_agency)) as agency_name
            from gtfs_trips as trips
            left join gtfs_routes as routes on trips.route_id = routes.route_id
            left join gtfs_agency as agency on routes.agency_id = agency.agency_id
        ),
        counted as (
            select agency_name, kreis, count(distinct stop_times.trip_id) as trips, count(*) as stop_times
            from gtfs_stop_times as stop_times
            inner join named using (trip_id)
            inner join placed using (stop_id)
            group by agency_name, kreis
        ),
        parts as (unpivot counted on trips, stop_times into name measure value amount)
        select measure, concat_ws(', ', agency_name, 'Kreis ' || kreis) as subject,
            cast(sum(amount) as bigint) as amount
        from parts group by measure, subject
        union all
        select 'trips', 'the feed', count(distinct trip_id) from gtfs_stop_times
        order by measure, subject
        """,
        {"west": box.west, "east": box.east, "south": box.south, "north": box.north},
    ).to_arrow_table()
