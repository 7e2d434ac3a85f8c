"""The staged tables: one fixed Arrow schema per format-independent table.

The writer in `connectors.staging` puts the columns of `KEY` in front of every table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa

from connectors import mastr_fields

KEY = pa.schema(
    [
        ("source_id", pa.string()),
        ("snapshot_sha256", pa.string()),
        ("parse_key", pa.string()),
        ("record_number", pa.int64()),
    ]
)
INSTANT = pa.timestamp("us", tz="UTC")
LOCAL = pa.timestamp("us")


@dataclass(frozen=True)
class Table:
    """A staged table: its name and the columns a parser delivers (without the columns of KEY).

    order: the columns by which many small files of it are sorted when they are read as one.
    """

    name: str
    columns: pa.Schema
    order: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """The columns as they lie in Parquet: KEY, then the table's own."""
        return pa.schema([*KEY, *self.columns])

    def sorted_by(self, *order: str) -> Table:
        """The same table, whose files are sorted when they are compacted."""
        return replace(self, order=order)


def _table(name: str, /, **columns: pa.DataType) -> Table:
    return Table(name, pa.schema(list(columns.items())))


TEXT, WHOLE, SMALL, REAL, DAY, FLAG = pa.string(), pa.int64(), pa.int32(), pa.float64(), pa.date32(), pa.bool_()

# -- core  --
MUNICIPALITY_REGISTER = _table(
    "municipality_register",
    ags=TEXT,
    ars=TEXT,
    name=TEXT,
    area_km2=REAL,
    area_date=DAY,
    population=WHOLE,
    population_date=DAY,
    postal_code=TEXT,
    longitude=REAL,
    latitude=REAL,
    territory_date=DAY,
)
MUNICIPALITY_BOUNDARY = _table(
    "municipality_boundary", ags=TEXT, ars=TEXT, name=TEXT, designation=TEXT, geometry_wkb=pa.binary()
)
# Cells of a population grid. easting_m, northing_m: midpoint in EPSG:3035; population_mark: what the publisher puts in
# place of a number.
POPULATION_CELL = _table(
    "population_cell",
    cell_id=TEXT,
    easting_m=WHOLE,
    northing_m=WHOLE,
    longitude=REAL,
    latitude=REAL,
    population=WHOLE,
    population_mark=TEXT,
)

# -- transit: columns of the GTFS Schedule reference; times are seconds after noon minus 12 h of the service day --
GTFS_AGENCY = _table(
    "gtfs_agency",
    agency_id=TEXT,
    agency_name=TEXT,
    agency_url=TEXT,
    agency_timezone=TEXT,
    agency_lang=TEXT,
    agency_phone=TEXT,
    agency_fare_url=TEXT,
    agency_email=TEXT,
    cemv_support=SMALL,
)
GTFS_STOPS = _table(
    "gtfs_stops",
    stop_id=TEXT,
    stop_code=TEXT,
    stop_name=TEXT,
    stop_lat=REAL,
    stop_lon=REAL,
    location_type=SMALL,
    parent_station=TEXT,
    wheelchair_boarding=SMALL,
    platform_code=TEXT,
    tts_stop_name=TEXT,
    stop_desc=TEXT,
    zone_id=TEXT,
    stop_url=TEXT,
    stop_timezone=TEXT,
    level_id=TEXT,
    stop_access=SMALL,
)
GTFS_ROUTES = _table(
    "gtfs_routes",
    route_id=TEXT,
    agency_id=TEXT,
    route_short_name=TEXT,
    route_long_name=TEXT,
    route_type=SMALL,
    mode=TEXT,
    route_desc=TEXT,
    route_url=TEXT,
    route_color=TEXT,
    route_text_color=TEXT,
    route_sort_order=SMALL,
    continuous_pickup=SMALL,
    continuous_drop_off=SMALL,
    network_id=TEXT,
    cemv_support=SMALL,
)
GTFS_TRIPS = _table(
    "gtfs_trips",
    trip_id=TEXT,
    route_id=TEXT,
    service_id=TEXT,
    trip_headsign=TEXT,
    direction_id=SMALL,
    shape_id=TEXT,
    trip_short_name=TEXT,
    block_id=TEXT,
    wheelchair_accessible=SMALL,
    bikes_allowed=SMALL,
    cars_allowed=SMALL,
    safe_duration_factor=REAL,
    safe_duration_offset_s=REAL,
)
GTFS_STOP_TIMES = _table(
    "gtfs_stop_times",
    trip_id=TEXT,
    stop_sequence=SMALL,
    stop_id=TEXT,
    arrival_s=SMALL,
    departure_s=SMALL,
    pickup_type=SMALL,
    drop_off_type=SMALL,
    stop_headsign=TEXT,
    timepoint=SMALL,
    shape_dist_traveled=REAL,
    continuous_pickup=SMALL,
    continuous_drop_off=SMALL,
    location_group_id=TEXT,
    location_id=TEXT,
    start_pickup_drop_off_window_s=SMALL,
    end_pickup_drop_off_window_s=SMALL,
    pickup_booking_rule_id=TEXT,
    drop_off_booking_rule_id=TEXT,
)
GTFS_CALENDAR = _table(
    "gtfs_calendar",
    service_id=TEXT,
    monday=FLAG,
    tuesday=FLAG,
    wednesday=FLAG,
    thursday=FLAG,
    friday=FLAG,
    saturday=FLAG,
    sunday=FLAG,
    start_date=DAY,
    end_date=DAY,
)
GTFS_CALENDAR_DATES = _table("gtfs_calendar_dates", service_id=TEXT, date=DAY, exception_type=SMALL)
GTFS_FREQUENCIES = _table(
    "gtfs_frequencies", trip_id=TEXT, start_s=SMALL, end_s=SMALL, headway_s=SMALL, exact_times=SMALL
)
GTFS_FEED_INFO = _table(
    "gtfs_feed_info",
    feed_publisher_name=TEXT,
    feed_version=TEXT,
    feed_start_date=DAY,
    feed_end_date=DAY,
    feed_publisher_url=TEXT,
    feed_lang=TEXT,
    default_lang=TEXT,
    feed_contact_email=TEXT,
    feed_contact_url=TEXT,
)
GTFS_TRANSFERS = _table(
    "gtfs_transfers",
    from_stop_id=TEXT,
    to_stop_id=TEXT,
    from_route_id=TEXT,
    to_route_id=TEXT,
    from_trip_id=TEXT,
    to_trip_id=TEXT,
    transfer_type=SMALL,
    min_transfer_time_s=SMALL,
)
# shape_dist_traveled: in the feed's own unit, which GTFS leaves open.
GTFS_SHAPES = _table(
    "gtfs_shapes",
    shape_id=TEXT,
    shape_pt_sequence=SMALL,
    shape_pt_lat=REAL,
    shape_pt_lon=REAL,
    shape_dist_traveled=REAL,
)
GTFS_ATTRIBUTIONS = _table(
    "gtfs_attributions",
    attribution_id=TEXT,
    agency_id=TEXT,
    route_id=TEXT,
    trip_id=TEXT,
    organization_name=TEXT,
    is_producer=FLAG,
    is_operator=FLAG,
    is_authority=FLAG,
    attribution_url=TEXT,
    attribution_email=TEXT,
    attribution_phone=TEXT,
)
# Stops that their operator says are barrier-free, beside the timetables: info tells in plain text where only in part.
BARRIER_FREE_STOP = _table("barrier_free_stop", entry_id=TEXT, name=TEXT, longitude=REAL, latitude=REAL, info=TEXT)

# -- transit in real time: GTFS Realtime reference. feed_at: timestamp of the message; measured_at: when the vehicle was
# last measured. Relationships and statuses are named as in the reference, null where none is told. Who drives is not
# landed here: neither ids nor labels nor licence plates of vehicles.
_GTFS_RT_TRIP = {
    "trip_id": TEXT,
    "route_id": TEXT,
    "direction_id": SMALL,
    "start_date": DAY,
    "start_time_s": SMALL,
    "trip_schedule_relationship": TEXT,
}
GTFS_RT_TRIP_UPDATE = _table(
    "gtfs_rt_trip_update",
    feed_at=INSTANT,
    measured_at=INSTANT,
    **_GTFS_RT_TRIP,
    delay_s=SMALL,
    stop_time_updates=SMALL,
)
# trip_update_number: record_number of the trip update it is part of.
GTFS_RT_STOP_TIME_UPDATE = _table(
    "gtfs_rt_stop_time_update",
    feed_at=INSTANT,
    measured_at=INSTANT,
    trip_update_number=WHOLE,
    **_GTFS_RT_TRIP,
    stop_sequence=SMALL,
    stop_id=TEXT,
    schedule_relationship=TEXT,
    arrival_delay_s=SMALL,
    arrival_at=INSTANT,
    departure_delay_s=SMALL,
    departure_at=INSTANT,
)
GTFS_RT_VEHICLE_POSITION = _table(
    "gtfs_rt_vehicle_position",
    feed_at=INSTANT,
    measured_at=INSTANT,
    **_GTFS_RT_TRIP,
    longitude=REAL,
    latitude=REAL,
    bearing_degrees=REAL,
    speed_m_per_s=REAL,
    stop_sequence=SMALL,
    stop_id=TEXT,
    current_status=TEXT,
    congestion_level=TEXT,
    occupancy_status=TEXT,
    occupancy_percentage=SMALL,
)
# Texts in German where the alert has them, else in its first language. active_from_at, active_until_at: the first
# beginning and the last end of its active periods, null where open.
GTFS_RT_ALERT = _table(
    "gtfs_rt_alert",
    feed_at=INSTANT,
    alert_id=TEXT,
    cause=TEXT,
    effect=TEXT,
    severity_level=TEXT,
    active_periods=SMALL,
    active_from_at=INSTANT,
    active_until_at=INSTANT,
    header_text=TEXT,
    description_text=TEXT,
    url=TEXT,
)
GTFS_RT_INFORMED_ENTITY = _table(
    "gtfs_rt_informed_entity",
    feed_at=INSTANT,
    alert_id=TEXT,
    agency_id=TEXT,
    route_type=SMALL,
    stop_id=TEXT,
    **_GTFS_RT_TRIP,
)

# -- mobility  --
# What a list of counters says of each; ags: the key in the record, null where it has none.
COUNT_SITE = _table(
    "count_site",
    site_id=TEXT,
    site_name=TEXT,
    first_year=SMALL,
    longitude=REAL,
    latitude=REAL,
    mode=TEXT,
    operator=TEXT,
    ags=TEXT,
)
COUNT_LOCATION = _table("count_location", location_id=TEXT, name=TEXT, longitude=REAL, latitude=REAL)
# location_id: the entry of COUNT_LOCATION that says where the channel counts, null where none is told.
COUNT_CHANNEL = _table("count_channel", site_id=TEXT, channel_id=TEXT, channel_label=TEXT, location_id=TEXT)
# A record is one value cell. channel_role: `sum` or `part`; mode: `bicycle`, `car`, …; direction: `in`, `out`,
# `both` (a sum), `unknown`. clock_change: `merged` where the reading holds both passes of autumn's repeated hour, else
# null; interval_start_at is then the first pass (summer time). value_mark: what stands in place of a number.
COUNT_READING = _table(
    "count_reading",
    site_id=TEXT,
    channel_id=TEXT,
    channel_label=TEXT,
    channel_role=TEXT,
    mode=TEXT,
    direction=TEXT,
    interval_start_local=LOCAL,
    interval_start_at=INSTANT,
    interval_minutes=SMALL,
    count=WHOLE,
    value_mark=TEXT,
    raw_status=TEXT,
    clock_change=TEXT,
).sorted_by("site_id", "interval_start_at", "record_number")
# Free places of a car park at a moment. capacity: as the same file tells it, null where it does not; value_mark: what
# stands in place of a number, such as `ges` for closed.
PARKING_READING = _table(
    "parking_reading",
    car_park=TEXT,
    observed_local=LOCAL,
    observed_at=INSTANT,
    free=SMALL,
    capacity=SMALL,
    value_mark=TEXT,
)
# A record is one value cell. component: pm10, pm2_5, o3, no2; averaging: `hour`, or `day_floating` for the mean of the
# 24 hours that end with the interval.
AIR_QUALITY_READING = _table(
    "air_quality_reading",
    station_id=TEXT,
    station_name=TEXT,
    component=TEXT,
    averaging=TEXT,
    interval_start_local=LOCAL,
    interval_start_at=INSTANT,
    interval_minutes=SMALL,
    value_ug_m3=REAL,
    value_mark=TEXT,
)
# An accident with personal injury, by the coded columns of the Unfallatlas. severity: killed, seriously_injured,
# slightly_injured; weekday: 1 Monday to 7 Sunday. Nothing is known of the persons, and no date is published.
ACCIDENT = _table(
    "accident",
    accident_id=TEXT,
    year=SMALL,
    month=SMALL,
    hour=SMALL,
    weekday=SMALL,
    severity=TEXT,
    kind_id=SMALL,
    type_id=SMALL,
    light_id=SMALL,
    road_condition_id=SMALL,
    with_bicycle=FLAG,
    with_car=FLAG,
    with_pedestrian=FLAG,
    with_motorcycle=FLAG,
    with_goods_vehicle=FLAG,
    with_other=FLAG,
    longitude=REAL,
    latitude=REAL,
    ags=TEXT,
)

# -- energy  --
# Of the MaStR: the columns are declared, with tags, types and units, in connectors.mastr_fields; updated_at is local.
# technology: solar, wind, biomass, hydro, combustion, storage, geothermal_and_other, nuclear, gas_producer,
# gas_consumer, gas_storage, electricity_consumer. status_id: EinheitBetriebsstatus 31, 35, 37, 38.
# operator_id: null for natural persons; operator_person_type_id: 517 organisation, 518 natural person.
ENERGY_UNIT = Table(
    "energy_unit",
    mastr_fields.schema(
        mastr_fields.UNIT_FIELDS, technology=TEXT, export_member=TEXT, operator_person_type_id=pa.int32()
    ),
)


def _mastr_table(name: str, **more: pa.DataType) -> Table:
    declared = {
        field.column: field for family in mastr_fields.FAMILIES if family.table == name for field in family.fields
    }
    return Table(name, mastr_fields.schema(tuple(declared.values()), **more))


ENERGY_EEG_PLANT = _mastr_table("energy_eeg_plant", technology=TEXT)
ENERGY_CHP_PLANT = _mastr_table("energy_chp_plant")
ENERGY_STORAGE_PLANT = _mastr_table("energy_storage_plant")
ENERGY_GAS_STORAGE_PLANT = _mastr_table("energy_gas_storage_plant")
ENERGY_PERMIT = _mastr_table("energy_permit")
ENERGY_RETROFIT = _mastr_table("energy_retrofit")
ENERGY_LOCATION = _mastr_table("energy_location")
ENERGY_GRID_CONNECTION = _mastr_table("energy_grid_connection")
ENERGY_GRID_OPERATOR_CHANGE = _mastr_table("energy_grid_operator_change")
ENERGY_GRID = _mastr_table("energy_grid")
ENERGY_BALANCING_AREA = _mastr_table("energy_balancing_area")
# Organisations alone; names only of grid operators.
ENERGY_MARKET_ACTOR = _mastr_table("energy_market_actor")
ENERGY_DELETED_UNIT = _mastr_table("energy_deleted_unit")
ENERGY_CATALOGUE_VALUE = _mastr_table("energy_catalogue_value")
ENERGY_CATALOGUE_CATEGORY = _mastr_table("energy_catalogue_category")
ENERGY_UNIT_TYPE = _mastr_table("energy_unit_type")
# A row per snapshot: the day an export tells of, by its name, else that of the latest update in it; is_whole: all of
# Germany was read, so that its sums are the nation's.
ENERGY_EXPORT = _table("energy_export", export_date=DAY, release=TEXT, is_whole=FLAG)
# Installed capacity per municipality at a year's end as others sum it; `DG000000` is Germany.
ENERGY_REFERENCE_CAPACITY = _table("energy_reference_capacity", ags=TEXT, technology=TEXT, year=SMALL, capacity_kw=REAL)
# record_sha256: hash of the whole raw row, so that equal rows can be flagged (each row is a device). fast_points:
# points of more than 22 kW, null where the file tells no power per point.
CHARGING_STATION = _table(
    "charging_station",
    operator=TEXT,
    postal_code=TEXT,
    place=TEXT,
    kreis_name=TEXT,
    longitude=REAL,
    latitude=REAL,
    commissioned_date=DAY,
    power_kw=REAL,
    device_type=TEXT,
    charging_points=SMALL,
    fast_points=SMALL,
    record_sha256=TEXT,
)
# The national electricity market; a record is one value. series: our name (`generation_solar`, `load`, …); region as
# the publisher names it; unit: MWh of the interval, MW on average over it, GW or MW installed, EUR/MWh; value_mark:
# what stands in place of a number; resolution as the publisher names it.
MARKET_READING = _table(
    "market_reading",
    series=TEXT,
    region=TEXT,
    interval_start_at=INSTANT,
    interval_minutes=WHOLE,
    value=REAL,
    unit=TEXT,
    resolution=TEXT,
    value_mark=TEXT,
)
# The files of a series that its index announces, by the instant they begin at.
MARKET_FILE = _table("market_file", series=TEXT, region=TEXT, resolution=TEXT, starts_at=INSTANT)
# A standard load profile by local time of day. month: 1 to 12, null where the profile has seasons (`winter`, `summer`,
# `transition`), both null where it holds all year; day_type: `weekday`, `saturday`, `sunday_or_public_holiday`,
# `every_day`; unit: energy of the interval (kWh) or power (W, kW); normalised_to_kwh: the year's consumption behind it.
LOAD_PROFILE_VALUE = _table(
    "load_profile_value",
    profile=TEXT,
    month=SMALL,
    season=TEXT,
    day_type=TEXT,
    interval_start_minute=SMALL,
    interval_minutes=SMALL,
    value=REAL,
    unit=TEXT,
    normalised_to_kwh=REAL,
)
# What a municipality publishes of itself, a record per series and period. ags: of the area, null where it is a part of
# a municipality or a single plant; period as published (`1982`, `2025-12`, `2023/2024`, `2026-06-03`).
MUNICIPAL_SERIES_VALUE = _table(
    "municipal_series_value",
    ags=TEXT,
    area_label=TEXT,
    dataset=TEXT,
    institution=TEXT,
    topic_code=TEXT,
    series=TEXT,
    period=TEXT,
    period_start_date=DAY,
    value=REAL,
    unit=TEXT,
    value_mark=TEXT,
)

# -- registers  --
# attribute_codes: the classifying variables except the area, `GES=GESM;ALT=…`, sorted by variable; a total is `GES=`.
STATISTIC_VALUE = _table(
    "statistic_value",
    table_code=TEXT,
    statistic_code=TEXT,
    statistic_label=TEXT,
    time_code=TEXT,
    period=TEXT,
    period_start_date=DAY,
    period_end_date=DAY,
    area_variable_code=TEXT,
    area_code=TEXT,
    area_label=TEXT,
    attribute_codes=TEXT,
    attribute_labels=TEXT,
    value=REAL,
    value_mark=TEXT,
    value_unit=TEXT,
    value_variable_code=TEXT,
    value_variable_label=TEXT,
)
# What a host says of a table. variables: `GES=Geschlecht;…` in the table's order, measures among them.
STATISTIC_TABLE = _table(
    "statistic_table",
    table_code=TEXT,
    title=TEXT,
    statistic_code=TEXT,
    statistic_label=TEXT,
    first_period=TEXT,
    last_period=TEXT,
    variables=TEXT,
    updated_local=LOCAL,
)
SCHOOL = _table(
    "school",
    school_id=TEXT,
    name=TEXT,
    short_name=TEXT,
    school_type_code=TEXT,
    legal_form_code=TEXT,
    ags=TEXT,
    postal_code=TEXT,
    place=TEXT,
    operating_status_code=TEXT,
    operating_since_date=DAY,
    longitude=REAL,
    latitude=REAL,
)
# Of councils, without a person: what a meeting or paper is called names some. organization_ids: joined by blanks.
COUNCIL_MEETING = _table(
    "council_meeting",
    meeting_id=TEXT,
    ags=TEXT,
    meeting_state=TEXT,
    is_cancelled=FLAG,
    start_at=INSTANT,
    end_at=INSTANT,
    organization_ids=TEXT,
    agenda_items=SMALL,
    created_at=INSTANT,
    modified_at=INSTANT,
    is_deleted=FLAG,
)
COUNCIL_PAPER = _table(
    "council_paper",
    paper_id=TEXT,
    ags=TEXT,
    reference=TEXT,
    paper_type=TEXT,
    paper_date=DAY,
    created_at=INSTANT,
    modified_at=INSTANT,
    is_deleted=FLAG,
)

# -- indicators  --
# What municipalities have set themselves and do, by their own registers. Lists stand as published in the project, and
# one by one in the two tables after it.
GOAL = _table(
    "goal",
    goal_id=TEXT,
    area_id=TEXT,
    indicator_id=TEXT,
    target_value=REAL,
    target_date=DAY,
    baseline=REAL,
    baseline_date=DAY,
    adopted_by=TEXT,
    source=TEXT,
)
PROJECT = _table(
    "project",
    project_id=TEXT,
    field_of_action=TEXT,
    area_ids=TEXT,
    title=TEXT,
    status=TEXT,
    start_date=DAY,
    end_date=DAY,
    budget_eur=REAL,
    indicator_ids=TEXT,
    outcome=TEXT,
)
PROJECT_AREA = _table("project_area", project_id=TEXT, area_id=TEXT)
PROJECT_INDICATOR = _table("project_indicator", project_id=TEXT, indicator_id=TEXT)
# What a municipality offers at a place. kind: school, day_care, playground, sports_ground, container, …; district: as
# published; capacity in capacity_unit: places, containers, m2, ….
FACILITY = _table(
    "facility",
    facility_id=TEXT,
    kind=TEXT,
    category=TEXT,
    name=TEXT,
    ags=TEXT,
    district=TEXT,
    address=TEXT,
    operator=TEXT,
    capacity=REAL,
    capacity_unit=TEXT,
    is_public=FLAG,
    longitude=REAL,
    latitude=REAL,
)
# value_mark: what the publisher puts in place of a value; mark_status: what the source says that it means.
# A figure of a part of a city. subject: population, households, …; sex: total, male, female; ages in years, both
# included, null where all are meant or (age_to) where no limit is; period: a year, or a date YYYY-MM-DD.
DISTRICT_VALUE = _table(
    "district_value",
    subject=TEXT,
    ags=TEXT,
    district_key=TEXT,
    district_name=TEXT,
    sex=TEXT,
    age_from=SMALL,
    age_to=SMALL,
    period=TEXT,
    value=REAL,
    value_mark=TEXT,
    mark_status=TEXT,
)
# What people of a place answered, summed up by who asked. unit: share, persons, minutes, …; period: a year.
SURVEY_ANSWER = _table(
    "survey_answer",
    survey=TEXT,
    ags=TEXT,
    district_name=TEXT,
    question=TEXT,
    answer=TEXT,
    unit=TEXT,
    period=TEXT,
    value=REAL,
    value_mark=TEXT,
    mark_status=TEXT,
)
# The queue of an office as it tells it; updated_clock: when the office last wrote it, HH:mm.
WAITING_TIME_READING = _table(
    "waiting_time_reading",
    office_id=TEXT,
    office_name=TEXT,
    ags=TEXT,
    read_local=LOCAL,
    waiting_persons=WHOLE,
    waiting_time_min=REAL,
    updated_clock=TEXT,
)

# -- what the rooms say of themselves  --
REJECTED_ROW = _table("rejected_row", table_name=TEXT, column_name=TEXT, raw_text=TEXT, reason=TEXT)
# outcome: read, staged, rejected, out_of_scope; reason only for the last two.
RECORD_ACCOUNT = _table("record_account", table_name=TEXT, outcome=TEXT, reason=TEXT, records=WHOLE)
# change: `new` (nobody declared the column), `missing` (declared, not there) or `renamed` (a missing one that stands
# there under a new name: `column_name` is the new one, `former_name` the old). A file of an archive is `file:<name>`.
COLUMN_DRIFT = _table("column_drift", table_name=TEXT, column_name=TEXT, change=TEXT, former_name=TEXT)
# Cells of columns that only inform and could not be read: their records are staged without them.
UNREAD_CELL = _table("unread_cell", table_name=TEXT, column_name=TEXT, reason=TEXT, records=WHOLE, example=TEXT)
# How much of something a snapshot holds: what the guard measure_ratio compares with the next one.
SNAPSHOT_MEASURE = _table("snapshot_measure", measure=TEXT, subject=TEXT, amount=WHOLE)
# What a GTFS feed contradicts of itself; code: notice of the canonical validator where it has one; field: file.column.
GTFS_FINDING = _table("gtfs_finding", code=TEXT, field=TEXT, records=WHOLE, example=TEXT)
# What a declared table holds that somebody should look at; code: as in the seed finding_code; field: staged column.
TABLE_FINDING = _table("table_finding", code=TEXT, field=TEXT, records=WHOLE, example=TEXT)
# The columns a snapshot has, whether or not they are staged, to be compared with those of the next one. position: place
# in the header, from 1; records: how many records fill it, where no header names it (XML, JSON).
COLUMN_SEEN = _table("column_seen", table_name=TEXT, column_name=TEXT, position=SMALL, records=WHOLE)

PARSED_TABLES = (
    MUNICIPALITY_REGISTER,
    MUNICIPALITY_BOUNDARY,
    GTFS_AGENCY,
    GTFS_STOPS,
    GTFS_ROUTES,
    GTFS_TRIPS,
    GTFS_STOP_TIMES,
    GTFS_CALENDAR,
    GTFS_CALENDAR_DATES,
    GTFS_FREQUENCIES,
    GTFS_FEED_INFO,
    GTFS_TRANSFERS,
    GTFS_SHAPES,
    GTFS_ATTRIBUTIONS,
    GTFS_RT_TRIP_UPDATE,
    GTFS_RT_STOP_TIME_UPDATE,
    GTFS_RT_VEHICLE_POSITION,
    GTFS_RT_ALERT,
    GTFS_RT_INFORMED_ENTITY,
    COUNT_SITE,
    COUNT_LOCATION,
    COUNT_CHANNEL,
    COUNT_READING,
    ENERGY_UNIT,
    ENERGY_EEG_PLANT,
    ENERGY_CHP_PLANT,
    ENERGY_STORAGE_PLANT,
    ENERGY_GAS_STORAGE_PLANT,
    ENERGY_PERMIT,
    ENERGY_RETROFIT,
    ENERGY_LOCATION,
    ENERGY_GRID_CONNECTION,
    ENERGY_GRID_OPERATOR_CHANGE,
    ENERGY_GRID,
    ENERGY_BALANCING_AREA,
    ENERGY_MARKET_ACTOR,
    ENERGY_DELETED_UNIT,
    ENERGY_CATALOGUE_VALUE,
    ENERGY_CATALOGUE_CATEGORY,
    ENERGY_UNIT_TYPE,
    ENERGY_EXPORT,
    ENERGY_REFERENCE_CAPACITY,
    CHARGING_STATION,
    MARKET_READING,
    MARKET_FILE,
    LOAD_PROFILE_VALUE,
    MUNICIPAL_SERIES_VALUE,
    STATISTIC_VALUE,
    SCHOOL,
    POPULATION_CELL,
    BARRIER_FREE_STOP,
    PARKING_READING,
    AIR_QUALITY_READING,
    ACCIDENT,
    GOAL,
    PROJECT,
    PROJECT_AREA,
    PROJECT_INDICATOR,
    STATISTIC_TABLE,
    COUNCIL_MEETING,
    COUNCIL_PAPER,
    FACILITY,
    DISTRICT_VALUE,
    SURVEY_ANSWER,
    WAITING_TIME_READING,
    REJECTED_ROW,
    RECORD_ACCOUNT,
    COLUMN_DRIFT,
    UNREAD_CELL,
    SNAPSHOT_MEASURE,
    GTFS_FINDING,
    TABLE_FINDING,
)

# Evidence of every snapshot that was judged, also of refused and superseded ones.
EVIDENCE_TABLES = (REJECTED_ROW, COLUMN_DRIFT, UNREAD_CELL, SNAPSHOT_MEASURE)

# Tables without KEY: state of the pipeline, written whole when a release is begun.
SNAPSHOT_IN_FORCE = _table(
    "snapshot_in_force",
    source_id=TEXT,
    partition=TEXT,
    snapshot_sha256=TEXT,
    parse_key=TEXT,
    fetched_at=INSTANT,
)
# failure: the error in words that do not change while the publisher fails in the same way.
FETCH_LOG = _table(
    "fetch_log",
    source_id=TEXT,
    partition=TEXT,
    url=TEXT,
    started_at=INSTANT,
    finished_at=INSTANT,
    http_status=SMALL,
    etag=TEXT,
    last_modified=TEXT,
    snapshot_sha256=TEXT,
    bytes=WHOLE,
    outcome=TEXT,
    error=TEXT,
    failure=TEXT,
)
# A row per landed snapshot and the one it was judged against. outcome: staged, refused. rules_key: the limits it was
# judged by. is_latest: nothing newer has landed for the partition.
PARSE_LOG = _table(
    "parse_log",
    source_id=TEXT,
    partition=TEXT,
    snapshot_sha256=TEXT,
    parse_key=TEXT,
    outcome=TEXT,
    error=TEXT,
    former_sha256=TEXT,
    rules_key=TEXT,
    fetched_at=INSTANT,
    is_latest=FLAG,
)
# What comparing a snapshot with the former one in force found. code: column_new, column_missing, column_renamed,
# file_new, file_missing, size_guard, record_guard; subject: the column, file or figure it is about.
SNAPSHOT_FINDING = _table(
    "snapshot_finding",
    source_id=TEXT,
    partition=TEXT,
    snapshot_sha256=TEXT,
    former_sha256=TEXT,
    code=TEXT,
    table_name=TEXT,
    subject=TEXT,
    example=TEXT,
)
# priority: where two sources tell of the same thing, the lower number speaks. timetable_source_id: the source whose
# timetable a realtime source speaks of.
SOURCE_CATALOGUE = _table(
    "source_catalogue",
    source_id=TEXT,
    title_de=TEXT,
    title_en=TEXT,
    domain=TEXT,
    publisher=TEXT,
    url=TEXT,
    licence=TEXT,
    licence_url=TEXT,
    attribution=TEXT,
    schedule=TEXT,
    priority=SMALL,
    fresh_for_days=SMALL,
    is_offered=FLAG,
    synthetic=FLAG,
    timetable_source_id=TEXT,
)
SOURCE_RESOURCE = _table("source_resource", source_id=TEXT, resource=TEXT, connector=TEXT, fresh_for_days=SMALL)
SOURCE_COVERAGE = _table("source_coverage", source_id=TEXT, ags=TEXT)
REGION_AREA = _table("region_area", area_id=TEXT, level=TEXT, name_de=TEXT, name_en=TEXT, parent_area_id=TEXT)
# entity: gtfs_stop, charging_station, energy_unit, school, population_cell, barrier_free_stop, counting_site,
# counting_location, accident; entity_id: stop_id, record_number, unit_id, school_id, cell_id, entry_id, site_id,
# location_id, record_number.
# ags: of the polygon the point lies in; stated_ags: the key in the record, where it has one.
LOCATED_POINT = _table(
    "located_point",
    source_id=TEXT,
    snapshot_sha256=TEXT,
    entity=TEXT,
    entity_id=TEXT,
    longitude=REAL,
    latitude=REAL,
    ags=TEXT,
    stated_ags=TEXT,
)
# Stops near points of other kinds, as entities of LOCATED_POINT; straight-line distance.
STOP_NEARBY = _table(
    "stop_nearby",
    source_id=TEXT,
    snapshot_sha256=TEXT,
    entity=TEXT,
    entity_id=TEXT,
    stop_source_id=TEXT,
    stop_snapshot_sha256=TEXT,
    stop_id=TEXT,
    distance_m=REAL,
)
# What a source's `topology` declares of a channel, first and last local date included; what it leaves out is null.
# declaration: place in the source's file, such as `topology.0`.
COUNT_TOPOLOGY = _table(
    "count_topology",
    source_id=TEXT,
    declaration=TEXT,
    site_id=TEXT,
    channel_id=TEXT,
    first_date=DAY,
    last_date=DAY,
    channel_role=TEXT,
    mode=TEXT,
    direction=TEXT,
    reason=TEXT,
)
# What a source's `corrections` declare, up to but not including until_at; channel_id is null where all are meant.
COUNT_CORRECTION = _table(
    "count_correction",
    source_id=TEXT,
    declaration=TEXT,
    site_id=TEXT,
    channel_id=TEXT,
    first_at=INSTANT,
    until_at=INSTANT,
    action=TEXT,
    factor=REAL,
    expected_count=WHOLE,
    reason=TEXT,
    provider=TEXT,
)
STATE_TABLES = (
    SNAPSHOT_IN_FORCE,
    FETCH_LOG,
    PARSE_LOG,
    SNAPSHOT_FINDING,
    SOURCE_CATALOGUE,
    SOURCE_RESOURCE,
    SOURCE_COVERAGE,
    REGION_AREA,
    LOCATED_POINT,
    STOP_NEARBY,
    COUNT_TOPOLOGY,
    COUNT_CORRECTION,
)
