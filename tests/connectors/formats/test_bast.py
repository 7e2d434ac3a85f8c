"""BASt's permanent counters, small and by hand after the columns and the line that programs have kept of the files."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Listed, Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import bast
from connectors.region import region
from connectors.staging import Account, StagedWriter
from tests.connectors.conftest import zipped

SHA = "c" * 64
CLASSES = ("PLZ", "Pkw", "Lfw", "Mot", "PmA", "Bus", "LoA", "Lzg", "Sat", "Son")
COUNTS = ("KFZ_R1", "KFZ_R2", "Lkw_R1", "Lkw_R2", *(f"{name}_R1" for name in CLASSES), *(f"{n}_R2" for n in CLASSES))
HEADER = ";".join(
    [
        *("TKNR", "Zst", "Land", "Strklas", "Strnum", "Datum", "Wotag", "Fahrtzw", "Stunde"),
        *(cell for name in COUNTS for cell in (name, f"K_{name}")),
    ]
)
# The first hour of 2021 at a station of the A 57, as a program that reads the files has kept it.
FIRST = (
    "4806;5014;5;A;57;210101;5;s;1;246;-;274;-;4;-;2;-;242;-;232;-;10;-;0;-;0;-;0;-;1;-;3;-;2;-;0;-;"
    "270;-;258;-;12;-;0;-;0;-;0;-;1;-;1;-;1;-;2;-"
)


def line(day: str = "210101", hour: str = "01", **cells: str) -> str:
    names, values = HEADER.split(";"), FIRST.split(";")
    return ";".join((dict(zip(names, values, strict=True)) | {"Datum": day, "Stunde": hour, **cells}).values())


class Parsed:
    def __init__(self, out: StagedWriter) -> None:
        self._out = out
        self.accounts = out.accounts
        self.drift = out.drifted

    def rows(self, table: str = "count_reading") -> list[dict[str, Any]]:
        place = self._out.file_of(table)
        return pq.ParquetFile(place).read().to_pylist() if place.exists() else []

    def channel(self, name: str) -> list[dict[str, Any]]:
        return [row for row in self.rows() if row["channel_id"] == name]

    @property
    def rejected(self) -> list[tuple[int, str, str]]:
        return [(row["record_number"], row["column_name"], row["reason"]) for row in self.rows("rejected_row")]

    @property
    def out_of_scope(self) -> dict[str, int]:
        rows = self.rows("record_account")
        return {row["reason"]: row["records"] for row in rows if row["outcome"] == "out_of_scope"}


def parse(
    tmp_path: Path, *lines: str, header: str = HEADER, members: dict[str, bytes] | None = None, **options: Any
) -> Parsed:
    text = "".join(f"{each}\r\n" for each in (header, *lines))
    path = tmp_path / "zst5014.zip"
    path.write_bytes(zipped({"zst5014_2021.csv": text.encode("latin-1")} if members is None else members))
    snapshot = Snapshot("bast", path, SHA, {"station": "5014", "year": "2021"})
    with StagedWriter(tmp_path / "staged", "bast", SHA, "1") as out:
        bast.parse_hours(snapshot, out, region(), **options)
        out.close()
    return Parsed(out)


def whole_day(day: str, counts: dict[int, str] | None = None) -> list[str]:
    return [line(day, f"{hour:02}", KFZ_R1=(counts or {}).get(hour, "100")) for hour in range(1, 25)]


# -- hours -----------------------------------------------------------------------------------------------------------


def test_the_line_that_was_published_is_read(tmp_path: Path) -> None:
    parsed = parse(tmp_path, FIRST)
    rows = {row["channel_id"]: row for row in parsed.rows()}
    assert {name: (row["mode"], row["count"]) for name, row in rows.items()} == {
        "KFZ_R1": ("motor_vehicle", 246),
        "KFZ_R2": ("motor_vehicle", 274),
        "Lkw_R1": ("heavy_vehicle", 4),
        "Lkw_R2": ("heavy_vehicle", 2),
        "Pkw_R1": ("car", 232),
        "Pkw_R2": ("car", 258),
    }
    first = rows["KFZ_R1"]
    told = ("site_id", "channel_role", "direction", "interval_minutes", "raw_status", "value_mark", "clock_change")
    assert [first[name] for name in told] == ["5014", "part", "unknown", 60, None, None, None]
    # Hour 01 ends at one o'clock.
    assert first["interval_start_local"].isoformat() == "2021-01-01T00:00:00"
    assert first["interval_start_at"] == datetime(2020, 12, 31, 23, tzinfo=UTC)
    assert parsed.accounts["count_reading"] == Account(24, 6, 0, 18)
    assert parsed.out_of_scope == {"class not asked for": 18}
    assert parsed.drift == []


def test_the_published_classes_overlap_as_the_connector_says() -> None:
    """KFZ = PLZ + Lkw + Son, PLZ = Pkw + Lfw + Mot, Lkw = PmA + Bus + LoA + Lzg; Sat is part of Lzg."""
    told = dict(zip(HEADER.split(";"), FIRST.split(";"), strict=True))
    for direction in ("R1", "R2"):
        count = {name: int(told[f"{name}_{direction}"]) for name in ("KFZ", "Lkw", *CLASSES)}
        assert count["KFZ"] == count["PLZ"] + count["Lkw"] + count["Son"]
        assert count["PLZ"] == count["Pkw"] + count["Lfw"] + count["Mot"]
        assert count["Lkw"] == count["PmA"] + count["Bus"] + count["LoA"] + count["Lzg"]
        assert count["Sat"] <= count["Lzg"]


def test_classes_are_chosen_in_yaml_and_none_counts_double(tmp_path: Path) -> None:
    parsed = parse(tmp_path, FIRST, modes={"Bus": "bus"})
    assert [(row["channel_id"], row["mode"], row["count"]) for row in parsed.rows()] == [
        ("Bus_R1", "bus", 0),
        ("Bus_R2", "bus", 0),
    ]
    with pytest.raises(SnapshotRefused, match="two classes count the same mode, but classes overlap"):
        parse(tmp_path, FIRST, modes={"Pkw": "car", "PLZ": "car"})
    with pytest.raises(SnapshotRefused, match="'Rad' is no class; expected some of KFZ"):
        parse(tmp_path, FIRST, modes={"Rad": "bicycle"})


@pytest.mark.parametrize(
    ("count", "mark", "told"),
    [
        ("246", "-", (246, None, None)),
        ("246", "", (246, None, None)),
        ("246", "s", (246, "s", None)),
        ("246", "u", (246, "u", None)),
        ("0", "a", (None, "a", "a")),
        ("7", "d", (None, "d", "d")),
        ("-1", "-", (None, None, "-1")),
        ("", "-", (None, None, None)),
        (" 246", " - ", (246, None, None)),
    ],
)
def test_marks_say_what_a_count_is_worth(
    tmp_path: Path, count: str, mark: str, told: tuple[int | None, str | None, str | None]
) -> None:
    (row,) = parse(tmp_path, line(KFZ_R1=count, K_KFZ_R1=mark)).channel("KFZ_R1")
    assert (row["count"], row["raw_status"], row["value_mark"]) == told


def test_marks_of_missing_values_are_declared_in_yaml(tmp_path: Path) -> None:
    (row,) = parse(tmp_path, line(KFZ_R1="7", K_KFZ_R1="x"), missing_marks=["x"]).channel("KFZ_R1")
    assert (row["count"], row["value_mark"]) == (None, "x")


def test_spring_2021_leaves_an_hour_out(tmp_path: Path) -> None:
    """28 March: hour 03 begins at 02:00, which no clock shows."""
    parsed = parse(tmp_path, *whole_day("210328", {3: "0"}), modes={"KFZ": "motor_vehicle"})
    rows = parsed.channel("KFZ_R1")
    assert [row["interval_start_local"].hour for row in rows] == [0, 1, *range(3, 24)]
    assert len({row["interval_start_at"] for row in rows}) == 23
    # R2 has 274 in that hour, as measured: the clock would be another one.
    assert parsed.out_of_scope["hour that spring leaves out"] == 1
    assert parsed.rejected == [
        (6, "KFZ_R2", "measured in an hour that the clock leaves out; is the file in standard_time?")
    ]


def test_an_estimate_for_the_hour_that_spring_leaves_out_is_nothing(tmp_path: Path) -> None:
    lines = [line("210328", "03", KFZ_R1="90", K_KFZ_R1="s", KFZ_R2="0")]
    parsed = parse(tmp_path, *lines, modes={"KFZ": "motor_vehicle"})
    assert parsed.accounts["count_reading"] == Account(24, 0, 0, 24)


def test_autumn_2021_holds_both_passes_in_one_hour(tmp_path: Path) -> None:
    """31 October: hour 03 begins at 02:00, at 00:00 and at 01:00 UTC."""
    rows = parse(tmp_path, *whole_day("211031", {3: "200"})).channel("KFZ_R1")
    assert [row["clock_change"] for row in rows] == [None, None, "merged", *[None] * 21]
    assert (rows[2]["count"], rows[2]["interval_start_at"]) == (200, datetime(2021, 10, 31, 0, tzinfo=UTC))
    assert rows[3]["interval_start_at"] == datetime(2021, 10, 31, 2, tzinfo=UTC)


def test_standard_time_all_year_has_every_hour_once(tmp_path: Path) -> None:
    days = (*whole_day("210328"), *whole_day("211031"), *whole_day("210701"))
    rows = parse(tmp_path, *days, standard_time=True).channel("KFZ_R1")
    assert len({row["interval_start_at"] for row in rows}) == 72
    assert {row["clock_change"] for row in rows} == {None}
    # One o'clock in summer by the wall is midnight of standard time.
    assert rows[48]["interval_start_local"].isoformat() == "2021-07-01T01:00:00"


def test_a_year_of_8760_lines_has_8759_hours_and_loses_none(tmp_path: Path) -> None:
    days = [date(2021, 1, 1) + timedelta(days=number) for number in range(365)]
    lines = [
        line(f"{day:%y%m%d}", f"{hour:02}", KFZ_R1="0" if (day.month, day.day, hour) == (3, 28, 3) else "10")
        for day in days
        for hour in range(1, 25)
    ]
    rows = parse(tmp_path, *lines, header=HEADER).channel("KFZ_R1")
    assert (len(lines), len(rows)) == (8760, 8759)
    starts = [row["interval_start_at"] for row in rows]
    # Every hour of the year but the second pass of autumn's, which the first holds.
    assert starts[0] == datetime(2020, 12, 31, 23, tzinfo=UTC)
    assert starts[-1] == datetime(2021, 12, 31, 22, tzinfo=UTC)
    assert len(set(starts)) == 8759
    assert sum(row["clock_change"] == "merged" for row in rows) == 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"hour": "0"}, "expected an hour 01 to 24"),
        ({"hour": "25"}, "expected an hour 01 to 24"),
        ({"day": "210230"}, "expected a day yymmdd of 2021"),
        ({"day": "220101"}, "expected a day yymmdd of 2021"),
        ({"day": "01.01.21"}, "expected a day yymmdd of 2021"),
        ({"Wotag": "5;6"}, "expected 57 fields"),
    ],
)
def test_a_line_without_a_time_is_rejected_count_by_count(tmp_path: Path, changed: dict[str, str], reason: str) -> None:
    parsed = parse(tmp_path, line(**changed))
    assert parsed.accounts["count_reading"] == Account(24, 0, 6, 18)
    assert {why for _, _, why in parsed.rejected} == {reason}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"KFZ_R1": "12,5"}, "expected a whole number"),
        ({"KFZ_R1": "x"}, "expected a whole number"),
        ({"K_KFZ_R1": "geschätzt"}, "its mark 'geschätzt' is none of up to three letters"),
    ],
)
def test_a_count_that_cannot_be_read_is_rejected_alone(tmp_path: Path, cells: dict[str, str], reason: str) -> None:
    parsed = parse(tmp_path, line(**cells))
    assert parsed.rejected == [(1, "KFZ_R1", reason)]
    assert parsed.accounts["count_reading"] == Account(24, 5, 1, 18)


def test_an_hour_told_twice_counts_once(tmp_path: Path) -> None:
    parsed = parse(tmp_path, line(), line(KFZ_R1="9"))
    assert [row["count"] for row in parsed.channel("KFZ_R1")] == [246]
    assert {reason for _, _, reason in parsed.rejected} == {"repeated hour"}


def test_a_date_that_lost_its_zero_is_of_2005(tmp_path: Path) -> None:
    path = tmp_path / "zst5014.zip"
    path.write_bytes(zipped({"x.csv": f"{HEADER}\r\n{line('50203')}\r\n".encode()}))
    with StagedWriter(tmp_path / "staged", "bast", SHA, "1") as out:
        bast.parse_hours(Snapshot("bast", path, SHA, {"station": "5014"}), out, region())
        out.close()
    assert Parsed(out).rows()[0]["interval_start_local"].isoformat() == "2005-02-03T00:00:00"


def test_the_file_of_another_station_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="expected the station 5014, found '5060'"):
        parse(tmp_path, line(Zst="5060"))


def test_a_class_that_a_station_does_not_count_refuses_and_says_what_to_do(tmp_path: Path) -> None:
    header = HEADER.replace("Pkw_R1", "X1").replace("Pkw_R2", "X2")
    with pytest.raises(SnapshotRefused, match=r"expected the columns Pkw_R1, Pkw_R2.*leave classes .* out of modes"):
        parse(tmp_path, FIRST, header=header)
    parsed = parse(tmp_path, FIRST, header=header, modes={"KFZ": "motor_vehicle"})
    assert len(parsed.rows()) == 2
    assert ("count_reading", "X1", "new") in parsed.drift


def test_more_lines_than_a_year_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="more than 10000 lines"):
        parse(tmp_path, *[";" * 56] * 10_001)


@pytest.mark.parametrize("members", [{}, {"a.csv": b"x", "b.txt": b"y"}, {"a.pdf": b"x"}])
def test_an_archive_without_one_table_is_refused(tmp_path: Path, members: dict[str, bytes]) -> None:
    with pytest.raises(SnapshotRefused, match=r"expected one member \.csv"):
        parse(tmp_path, members=members)


# -- stations --------------------------------------------------------------------------------------------------------

JAWE = "TK_Nr;DZ_Nr;DZ_Name;Land_Nr;Land_Code;Str_Kl;Str_Nr;Koor_WGS84_N;Koor_WGS84_E;DTV_Kfz_MobisSo_Q"
NEAR = "4011;5999;Münster-Übung;5;NW;A;1;51,9900;7,6900;61.135"
FAR = "2426;2218;Hamburg;2;HH;A;7;53,5500;9,9300;150.000"


def stations(tmp_path: Path, *lines: str, header: str = JAWE, encoding: str = "latin-1") -> Parsed:
    path = tmp_path / "Jawe2024.csv"
    path.write_bytes("".join(f"{each}\r\n" for each in (header, *lines)).encode(encoding))
    with StagedWriter(tmp_path / "staged", "bast", SHA, "1") as out:
        bast.parse_stations(Snapshot("bast", path, SHA), out, region())
        out.close()
    return Parsed(out)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8"])
def test_stations_of_the_region_are_staged(tmp_path: Path, encoding: str) -> None:
    parsed = stations(tmp_path, FAR, NEAR, "4011;5998;Ohne Ort;5;NW;B;51;;;", encoding=encoding)
    (row,) = parsed.rows("count_site")
    told = ("record_number", "site_id", "site_name", "longitude", "latitude", "mode", "ags")
    assert tuple(row[name] for name in told) == (2, "5999", "Münster-Übung", 7.69, 51.99, "motor_vehicle", None)
    assert parsed.out_of_scope == {"outside the region": 1, "no place told": 1}
    assert parsed.drift == []


def test_the_stations_of_the_region_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "Jawe2024.csv"
    path.write_bytes(f"{JAWE}\r\n{FAR}\r\n{NEAR}\r\n".encode("latin-1"))
    assert list(bast.listed(path, region())) == [Listed("5999")]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (NEAR.replace("5999", "A1"), "DZ_Nr", "expected a station's number"),
        (NEAR.replace("7,6900", "7.6900"), "Koor_WGS84_E", "expected degrees with a decimal comma"),
        (NEAR.replace("51,9900", "151,99"), "Koor_WGS84_N", "expected degrees with a decimal comma"),
        (f"{NEAR};x", "row", "expected 10 fields"),
    ],
)
def test_a_station_that_cannot_be_read_is_rejected(tmp_path: Path, row: str, column: str, reason: str) -> None:
    assert stations(tmp_path, NEAR, row).rejected == [(2, column, reason)]


def test_a_station_told_twice_is_one(tmp_path: Path) -> None:
    assert stations(tmp_path, NEAR, NEAR).rejected == [(2, "DZ_Nr", "station repeated")]


def test_a_list_without_places_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="expected each of the columns DZ_Nr, DZ_Name, Koor_WGS84_E"):
        stations(tmp_path, NEAR, header=JAWE.replace("Koor_WGS84_E", "Ost"))
