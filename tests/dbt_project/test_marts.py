"""Values of the marts that were worked out by hand from the region staged in conftest.py."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

MUENSTER, BORKEN_1, BORKEN_2, WARENDORF_1 = "05515000", "05554001", "05554002", "05570001"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


# -- core ---------------------------------------------------------------------------------------------------------


def test_areas_form_one_tree(built: Any) -> None:
    levels = built.query("select level, count(*) from marts.dim_area group by level order by level")
    assert levels == [("district", 45), ("kreis", 5), ("municipality", 66 + 5), ("region", 1)]
    today = built.query("select count(*) from marts.dim_area where level = 'municipality' and valid_to is null")
    assert today == [(66,)]
    parents = built.query(f"select parent_area_id from marts.dim_area where area_id in ('{BORKEN_1}', '05554')")
    assert sorted(parents) == [("05554",), ("muensterland",)]
    district = built.query("select level, name_de, parent_area_id from marts.dim_area where area_id = '05515000-51'")
    assert district == [("district", "Gievenbeck", MUENSTER)]
    # Nothing hangs in the air: from every area the way up ends at the region.
    tops = built.query(
        "select count(*) from marts.dim_area as a where not exists (select 1 from intermediate.int_area_ancestor as up "
        "where up.area_id = a.area_id and up.ancestor_id = 'muensterland')"
    )
    assert tops == [(0,)]


def test_municipality_is_named_before_the_comma(built: Any) -> None:
    row = built.query(
        "select ars, name, kreis_ags, population, population_date, geometry_wkb from marts.dim_municipality "
        f"where ags = '{MUENSTER}'"
    )
    assert row == [("055150000000", "Münster", "05515", 1000, date(2022, 12, 31), b"\x01")]


def test_days_have_their_holidays(built: Any) -> None:
    days = dict(built.query("select date, day_type from marts.dim_date"))
    assert len(days) == 16_801  # 46 years with 11 leap days: 46 * 365 + 11
    assert days[date(2026, 6, 4)] == "sunday_or_public_holiday"  # Corpus Christi
    assert days[date(2027, 11, 1)] == "sunday_or_public_holiday"  # All Saints, a Monday
    assert days[date(2026, 12, 23)] == "holiday_weekday"
    assert days[date(2026, 11, 23)] == "school_day"
    assert days[date(2022, 12, 22)] is None  # before the seed begins
    assert days[date(2027, 9, 1)] is None  # after it ends
    assert days[date(2030, 1, 5)] == "saturday"
    names = dict(built.query("select date, public_holiday_name_de from marts.dim_date where is_public_holiday"))
    assert names[date(2017, 10, 31)] == "Reformationstag"
    assert names[date(1994, 11, 16)] == "Buß- und Bettag"
    assert date(1995, 11, 22) not in names
    assert date(2016, 10, 31) not in names
    assert names[date(2008, 5, 1)] == "Tag der Arbeit / Christi Himmelfahrt"


def test_source_tells_its_account(built: Any) -> None:
    row = built.query(
        "select records_read, records_staged, records_rejected, records_out_of_scope, covered_municipalities, "
        "snapshots_in_force, last_outcome from marts.dim_source where source_id = 'register'"
    )
    assert row == [(70, 66, 1, 3, 66, 1, "new")]


def test_coverage_speaks_for_every_municipality_and_domain(built: Any) -> None:
    places = built.query("select count(*), count(distinct (ags, domain)) from marts.mart_coverage")
    # Münster: 2 + 3 + 1 + 2 + 4 sources + none of indicators; each of the other 65: 2 + none + none + 2 + 3 + none, but
    # two feeds cross into one.
    assert places == [(13 + 65 * 10 + 1, 66 * 6)]
    crossing = built.query(
        f"select source_id, freshness_status, reason from marts.mart_coverage "
        f"where ags = '{BORKEN_1}' and domain = 'transit' order by source_id"
    )
    in_part = "in part: not among the municipalities the source declares"
    assert crossing == [("feed_a", "fresh", in_part), ("feed_b", "fresh", in_part)]


def test_coverage_says_how_fresh_and_why(built: Any) -> None:
    rows = built.query(f"select source_id, freshness_status, reason from marts.mart_coverage where ags = '{MUENSTER}'")
    assert {source_id: (status, reason) for source_id, status, reason in rows} == {
        "register": ("fresh", None),
        "boundary": ("stale", "no successful fetch within 30 days"),
        "feed_a": ("fresh", None),
        "feed_b": ("fresh", None),
        "feed_gone": ("missing", "not offered by this input"),
        "counters": ("fresh", "last fetch failed"),
        "mastr": ("fresh", "latest snapshot refused, former one in force"),
        "charging": ("fresh", None),
        "census": ("fresh", None),
        "regional": ("fresh", None),
        "city": ("fresh", None),
        "schools": ("stale", "no successful fetch within 30 days; never fetched"),
        # Nobody keeps goals here.
        "none": ("none", "no source of this domain covers the municipality"),
    }
    blank = built.query(
        "select source_id, freshness_status, reason, last_success_at from marts.mart_coverage "
        f"where ags = '{BORKEN_1}' and domain = 'mobility'"
    )
    assert blank == [("none", "none", "no source of this domain covers the municipality", None)]


def test_findings_are_counted_with_their_first_example(built: Any) -> None:
    rows = built.query(
        "select source_id, snapshot_sha256, code, severity, count, example, first_seen_at "
        "from marts.mart_source_finding order by source_id, snapshot_sha256, code"
    )
    assert [row[:6] for row in rows] == [
        ("boundary", "none", "source_stale", "warning", 30, ": no successful fetch within 30 days"),
        ("counters", "none", "fetch_failed", "warning", 1, ": HTTP 503"),
        (
            *("mastr", "broken", "record_guard", "warning", 1),
            "energy_unit: 2 records, the former snapshot has 8",
        ),
        (
            *("mastr", "broken", "snapshot_refused", "critical", 1),
            r": export.zip: energy_unit: 2 records,\x0aformer 8",
        ),
        (
            *("mastr", "s1", "location_conflict", "info", 1),
            "energy_unit U5: the record says 05554001, the point lies in 05554002",
        ),
        (
            *("register", "s1", "column_new", "info", 2),
            "municipality_register.Fax: nobody declared it",
        ),
        (
            *("register", "s1", "record_rejected", "warning", 1),
            r"municipality_register record 70, ags: no key: =1+1\x09",
        ),
        ("schools", "none", "source_stale", "warning", 30, ": no successful fetch within 30 days"),
        (
            *("schools", "s1", "location_conflict", "info", 1),
            "school 100: the record says 05515000, the point lies in 05554001",
        ),
    ]
    seen = {(row[0], row[2]): row[6].isoformat() if row[6] else None for row in rows}
    assert seen == {
        ("boundary", "source_stale"): "2026-10-31T05:00:10+00:00",  # 30 days after its last success
        ("counters", "fetch_failed"): "2026-11-21T05:00:10+00:00",
        ("mastr", "record_guard"): "2026-11-21T05:00:10+00:00",
        ("mastr", "snapshot_refused"): "2026-11-21T05:00:10+00:00",
        ("mastr", "location_conflict"): "2026-11-01T05:00:10+00:00",
        ("register", "column_new"): "2026-11-21T05:00:10+00:00",  # Fax; only Telefon was there before
        ("register", "record_rejected"): "2026-11-21T05:00:10+00:00",
        ("schools", "source_stale"): None,
        ("schools", "location_conflict"): None,
    }


def test_every_rejection_and_drift_in_force_is_a_finding(built: Any) -> None:
    counted = built.query(
        "select code, sum(count) from marts.mart_source_finding where code in ('record_rejected', 'column_new') "
        "group by code order by code"
    )
    assert counted == [("column_new", 2), ("record_rejected", 1)]
    assert built.query("select sum(records_rejected) from marts.dim_source where source_id = 'register'") == [(1,)]


# -- transit ------------------------------------------------------------------------------------------------------


def test_departures_and_visits_per_stop(built: Any) -> None:
    rows = built.query(
        "select source_id, stop_id, departures, visits, first_departure_s, last_departure_s "
        "from marts.fct_departure_day where service_date = '2026-11-23' order by source_id, stop_id"
    )
    assert rows == [
        ("feed_a", "B1", 0, 2, None, None),
        ("feed_a", "M1", 5, 3, 25200, 91800),  # T1, T2 past midnight, three runs of T4
        ("feed_a", "M2", 4, 3, 25500, 29400),  # T1 and three runs of T4; the end of T2 is none
        ("feed_b", "bB1", 0, 2, None, None),
        ("feed_b", "bM1", 1, 1, 28800, 28800),
        ("feed_b", "bM2", 2, 2, 29400, 39600),
    ]


def test_calendar_exceptions_hold(built: Any) -> None:
    rows = built.query(
        "select service_date, sum(visits) from marts.fct_departure_day where source_id = 'feed_a' group by 1 order by 1"
    )
    # Saturday 21 and Sunday 22 do not run, the 24th is removed for `week` and added for `special`.
    assert rows == [
        (date(2026, 3, 29), 3),
        (date(2026, 10, 25), 3),
        (date(2026, 11, 23), 8),
        (date(2026, 11, 24), 3),
    ]


def test_a_trip_told_twice_is_supplied_once(built: Any) -> None:
    rows = built.query(f"select * exclude (ags) from marts.mart_transit_supply where ags = '{MUENSTER}' order by 1")
    assert rows == [
        (date(2026, 3, 29), 2, 2, 1, local("2026-03-29 00:00:00"), local("2026-03-29 00:00:00")),
        (date(2026, 10, 25), 2, 2, 1, local("2026-10-25 02:00:00"), local("2026-10-25 02:05:00")),
        # feed_a: 5 + 4; feed_b: only its own trip, one departure, at feed_a's Markt. Routes 1, Ring, RB.
        (date(2026, 11, 23), 10, 2, 3, local("2026-11-23 07:00:00"), local("2026-11-24 01:30:00")),
        (date(2026, 11, 24), 1, 2, 1, local("2026-11-24 10:10:00"), local("2026-11-24 10:10:00")),
        # feed_a does not run: the trip feed_b repeats is told by feed_b alone.
        (date(2026, 11, 25), 2, 2, 1, local("2026-11-25 08:00:00"), local("2026-11-25 08:10:00")),
    ]
    arrivals = built.query(f"select departures, stops_served from marts.mart_transit_supply where ags = '{BORKEN_1}'")
    # Borken Bahnhof is one stop, though both feeds call there.
    assert sorted(arrivals) == [(0, 1), (0, 1), (0, 1)]


def test_a_day_type_is_told_by_the_next_date_of_it_or_by_the_last_one(built: Any) -> None:
    """As of Sunday 22 November: Tuesday 24 is the next school day told, the last Sunday that was is 25 October."""
    rows = built.query(
        "select day_type, hour, service_date, departures, routes_served, stops_served, median_headway_s "
        f"from marts.mart_transit_supply_daytype where ags = '{MUENSTER}' order by all"
    )
    assert rows == [
        ("school_day", 10, date(2026, 11, 24), 1, 1, 1, None),  # T3 lets nobody board at M1
        ("sunday_or_public_holiday", 2, date(2026, 10, 25), 2, 1, 2, None),
    ]
    rows = built.query("select * exclude (ags) from marts.mart_transit_operating_hours order by day_type")
    assert rows == [
        *[("school_day", date(2026, 11, 24), 36600, 36600, 1, *[local("2026-11-24 10:10:00")] * 2)],
        (
            *("sunday_or_public_holiday", date(2026, 10, 25), 7200, 7500, 1),
            *(local("2026-10-25 02:00:00"), local("2026-10-25 02:05:00")),
        ),
    ]


def test_a_direct_trip_leads_from_where_one_may_board(built: Any) -> None:
    rows = built.query("select * from marts.mart_transit_connection")
    assert rows == [(MUENSTER, BORKEN_1, "school_day", date(2026, 11, 24), 1, 600, 600.0)]


def test_stops_outside_the_region_stay(built: Any) -> None:
    rows = built.query("select stop_id, ags, location_precision from marts.dim_stop where stop_id in ('X', 'M1')")
    assert sorted(rows) == [("M1", MUENSTER, "point"), ("X", None, "point")]


# -- transit in real time --------------------------------------------------------------------------------------------

MONDAY = date(2026, 11, 23)


def calls_of(built: Any, trip_id: str, columns: str = "stop_sequence, status, event, delay_s, is_on_time") -> Any:
    where = f"source_id = 'live_a' and trip_id = '{trip_id}'"
    return built.query(f"select {columns} from marts.fct_stop_delay where {where} order by service_date, stop_sequence")


def test_the_last_word_before_a_call_is_what_happened(built: Any) -> None:
    # 08:00: told ten minutes before; 08:10: told at 08:05, not at 07:50 nor when it was over; 08:30: the arrival at the
    # last stop, told at 08:25, whatever its departure is said to be.
    assert calls_of(built, "T1") == [
        (0, "observed", "departure", 30, True),
        (5, "observed", "departure", 200, True),
        (10, "observed", "arrival", 330, False),
    ]
    assert calls_of(built, "T1", "service_date, ahead_s, delay_source, route_name, stop_id") == [
        (MONDAY, 630, "delay", "1", "M1"),
        (MONDAY, 500, "delay", "1", "M2"),
        (MONDAY, 630, "delay", "1", "B1"),
    ]


def test_a_time_is_measured_against_the_service_day_it_belongs_to(built: Any) -> None:
    assert calls_of(built, "T2", "service_date, stop_sequence, stop_id, status, delay_s, delay_source") == [
        (MONDAY, 0, "M1", "observed", 60, "time"),
        (MONDAY, 5, "M2", "skipped", None, None),
    ]


def test_delays_are_right_on_the_days_of_23_and_25_hours(built: Any) -> None:
    columns = "service_date, stop_sequence, status, scheduled_at at time zone 'UTC', delay_s"
    assert calls_of(built, "T5", columns) == [(date(2026, 10, 25), 0, "observed", local("2026-10-25T01:00:00"), 120)]
    assert calls_of(built, "T6", columns) == [
        (date(2026, 3, 29), 0, "observed", local("2026-03-28T23:00:00"), 45),
        # The timetable lists no time here.
        (date(2026, 3, 29), 5, "no_data", None, 30),
    ]


def test_a_cancelled_trip_is_counted_call_by_call_and_is_no_delay(built: Any) -> None:
    tuesday = date(2026, 11, 24)
    assert calls_of(built, "T3", "service_date, stop_sequence, status, event, delay_s") == [
        (tuesday, 0, "canceled", "departure", None),
        (tuesday, 5, "canceled", "departure", None),
        (tuesday, 10, "canceled", "arrival", None),
    ]


def test_punctuality_counts_observations_by_route_and_hour(built: Any) -> None:
    rows = built.query(
        "select route_id, hour, observations, share_on_time, median_delay_s, early, late, canceled, skipped, "
        "not_observed from marts.mart_punctuality order by route_id, hour"
    )
    assert rows == [
        ("R1", 8, 3, 2 / 3, 200.0, 0, 1, 0, 0, 0),
        ("R1", 25, 1, 1.0, 60.0, 0, 0, 0, 1, 0),
        ("R2", 1, 1, 1.0, 45.0, 0, 0, 0, 0, 0),
        ("R2", 2, 1, 1.0, 120.0, 0, 0, 0, 0, 0),
        ("R2", 10, 0, None, None, 0, 0, 3, 0, 0),
    ]


def test_realtime_says_how_far_it_speaks_for_the_timetable(built: Any) -> None:
    rows = built.query(
        "select service_date, messages, trips_scheduled, trips_told, trips_matched, trips_canceled, trips_unscheduled, "
        "trips_unmatched, trips_repeated, match_share, scheduled_share, stop_time_updates, stop_time_updates_matched "
        "from marts.mart_realtime_coverage order by service_date"
    )
    assert {row[0]: row[1:] for row in rows} == {
        date(2026, 3, 29): (1, 1, 1, 1, 0, 0, 0, 0, 1.0, 1.0, 2, 2),
        date(2026, 10, 25): (1, 1, 1, 1, 0, 0, 0, 0, 1.0, 1.0, 1, 1),
        # T1, T2 and the repeated T4 run; ghost and extra do not.
        MONDAY: (4, 3, 5, 2, 0, 1, 1, 1, 0.4, 2 / 3, 13, 10),
        date(2026, 11, 24): (1, 1, 1, 1, 1, 0, 0, 0, 1.0, 1.0, 0, 0),
        date(2026, 11, 25): (1, 0, 1, 0, 0, 0, 1, 0, 0.0, None, 1, 0),
    }


# -- mobility -----------------------------------------------------------------------------------------------------


def test_traffic_days_of_the_sum_channel(built: Any) -> None:
    rows = built.query(
        "select date, count, count_validated, completeness_share, value_status from marts.mart_traffic_day "
        "where site_id = 'spring' and direction = 'both' and date between '2026-03-27' and '2026-03-31' order by date"
    )
    assert rows == [
        (date(2026, 3, 27), None, None, 0.0, "missing"),
        (date(2026, 3, 28), 960, None, 1.0, "unreliable"),  # one value with status 4
        (date(2026, 3, 29), 924, 924, 1.0, "measured"),  # 12 odd hours of 44 and 11 even ones of 36
        (date(2026, 3, 30), 951, None, 95 / 96, "unreliable"),
        (date(2026, 3, 31), None, None, 0.0, "missing"),
    ]


def test_ghost_channels_have_no_rows(built: Any) -> None:
    rows = built.query("select distinct mode, direction from marts.fct_count_hour where site_id = 'spring'")
    assert sorted(rows) == [("bicycle", "both"), ("bicycle", "in"), ("bicycle", "out")]


def test_a_listed_site_that_falls_silent_has_empty_days_up_to_as_of(built: Any) -> None:
    rows = built.query(
        "select site_id, max(date), count(count), count(case when value_status = 'missing' then 1 end) "
        "from marts.mart_traffic_day where site_id in ('autumn', 'spring') and direction = 'both' "
        "group by site_id order by site_id"
    )
    # as_of is 2026-11-22: 2026-03-01 to 2026-11-21 are 266 days. The publisher no longer lists `autumn`, whose last
    # file is that of 2025-10.
    assert rows == [("autumn", date(2025, 10, 31), 1, 30), ("spring", date(2026, 11, 21), 3, 263)]


def test_spring_day_has_23_hours(built: Any) -> None:
    hours = built.query(
        "select hour_local from marts.fct_count_hour where site_id = 'spring' and direction = 'both' "
        "and cast(hour_local as date) = '2026-03-29' order by hour_at"
    )
    assert [hour.hour for (hour,) in hours] == [0, 1, *range(3, 24)]


def test_incomplete_hour_is_unreliable(built: Any) -> None:
    rows = built.query(
        "select direction, count, count_validated, intervals_expected, intervals_measured, value_status "
        "from marts.fct_count_hour where site_id = 'spring' and hour_at = '2026-03-30 08:00:00+00' order by direction"
    )
    assert rows == [
        ("both", 27, None, 4, 3, "unreliable"),
        ("in", 12, None, 4, 3, "unreliable"),
        ("out", 15, None, 4, 3, "unreliable"),
    ]


def test_merged_hour_of_autumn_is_split(built: Any) -> None:
    rows = built.query(
        "select direction, hour_at, count, value_status from marts.fct_count_hour "
        "where site_id = 'autumn' and hour_local = '2025-10-26 02:00:00' order by direction, hour_at"
    )
    assert [(direction, count, status) for direction, _, count, status in rows] == [
        ("both", 14, "corrected"),  # 12 in + 15 out = 27
        ("both", 13, "corrected"),
        ("in", 6, "corrected"),
        ("in", 6, "corrected"),
        ("out", 8, "corrected"),
        ("out", 7, "corrected"),
    ]
    day = built.query(
        "select count, count_validated, completeness_share, value_status from marts.mart_traffic_day "
        "where site_id = 'autumn' and direction = 'both' and date = '2025-10-26'"
    )
    assert day == [(347, 347, 1.0, "corrected")]  # 23 hours * 4 * (1 + 2) + 11 odd hours * 4 + 27


def test_counting_sites(built: Any) -> None:
    rows = built.query(
        "select site_id, source_ids, site_name, mode, ags, location_precision, interval_minutes, in_service_from, "
        "in_service_to, last_reading_date from marts.dim_counting_site order by site_id"
    )
    told = ("counters", "bicycle", MUENSTER, "municipality", 15)
    assert [(row[0], row[1], *row[3:7], *row[7:]) for row in rows if row[0] != "silent"] == [
        # No list names it any more.
        ("autumn", *told, date(2025, 10, 26), date(2025, 10, 26), date(2025, 10, 26)),
        ("spring", *told, date(2026, 3, 28), None, date(2026, 3, 30)),
    ]
    assert [row[2] for row in rows] == [None, "Weg", "Neutor"]
    assert rows[1] == ("silent", "counters", "Weg", None, MUENSTER, "municipality", None, None, None, None)


def test_channels_of_the_sites(built: Any) -> None:
    rows = built.query(
        "select channel_id, valid_from, valid_to, channel_role, mode, direction, declared_by, filled_share "
        "from marts.dim_counting_channel where site_id = 'spring' order by channel_id"
    )
    first = date(2026, 3, 28)
    assert [row[:7] for row in rows] == [
        ("spring-ghost", first, None, "ghost", "car", "in", "file"),
        ("spring-in", first, None, "part", "bicycle", "in", "file"),
        ("spring-out", first, None, "part", "bicycle", "out", "file"),
        ("spring-sum", first, None, "sum", "bicycle", "both", "file"),
    ]
    assert [row[7] for row in rows] == [0.0, 283 / 284, 283 / 284, 283 / 284]


# -- energy -------------------------------------------------------------------------------------------------------


def test_capacity_at_the_end_of_months(built: Any) -> None:
    rows = built.query(
        "select month, units, gross_capacity_kw from marts.mart_energy_capacity "
        f"where ags = '{MUENSTER}' and technology = 'solar' order by month"
    )
    at_end = {month: (units, kilowatt) for month, units, kilowatt in rows}
    assert (min(at_end), max(at_end), len(at_end)) == (date(1990, 1, 1), date(2026, 11, 1), 443)
    assert at_end[date(1990, 1, 1)] == (1, Decimal("2.000"))
    assert at_end[date(2020, 4, 1)] == (1, Decimal("2.000"))
    assert at_end[date(2020, 5, 1)] == (2, Decimal("12.500"))  # commissioned on the month's last day
    assert at_end[date(2020, 6, 1)] == (3, Decimal("17.500"))  # temporarily shut counts
    assert at_end[date(2021, 2, 1)] == (3, Decimal("17.500"))
    assert at_end[date(2021, 3, 1)] == (2, Decimal("15.500"))  # finally shut on the month's last day
    assert at_end[date(2026, 11, 1)] == (2, Decimal("15.500"))


def test_no_unit_of_a_technology_is_a_zero_and_an_unknown_municipality_is_none(built: Any) -> None:
    rows = built.query(
        "select ags, technology, units, gross_capacity_kw, value_status from marts.mart_energy_capacity "
        f"where month = '2026-11-01' and technology in ('biomass', 'hydro') "
        f"and ags in ('{MUENSTER}', '{WARENDORF_1}', '{BORKEN_2}') order by ags, technology"
    )
    nothing = Decimal("0.000")
    assert rows == [
        (MUENSTER, "biomass", 0, nothing, "measured"),
        (MUENSTER, "hydro", 0, nothing, "measured"),  # commissioned the day after the month of as_of
        (BORKEN_2, "biomass", None, None, "missing"),
        (BORKEN_2, "hydro", None, None, "missing"),
        (WARENDORF_1, "biomass", 1, Decimal("75.000"), "measured"),
        (WARENDORF_1, "hydro", 0, nothing, "measured"),
    ]
    # 66 municipalities, 4 technologies, 1990-01 to 2026-11
    assert built.query("select count(*) from marts.mart_energy_capacity") == [(66 * 4 * 443,)]


def test_units_stand_once_and_their_key_speaks(built: Any) -> None:
    rows = built.query(
        "select unit_id, ags, polygon_ags, is_location_conflict, location_precision, operating_status, "
        "gross_capacity_kw, energy_carrier_de from marts.dim_energy_unit where unit_id in ('U1', 'U5', 'U6') order by 1"
    )
    solar = "Solare Strahlungsenergie"
    assert rows == [
        ("U1", MUENSTER, None, False, "municipality", "in_operation", Decimal("10.500"), solar),
        ("U5", BORKEN_1, BORKEN_2, True, "point", "in_operation", Decimal("3000.000"), None),
        ("U6", WARENDORF_1, WARENDORF_1, False, "point", "in_operation", Decimal("75.000"), None),
    ]


def test_equal_charging_rows_are_devices(built: Any) -> None:
    rows = built.query(
        f"select * exclude (ags, fast_points) from marts.mart_charging where ags = '{MUENSTER}' order by month"
    )
    # The station outside all polygons counts where its Kreis name says.
    assert rows[0] == (date(2022, 1, 1), 8, Decimal("300.000"), "measured")
    assert rows[2] == (date(2022, 3, 1), 12, Decimal("344.400"), "measured")
    assert rows[12] == (date(2023, 1, 1), 16, Decimal("444.500"), "measured")
    # The second register's own device; the other it has is the first one's.
    assert rows[-1] == (date(2026, 11, 1), 18, Decimal("494.500"), "measured")
    assert len(rows) == 59  # 2022-01 to 2026-11
    others = built.query(
        f"select distinct charging_points, value_status from marts.mart_charging where ags <> '{MUENSTER}'"
    )
    assert others == [(None, "missing")]
    stations = built.query(
        "select record_number, ags, is_repeated_row from marts.dim_charging_station "
        "where source_id = 'charging' order by 1"
    )
    assert stations == [(1, MUENSTER, False), (2, MUENSTER, True), (3, MUENSTER, False), (4, MUENSTER, False)]


def test_a_station_outside_the_city_it_names_is_in_conflict(built: Any) -> None:
    stations = built.query(
        "select record_number, ags, location_precision, stated_ags, is_location_conflict "
        "from marts.dim_charging_station where source_id = 'charging' order by 1"
    )
    assert stations == [
        (1, MUENSTER, "point", MUENSTER, False),
        (2, MUENSTER, "point", MUENSTER, False),
        # A Kreis of several municipalities names none of them.
        (3, MUENSTER, "point", None, False),
        (4, MUENSTER, "municipality", MUENSTER, True),
    ]


# -- registers ----------------------------------------------------------------------------------------------------


def test_marks_and_factors_of_statistics(built: Any) -> None:
    rows = built.query(
        "select period, area_id, value, unit, value_status from marts.mart_statistic "
        "where source_id = 'regional' order by period"
    )
    assert rows == [
        ("1", "05554", 1500.0, "Anzahl", "measured"),
        ("2", "05554", 0.0, "Anzahl", "measured"),
        ("3", "05554", None, "EUR", "missing"),
        ("4", "05554", None, "EUR", "missing"),
        ("5", "05554", None, "EUR", "suppressed"),
        ("6", "05554", None, "EUR", "unreliable"),
        ("7", BORKEN_1, 7.0, "Anzahl", "measured"),
        ("9", "05554", None, "EUR", "missing"),
    ]


def test_population_by_source(built: Any) -> None:
    rows = built.query(
        f"select date, source_id, population from marts.mart_population where ags in ('{MUENSTER}', '{BORKEN_1}') "
        "order by date, population"
    )
    assert rows == [
        (date(2022, 5, 15), "census", 40000),
        (date(2022, 5, 15), "census", 303772),
        (date(2022, 12, 31), "register", 1000),
        (date(2022, 12, 31), "register", 1001),
    ]


def test_school_key_beats_the_polygon(built: Any) -> None:
    rows = built.query(
        "select school_id, ags, polygon_ags, is_location_conflict, location_precision from marts.dim_school order by 1"
    )
    assert rows == [("100", MUENSTER, BORKEN_1, True, "point"), ("101", MUENSTER, None, False, "municipality")]
