from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import PayloadRefused, SnapshotRefused
from connectors.formats import gtfs
from connectors.region import BoundingBox, Region
from connectors.staging import Account, StagedWriter
from connectors.tables import KEY

REGION = Region(
    area_id="test",
    name_de="Test",
    name_en="Test",
    municipalities=0,
    bounding_box=BoundingBox(west=7.0, south=51.0, east=8.0, north=52.0),
    kreise=(),
    centres={},
)
FEED = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\n1,Stadtbus,http://bus.example,Europe/Berlin\n",
    "stops.txt": (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
        "P,Markt,51.5,7.5,1,\n"
        "A,Markt Steig 1,51.5,7.5,0,P\n"
        "B,Hafen,51.6,7.6,,\n"
    ),
    "routes.txt": "route_id,agency_id,route_short_name,route_long_name,route_type\nR,1,R5,,3\n",
    "trips.txt": "trip_id,route_id,service_id,direction_id\nT,R,S,0\n",
    "stop_times.txt": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type\nT,8:00:00,08:01:00,A,1,\nT,25:10:05,,B,2,1\n"
    ),
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "S,1,1,1,1,1,0,0,20240101,20241231\n"
    ),
}


class Parsed:
    """What a feed became: rows by table, rejections, drift, accounts."""

    def __init__(self, out: StagedWriter) -> None:
        self._out = out
        self.accounts = out.accounts
        self.drift = out.drifted

    def rows(self, table: str) -> list[dict[str, Any]]:
        file = self._out.file_of(table)
        return pq.ParquetFile(file).read().to_pylist() if file.exists() else []

    def column(self, table: str, name: str) -> list[Any]:
        return [row[name] for row in self.rows(table)]

    @property
    def rejected(self) -> list[tuple[str, int, str, str, str]]:
        return [
            (row["table_name"], row["record_number"], row["column_name"], row["raw_text"], row["reason"])
            for row in self.rows("rejected_row")
        ]


def pack(path: Path, feed: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in feed.items():
            archive.writestr(name, content)
    return path


def parse(tmp_path: Path, changes: dict[str, str | bytes | None], **options: Any) -> Parsed:
    feed = {name: content for name, content in {**FEED, **changes}.items() if content is not None}
    path = pack(tmp_path / "feed.zip", feed)
    with StagedWriter(tmp_path / "staged", "bus", "a" * 64, "1") as out:
        gtfs.parse(Snapshot("bus", path, "a" * 64), out, REGION, **options)
        out.close()
    return Parsed(out)


def test_a_plain_feed_is_staged_as_it_is(tmp_path: Path) -> None:
    parsed = parse(tmp_path, {})
    assert parsed.accounts["gtfs_stop_times"] == Account(read=2, staged=2)
    assert parsed.accounts["gtfs_stops"] == Account(read=3, staged=3)
    assert parsed.rejected == []
    assert parsed.drift == []
    first, second = parsed.rows("gtfs_stop_times")
    assert (first["trip_id"], first["stop_id"], first["stop_sequence"]) == ("T", "A", 1)
    assert (first["arrival_s"], first["departure_s"], first["pickup_type"]) == (28_800, 28_860, None)
    assert (second["arrival_s"], second["departure_s"], second["pickup_type"]) == (90_605, None, 1)
    assert second["drop_off_type"] is None
    (calendar,) = parsed.rows("gtfs_calendar")
    assert (calendar["monday"], calendar["sunday"]) == (True, False)
    assert (calendar["start_date"], calendar["end_date"]) == (date(2024, 1, 1), date(2024, 12, 31))
    assert parsed.column("gtfs_stops", "location_type") == [1, 0, None]
    assert parsed.column("gtfs_stops", "parent_station") == [None, "P", None]


def test_folder_macosx_byte_order_mark_crlf_and_column_order_do_not_matter(tmp_path: Path) -> None:
    feed = {f"feed/{name}": content.replace("\n", "\r\n") for name, content in FEED.items()}
    feed["feed/stops.txt"] = (
        '\ufeffstop_lon, stop_name,stop_id,stop_lat\r\n7.5,"Markt, ""Alt""",A,51.5\r\n7.6,"Hafen\r\nSüd",B,51.6\r\n'
    )
    changes: dict[str, str | bytes | None] = {**dict.fromkeys(FEED), **feed, "__MACOSX/feed/._stops.txt": "x"}
    parsed = parse(tmp_path, changes)
    assert parsed.column("gtfs_stops", "stop_id") == ["A", "B"]
    assert parsed.column("gtfs_stops", "stop_name") == ['Markt, "Alt"', "HafenSüd"]  # control characters go
    assert parsed.column("gtfs_stops", "stop_lat") == [51.5, 51.6]
    assert parsed.drift == []


@pytest.mark.parametrize(
    ("removed", "named"),
    [
        (["stop_times.txt"], "stop_times.txt"),
        (["agency.txt"], "agency.txt"),
        (["calendar.txt"], "calendar.txt or calendar_dates.txt"),
    ],
)
def test_a_feed_without_a_required_file_is_refused_by_name(tmp_path: Path, removed: list[str], named: str) -> None:
    with pytest.raises(SnapshotRefused, match=f"has no {named};"):
        parse(tmp_path, dict.fromkeys(removed))


def test_services_may_stand_in_calendar_dates_only(tmp_path: Path) -> None:
    dates = "service_id,date,exception_type\nS,20240229,1\nS,20230229,1\nS,20240229,2\n"
    parsed = parse(tmp_path, {"calendar.txt": None, "calendar_dates.txt": dates})
    assert parsed.column("gtfs_calendar_dates", "date") == [date(2024, 2, 29)]
    assert parsed.rejected == [
        ("gtfs_calendar_dates", 2, "date", "20230229", "not a date YYYYMMDD"),
        ("gtfs_calendar_dates", 3, "service_id date", "S 2024-02-29", "repeated key"),
    ]


def test_a_missing_required_column_is_drift_and_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "feed.zip", {**FEED, "trips.txt": "trip_id,route_id\nT,R\n"})
    with StagedWriter(tmp_path / "staged", "bus", "a" * 64, "1") as out:
        with pytest.raises(SnapshotRefused, match=r"trips\.txt has no column service_id"):
            gtfs.parse(Snapshot("bus", path, "a" * 64), out, REGION)
        assert out.drifted == [("gtfs_trips", "service_id", "missing")]


def test_only_what_the_reference_does_not_know_is_drift(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        {
            "agency.txt": FEED["agency.txt"]
            .replace("timezone\n", "timezone,agency_lang,mood\n")
            .replace("Berlin\n", "Berlin,de,good\n"),
            "pathways.txt": "pathway_id\nX\n",
            "weather.txt": "rain\nyes\n",
        },
    )
    assert parsed.drift == [("gtfs_agency", "mood", "new"), ("gtfs_feed_info", "file:weather.txt", "new")]
    assert "gtfs_feed_info" not in parsed.accounts


# Every column of the GTFS Schedule reference in the files that are staged (https://gtfs.org/documentation/schedule/
# reference/, read in November 2026), with a value that can be read.
WHOLE_REFERENCE = {
    "agency.txt": {
        **{"agency_id": "1", "agency_name": "Stadtbus", "agency_url": "http://bus.example"},
        **{
            "agency_timezone": "Europe/Berlin",
            "agency_lang": "de",
            "agency_phone": "0251 1",
            "agency_fare_url": "http://f",
        },
        **{"agency_email": "a@bus.example", "cemv_support": "2"},
    },
    "stops.txt": {
        **{"stop_id": "A", "stop_code": "a", "stop_name": "Markt", "tts_stop_name": "Maakt", "stop_desc": "am Brunnen"},
        **{"stop_lat": "51.5", "stop_lon": "7.5", "zone_id": "z", "stop_url": "http://s", "location_type": "0"},
        **{"parent_station": "", "stop_timezone": "Europe/Berlin", "wheelchair_boarding": "1", "level_id": "l"},
        **{"platform_code": "2", "stop_access": "1"},
    },
    "routes.txt": {
        **{
            "route_id": "R",
            "agency_id": "1",
            "route_short_name": "R5",
            "route_long_name": "Ring",
            "route_desc": "rund",
        },
        **{"route_type": "3", "route_url": "http://r", "route_color": "FF0000", "route_text_color": "FFFFFF"},
        **{"route_sort_order": "7", "continuous_pickup": "1", "continuous_drop_off": "2", "network_id": "n"},
        **{"cemv_support": "1"},
    },
    "trips.txt": {
        **{"route_id": "R", "service_id": "S", "trip_id": "T", "trip_headsign": "Hafen", "trip_short_name": "5"},
        **{"direction_id": "1", "block_id": "b", "shape_id": "X", "wheelchair_accessible": "1", "bikes_allowed": "2"},
        **{"cars_allowed": "2", "safe_duration_factor": "1.5", "safe_duration_offset": "2.5"},
    },
    "stop_times.txt": {
        **{"trip_id": "T", "arrival_time": "08:00:00", "departure_time": "08:01:00", "stop_id": "A"},
        **{"location_group_id": "g", "location_id": "o", "stop_sequence": "1", "stop_headsign": "Hafen"},
        **{"start_pickup_drop_off_window": "07:00:00", "end_pickup_drop_off_window": "26:00:00", "pickup_type": "0"},
        **{"drop_off_type": "1", "continuous_pickup": "1", "continuous_drop_off": "1", "shape_dist_traveled": "0.5"},
        **{"timepoint": "1", "pickup_booking_rule_id": "p", "drop_off_booking_rule_id": "d"},
    },
    "calendar.txt": {
        "service_id": "S",
        **dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "1"),
        **{"start_date": "20240101", "end_date": "20241231"},
    },
    "calendar_dates.txt": {"service_id": "S", "date": "20240501", "exception_type": "2"},
    "frequencies.txt": {
        **{"trip_id": "T", "start_time": "07:00:00", "end_time": "08:00:00", "headway_secs": "600", "exact_times": "1"}
    },
    "transfers.txt": {
        **{"from_stop_id": "A", "to_stop_id": "A", "from_route_id": "R", "to_route_id": "R", "from_trip_id": "T"},
        **{"to_trip_id": "T", "transfer_type": "2", "min_transfer_time": "180"},
    },
    "shapes.txt": {
        **{"shape_id": "X", "shape_pt_lat": "51.5", "shape_pt_lon": "7.5", "shape_pt_sequence": "1"},
        **{"shape_dist_traveled": "1e1"},
    },
    "feed_info.txt": {
        **{
            "feed_publisher_name": "Verbund",
            "feed_publisher_url": "http://v",
            "feed_lang": "de",
            "default_lang": "mul",
        },
        **{"feed_start_date": "20240101", "feed_end_date": "20241231", "feed_version": "7"},
        **{"feed_contact_email": "v@v", "feed_contact_url": "http://c"},
    },
    "attributions.txt": {
        **{"attribution_id": "1", "agency_id": "1", "route_id": "R", "trip_id": "T", "organization_name": "Verbund"},
        **{"is_producer": "1", "is_operator": "0", "is_authority": "1", "attribution_url": "http://a"},
        **{"attribution_email": "a@a", "attribution_phone": "1"},
    },
}


def test_every_column_of_the_reference_is_staged_and_typed(tmp_path: Path) -> None:
    feed = {name: f"{','.join(row)}\n{','.join(row.values())}\n" for name, row in WHOLE_REFERENCE.items()}
    parsed = parse(tmp_path, dict(feed))
    assert parsed.drift == []
    assert parsed.rejected == []
    for name, row in WHOLE_REFERENCE.items():
        (staged,) = parsed.rows(f"gtfs_{name.removesuffix('.txt')}")
        empty = {column for column, value in staged.items() if value is None}
        assert empty == ({"parent_station"} if name == "stops.txt" else set()), name
        derived = {"mode"} if name == "routes.txt" else set()
        columns = staged.keys() - KEY.names - derived
        assert len(columns) == len(row), "a column is staged that the reference does not have, or one is missing"
    (stop_time,) = parsed.rows("gtfs_stop_times")
    assert (stop_time["start_pickup_drop_off_window_s"], stop_time["end_pickup_drop_off_window_s"]) == (25_200, 93_600)
    assert parsed.rows("gtfs_transfers")[0]["min_transfer_time_s"] == 180
    assert parsed.rows("gtfs_shapes")[0]["shape_dist_traveled"] == 10.0
    assert parsed.rows("gtfs_attributions")[0]["is_operator"] is False


def test_a_cell_that_only_informs_costs_no_record_and_is_said(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        {
            "trips.txt": "trip_id,route_id,service_id,bikes_allowed,safe_duration_factor\n"
            "T,R,S,maybe,1\nU,R,S,1,fast\nV,R,S,never,2\n",
        },
    )
    assert parsed.column("gtfs_trips", "bikes_allowed") == [None, 1, None]
    assert parsed.column("gtfs_trips", "safe_duration_factor") == [1.0, None, 2.0]
    assert parsed.rejected == []
    told = [(row["column_name"], row["reason"], row["records"], row["example"]) for row in parsed.rows("unread_cell")]
    assert told == [
        ("bikes_allowed", "not a whole number", 2, "maybe"),
        ("safe_duration_factor", "not a number", 1, "fast"),
    ]


def test_an_informing_file_without_a_required_column_is_left_out_and_the_feed_stays(tmp_path: Path) -> None:
    parsed = parse(tmp_path, {"shapes.txt": "shape_id,shape_pt_lat\nX,51\nX,52\n"})
    assert parsed.accounts["gtfs_shapes"] == Account(read=2, out_of_scope=2)
    assert ("gtfs_shapes", "shape_pt_sequence", "missing") in parsed.drift
    assert parsed.accounts["gtfs_stop_times"] == Account(read=2, staged=2)


def test_a_cut_feed_keeps_the_shapes_transfers_and_attributions_of_kept_trips(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        {
            **NATIONAL,
            "trips.txt": "trip_id,route_id,service_id,shape_id\nT,R,S,X\nFERN,F,SF,Y\n",
            "shapes.txt": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nX,51.5,7.5,1\nX,51.6,7.6,2\n"
            "Y,48.1,11.5,1\nX,north,7.5,3\n",
            "transfers.txt": "from_stop_id,to_stop_id,transfer_type\nIN,EDGE,0\nIN,FAR,0\n",
            "attributions.txt": "organization_name,route_id\nVerbund,\nFernbus,F\n",
        },
        region_only=True,
    )
    assert parsed.column("gtfs_shapes", "shape_pt_sequence") == [1, 2]
    assert parsed.accounts["gtfs_shapes"] == Account(read=4, staged=2, rejected=1, out_of_scope=1)
    assert parsed.column("gtfs_transfers", "to_stop_id") == ["EDGE"]
    assert parsed.column("gtfs_attributions", "organization_name") == ["Verbund"]


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="column trip_id twice"):
        parse(tmp_path, {"trips.txt": "trip_id,route_id,service_id,trip_id\nT,R,S,U\n"})


def test_unusable_stop_times_are_rejected_with_their_reason(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        {
            "stop_times.txt": (
                "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
                "T, 8:00:00 ,8:00:00,A,1\n"
                "T,08:60:00,08:00:00,A,2\n"
                "T,08:00,08:00:00,A,3\n"
                "T,08:00:00,08:00:00,,4\n"
                "X,08:00:00,08:00:00,A,5\n"
                "T,08:00:00,08:00:00,Z,6\n"
                "T,08:00:00,08:00:00,B,1\n"
                "T,08:00:00,08:00:00,B,1.5\n"
                "T,08:00:00,08:00:00,B\n"
                "T,08:00:00,08:00:00,B,9,9\n"
                "\n"
                "T,,,B,11\n"
            )
        },
    )
    assert parsed.accounts["gtfs_stop_times"] == Account(read=11, staged=2, rejected=9)
    assert parsed.column("gtfs_stop_times", "record_number") == [1, 11]
    assert parsed.column("gtfs_stop_times", "arrival_s") == [28_800, None]
    assert sorted(parsed.rejected, key=lambda row: row[1]) == [
        ("gtfs_stop_times", 2, "arrival_time", "08:60:00", "not a time H:MM:SS"),
        ("gtfs_stop_times", 3, "arrival_time", "08:00", "not a time H:MM:SS"),
        ("gtfs_stop_times", 4, "stop_id", "", "no stop_id"),
        ("gtfs_stop_times", 5, "trip_id", "X", "unknown trip_id"),
        ("gtfs_stop_times", 6, "stop_id", "Z", "unknown stop_id"),
        ("gtfs_stop_times", 7, "trip_id stop_sequence", "T 1", "repeated key"),
        ("gtfs_stop_times", 8, "stop_sequence", "1.5", "not a whole number"),
        ("gtfs_stop_times", 9, "", "T,08:00:00,08:00:00,B", "expected 5 fields, found 4"),
        ("gtfs_stop_times", 10, "", "T,08:00:00,08:00:00,B,9,9", "expected 5 fields, found 6"),
    ]


def test_a_repeated_stop_id_keeps_the_first_and_its_stop_times(tmp_path: Path) -> None:
    parsed = parse(tmp_path, {"stops.txt": FEED["stops.txt"] + "B,Anderer Hafen,51.7,7.7,,\n,Nirgends,51.7,7.7,,\n"})
    assert parsed.column("gtfs_stops", "stop_name") == ["Markt", "Markt Steig 1", "Hafen"]
    assert [row[1:3] + row[4:] for row in parsed.rejected] == [
        (5, "stop_id", "no stop_id"),
        (4, "stop_id", "repeated key"),
    ]
    assert parsed.accounts["gtfs_stop_times"].staged == 2


def test_control_characters_leave_names_and_only_names(tmp_path: Path) -> None:
    stops = "stop_id,stop_name,stop_lat,stop_lon\nA,Am \x08Markt\x85 ,51.5,7.5\nB\x08,Hafen,51.6,7.6\n"
    times = FEED["stop_times.txt"].replace(",B,", ",B\x08,")
    parsed = parse(tmp_path, {"stops.txt": stops, "stop_times.txt": times})
    assert parsed.column("gtfs_stops", "stop_name") == ["Am Markt ", "Hafen"]
    assert parsed.column("gtfs_stops", "stop_id") == ["A", "B\x08"]
    assert parsed.column("gtfs_stop_times", "stop_id") == ["A", "B\x08"]


@pytest.mark.parametrize(
    "place", ["0,0", "0.0,0.000", "north,7", "91,7", "51.5,181", ",", "51.5,", '"51,5","7,5"', "nan,7"]
)
def test_a_stop_without_usable_coordinates_is_staged_without_any(tmp_path: Path, place: str) -> None:
    parsed = parse(tmp_path, {"stops.txt": f"stop_id,stop_name,stop_lat,stop_lon\nA,Markt,{place}\nB,Hafen,0,7.6\n"})
    assert parsed.accounts["gtfs_stops"] == Account(read=2, staged=2)
    assert parsed.column("gtfs_stops", "stop_lat") == [None, 0.0]  # the equator is a place
    assert parsed.column("gtfs_stops", "stop_lon") == [None, 7.6]


def test_frequencies_and_feed_info(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        {
            "frequencies.txt": (
                "trip_id,start_time,end_time,headway_secs, exact_times\n"
                "T,07:00:00,24:00:00,600,0\n"
                "T,24:00:00,26:00:00,0,1\n"
            ),
            "feed_info.txt": "feed_publisher_name,feed_version,feed_end_date\nVerbund,7,20241231\nZweiter,8,20251231\n",
        },
    )
    (frequency,) = parsed.rows("gtfs_frequencies")
    assert (frequency["start_s"], frequency["end_s"], frequency["headway_s"], frequency["exact_times"]) == (
        25_200,
        86_400,
        600,
        0,
    )
    (info,) = parsed.rows("gtfs_feed_info")
    assert (info["feed_version"], info["feed_start_date"], info["feed_end_date"]) == ("7", None, date(2024, 12, 31))
    assert [(row[0], row[1], row[4]) for row in parsed.rejected] == [
        ("gtfs_frequencies", 2, "not a whole number above 0"),
        ("gtfs_feed_info", 2, "repeated key"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(FEED["stops.txt"].encode("utf-16"), id="utf-16"),
        pytest.param("stop_id,stop_name,stop_lat,stop_lon\nA,Münster,51.5,7.5\n".encode("latin-1"), id="latin-1"),
        pytest.param(b'stop_id,stop_name,stop_lat,stop_lon\nA,"Markt,51.5,7.5\nB,Hafen,51.6,7.6\n', id="open quote"),
        pytest.param(b"stop_id,stop_name,stop_lat,stop_lon\nA," + b"x" * 200_000 + b",51.5,7.5\n", id="huge field"),
        pytest.param(b"", id="empty"),
        pytest.param(b"stop_id;stop_name;stop_lat;stop_lon\nA;Markt;51.5;7.5\n", id="semicolons"),
    ],
)
def test_a_file_that_is_no_utf8_csv_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SnapshotRefused, match=r"bus: feed\.zip: stops\.txt"):
        parse(tmp_path, {"stops.txt": content})


def test_bytes_that_are_no_zip_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    path.write_text("<html>Wartung</html>", encoding="utf-8")
    with StagedWriter(tmp_path / "staged", "bus", "a" * 64, "1") as out, pytest.raises(PayloadRefused):
        gtfs.parse(Snapshot("bus", path, "a" * 64), out, REGION)


def test_a_header_alone_is_no_records(tmp_path: Path) -> None:
    header = FEED["stop_times.txt"].split("\n")[0]
    parsed = parse(tmp_path, {"stop_times.txt": header})
    assert parsed.accounts["gtfs_stop_times"] == Account()


NATIONAL: dict[str, str | bytes | None] = {
    "agency.txt": (
        "agency_id,agency_name,agency_url,agency_timezone\n"
        "1,Stadtbus,http://bus.example,Europe/Berlin\n2,Fernbus,http://fern.example,Europe/Berlin\n"
    ),
    "stops.txt": (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
        "P,Weit weg,53.5,10.0,1,\n"
        "OUT,Weit weg Steig 1,53.5,10.0,0,P\n"
        "IN,Hafen,51.6,7.6,,\n"
        "EDGE,Grenze,52.0,8.0,,\n"
        "FAR,Fern,48.1,11.5,,\n"
        "NOWHERE,Ohne Ort,,,,\n"
        ",Ohne Kennung,51.5,7.5,,\n"
    ),
    "routes.txt": "route_id,agency_id,route_short_name,route_type\nR,1,R5,3\nF,2,F1,3\n",
    "trips.txt": "trip_id,route_id,service_id\nT,R,S\nFERN,F,SF\nEMPTY,F,SF\n",
    "stop_times.txt": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "FERN,08:00:00,08:00:00,FAR,1\n"
        "T,08:00:00,08:00:00,OUT,1\n"
        "T,09:00:00,09:00:00,IN,2\n"
        "T,bad,09:00:00,IN,3\n"
        "FERN,bad,09:00:00,OUT,2\n"
        "GHOST,09:00:00,09:00:00,IN,2\n"
        "FERN,10:00:00,10:00:00,NOWHERE,3\n"
        "FERN,10:00:00,10:00:00\n"
    ),
    "calendar.txt": None,
    "calendar_dates.txt": "service_id,date,exception_type\nS,20240105,1\nSF,20240105,1\nSF,20240106,1\n",
    "frequencies.txt": "trip_id,start_time,end_time,headway_secs\n"
    "T,07:00:00,08:00:00,600\nFERN,07:00:00,08:00:00,600\n",
}


def test_a_national_feed_is_cut_to_whole_trips_that_touch_the_region(tmp_path: Path) -> None:
    parsed = parse(tmp_path, NATIONAL, region_only=True)
    assert parsed.column("gtfs_trips", "trip_id") == ["T"]
    assert parsed.column("gtfs_stop_times", "record_number") == [2, 3]
    assert parsed.column("gtfs_stops", "stop_id") == ["P", "OUT", "IN", "EDGE"]
    assert parsed.column("gtfs_routes", "route_id") == ["R"]
    assert parsed.column("gtfs_agency", "agency_id") == ["1"]
    assert parsed.column("gtfs_calendar_dates", "service_id") == ["S"]
    assert parsed.column("gtfs_frequencies", "trip_id") == ["T"]
    assert parsed.accounts["gtfs_stop_times"] == Account(read=8, staged=2, rejected=3, out_of_scope=3)
    assert parsed.accounts["gtfs_stops"] == Account(read=7, staged=4, rejected=1, out_of_scope=2)
    assert parsed.accounts["gtfs_trips"] == Account(read=3, staged=1, out_of_scope=2)
    assert parsed.accounts["gtfs_calendar_dates"] == Account(read=3, staged=1, out_of_scope=2)
    reasons = {row["reason"] for row in parsed.rows("record_account") if row["outcome"] == "out_of_scope"}
    assert reasons == {"outside the region"}
    assert {(row[1], row[4]) for row in parsed.rejected if row[0] == "gtfs_stop_times"} == {
        (4, "not a time H:MM:SS"),
        (6, "unknown trip_id"),
        (8, "expected 5 fields, found 3"),
    }


def test_the_same_feed_is_kept_whole_where_the_source_does_not_ask_for_a_cut(tmp_path: Path) -> None:
    parsed = parse(tmp_path, NATIONAL)
    assert parsed.column("gtfs_trips", "trip_id") == ["T", "FERN", "EMPTY"]
    assert parsed.accounts["gtfs_stop_times"] == Account(read=8, staged=4, rejected=4)


def test_routes_without_agency_keep_the_only_agency_of_a_cut_feed(tmp_path: Path) -> None:
    changes = {
        **NATIONAL,
        "agency.txt": "agency_name,agency_url,agency_timezone\nStadtbus,http://bus.example,Europe/Berlin\n",
        "routes.txt": "route_id,route_short_name,route_type\nR,R5,3\nF,F1,3\n",
    }
    parsed = parse(tmp_path, changes, region_only=True)
    assert parsed.column("gtfs_agency", "agency_name") == ["Stadtbus"]


def test_record_numbers_hold_across_many_blocks(tmp_path: Path) -> None:
    """Arrow reads in blocks of 1 MB; a short record stands in each of them."""
    lines = [f"T,08:00:00,08:00:00,A,{number}" for number in range(1, 120_001)]
    bad = range(100, 120_001, 10_000)
    for number in bad:
        lines[number - 1] = "T"
    header = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    parsed = parse(tmp_path, {"stop_times.txt": header + "\n".join(lines)})
    assert parsed.accounts["gtfs_stop_times"] == Account(read=120_000, staged=119_988, rejected=12)
    assert parsed.column("gtfs_stop_times", "record_number") == parsed.column("gtfs_stop_times", "stop_sequence")
    assert [row[1] for row in parsed.rejected] == list(bad)
