"""A candidate whose marts are as the suites want them, small, made in SQL."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.gate import judge
from expectations.rules import RULES
from expectations.verdict import Result, Verdict

# Each Kreis with the number of its municipalities; their keys are numbered through here, the real ones have gaps.
GOOD = """
create schema marts;
create table marts.dim_municipality as
    select kreis_ags || lpad(number::varchar, 3, '0') as ags,
        kreis_ags || '0000' || lpad(number::varchar, 3, '0') as ars,
        'Ort ' || kreis_ags || number as name, kreis_ags, 'Kreis ' || kreis_ags as kreis_name, 90.5::double as area_km2,
        20000::bigint as population, date '2023-12-31' as population_date,
        7.5::double as longitude, 52.0::double as latitude, 'x'::blob as geometry_wkb
    from (values ('05515', 1), ('05554', 17), ('05558', 11), ('05566', 24), ('05570', 13)) as kreise (kreis_ags, total)
    cross join range(1, 25) as numbers (number)
    where number <= total;
create table marts.dim_area as
    select 'muensterland' as area_id, 'region' as level, 'Münsterland' as name_de, 'Münsterland' as name_en,
        null::varchar as parent_area_id, null::date as valid_from, null::date as valid_to
    union all
    select distinct kreis_ags, 'kreis', kreis_name, kreis_name, 'muensterland', null, null from marts.dim_municipality
    union all select ags, 'municipality', name, name, kreis_ags, null, null from marts.dim_municipality
    union all select '05554099', 'municipality', 'Former', 'Former', '05554', null, date '2019-12-31';
create table marts.mart_area_change as
    select date '2020-01-01' as effective_date, '05554099' as former_area_id, '05554001' as area_id,
        'incorporation' as kind, 1::double as persons_share, 1::double as area_share;
create table marts.dim_date as
    select day::date as date, 'saturday' as day_type,
        month(day) = 1 and dayofmonth(day) <= 11 as is_public_holiday, null::boolean as is_school_holiday
    from range(timestamp '1990-01-01', timestamp '2036-01-01', interval 1 day) as days (day);
create table marts.dim_source as
    select 'city' as source_id, 'Stadt' as title_de, 'City' as title_en, 'mobility' as domain,
        'dl-de/by-2-0' as licence, 'Stadt Münster' as attribution,
        1000::bigint as records_read, 990::bigint as records_staged,
        5::bigint as records_rejected, 5::bigint as records_out_of_scope;
create table marts.mart_coverage as
    select ags, domain, 'city' as source_id, timestamptz '2025-01-01 00:00:00Z' as last_success_at,
        'fresh' as freshness_status, null::varchar as reason
    from marts.dim_municipality
    cross join (values ('core'), ('transit'), ('mobility'), ('energy'), ('registers'), ('indicators'))
        as domains (domain);
create table marts.mart_source_finding as
    select 'city' as source_id, 'none' as snapshot_sha256, 'fetch_failed' as code, 'warning' as severity,
        1::bigint as count, 'readings: HTTP 503' as example, timestamptz '2025-01-01 00:00:00Z' as first_seen_at;
create table marts.dim_stop as
    select 'city' as source_id, 'stop ' || ags as stop_id, name as stop_name, longitude, latitude, ags
    from marts.dim_municipality;
create table marts.fct_departure_day as
    select source_id, stop_id, date '2025-01-02' as service_date, 10::bigint as departures, 11::bigint as visits,
        20000::bigint as first_departure_s, 90000::bigint as last_departure_s
    from marts.dim_stop;
create table marts.mart_transit_supply as
    select ags, date '2025-01-02' as service_date, 10::bigint as departures, 1::bigint as stops_served,
        1::bigint as routes_served, timestamp '2025-01-02 05:33:20' as first_departure_local,
        timestamp '2025-01-03 01:00:00' as last_departure_local
    from marts.dim_municipality;
create table marts.mart_transit_supply_daytype as
    select ags, 'school_day' as day_type, 7::integer as hour, date '2025-01-14' as service_date,
        10::bigint as departures, 1::bigint as routes_served, 1::bigint as stops_served,
        600::double as median_headway_s
    from marts.dim_municipality;
create table marts.mart_transit_operating_hours as
    select ags, 'school_day' as day_type, date '2025-01-14' as service_date, 20000::bigint as first_departure_s,
        90000::bigint as last_departure_s, 20::bigint as hours_served,
        timestamp '2025-01-14 05:33:20' as first_departure_local,
        timestamp '2025-01-15 01:00:00' as last_departure_local
    from marts.dim_municipality;
create table marts.mart_transit_connection as
    select ags as from_ags, coalesce(lag(ags) over (order by ags), max(ags) over ()) as to_ags,
        'school_day' as day_type, date '2025-01-14' as service_date, 4::bigint as direct_trips,
        900::bigint as fastest_s, 1000::double as median_s
    from marts.dim_municipality;
create table marts.dim_route as
    select 'city' as source_id, 'R1' as route_id, 'Stadtbus' as agency_name, '1' as route_short_name,
        'Ring' as route_long_name, 3 as route_type, 'bus' as mode, 12::bigint as trips, 9500::bigint as longest_way_m;
create table marts.mart_transit_line as
    select 'city' as source_id, 'R1' as route_id, 'school_day' as day_type, date '2025-01-14' as service_date,
        '1' as route_name, 'bus' as mode, 12::bigint as trips, 20::bigint as stops, 2::bigint as municipalities,
        20000::bigint as first_departure_s, 90000::bigint as last_arrival_s, 114.0::double as vehicle_km;
create table marts.mart_trip_overlap as
    select 'land' as source_id, 'cd' as snapshot_sha256, 'T1' as trip_id, 0::bigint as frequency_number,
        0::bigint as run_number, 'city' as told_by_source_id, 'C1' as told_by_trip_id, 30::bigint as difference_s,
        5::bigint as silent_dates, 'same line and stops' as deduplication_reason;
create table marts.dim_feed_version as
    select 'city' as feed, 'ab' as snapshot_sha256, '2025' as feed_version, date '2025-01-01' as valid_from,
        date '2025-12-13' as valid_to, date '2025-01-01' as first_speaking_date,
        date '2025-12-13' as last_speaking_date, 347::bigint as speaking_dates, true as is_newest;
create table marts.mart_feed_finding as
    select 'city' as feed, 'ab' as snapshot_sha256, 'unused_trip' as code, 'warning' as severity, 1::bigint as count,
        'record 4: T4 has no stop times' as example, 'trips.trip_id' as field;
create table marts.mart_feed_health as
    select 'city' as feed, date '2025-01-01' as valid_from, date '2025-12-13' as valid_to, 332 as days_left,
        900::bigint as trips, 1000::bigint as former_trips, -0.1::double as change_share, 1::bigint as versions,
        'valid' as status;
create table marts.fct_stop_delay as
    select 'live' as source_id, date '2025-01-02' as service_date, 't' as trip_id,
        row_number() over (order by stop_id) as stop_sequence, source_id as timetable_source_id, '1' as route_id,
        stop_id,
        'observed' as status, 'departure' as event, 28800 as scheduled_s,
        timestamptz '2025-01-02 07:00:00Z' as scheduled_at, 60 as delay_s, 'delay' as delay_source,
        timestamptz '2025-01-02 06:59:00Z' as told_at, 120 as ahead_s, true as is_on_time
    from marts.dim_stop;
create table marts.mart_punctuality as
    select source_id, route_id, 8 as hour, '1' as route_name, min(service_date) as first_service_date,
        max(service_date) as last_service_date, count(*) as observations, 1::double as share_on_time,
        median(delay_s) as median_delay_s, 0::bigint as early, 0::bigint as late, 0::bigint as canceled,
        0::bigint as skipped, 0::bigint as not_observed
    from marts.fct_stop_delay group by all;
create table marts.mart_realtime_coverage as
    select 'live' as source_id, date '2025-01-02' as service_date, 'city' as timetable_source_id, 3::bigint as messages,
        1::bigint as trips_scheduled, 1::bigint as trips_told, 1::bigint as trips_matched, 0::bigint as trips_canceled,
        0::bigint as trips_unscheduled, 0::bigint as trips_unmatched, 0::bigint as trips_repeated,
        1::double as match_share, 1::double as scheduled_share, 66::bigint as stop_time_updates,
        66::bigint as stop_time_updates_matched;
create table marts.mart_transit_access as
    select ags, threshold::integer as min_departures, date '2025-01-14' as service_date,
        0.5::double as population_share_300m, 0.9::double as population_share_500m, 9000::bigint as population_300m,
        16200::bigint as population_500m, 18000::bigint as population_total, 500::bigint as cells,
        3::bigint as cells_without_number, null::varchar as reason
    from marts.dim_municipality
    cross join (values (1), (20)) as thresholds (threshold);
create table marts.mart_stop_accessibility as
    select source_id, stop_id, 'both' as told_by, stop_name, ags, 'A' as platform_code, 1::bigint as platforms,
        1 as wheelchair_boarding, 1 as wheelchair_boarding_effective, 'whole' as list_status, '170' as list_entry_id,
        stop_name as list_name, null::varchar as list_note, 'same_name' as match_rule, 12.5::double as match_distance_m,
        'agree' as accessibility_status
    from marts.dim_stop;
create table marts.dim_counting_site as select 's' || ags as site_id, ags from marts.dim_municipality;
create table marts.fct_count_hour as
    select site_id, 'bicycle' as mode, 'both' as direction, hour_at,
        (hour_at at time zone 'Europe/Berlin') as hour_local, 40::bigint as count, 40::bigint as count_validated,
        null::bigint as count_imputed, 4::bigint as intervals_expected, 4::bigint as intervals_measured,
        'measured' as value_status, null::varchar as status_reason
    from marts.dim_counting_site
    cross join range(timestamptz '2024-12-31 23:00:00Z', timestamptz '2025-01-01 23:00:00Z', interval 1 hour)
        as hours (hour_at);
create table marts.dim_counting_channel as
    select 'counters' as source_id, site_id, '1' as channel_id, date '2025-01-01' as valid_from, null::date as valid_to,
        'Weg' as channel_label, 'sum' as channel_role, 'bicycle' as mode, 'both' as direction, 'file' as declared_by
    from marts.dim_counting_site;
create table marts.mart_counting_finding as
    select 'counters/1/gap' as finding_id, 'counters' as source_id, site_id, null::varchar as channel_id,
        'bicycle' as mode, 'both' as direction, date '2025-01-01' as first_date, date '2025-01-02' as last_date,
        'gap' as code, 3::double as amount, null::double as reference_amount, 'hours, on 2 days' as detail
    from marts.dim_counting_site limit 1;
create table marts.mart_traffic_day as
    select site_id, mode, direction, hour_local::date as date, sum(count)::bigint as count,
        sum(count)::bigint as count_validated, sum(count)::bigint as count_imputed, 0 as hours_imputed,
        1::double as completeness_share, 'measured' as value_status, null::varchar as status_reason
    from marts.fct_count_hour group by all;
create table marts.mart_accident as
    select ags, 2024 as year, 'slightly_injured' as severity, 'bicycle+car' as participants, true as with_bicycle,
        true as with_car, false as with_pedestrian, false as with_motorcycle, false as with_goods_vehicle,
        false as with_other, 3::bigint as accidents, 3::bigint as accidents_located,
        0::bigint as accidents_located_elsewhere
    from marts.dim_municipality;
create table marts.mart_accident_year as
    select ags, year, severity,
        case when year = 2024 and severity = 'slightly_injured' then 3 when year = 2024 then 0 end::bigint as accidents,
        case when year = 2024 and severity = 'slightly_injured' then 3 when year = 2024 then 0 end::bigint
            as accidents_with_bicycle,
        case when year = 2024 and severity = 'slightly_injured' then 0.15 when year = 2024 then 0 end::double
            as accidents_per_1000_inhabitants,
        case when year = 2024 then 'measured' else 'missing' end as value_status,
        case when year <> 2024 then 'state_not_in_file' end as status_reason
    from marts.dim_municipality
    cross join (values (2018), (2024)) as years (year)
    cross join (values ('killed'), ('seriously_injured'), ('slightly_injured')) as severities (severity);
create table marts.dim_car_park as
    select 'parking' as source_id, 'PH ' || ags as car_park, ags, 'municipality' as location_precision, 200 as capacity,
        date '2026-10-25' as capacity_date, timestamptz '2026-10-24 22:00:00+00' as first_reading_at,
        timestamptz '2026-10-25 22:55:00+00' as last_reading_at, 1 as days_with_readings
    from marts.dim_municipality order by ags limit 1;
create table marts.mart_parking_hour as
    select source_id, car_park, hours.hour_at, timezone('Europe/Berlin', hours.hour_at) as hour_local,
        50::double as free, capacity, 'told' as capacity_source_status, 0.75::double as occupancy_share, 12 as readings,
        12 as readings_counted, 'measured' as value_status, null::varchar as status_reason
    from marts.dim_car_park
    cross join (
        select unnest(generate_series(first_reading_at, last_reading_at, interval 1 hour)) as hour_at
        from marts.dim_car_park
    ) as hours;
create table marts.mart_air_quality_day as
    select 'DENW095' as station_id, 'Geist' as station_name, '05515001' as ags, component, date '2026-10-25' as date,
        20::double as mean_ug_m3, 30::double as max_hour_ug_m3, null::double as max_8_hour_mean_ug_m3,
        24 as hours_measured, 200::double as limit_ug_m3, false as is_above_limit, 'measured' as value_status,
        null::varchar as status_reason
    from (values ('no2')) as components (component);
create table marts.mart_traffic_month as
    select site_id, mode, direction, date_trunc('month', date)::date as month, sum(count)::bigint as count,
        null::bigint as count_validated, null::double as mean_per_complete_day, 1 as complete_days, 31 as days_in_month,
        (1 / 31)::double as completeness_share, false as is_running, 'too_few_complete_days' as reason
    from marts.mart_traffic_day group by all;
create table marts.mart_traffic_year as
    select site_id, mode, direction, 2025 as year, count, null::bigint as count_validated, null::double as dtv,
        null::double as dtv_balanced, null::double as dtv_working_days, null::double as dtv_saturdays,
        null::double as dtv_sundays_and_holidays, 1 as complete_days, 365 as days_in_year, 0 as complete_working_days,
        251 as working_days_in_year, (1 / 365)::double as completeness_share, false as is_running, reason
    from marts.mart_traffic_month;
create table marts.mart_traffic_profile as
    select site_id, mode, direction, 2025 as year, weekday, hour, (weekday - 1) * 24 + hour + 1 as hour_of_week,
        40::double as median_count, 40::double as mean_count, (1 / 168)::double as share_of_week, 52 as days,
        null::double as mean_count_school_days, 0 as school_days
    from (select distinct site_id, mode, direction from marts.fct_count_hour)
    cross join range(1, 8) as weekdays (weekday) cross join range(24) as hours (hour);
create table marts.mart_traffic_trend as
    select 'site' as level, site_id as place_id, 'bicycle' as mode, 2025 as year, 2024 as former_year, 1 as sites,
        300::bigint as compared_days, 11::bigint as count, 10::bigint as former_count, 0.1::double as change_share,
        false as is_running, null::varchar as reason
    from marts.dim_counting_site;
create table marts.dim_energy_unit as
    select 'SEE' || ags as unit_id, 'solar' as technology, ags, ags as polygon_ags,
        false as is_location_conflict, 9.5::decimal(18, 3) as gross_capacity_kw, 35 as status_id,
        date '2024-12-24' as commissioned_date, 'private' as operator_type, 'in_operation' as operating_status,
        null::decimal(18, 3) as usable_capacity_kwh
    from marts.dim_municipality;
create table marts.fct_energy_unit_version as
    select unit_id, date '2025-01-01' as known_from_date, null::date as known_to_date from marts.dim_energy_unit;
create table marts.mart_energy_capacity as
    select ags, 'solar' as technology, date '2025-01-01' as month, 1::bigint as units,
        9.5::decimal(18, 3) as gross_capacity_kw, 0::decimal(18, 3) as additions_kw, 0::decimal(18, 3) as removals_kw,
        'measured' as value_status
    from marts.dim_municipality;
create table marts.mart_energy_size_class as
    select ags, 'roof' as size_class, month, units, gross_capacity_kw, value_status from marts.mart_energy_capacity;
create table marts.mart_energy_per_capita as
    select ags, technology, month, 20000::bigint as population, 0.5::double as gross_capacity_kw_per_capita,
        1 as rank_in_region, value_status
    from marts.mart_energy_capacity;
create table marts.mart_energy_operator_type as
    select ags, technology, 'private' as operator_type, month, units, gross_capacity_kw, value_status
    from marts.mart_energy_capacity;
create table marts.mart_energy_crosscheck as
    select 'others' as reference_source_id, 'register' as source_id, 'municipality' as area_level, ags as area_id, ags,
        technology, 2024 as year, gross_capacity_kw,
        gross_capacity_kw as reference_kw, 0::double as deviation_share, false as is_deviating
    from marts.mart_energy_capacity;
create table marts.dim_charging_station as
    select 'register' as source_id, 'ab' as snapshot_sha256, row_number() over (order by ags) as record_number, ags,
        longitude, latitude, 22.0::double as power_kw, 2 as charging_points, 0 as fast_points, ags as stated_ags,
        false as is_location_conflict, date '2025-01-01' as commissioned_date
    from marts.dim_municipality;
create table marts.mart_charging as
    select ags, date '2025-01-01' as month, 2::bigint as charging_points, 0::bigint as fast_points,
        22::decimal(18, 3) as power_kw, 'measured' as value_status
    from marts.dim_municipality;
create table marts.fct_market_quarter_hour as
    select 'generation_solar' as series, 'DE' as region, start_at, timezone('Europe/Berlin', start_at) as start_local,
        15::bigint as interval_minutes, 1074::decimal(18, 4) as value, 'MWh' as unit, 'measured' as value_status,
        'smard' as source_id
    from range(timestamptz '2024-12-31 23:00:00Z', timestamptz '2025-01-01 23:00:00Z', interval 15 minute)
        as quarters (start_at);
create table marts.mart_market_comparison as
    select 'generation_solar' as series, 'DE' as region, 15::bigint as interval_minutes, date '2025-01-01' as month,
        'smard' as reference_source_id, 'ise' as source_id, 'MWh' as unit, 96::bigint as intervals,
        103104::decimal(18, 4) as reference_sum, 103620::decimal(18, 4) as value_sum, 0.005::double as difference_share,
        12::decimal(18, 4) as largest_difference, 0::bigint as intervals_apart, null::timestamptz as first_apart_at;
create table marts.mart_energy_yield as
    select ags, 'solar' as technology, date '2025-01-01' as month, 0.9::decimal(18, 3) as yield_mwh_estimated,
        'estimated' as value_status, null::varchar as reason, 9.5::decimal(18, 3) as gross_capacity_kw,
        103104::decimal(18, 4) as national_generation_mwh, 100000::decimal(18, 3) as national_capacity_mw,
        'smard' as national_capacity_told_by, 2025 as national_capacity_year, 1::double as market_measured_share
    from marts.dim_municipality;
create table marts.mart_energy_balance as
    select ags, date '2025-01-01' as month, 0.9::decimal(18, 3) as yield_mwh_estimated,
        5000::decimal(18, 3) as demand_mwh_estimated, 0.00018::double as share,
        2500::decimal(18, 3) as household_mwh_estimated, 2500::decimal(18, 3) as commerce_mwh_estimated, population,
        population_date, 'estimated' as value_status, null::varchar as reason
    from marts.dim_municipality;
create table marts.mart_municipal_energy_series as
    select ags, 'city' as source_id, 'co2' as dataset, 'CO2' as series, '2024' as period, 't' as unit,
        date '2024-01-01' as period_start_date, 1139::double as value, 'measured' as value_status, false as is_target,
        'Stadt' as institution
    from marts.dim_municipality;
create table marts.mart_energy_finding as
    select 'register' as source_id, 'charging_repeated' as code, '' as subject, 'info' as severity, 1::bigint as count,
        'record 7' as example, 'Gleiche Zeilen' as title_de, 'Equal rows' as title_en;
create table marts.mart_statistic as
    select 'zensus' as source_id, '1000A-0000' as table_code, ags as area_id, 'PRS018' as value_variable_code,
        '' as attribute_codes, '2022-05-15' as period, 20000::double as value, 'Anzahl' as unit,
        'measured' as value_status, null::varchar as reason, false as is_count_of_persons
    from marts.dim_municipality;
create table marts.mart_statistic_today as
    select *, 'published' as territory_rule from marts.mart_statistic;
create table marts.mart_population as
    select ags, date '2022-05-15' as date, 'zensus' as source_id, 20000::bigint as population,
        'measured' as value_status
    from marts.dim_municipality;
create table marts.dim_indicator as
    select field || number as indicator_id, field as field_of_action, 'T' as title_de, 'T' as title_en,
        'a / b' as formula, 'share' as unit, 'more' as direction, '11' as sdg, 'municipality' as level
    from (values ('administration'), ('mobility'), ('education'), ('trade_services'), ('commerce_industry'), ('waste'),
        ('climate_environment'), ('safety'), ('living_culture'), ('supply_energy'), ('logistics'), ('health_care'),
        ('agriculture'), ('housing')) as fields (field)
    cross join (values ('_1'), ('_2')) as numbers (number);
create table marts.mart_indicator as
    select area_id, indicator_id, '2024' as period, 0.5::double as value, 'share' as unit, 'measured' as value_status,
        null::varchar as reason, 1::double as numerator, 2::double as denominator, 'city' as source_ids
    from marts.dim_area
    cross join marts.dim_indicator;
create table marts.mart_goal_progress as
    select 'goal' as goal_id, '05515001' as area_id, 'waste_1' as indicator_id, 0.8::double as target_value,
        date '2030-12-31' as target_date, 0.5::double as latest_value, 0.4::double as share_of_way,
        0.1::double as slope_low, 0.2::double as slope_per_year, 0.3::double as slope_high,
        'on_course' as status, 'r' as reason, 'city' as source_id, 1::integer as told_times;
create table marts.mart_project_status as
    select 'project' as project_id, 'waste' as field_of_action, '05515001' as area_ids, 'T' as title,
        'running' as status, date '2025-01-01' as start_date, date '2026-01-01' as end_date,
        1::double as budget_eur, 'as_told' as assessment, null::varchar as outcome, 'city' as source_id,
        1::integer as told_times;
create table marts.mart_comparison as
    select area_id, indicator_id, 'municipality' as level, '2024' as period, 0.5::double as value, 1::integer as rank,
        66::integer as areas, 1::integer as quartile, 0.5::double as region_median,
        0::double as distance_to_median, 'x' as similar_area_ids
    from marts.mart_indicator;
create table marts.mart_field_of_action as
    select a.area_id, i.field_of_action, 2::integer as indicators, 2::integer as indicators_measured,
        1::integer as indicators_fresh, date '2024-12-31' as latest_date, 1::integer as goals,
        1::integer as goals_on_course, 1::integer as projects
    from marts.dim_area as a
    cross join (select distinct field_of_action from marts.dim_indicator) as i;
create table marts.dim_statistic_table as
    select 'zensus' as source_id, '1000A-0000' as table_code, 'Bevölkerung' as title, 'GEOGM4=Gemeinden' as variables,
        '2011' as first_period, '2022' as last_period, timestamp '2024-08-20 10:27:35' as updated_local;
create table marts.mart_council_activity as
    select ags, date '2025-01-01' as month, 3::bigint as meetings, 0::bigint as meetings_cancelled,
        10::bigint as papers
    from marts.dim_municipality;
create table marts.dim_school as
    select 'school ' || ags as school_id, ags, ags as polygon_ags, false as is_location_conflict
    from marts.dim_municipality;
create table marts.dim_facility as
    select 'city' as source_id, 'playground' as kind, 'p ' || ags as facility_id, name, ags, ags as polygon_ags,
        longitude, latitude, 300::double as capacity, 'm2' as capacity_unit, false as is_location_conflict
    from marts.dim_municipality;
create table marts.mart_population_district as
    select 'city' as source_id, '05515001' as ags, '05515001-' || number as area_id, 'Teil ' || number as district_name,
        false as is_sum, 'total' as sex, age_group, '2014' as period, 100::bigint as population,
        'measured' as value_status, false as is_contradicted
    from range(11, 14) as districts (number)
    cross join (values ('total'), ('0-9')) as groups (age_group);
create table marts.mart_district_statistic as
    select * rename (population as value), 'households' as subject from marts.mart_population_district;
create table marts.mart_survey_answer as
    select 'city' as source_id, 'survey' as survey, ags, 'all' as district_name, 'modal_split' as question,
        'bicycle' as answer, '2022' as period, 0.4::double as value, 'share' as unit, 'measured' as value_status
    from marts.dim_municipality;
create table marts.mart_waiting_time_day as
    select 'city' as source_id, 'office' as office_id, date '2025-01-02' as date, '05515001' as ags,
        90::bigint as readings, 2::bigint as stale_readings, 6.5::double as mean_waiting_time_min,
        30::double as max_waiting_time_min, 12::bigint as max_waiting_persons;
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A candidate that passes."""
    path = tmp_path / "candidate.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(GOOD)
    return path


def change(candidate: Path, *statements: str) -> Path:
    """The candidate with the statements run on it."""
    with duckdb.connect(str(candidate)) as connection:
        for statement in statements:
            connection.execute(statement)
    return candidate


AS_OF = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OWNERS = """\
gate: platform
owners:
  platform: {title_de: Plattform, title_en: Platform}
  mobility: {title_de: Verkehr, title_en: Mobility}
"""


def write_rules(
    folder: Path, suite: str, *, quarantine: str = "quarantined: []\n", row_counts: str | None = None
) -> Path:
    """A folder of rules with one suite (core.yml) and, where given, the row counts of INPUT=sample."""
    for name in ("suites", "row_counts"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "owners.yml").write_text(OWNERS, encoding="utf-8")
    (folder / "suites" / "core.yml").write_text(suite, encoding="utf-8")
    (folder / "quarantine.yml").write_text(quarantine, encoding="utf-8")
    if row_counts is not None:
        (folder / "row_counts" / "sample.yml").write_text(row_counts, encoding="utf-8")
    return folder


@pytest.fixture
def uncounted(tmp_path: Path) -> Path:
    """The rules in git, their row counts left out: the candidate here is as small as can be."""
    return shutil.copytree(
        RULES, tmp_path / "rules", ignore=shutil.ignore_patterns("row_counts", "*.py", "__pycache__")
    )


def judged(candidate: Path, report: Path, **changed: Any) -> Verdict:
    """The verdict on a candidate; of INPUT=live and by the rules in git where nothing else is said."""
    arguments: dict[str, Any] = {"kind": "live", "as_of": AS_OF, "feeds": {}}
    return judge(candidate, report, **{**arguments, **changed})


def result(**changed: Any) -> Result:
    """A check that holds, critical, on values that should be there; `changed` says otherwise."""
    said: dict[str, Any] = {
        "id": "dim_area.check",
        "mart": "dim_area",
        "expectation": "unexpected_rows_expectation",
        "owner": "platform",
        "dimension": "complete",
        "severity": "critical",
        "success": True,
        "meaning_de": "Alles da.",
        "meaning_en": "All there.",
    }
    return Result(**{**said, **changed})
