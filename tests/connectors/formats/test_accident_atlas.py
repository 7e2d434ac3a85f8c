"""The Unfallatlas: each generation of its columns, by hand after the headers that programs have kept of the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.accident_atlas import CONNECTOR
from connectors.region import region
from connectors.staging import StagedWriter
from tests.connectors.conftest import zipped

SHA = "a" * 64
# The header of each year and a line of Münster (2019 without leading zeros), Sunday, with a bicycle and a car.
PLACE = "405000,5;5757000,25;7,61550;51,95290"
GENERATIONS = {
    2016: (
        "csv/Unfallorte2016_LinRef.txt",
        "FID;OBJECTID;ULAND;UREGBEZ;UKREIS;UGEMEINDE;UJAHR;UMONAT;USTUNDE;UWOCHENTAG;UKATEGORIE;UART;UTYP1;ULICHTVERH;"
        "IstStrasse;IstRad;IstPKW;IstFuss;IstKrad;IstGkfz;IstSonstig;LINREFX;LINREFY;XGCSWGS84;YGCSWGS84",
        f"0;17;05;5;15;000;2016;03;08;1;2;5;3;2;1;1;1;0;0;0;0;{PLACE}",
        "17",
    ),
    2017: (
        "csv/Unfallorte2017_LinRef.txt",
        "OBJECTID;UIDENTSTLA;ULAND;UREGBEZ;UKREIS;UGEMEINDE;UJAHR;UMONAT;USTUNDE;UWOCHENTAG;UKATEGORIE;UART;UTYP1;"
        "IstRad;IstPKW;IstFuss;IstKrad;IstSonstig;LICHT;STRZUSTAND;LINREFX;LINREFY;XGCSWGS84;YGCSWGS84",
        f"1;05170312345678;05;5;15;000;2017;03;08;1;2;5;3;1;1;0;0;0;2;1;{PLACE}",
        "05170312345678",
    ),
    2018: (
        "csv/Unfallorte2018_LinRef.txt",
        "OBJECTID_1;ULAND;UREGBEZ;UKREIS;UGEMEINDE;UJAHR;UMONAT;USTUNDE;UWOCHENTAG;UKATEGORIE;UART;UTYP1;ULICHTVERH;"
        "IstRad;IstPKW;IstFuss;IstKrad;IstGkfz;IstSonstig;STRZUSTAND;LINREFX;LINREFY;XGCSWGS84;YGCSWGS84",
        f"23;05;5;15;000;2018;03;08;1;2;5;3;2;1;1;0;0;0;0;1;{PLACE}",
        "23",
    ),
    2019: (
        "csv/Unfallorte2019_LinRef.txt",
        "OBJECTID;ULAND;UREGBEZ;UKREIS;UGEMEINDE;UJAHR;UMONAT;USTUNDE;UWOCHENTAG;UKATEGORIE;UART;UTYP1;ULICHTVERH;"
        "IstRad;IstPKW;IstFuss;IstKrad;IstGkfz;IstSonstige;LINREFX;LINREFY;XGCSWGS84;YGCSWGS84;STRZUSTAND",
        f"9;5;5;15;0;2019;3;8;1;2;5;3;2;1;1;0;0;0;0;{PLACE};1",
        "9",
    ),
    2020: (
        "csv/Unfallorte2020_LinRef.csv",
        "OBJECTID;UIDENTSTLAE;ULAND;UREGBEZ;UKREIS;UGEMEINDE;UJAHR;UMONAT;USTUNDE;UWOCHENTAG;UKATEGORIE;UART;UTYP1;"
        "ULICHTVERH;IstRad;IstPKW;IstFuss;IstKrad;IstGkfz;IstSonstige;LINREFX;LINREFY;XGCSWGS84;YGCSWGS84;STRZUSTAND",
        f"9;0520034711;05;5;15;000;2020;03;08;1;2;5;3;2;1;1;0;0;0;0;{PLACE};1",
        "0520034711",
    ),
    2021: (
        "Unfallorte2021_EPSG25832_CSV.csv",
        "\ufeffOID_;ULAND;UREGBEZ;UKREIS;UGEMEINDE;UJAHR;UMONAT;USTUNDE;UWOCHENTAG;UKATEGORIE;UART;UTYP1;IstRad;IstPKW;"
        "IstFuss;IstKrad;IstSonstige;ULICHTVERH;IstGkfz;LINREFX;LINREFY;XGCSWGS84;YGCSWGS84;UIDENTSTLAE;"
        "IstStrassenzustand",
        f"9;05;5;15;000;2021;03;08;1;2;5;3;1;1;0;0;0;2;0;{PLACE};0521034711;1",
        "0521034711",
    ),
    2022: (
        "csv/Unfallorte2022_LinRef.csv",
        "OBJECTID;UIDENTSTLAE;ULAND;UREGBEZ;UKREIS;UGEMEINDE;UJAHR;UMONAT;USTUNDE;UWOCHENTAG;UKATEGORIE;UART;UTYP1;"
        "ULICHTVERH;IstStrassenzustand;IstRad;IstPKW;IstFuss;IstKrad;IstGkfz;IstSonstige;LINREFX;LINREFY;XGCSWGS84;"
        "YGCSWGS84",
        "9;0522034711;05;5;15;000;2022;03;08;1;2;5;3;2;1;1;1;0;0;0;0; 405000,5; 5757000,25; 7,61550;\t51,95290",
        "0522034711",
    ),
    2023: (
        "csv/Unfallorte2023_LinRef.csv",
        "\ufeffOID_;UIDENTSTLAE;ULAND;UREGBEZ;UKREIS;UGEMEINDE;UJAHR;UMONAT;USTUNDE;UWOCHENTAG;UKATEGORIE;UART;UTYP1;"
        "ULICHTVERH;IstStrassenzustand;IstRad;IstPKW;IstFuss;IstKrad;IstGkfz;IstSonstige;LINREFX;LINREFY;XGCSWGS84;"
        "YGCSWGS84;PLST",
        f"9;0523034711;05;5;15;000;2023;03;08;1;2;5;3;2;1;1;1;0;0;0;0;{PLACE};1",
        "0523034711",
    ),
    2025: (
        "csv/Unfallorte2025_LinRef.csv",
        "UIDENTSTLAE;ULAND;UREGBEZ;UKREIS;UGEMEINDE;UJAHR;UMONAT;USTUNDE;UWOCHENTAG;UKATEGORIE;UART;UTYP1;"
        "ULICHTVERH;IstStrassenzustand;IstRad;IstPKW;IstFuss;IstKrad;IstGkfz;IstSonstige;LINREFX;LINREFY;XGCSWGS84;"
        "YGCSWGS84;PLST",
        f"0525034711;05;5;15;000;2025;03;08;1;2;5;3;2;1;1;1;0;0;0;0;{PLACE};1",
        "0525034711",
    ),
}
HEADER = GENERATIONS[2020][1]


def line(**changed: str) -> str:
    """The line of 2020 with other values."""
    names, values = HEADER.split(";"), GENERATIONS[2020][2].split(";")
    return ";".join((dict(zip(names, values, strict=True)) | changed).values())


class Parsed:
    def __init__(self, out: StagedWriter) -> None:
        self._out = out
        account = out.accounts["accident"]
        self.account = (account.read, account.staged, account.rejected, account.out_of_scope)
        self.drift = out.drifted

    def rows(self, table: str = "accident") -> list[dict[str, Any]]:
        place = self._out.file_of(table)
        return pq.ParquetFile(place).read().to_pylist() if place.exists() else []

    @property
    def rejected(self) -> list[tuple[int, str, str, str]]:
        return [
            (row["record_number"], row["column_name"], row["raw_text"], row["reason"])
            for row in self.rows("rejected_row")
        ]

    @property
    def out_of_scope(self) -> dict[str, int]:
        rows = self.rows("record_account")
        return {row["reason"]: row["records"] for row in rows if row["outcome"] == "out_of_scope"}


def parse_members(tmp_path: Path, members: dict[str, bytes], year: int | None = None, **options: Any) -> Parsed:
    path = tmp_path / "Unfallorte_EPSG25832_CSV.zip"
    path.write_bytes(zipped(members))
    partition = {} if year is None else {"year": str(year)}
    with StagedWriter(tmp_path / "staged", "atlas", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("atlas", path, SHA, partition), out, region(), **options)
        out.close()
    return Parsed(out)


def parse(tmp_path: Path, *lines: str, header: str = HEADER, year: int | None = None, **options: Any) -> Parsed:
    text = "".join(f"{each}\r\n" for each in (header, *lines))
    return parse_members(tmp_path, {"csv/x.csv": text.encode()}, year, **options)


@pytest.mark.parametrize("year", GENERATIONS)
def test_every_generation_of_columns_tells_the_same_accident(tmp_path: Path, year: int) -> None:
    member, header, row, accident_id = GENERATIONS[year]
    parsed = parse_members(tmp_path, {member: f"{header}\r\n{row}\r\n".encode()}, year)
    (found,) = parsed.rows()
    assert {name: found[name] for name in ("year", "month", "hour", "weekday", "severity", "ags")} == {
        "year": year,
        "month": 3,
        "hour": 8,
        # 1 is Sunday in the file.
        "weekday": 7,
        "severity": "seriously_injured",
        "ags": "05515000",
    }
    assert [found[f"{name}_id"] for name in ("kind", "type", "light", "road_condition")] == [5, 3, 2, 1]
    taking_part = ("bicycle", "car", "pedestrian", "motorcycle", "other")
    assert [found[f"with_{name}"] for name in taking_part] == [True, True, False, False, False]
    # 2017 does not tell goods vehicles apart.
    assert found["with_goods_vehicle"] is (None if year == 2017 else False)
    assert (found["longitude"], found["latitude"]) == (7.6155, 51.9529)
    assert found["accident_id"] == accident_id
    assert parsed.account == (1, 1, 0, 0)
    assert parsed.drift == []


@pytest.mark.parametrize(("written", "told"), [("1", 7), ("2", 1), ("3", 2), ("4", 3), ("5", 4), ("6", 5), ("7", 6)])
def test_weekdays_begin_with_monday(tmp_path: Path, written: str, told: int) -> None:
    (row,) = parse(tmp_path, line(UWOCHENTAG=written)).rows()
    assert row["weekday"] == told


def test_severity_is_told_in_words(tmp_path: Path) -> None:
    rows = parse(tmp_path, *(line(UKATEGORIE=code) for code in "123")).rows()
    assert [row["severity"] for row in rows] == ["killed", "seriously_injured", "slightly_injured"]


def test_keys_lose_no_zero(tmp_path: Path) -> None:
    """Ahaus is 05554004."""
    rows = parse(
        tmp_path,
        line(ULAND="5", UREGBEZ="5", UKREIS="54", UGEMEINDE="4"),
        line(ULAND="05", UREGBEZ="5", UKREIS="54", UGEMEINDE="004"),
    ).rows()
    assert [row["ags"] for row in rows] == ["05554004", "05554004"]


def test_other_states_and_kreise_are_out_of_scope_before_anything_else_is_read(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        line(),
        line(ULAND="09", UREGBEZ="?", UKATEGORIE="?", XGCSWGS84="?"),
        line(UREGBEZ="9", UKREIS="13", UKATEGORIE="?"),
        line(UKREIS="5", UGEMEINDE="?"),
    )
    assert parsed.account == (4, 1, 0, 3)
    assert parsed.out_of_scope == {"another state": 1, "outside the region": 2}


def test_a_key_of_no_municipality_leaves_the_place_to_speak_and_is_told(tmp_path: Path) -> None:
    parsed = parse(tmp_path, line(UGEMEINDE="999"))
    assert parsed.rows()[0]["ags"] is None
    (cell,) = parsed.rows("unread_cell")
    assert (cell["column_name"], cell["records"], cell["example"]) == ("UGEMEINDE", 1, "05515999")


def test_metres_speak_where_there_are_no_degrees(tmp_path: Path) -> None:
    """EPSG:25832: 500,000 m east is 9° E by definition; 5,761,038.2 m north is 52° N (GRS 80, scale 0.9996)."""
    (row,) = parse(tmp_path, line(XGCSWGS84="", YGCSWGS84="", LINREFX="500000,0", LINREFY="5761038,2")).rows()
    assert row["longitude"] == pytest.approx(9, abs=1e-6)
    assert row["latitude"] == pytest.approx(52, abs=1e-5)


def test_an_accident_without_a_place_stays(tmp_path: Path) -> None:
    parsed = parse(tmp_path, line(XGCSWGS84="", YGCSWGS84="", LINREFX="", LINREFY=""))
    (row,) = parsed.rows()
    assert (row["longitude"], row["latitude"], row["ags"]) == (None, None, "05515000")


@pytest.mark.parametrize(
    ("changed", "column", "reason"),
    [
        ({"UKATEGORIE": "4"}, "UKATEGORIE", "expected a whole number from 1 to 3"),
        ({"UWOCHENTAG": "0"}, "UWOCHENTAG", "expected a whole number from 1 to 7"),
        ({"USTUNDE": "24"}, "USTUNDE", "expected a whole number from 0 to 23"),
        ({"UMONAT": "13"}, "UMONAT", "expected a whole number from 1 to 12"),
        ({"IstRad": "ja"}, "IstRad", "expected a whole number from 0 to 1"),
        ({"UKREIS": "155"}, "UKREIS", "expected 2 digits"),
        ({"UJAHR": "2019"}, "UJAHR", "expected the file's year 2020"),
        ({"XGCSWGS84": "7.6155"}, "XGCSWGS84", "expected a number with a decimal comma"),
        ({"XGCSWGS84": "51,9", "YGCSWGS84": "7,6"}, "place", "outside of the state"),
        ({"ULAND": ""}, "row", "expected 25 fields, the state's key among them"),
        ({"UART": "5;6"}, "row", "expected 25 fields, the state's key among them"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_its_column(
    tmp_path: Path, changed: dict[str, str], column: str, reason: str
) -> None:
    parsed = parse(tmp_path, line(), line(**changed), year=2020)
    assert parsed.account == (2, 1, 1, 0)
    ((number, where, _, why),) = parsed.rejected
    assert (number, where, why) == (2, column, reason)


def test_a_blank_line_is_no_accident(tmp_path: Path) -> None:
    assert parse(tmp_path, line(), ";" * 24, "").out_of_scope == {"blank row": 2}


def test_a_line_that_may_be_cut_is_rejected(tmp_path: Path) -> None:
    parsed = parse_members(tmp_path, {"x.csv": f"{HEADER}\r\n{line()}\r\n{line()}".encode()})
    assert parsed.account == (2, 1, 1, 0)
    assert parsed.rejected[0][3] == "the file ends within this line"


def test_a_column_nobody_knows_is_drift(tmp_path: Path) -> None:
    parsed = parse(tmp_path, f"{line()};3", header=f"{HEADER};UVERLETZTE")
    assert parsed.drift == [("accident", "UVERLETZTE", "new")]
    assert parsed.account == (1, 1, 0, 0)


def test_a_required_column_that_is_missing_refuses_and_says_what_to_declare(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match=r"expected a column IstStrassenzustand or .* for road_condition_id") as e:
        parse(tmp_path, line(), header=HEADER.replace("STRZUSTAND", "Fahrbahn"))
    assert "declare the new name in the source's YAML, options: {columns: {road_condition_id: [NAME]}}" in str(e.value)


def test_a_new_name_is_declared_in_yaml(tmp_path: Path) -> None:
    header = HEADER.replace("STRZUSTAND", "Fahrbahn")
    parsed = parse(tmp_path, line(), header=header, columns={"road_condition_id": ["Fahrbahn"]})
    assert parsed.rows()[0]["road_condition_id"] == 1
    assert parsed.drift == []


def test_goods_vehicles_that_vanish_are_drift_since_2018(tmp_path: Path) -> None:
    header = HEADER.replace("IstGkfz;", "")
    row = ";".join(value for name, value in zip(HEADER.split(";"), line().split(";"), strict=True) if name != "IstGkfz")
    parsed = parse(tmp_path, row, header=header, year=2020)
    assert parsed.drift == [("accident", "IstGkfz", "missing")]
    assert parsed.rows()[0]["with_goods_vehicle"] is None


def test_a_file_without_coordinates_is_refused(tmp_path: Path) -> None:
    header = HEADER.replace("LINREFX", "a").replace("LINREFY", "b").replace("XGCSWGS84", "c").replace("YGCSWGS84", "d")
    with pytest.raises(SnapshotRefused, match="expected a column XGCSWGS84 for longitude, latitude"):
        parse(tmp_path, line(), header=header)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
def test_encodings_change_and_do_not_matter(tmp_path: Path, encoding: str) -> None:
    text = f"{HEADER};Straße\r\n{line()};Schloßplatz\r\n"
    parsed = parse_members(tmp_path, {"x.txt": text.encode(encoding)})
    assert parsed.account == (1, 1, 0, 0)
    assert parsed.drift == [("accident", "Straße", "new")]


def test_the_table_is_found_by_its_header_whatever_it_is_called(tmp_path: Path) -> None:
    table = f"{HEADER}\r\n{line()}\r\n".encode()
    members = {"lies mich.txt": b"Unfallatlas, ULAND ist das Land", "Daten/2020/unfaelle.CSV": table, "x.pdf": b"%PDF"}
    assert parse_members(tmp_path, members).account == (1, 1, 0, 0)


@pytest.mark.parametrize("members", [{"x.csv": b"a;b\r\n"}, {}, "both"], ids=["none", "empty", "two"])
def test_an_archive_without_one_table_is_refused(tmp_path: Path, members: dict[str, bytes] | str) -> None:
    table = f"{HEADER}\r\n{line()}\r\n".encode()
    found = {"x.csv": table, "y.csv": table} if isinstance(members, str) else members
    with pytest.raises(SnapshotRefused, match=r"expected one member .* whose header has ULAND and UKATEGORIE"):
        parse_members(tmp_path, found)


def test_a_column_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="the header holds IstRad twice"):
        parse(tmp_path, line(), header=HEADER.replace("IstPKW", "IstRad"))
