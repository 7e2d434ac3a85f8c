"""Every connector with named columns tells which came, went or were renamed; `freeze` keeps the former snapshot."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from connectors.catalogue import Source, load_source
from connectors.landing import Landing
from connectors.parsing import ParseSummary, parse_source
from muensterland.sample import (
    accidents,
    air_quality,
    bast,
    demand,
    eco_visio,
    energy,
    itnrw,
    market,
    mobility,
    monitor,
    motor_traffic,
    municipal,
    parking,
    registers,
    territory,
    transit,
)
from muensterland.sample import mastr as mastr_register
from muensterland.sample.generate import generate
from muensterland.settings import REPOSITORY
from tests.connectors.conftest import AS_OF, Land, source_of

Edit = Callable[[bytes], bytes]
SCHOOL, DEVICE, READING, REGISTER = "school", "charging_station", "count_reading", "municipality_register"
CENSUS = ".answers/ergebnisse.zensus2022.de/api/rest/2020/1000A-0000.zip"


def text(old: str, new: str, encoding: str = "utf-8") -> Edit:
    """Replace a text wherever it stands."""

    def edit(content: bytes) -> bytes:
        before = content.decode(encoding)
        assert old in before
        return before.replace(old, new).encode(encoding)

    return edit


def zipped(change: Callable[[dict[str, bytes]], Mapping[str, bytes]]) -> Edit:
    """Change the members of a zip."""

    def edit(content: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, member in change(members).items():
                archive.writestr(zipfile.ZipInfo(name), member)
        return packed.getvalue()

    return edit


def member(suffix: str, edit: Edit) -> Edit:
    """Change the one member whose name ends so."""

    def change(members: dict[str, bytes]) -> dict[str, bytes]:
        (name,) = [name for name in members if name.endswith(suffix)]
        return {**members, name: edit(members[name])}

    return zipped(change)


def without(name: str) -> Edit:
    return zipped(lambda members: {key: member for key, member in members.items() if key != name})


def cell(place: str, value: str) -> Edit:
    """Change a cell of the sheet that holds the municipalities."""

    def edit(content: bytes) -> bytes:
        workbook = openpyxl.load_workbook(io.BytesIO(content))
        (sheet,) = [sheet for sheet in workbook if str(sheet["A1"].value).startswith("Gemeinden in Deutschland")]
        sheet[place] = value
        changed = io.BytesIO()
        workbook.save(changed)
        return changed.getvalue()

    return edit


def dbf_field(old: str, new: str) -> Edit:
    """Rename a field in the header of a dBase file, where it takes 11 bytes."""

    def edit(content: bytes) -> bytes:
        name = old.encode().ljust(11, b"\0")
        assert content.count(name) == 1
        return content.replace(name, new.encode().ljust(11, b"\0"))

    return edit


@dataclass(frozen=True)
class Publisher:
    """A file of the sample and how it is read."""

    connector: str
    address: str
    options: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def partition(self) -> str:
        return "/".join(["file", *(f"{key}={value}" for key, value in self.values.items())])

    def source(self, drift: str) -> Source:
        partitions = {key: [value] for key, value in self.values.items()}
        url = "/".join(["https://town.example/file", *(f"{{{key}}}" for key in partitions)])
        # Only columns are looked at here.
        guards = {"size_ratio": "off", "record_ratio": "off"}
        file = {
            "connector": self.connector,
            "url": url,
            "options": self.options,
            "partitions": partitions,
            "guards": guards,
        }
        return source_of({"file": file}, drift=drift)


def declared(source_id: str, resource: str = "readings") -> Mapping[str, Any]:
    """How the project's own source reads its files."""
    return load_source(REPOSITORY / "data/sources" / f"{source_id}.yml").resources[resource].options


SCHOOLS = Publisher("schools_nrw", registers.SCHOOLS)
CHARGING = Publisher("charging_register", energy.CHARGING)
DIRECTORY = Publisher("municipality_directory", territory.REGISTER)
BOUNDARIES = Publisher("bkg_boundaries", territory.BOUNDARIES)
FEED = Publisher("gtfs", transit.OPERATOR)
SITES = Publisher("eco_counter_sites", f"{mobility.BASE}/site_min.json")
READINGS = Publisher(
    "count_table",
    f"{mobility.BASE}/900000001/2026-01.csv",
    declared("muenster-bicycle-counters"),
    {"station": "900000001"},
)
JUNCTIONS = Publisher("count_site_table", motor_traffic.JUNCTIONS, declared("muenster-motor-traffic", "junctions"))
STATISTIC = Publisher("genesis_ffcsv", CENSUS, {"table_code": "1000A-0000"})
DESCRIPTION = Publisher("genesis_metadata", CENSUS.replace(".zip", ".json"))
INCOME = Publisher("itnrw_table", itnrw.INCOME, declared("it-nrw", "disposable-income"))
MASTR = Publisher("mastr_export", mastr_register.EXPORT, {"technologies": ["hydro"]})
ACCIDENTS = Publisher("accident_atlas", f"{accidents.FOLDER}/Unfallorte2024_EPSG25832_CSV.zip", values={"year": "2024"})
COUNTERS = Publisher("eco_visio_sites", eco_visio.LIST)
STATIONS = Publisher("bast_stations", bast.LIST)
GOALS = Publisher("monitor_yaml", f"{monitor.OWN}/muenster.yml")
GOAL_SHEETS = Publisher("monitor_workbook", f"{monitor.OWN}/borken.xlsx")
LAND = Publisher(
    "statistic_table", f"{monitor.LOCALZERO}/area/2021.csv", declared("localzero-statistics", "area"), {"year": "2021"}
)
HOURS = Publisher("bast_hours", f"{bast.HOURS}/2025/zst95001.zip", values={"station": "95001", "year": "2025"})
PARKING = Publisher("parking_table", f"{parking.BASE}/2026-10-24.csv", declared("muenster-parking"))
AIR = Publisher(
    "uba_air_quality_csv",
    f"{air_quality.ARCHIVE}/luftqualitaet_muenster_2022-01-01_2024-01-01_station1140.csv",
    declared("muenster-air-quality"),
)

DOWNLOAD = Publisher("smard_download", market.DOWNLOAD)
SERIES = Publisher("municipal_series", demand.SERIES, {"areas": {"Münster, Gesamtstadt": "05515000"}})
OWN_PROFILE = Publisher(
    "load_profile_csv",
    demand.OPERATOR_CSV,
    {"time": "Zeit", "profiles": {"h": "Haushalt"}, "unit": "W", "normalised_to_kwh": 1000.0}
    | {"season": "Jahreszeit", "day_type": "Tag"},
)
CONTAINERS = Publisher(
    "table",
    f"{municipal.AWM}/awm-glascontainer-combined.csv",
    {
        **declared("muenster-recycling-containers", "glass"),
        "columns": {
            **declared("muenster-recycling-containers", "glass")["columns"],
            "facility_id": {"digest": ["Standort"]},
        },
    },
)

# publisher, what it changes, what is told: (change, table, column)
REPORTED = {
    "schools-vanished": (
        SCHOOLS,
        text("Homepage;", "Bemerkung;"),
        {("missing", SCHOOL, "Homepage"), ("new", SCHOOL, "Bemerkung")},
    ),
    "schools-renamed": (
        SCHOOLS,
        text("Faxvorwahl;", "Fax-Vorwahl;"),
        {("new", SCHOOL, "Fax-Vorwahl"), ("renamed", SCHOOL, "Faxvorwahl -> Fax-Vorwahl")},
    ),
    "charging-renamed": (
        CHARGING,
        text("Adresszusatz;", "Adress-Zusatz;"),
        {("new", DEVICE, "Adress-Zusatz"), ("renamed", DEVICE, "Adresszusatz -> Adress-Zusatz")},
    ),
    "charging-vanished": (
        CHARGING,
        text("Public Key4", "EVSE-ID4"),
        {("missing", DEVICE, "Public Key4"), ("new", DEVICE, "EVSE-ID4")},
    ),
    "charging-spelt-as-before": (
        CHARGING,
        text("Art der Ladeeinrichung", "Art der Ladeeinrichtung"),
        {("renamed", DEVICE, "Art der Ladeeinrichung -> Art der Ladeeinrichtung")},
    ),
    "directory-new": (DIRECTORY, cell("U3", "Höhe m"), {("new", REGISTER, "Höhem")}),
    "boundaries-vanished": (
        BOUNDARIES,
        member(".dbf", dbf_field("IBZ", "XYZ")),
        {("missing", "municipality_boundary", "IBZ"), ("new", "municipality_boundary", "XYZ")},
    ),
    "gtfs-vanished": (
        FEED,
        member("stops.txt", text("stop_code", "zone_id")),
        {("missing", "gtfs_stops", "stop_code"), ("new", "gtfs_stops", "zone_id")},
    ),
    "gtfs-renamed": (
        FEED,
        member("trips.txt", text("trip_headsign", "trip_headsigns")),
        {("new", "gtfs_trips", "trip_headsigns"), ("renamed", "gtfs_trips", "trip_headsign -> trip_headsigns")},
    ),
    "gtfs-file-vanished": (FEED, without("feed_info.txt"), None),
    "gtfs-file-new": (
        FEED,
        zipped(lambda members: {**members, "levels.txt": b"level_id\n"}),
        {("new", "gtfs_feed_info", "file:levels.txt")},
    ),
    "sites-renamed": (
        SITES,
        text('"start"', '"starts"'),
        {("renamed", "count_site", "start -> starts")},
    ),
    "readings-relabelled": (
        READINGS,
        text("(FR stdteinwärts)", "(FR stadteinwärts)"),
        {("renamed", READING, "901000001 (FR stdteinwärts) -> 901000001 (FR stadteinwärts)")},
    ),
    "junctions-renamed": (
        JUNCTIONS,
        text(",Technik,", ",Techniken,"),
        {("new", "count_location", "Techniken"), ("renamed", "count_location", "Technik -> Techniken")},
    ),
    "readings-vanished": (
        READINGS,
        text(",902000001-status", ",Bemerkung"),
        {("missing", READING, "902000001-status"), ("new", READING, "Bemerkung")},
    ),
    "statistic-renamed": (
        STATISTIC,
        member("_flat.csv", text("time_label", "time_labels")),
        {
            ("new", "statistic_value", "time_labels"),
            ("renamed", "statistic_value", "time_label -> time_labels"),
        },
    ),
    "download-vanished": (
        DOWNLOAD,
        text("Wasserkraft [MWh]", "Gezeiten [MWh]"),
        {
            ("new", "market_reading", "Gezeiten [MWh] Originalauflösungen"),
            (
                *("renamed", "market_reading"),
                "Wasserkraft [MWh] Originalauflösungen -> Gezeiten [MWh] Originalauflösungen",
            ),
        },
    ),
    "series-renamed": (
        SERIES,
        text("DATEINAME", "DATEINAMEN"),
        {
            ("new", "municipal_series_value", "DATEINAMEN"),
            ("renamed", "municipal_series_value", "DATEINAME -> DATEINAMEN"),
        },
    ),
    "own-profile-renamed": (
        OWN_PROFILE,
        text(";Gewerbe", ";Gewerbe-"),
        {("renamed", "load_profile_value", "Gewerbe -> Gewerbe-")},
    ),
    "description-renamed": (
        DESCRIPTION,
        text('"Valid"', '"Valids"'),
        {("renamed", "statistic_table", "Valid -> Valids")},
    ),
    "mastr-renamed": (
        MASTR,
        member("EinheitenWasser.xml", text("DatumLetzteAktualisierung>", "DatumLetzteAktualisierungen>", "utf-16")),
        {
            ("renamed", "energy_unit", "DatumLetzteAktualisierung -> DatumLetzteAktualisierungen"),
        },
    ),
    "mastr-vanished": (
        MASTR,
        member("EinheitenWasser.xml", text("Postleitzahl>", "Zustellort>", "utf-16")),
        {("missing", "energy_unit", "Postleitzahl"), ("new", "energy_unit", "Zustellort")},
    ),
    "accidents-new": (
        ACCIDENTS,
        member(".csv", text("PLST", "UORT")),
        {("missing", "accident", "PLST"), ("new", "accident", "UORT")},
    ),
    "accidents-goods-vehicles-vanished": (
        ACCIDENTS,
        member(".csv", text("IstGkfz", "Lieferung")),
        {("missing", "accident", "IstGkfz"), ("new", "accident", "Lieferung")},
    ),
    "accidents-spelt-as-before": (
        ACCIDENTS,
        member(".csv", text("IstSonstige", "IstSonstig")),
        {("renamed", "accident", "IstSonstige -> IstSonstig")},
    ),
    "counters-renamed": (
        COUNTERS,
        text('"debut":', '"debuts":'),
        {("renamed", "count_site", "debut -> debuts")},
    ),
    "land-renamed": (
        LAND,
        text("water_total", "waters_total"),
        {("new", "statistic_value", "waters_total"), ("renamed", "statistic_value", "water_total -> waters_total")},
    ),
    "stations-vanished": (
        STATIONS,
        text("Str_Nr", "Netzknoten", "latin-1"),
        {("missing", "count_site", "Str_Nr"), ("new", "count_site", "Netzknoten")},
    ),
    "car-park-renamed": (
        PARKING,
        text("PH Beispielhof", "TG Beispielhof"),
        {("renamed", "parking_reading", "PH Beispielhof (synthetisch) -> TG Beispielhof (synthetisch)")},
    ),
    "air-index-renamed": (
        AIR,
        text("Air quality index", "Index of air quality"),
        {
            ("new", "air_quality_reading", "Index of air quality"),
            ("renamed", "air_quality_reading", "Air quality index -> Index of air quality"),
        },
    ),
    "containers-renamed": (
        CONTAINERS,
        text("Containertyp,Stadtteil,Standort", "Containertyp,Stadtteile,Standort"),
        {("renamed", "facility", "Stadtteil -> Stadtteile")},
    ),
    "hours-vanished": (
        HOURS,
        member(".csv", text("Fahrtzw", "Ferien")),
        {("missing", READING, "Fahrtzw"), ("new", READING, "Ferien")},
    ),
    "mastr-file-vanished": (
        MASTR,
        without("Katalogkategorien.xml"),
        {("missing", "energy_unit", "file:Katalogkategorien")},
    ),
}
# A column that must be there refuses the snapshot anyway; what it is called now is told as well.
REFUSED = {
    "readings": (READINGS, text("Datetime,", "Date-Time,"), (READING, "Datetime -> Date-Time")),
    "junctions": (JUNCTIONS, text(",Long", ",Longs"), ("count_location", "Long -> Longs")),
    "series": (SERIES, text("MERKMAL", "MERKMALE"), ("municipal_series_value", "MERKMAL -> MERKMALE")),
    "own-profile": (OWN_PROFILE, text(";Haushalt", ";Haushalte"), ("load_profile_value", "Haushalt -> Haushalte")),
    "schools": (SCHOOLS, text("Schulform;", "Schulformen;"), (SCHOOL, "Schulform -> Schulformen")),
    "charging": (CHARGING, text(";Ort;", ";Orte;"), (DEVICE, "Ort -> Orte")),
    "directory": (DIRECTORY, cell("P4", "Breiten-grade"), (REGISTER, "Breitengrad -> Breitengrade")),
    "boundaries": (BOUNDARIES, member(".dbf", dbf_field("GEN", "GENN")), ("municipality_boundary", "GEN -> GENN")),
    "accidents": (ACCIDENTS, member(".csv", text("UMONAT", "UMONATE")), ("accident", "UMONAT -> UMONATE")),
    "parking": (
        PARKING,
        text("Datum und Uhrzeit", "Datum und Zeit"),
        ("parking_reading", "Datum und Uhrzeit -> Datum und Zeit"),
    ),
    "air": (
        AIR,
        text("Ozone (O₃) One hour average in µg/m³", "Ozone (O₃) Hourly average in µg/m³"),
        (
            "air_quality_reading",
            "Ozone (O₃) One hour average in µg/m³ -> Ozone (O₃) Hourly average in µg/m³",
        ),
    ),
    "containers": (CONTAINERS, text("Longitude", "Longitudes"), ("facility", "Longitude -> Longitudes")),
    "stations": (STATIONS, text("DZ_Name", "DZ_Namen", "latin-1"), ("count_site", "DZ_Name -> DZ_Namen")),
    "hours": (HOURS, member(".csv", text(";Stunde;", ";Stunden;")), (READING, "Stunde -> Stunden")),
    "land": (LAND, text("land_total", "lands_total"), ("statistic_value", "land_total -> lands_total")),
    "goals": (
        GOALS,
        text("    target_value:", "    target_values:"),
        ("goal", "target_value -> target_values"),
    ),
    "goal-sheets": (
        GOAL_SHEETS,
        member("sheet1.xml", text("target_value", "target_values")),
        ("goal", "target_value -> target_values"),
    ),
    "income": (
        INCOME,
        text("je Einwohner/-in", "je Einwohner", "latin-1"),
        (
            "statistic_value",
            "Verfügbares Einkommen - je Einwohner/-in -> Verfügbares Einkommen - je Einwohner",
        ),
    ),
    "gtfs": (FEED, member("trips.txt", text("service_id", "service_ids")), ("gtfs_trips", "service_id -> service_ids")),
    "statistic": (
        STATISTIC,
        member("_flat.csv", text("value_unit", "value_units")),
        ("statistic_value", "value_unit -> value_units"),
    ),
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("publishers")
    generate(folder)
    return folder


@dataclass(frozen=True)
class Home:
    landing: Landing
    staged: Path
    sample: Path
    land: Land

    def ingest(self, publisher: Publisher, edit: Edit, drift: str) -> tuple[str, ParseSummary]:
        """Two snapshots, the second as edited; returns the sha256 of the first and what parsing came to."""
        content = (self.sample / publisher.address).read_bytes()
        name = Path(publisher.address).name
        first = self.land(publisher.partition, content, name=name)
        assert parse_source(publisher.source(drift), self.landing, self.staged).refused == 0
        self.land(publisher.partition, edit(content), AS_OF + timedelta(days=1), name=name)
        return first, parse_source(publisher.source(drift), self.landing, self.staged)

    @property
    def in_force(self) -> str:
        (row,) = pq.ParquetFile(self.staged / "snapshot_in_force" / "town.parquet").read().to_pylist()
        return str(row["snapshot_sha256"])

    def told(self, first: str) -> set[tuple[str, str, str]]:
        """(change, table, column) of the second snapshot, by itself and against the first."""
        rows: list[dict[str, Any]] = []
        for place in (self.staged / "column_drift").rglob("*.parquet"):
            rows += pq.ParquetFile(place).read().to_pylist()
        own = {
            (row["change"], row["table_name"], " -> ".join(filter(None, (row["former_name"], row["column_name"]))))
            for row in rows
            if row["snapshot_sha256"] != first
        }
        compared = pq.ParquetFile(self.staged / "snapshot_finding" / "town.parquet").read().to_pylist()
        return own | {(row["code"].split("_")[1], row["table_name"], row["subject"]) for row in compared}


@pytest.fixture
def home(landing: Landing, sample: Path, land: Land, tmp_path: Path) -> Home:
    return Home(landing, tmp_path / "staged", sample, land)


@pytest.mark.parametrize(("publisher", "edit", "expected"), REPORTED.values(), ids=REPORTED)
def test_a_changed_column_is_reported(
    home: Home, publisher: Publisher, edit: Edit, expected: set[tuple[str, str, str]] | None
) -> None:
    first, summary = home.ingest(publisher, edit, "report")
    assert summary.refused == 0, summary.errors
    assert home.in_force != first
    told = home.told(first)
    if expected is None:
        # With the file its columns are gone as well.
        assert ("missing", "gtfs_feed_info", "file:feed_info.txt") in told
        assert ("missing", "gtfs_feed_info", "feed_version") in told
    else:
        assert told == expected


@pytest.mark.parametrize(
    ("publisher", "edit"), [(publisher, edit) for publisher, edit, _ in REPORTED.values()], ids=REPORTED
)
def test_a_changed_column_is_refused_where_the_source_is_frozen(home: Home, publisher: Publisher, edit: Edit) -> None:
    first, summary = home.ingest(publisher, edit, "freeze")
    assert summary.refused == 1
    assert "town.yml says drift: freeze" in summary.errors[0]
    assert home.in_force == first


@pytest.mark.parametrize(("publisher", "edit", "renamed"), REFUSED.values(), ids=REFUSED)
def test_a_required_column_that_was_renamed_refuses_and_is_named(
    home: Home, publisher: Publisher, edit: Edit, renamed: tuple[str, str]
) -> None:
    first, summary = home.ingest(publisher, edit, "report")
    assert summary.refused == 1
    assert home.in_force == first
    assert ("renamed", *renamed) in home.told(first)
