"""The sample's car parks and stations through connector and models to the marts, against plain readings of files."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from muensterland.sample import air_quality, parking
from tests.dbt_project.conftest import Built
from tests.dbt_project.places import File, build_places
from tests.dbt_project.plain_places import parking_days

PARKING, ARCHIVE, API = "muenster-parking", "muenster-air-quality", "uba-air-quality"
HALL, SQUARE = "PH Beispielhof (synthetisch)", "PP Probeplatz (synthetisch)"


def sample_files() -> list[File]:
    """The sample's files, the last day of parking under two names: as it was in the morning, and whole."""
    days = [File(PARKING, f"{day.name}.csv", parking.day_file(day)) for day in parking.DAYS]
    morning = b"\r\n".join(days[-1].content.split(b"\r\n")[:60]) + b"\r\n"
    station = air_quality.STATIONS[0]
    archive = air_quality.archive_file(station, air_quality.SPANS["2022-01-01_2024-01-01"])
    answers = [
        File(API, f"{number}.json", answer.body)
        for number, answer in enumerate(air_quality.answers())
        if "2026-09" in answer.place
    ]
    return [*days, File(PARKING, "morning.csv", morning), File(ARCHIVE, "archive.csv", archive), *answers]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_places(tmp_path_factory.mktemp("places"), sample_files())


def test_every_day_of_every_car_park_is_what_its_files_say(built: Built) -> None:
    rows = built.query(
        "select car_park, cast(hour_local as date)::text, sum(readings)::int, round(sum(free * readings_counted))::int "
        "from marts.mart_parking_hour group by all"
    )
    told = parking_days(file.content for file in sample_files() if file.source_id == PARKING)
    assert {(park, day): (moments, free or 0) for park, day, moments, free in rows} == {
        key: (day.moments, day.free_sum) for key, day in told.items()
    }
    assert len(rows) == 3 * 4 + 2 * 5 + 3 * 6 - 4


def test_days_have_23_24_and_25_hours(built: Built) -> None:
    rows = built.query(
        "select hour_local::date::text, count(*)::int, count(distinct hour_at)::int from marts.mart_parking_hour "
        f"where car_park = '{HALL}' group by 1 order by 1"
    )
    assert rows == [
        ("2019-08-20", 24, 24),
        ("2021-10-31", 25, 25),
        ("2023-03-26", 23, 23),
        ("2024-11-04", 24, 24),
        ("2026-10-24", 24, 24),
        ("2026-10-25", 25, 25),
        ("2026-10-26", 24, 24),
    ]


def test_what_is_no_number_of_places_says_why(built: Built) -> None:
    rows = built.query(
        "select car_park, value_status, status_reason, count(*)::int, count(free)::int, count(occupancy_share)::int "
        "from marts.mart_parking_hour where hour_local::date in ('2024-11-04', '2026-10-26') group by all order by all"
    )
    # 2024-11-04 is cut at 08:10: 15 hours are missing. On 2026-10-26 the hour from 11:00 is.
    assert rows == [
        ("Busparkplatz (synthetisch)", "missing", "missing", 16, 0, 0),
        ("Busparkplatz (synthetisch)", "missing", "no_signal", 23, 0, 0),
        ("Busparkplatz (synthetisch)", "unreliable", "zero_closed_or_full", 9, 0, 0),
        (HALL, "measured", None, 32, 32, 23),
        (HALL, "missing", "missing", 16, 0, 0),
        ("PH Musterkreuz (synthetisch)", "missing", "closed", 23, 0, 0),
        ("PH Musterkreuz (synthetisch)", "missing", "missing", 16, 0, 0),
        ("PH Musterkreuz (synthetisch)", "unreliable", "zero_closed_or_full", 9, 0, 0),
        # Cut in the morning, nobody can tell that it stands still.
        ("PH Standbild (synthetisch)", "measured", None, 9, 9, 0),
        ("PH Standbild (synthetisch)", "missing", "missing", 16, 0, 0),
        ("PH Standbild (synthetisch)", "unreliable", "frozen_value", 23, 23, 0),
        (SQUARE, "measured", None, 15, 15, 13),
        (SQUARE, "missing", "closed", 10, 0, 0),
        (SQUARE, "missing", "missing", 16, 0, 0),
        (SQUARE, "unreliable", "zero_closed_or_full", 7, 0, 0),
        ("TG Neubau (synthetisch)", "measured", None, 23, 23, 23),
        ("TG Neubau (synthetisch)", "missing", "missing", 1, 0, 0),
    ]


def test_a_full_car_park_is_full_with_marks_and_without(built: Built) -> None:
    # From 13:00 on every third reading is full, the others say 2: before 2025 as zeros between small numbers.
    rows = built.query(
        "select hour_local::text, free, readings_counted, value_status from marts.mart_parking_hour "
        f"where car_park = '{SQUARE}' and hour_local in ('2023-03-26 13:00:00', '2026-10-24 13:00:00') order by 1"
    )
    assert [row[0] for row in rows] == ["2023-03-26 13:00:00", "2026-10-24 13:00:00"]
    assert [row[1:] for row in rows] == [(pytest.approx(8 * 2 / 12), 12, "measured")] * 2


def test_places_are_known_from_the_first_file_that_tells_them(built: Built) -> None:
    rows = built.query(
        "select year(hour_local)::int, capacity_source_status, capacity, count(occupancy_share) > 0 "
        f"from marts.mart_parking_hour where car_park = '{HALL}' group by all order by 1"
    )
    assert rows == [*((year, "not_told", None, False) for year in (2019, 2021, 2023, 2024)), (2026, "told", 740, True)]
    assert built.query(
        "select ags, location_precision, capacity, capacity_date::text, first_reading_at::text, days_with_readings "
        f"from marts.dim_car_park where car_park = '{HALL}'"
    ) == [("05515000", "municipality", 740, "2026-10-26", "2019-08-20 15:00:00+00", 7)]


def test_findings_say_what_is_odd(built: Built) -> None:
    rows = built.query(
        "select site_id, code, first_date::text, last_date::text, amount, reference_amount "
        f"from intermediate.int_parking_finding where site_id in ('{HALL}', 'PH Standbild (synthetisch)') order by all"
    )
    assert rows == [
        (HALL, "day_cut", "2024-11-04", "2024-11-04", 15, 24),
        # From 17:20 to 22:00 nobody listened, nor before 17:00.
        (HALL, "gap", "2019-08-20", "2019-08-20", 21, 24),
        (HALL, "gap", "2026-10-26", "2026-10-26", 1, 24),
        ("PH Standbild (synthetisch)", "day_cut", "2024-11-04", "2024-11-04", 15, 24),
        ("PH Standbild (synthetisch)", "frozen_value", "2021-10-31", "2023-03-26", 48, 48),
        ("PH Standbild (synthetisch)", "frozen_value", "2026-10-24", "2026-10-26", 72, 73),
        ("PH Standbild (synthetisch)", "gap", "2019-08-20", "2019-08-20", 21, 24),
        ("PH Standbild (synthetisch)", "gap", "2026-10-26", "2026-10-26", 1, 24),
    ]


# -- air quality -----------------------------------------------------------------------------------------------------


def told_hours(station: str, component: int) -> dict[datetime, float]:
    """Beginning of the hour in CET to its value, as the API's answers of September say."""
    found: dict[datetime, float] = {}
    for answer in air_quality.answers():
        if f"/{station}/2026-09" in answer.place:
            for begin, (_, _, _, *entries) in json.loads(answer.body)["data"][station].items():
                found |= {datetime.fromisoformat(begin): value for id_, value, *_ in entries if id_ == component}
    return found


def days_of(built: Built, station: str, component: str) -> dict[date, tuple[Any, ...]]:
    rows = built.query(
        "select date, mean_ug_m3, max_hour_ug_m3, max_8_hour_mean_ug_m3, hours_measured, is_above_limit, status_reason "
        f"from marts.mart_air_quality_day where station_id = '{station}' and component = '{component}' "
        "and date between '2026-09-01' and '2026-09-30'"
    )
    return {day: values for day, *values in rows}


def test_the_days_mean_of_dust_is_the_floating_one_at_midnight(built: Built) -> None:
    told = told_hours("1303", 1)
    days = days_of(built, "DENW260", "pm10")
    assert len(days) == 30
    for day, (mean, max_hour, eight, hours, above, reason) in days.items():
        midnight = told.get(datetime(day.year, day.month, day.day, 23))  # noqa: DTZ001  CET
        assert (mean, max_hour, eight) == (midnight, None, None)
        assert (above, reason) == ((None, "no_mean_at_midnight") if midnight is None else (midnight > 50, None))
        assert hours == sum(hour.date() == day for hour in told)
    # 23:00 in CET is 22:00 of UTC.
    assert days[date(2026, 9, 14)][-1] == "no_mean_at_midnight"


def test_ozone_is_judged_by_its_highest_mean_of_eight_hours(built: Built) -> None:
    told = told_hours("1140", 3)
    days = days_of(built, "DENW095", "o3")
    for day, (_, _, eight, _, above, _) in days.items():
        # The first day of the file reaches back into nothing.
        means = []
        for hour in range(24):
            end = datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001  CET
            values = [told[end - timedelta(hours=back)] for back in range(8) if end - timedelta(hours=back) in told]
            means += [sum(values) / len(values)] if len(values) >= 6 else []
        expected = max(means) if len(means) >= 18 else None
        assert eight == (None if expected is None else pytest.approx(expected)), day
        assert above == (None if expected is None else expected > 120), day
    assert [day for day, row in days.items() if row[4]] == [date(2026, 9, 5)]
    # Half a day without power: twelve hours are left, and fewer means of eight.
    assert days[date(2026, 9, 11)][2:] == [None, 12, None, "too_few_hours"]


def test_a_mean_of_hours_needs_eighteen_of_them(built: Built) -> None:
    told = told_hours("1140", 5)
    for day, (mean, max_hour, _, hours, above, reason) in days_of(built, "DENW095", "no2").items():
        values = [value for hour, value in told.items() if hour.date() == day]
        assert (hours, max_hour, above, reason) == (len(values), max(values), False, None)
        assert mean == pytest.approx(sum(values) / len(values))


def test_what_a_station_never_measures_is_a_blank_with_its_reason(built: Built) -> None:
    # The API leaves such components out, so that the street has none of them; the archive has a dash.
    assert days_of(built, "DENW260", "o3") == {}
    assert (
        built.query(
            "select distinct code, site_id, channel_id from intermediate.int_air_quality_finding where code <> 'gap'"
        )
        == []
    )


def test_days_of_the_archive_where_clocks_change_have_24_hours_of_cet(built: Built) -> None:
    rows = built.query(
        "select date::text, hours_measured, status_reason from marts.mart_air_quality_day where station_id = 'DENW095' "
        "and component = 'no2' and date in ('2023-03-26', '2023-10-29') order by 1"
    )
    assert rows == [("2023-03-26", 24, None), ("2023-10-29", 24, None)]


def test_marts_are_the_same_in_whatever_order_and_under_whatever_names_files_come(
    built: Built, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # A file's name is its content hash here: other names sort the files and their rows in another order.
    files = [
        File(file.source_id, f"{99 - place}-{file.name}", file.content) for place, file in enumerate(sample_files())
    ]
    again = build_places(tmp_path_factory.mktemp("again"), reversed(files))
    for table in (
        *("marts.mart_parking_hour", "marts.dim_car_park", "marts.mart_air_quality_day"),
        *("intermediate.int_parking_finding", "intermediate.int_air_quality_finding"),
    ):
        query = f"select * from {table} order by all"
        assert again.query(query) == built.query(query), table
