"""The publishers' own files of market, load profiles, municipal series and charging points: plain counts and sums.

Every expected figure is counted here straight from the files, with the standard library.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.region import region
from connectors.registry import connector
from connectors.staging import StagedWriter

pytestmark = pytest.mark.real
SHA = "a" * 64
BERLIN = ZoneInfo("Europe/Berlin")
DOWNLOAD = Path("energy/smard-realisierte-erzeugung-2020-2021/Realisierte_Erzeugung_Strommix.csv")
MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)


def parse(
    tmp_path: Path, name: str, path: Path, partition: dict[str, str] | None = None, **options: Any
) -> tuple[StagedWriter, list[dict[str, Any]]]:
    with StagedWriter(tmp_path / "staged", "source", SHA, "1-x") as out:
        connector(name).parse(Snapshot("source", path, SHA, partition or {}), out, region(), **options)
        out.close()
    place = out.file_of(connector(name).tables[0].name)
    return out, pq.ParquetFile(place).read().to_pylist()


def test_the_download_has_a_row_per_quarter_hour_and_its_sums(tmp_path: Path, real: Path) -> None:
    out, rows = parse(tmp_path, "smard_download", real / DOWNLOAD)
    with (real / DOWNLOAD).open(encoding="utf-8-sig") as stream:
        header, *lines = csv.reader(stream, delimiter=";")
    assert out.drifted == []
    assert len(rows) == len(lines) * 12 == 286_800
    found: Counter[str] = Counter()
    for row in rows:
        found[row["series"]] += int(row["value"])
    for title, series in (("Biomasse", "biomass"), ("Photovoltaik", "solar"), ("Wind Onshore", "wind_onshore")):
        place = header.index(f"{title}[MWh]")
        # The file has whole MWh; dots group thousands.
        assert found[f"generation_{series}"] == sum(int(line[place].replace(".", "")) for line in lines), title


def test_the_downloads_spring_day_has_92_quarter_hours_and_none_is_doubled(tmp_path: Path, real: Path) -> None:
    _, rows = parse(tmp_path, "smard_download", real / DOWNLOAD)
    starts = [row["interval_start_at"] for row in rows if row["series"] == "generation_solar"]
    assert len(set(starts)) == len(starts) == 23_900
    days = Counter(at.astimezone(BERLIN).date() for at in starts)
    assert {day: count for day, count in days.items() if count != 96} == {date(2021, 3, 28): 92}
    steps = {later - at for at, later in pairwise(starts)}
    assert steps == {timedelta(minutes=15)}


def test_the_charts_say_what_the_download_says(tmp_path: Path, real: Path) -> None:
    """The stand-in's four series are the real download: the same instants, the same values."""
    _, rows = parse(tmp_path, "smard_download", real / DOWNLOAD)
    by_series: dict[str, dict[datetime, float]] = defaultdict(dict)
    for row in rows:
        by_series[row["series"]][row["interval_start_at"]] = row["value"]
    for number, series in (("1223", "lignite"), ("4066", "biomass"), ("4067", "wind_onshore"), ("4068", "solar")):
        folder = real / "standin" / "smard" / number / "DE"
        asked = {"series": number, "region": "DE", "resolution": "quarterhour"}
        charted: dict[datetime, float] = {}
        for path in sorted(folder.glob(f"{number}_*.json")):
            _, found = parse(tmp_path / path.stem, "smard_chart", path, asked)
            charted |= {row["interval_start_at"]: row["value"] for row in found}
        assert charted == by_series[f"generation_{series}"], series
        index = folder / "index_quarterhour.json"
        _, files = parse(tmp_path / f"index{number}", "smard_index", index, asked)
        assert len(files) == len(json.loads(index.read_bytes())["timestamps"]) == len(list(folder.glob("[0-9]*.json")))


def test_hourly_prices_keep_their_negatives_over_both_clock_changes(tmp_path: Path, real: Path) -> None:
    """The cleaned prices of 2024 (ct/kWh, with zones), written as the download centre would: EUR/MWh, local time."""
    with (real / "energy/smard-utils-prices-lu/2024-hour-price.csv").open(encoding="utf-8") as stream:
        told = list(csv.DictReader(stream))
    instants = []
    for row in told:
        local = datetime.strptime(f"{row['sdate']} {row['stimestart']}", "%d.%m.%Y %H:%M")  # noqa: DTZ007 - with its zone below
        instants.append((local - timedelta(hours=2 if row["zone_start"] == "CEST" else 1)).replace(tzinfo=UTC))
    lines = [
        f"{row['sdate']};{row['stimestart']};{float(row['price']) * 10:.2f}".replace(".", ",").replace(
            row["sdate"].replace(".", ","), row["sdate"]
        )
        for row in told
    ]
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(["Datum;Uhrzeit;Deutschland/Luxemburg [€/MWh]", *lines]) + "\n", encoding="utf-8")
    options = {"resolution": "hour", "market_region": "DE-LU"}
    _, rows = parse(tmp_path, "smard_download", path, **options)
    found = {row["interval_start_at"]: row["value"] for row in rows}
    assert found == {at: round(float(row["price"]) * 10, 2) for at, row in zip(instants, told, strict=True)}
    assert sum(value < 0 for value in found.values()) == sum(row["price"].startswith("-") for row in told) > 400
    days = Counter(at.astimezone(BERLIN).date() for at in found)
    assert (days[date(2024, 3, 31)], days[date(2024, 10, 27)]) == (23, 25)


@pytest.mark.parametrize("profile", ["h25", "g25", "l25", "p25", "s25"])
def test_profiles_of_the_bdew_are_a_million_kwh_a_year(tmp_path: Path, real: Path, profile: str) -> None:
    path = real / "energy/bdew-standardlastprofile" / f"{profile}.csv"
    out, rows = parse(tmp_path, "load_profile_bdew", path, {"profile": profile})
    with path.open(encoding="utf-8") as stream:
        months, kinds, *lines = csv.reader(stream)
    assert out.drifted == []
    assert len(rows) == 96 * 36
    plain = {
        (MONTHS.index(month) + 1, kind): sum(float(line[place]) for line in lines)
        for place, (month, kind) in enumerate(zip(months, kinds, strict=True))
        if month
    }
    codes = {"weekday": "WT", "saturday": "SA", "sunday_or_public_holiday": "FT"}
    found: dict[tuple[int, str], float] = defaultdict(float)
    for row in rows:
        found[row["month"], codes[row["day_type"]]] += row["value"]
    assert found == pytest.approx(plain)
    # 2023 without holidays; P25 and S25 reach the million only with the function of the day that is laid over them.
    days = [date(2023, 1, 1) + timedelta(days=number) for number in range(365)]
    year = sum(found[day.month, "SA" if day.weekday() == 5 else "FT" if day.weekday() == 6 else "WT"] for day in days)
    assert year == pytest.approx(1e6, rel=0.02 if profile in ("h25", "g25", "l25") else 0.15)


@pytest.mark.parametrize("name", ["klimadata.csv", "05515000_csv_klimarelevante_daten.csv"])
def test_every_line_of_the_citys_series_is_staged(tmp_path: Path, real: Path, name: str) -> None:
    path = real / "energy/ms-klimadashboard" / name
    areas = {"Münster, Gesamtstadt": "05515000", "Stadt Münster": "05515000"}
    out, rows = parse(tmp_path, "municipal_series", path, areas=areas)
    with io.StringIO(path.read_bytes().decode(), newline="") as stream:
        header, *lines = csv.reader(stream, delimiter=";")
    value = header.index("WERT")
    assert len(rows) == len(lines)
    assert sum(row["value"] for row in rows) == pytest.approx(
        sum(float(line[value].replace(",", ".")) for line in lines)
    )
    assert {row["period"] for row in rows} == {line[header.index("ZEIT")] for line in lines}
    place = header.index("RAUM")
    assert sum(row["ags"] is not None for row in rows) == sum(line[place] in areas for line in lines)
    assert not any(letter in f"{row['series']}{row['unit']}" for row in rows for letter in "\x80\x85")
    assert out.accounts["municipal_series_value"].rejected == 0
    assert out.drifted == []


def test_fast_points_are_those_of_more_than_22_kw(tmp_path: Path, real: Path) -> None:
    path = real / "energy/ms-ladesaeulen-bnetza/ladesaeulen-muenster.csv"
    _, rows = parse(tmp_path, "charging_register", path)
    with path.open(encoding="utf-8", newline="") as stream:
        devices = list(csv.DictReader(stream, delimiter=";"))
    powers = [float(raw.replace(",", ".")) for each in devices for n in "1234" if (raw := each[f"P{n} [kW]"])]
    assert len(powers) == sum(row["charging_points"] for row in rows) == 321
    assert sum(row["fast_points"] for row in rows) == sum(power > 22 for power in powers) == 52
