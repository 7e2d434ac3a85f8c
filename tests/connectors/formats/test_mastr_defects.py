"""Known defects and traps of the MaStR export, each with a test named after it, and damaged bytes in large numbers."""

from __future__ import annotations

import codecs
import io
import itertools
import re
import struct
import zipfile
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any, get_args

import pyarrow.parquet as pq
import pytest
from lxml import etree

from connectors.connector import Snapshot
from connectors.errors import PayloadRefused, SnapshotRefused
from connectors.formats import mastr, mastr_records
from connectors.formats.mastr import CONNECTOR, Technology
from connectors.mastr_fields import ARROW, FAMILIES, KNOWN_TAGS, TECHNOLOGIES, Family, Field
from connectors.region import region
from connectors.staging import StagedWriter
from connectors.tables import PARSED_TABLES
from muensterland.sample import mastr as register

SHA = "a" * 64
CATALOGUE = "<Katalogwerte><Katalogwert><Id>35</Id><Wert>In Betrieb</Wert></Katalogwert></Katalogwerte>"
HYDRO = {
    "EinheitMastrNummer": "SEE900000000001",
    "DatumLetzteAktualisierung": "2025-08-13T01:12:33.8170947",
    "AnlagenbetreiberMastrNummer": "ABR900000000001",
    "Gemeindeschluessel": "05515000",
    "Registrierungsdatum": "2019-02-01",
    "Inbetriebnahmedatum": "2008-11-19",
    "EinheitBetriebsstatus": "35",
    "Energietraeger": "2498",
    "Bruttoleistung": "167.376",
    "Nettonennleistung": "150.638",
}


def record(tag: str, **fields: str | None) -> str:
    return f"<{tag}>" + "".join(f"\n<{k}>{v}</{k}>" for k, v in fields.items() if v is not None) + f"\n</{tag}>\n"


def hydro(**changes: str | None) -> str:
    return record("EinheitWasser", **(HYDRO | changes))


def numbered(count: int) -> list[str]:
    return [hydro(EinheitMastrNummer=f"SEE9000000{number:05d}") for number in range(count)]


def file(root: str, *records: str) -> bytes:
    text = f'<?xml version="1.0" encoding="utf-16"?>\n<{root}>\n{"".join(records)}</{root}>\n'
    return codecs.BOM_UTF16_LE + text.encode("utf-16-le", "surrogatepass")


def export(folder: Path, members: dict[str, bytes], name: str = "Gesamtdatenexport_20260101_25.2.zip") -> Path:
    path = folder / name
    catalogue = {"Katalogwerte.xml": codecs.BOM_UTF16_LE + CATALOGUE.encode("utf-16-le")}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in (catalogue | members).items():
            archive.writestr(member, content)
    return path


class Parsed:
    """A parsed export: rows by table, and what was said of it."""

    def __init__(self, folder: Path, path: Path, **options: Any) -> None:
        staged = folder / "staged"
        with StagedWriter(staged, "mastr", SHA, "1") as out:
            CONNECTOR.parse(Snapshot("mastr", path, SHA), out, region(), **({"technologies": ("hydro",)} | options))
            self.accounts = out.close()
        self.drifted = out.drifted
        self._out = out

    def rows(self, table: str = "energy_unit") -> list[dict[str, Any]]:
        place = self._out.file_of(table)
        found: list[dict[str, Any]] = pq.ParquetFile(place).read().to_pylist() if place.exists() else []
        return found

    def everything(self) -> str:
        return " ".join(str(self.rows(table.name)) for table in PARSED_TABLES)


def parse(tmp_path: Path, *records: str, **more: bytes) -> Parsed:
    members = {"EinheitenWasser.xml": file("EinheitenWasser", *records)}
    return Parsed(tmp_path, export(tmp_path, members | {f"{root}.xml": content for root, content in more.items()}))


# -- defects of the export (ENDPOINTS) --------------------------------------------------------------------------------


def test_the_last_record_of_a_part_repeated_as_first_of_the_next_counts_once(tmp_path: Path) -> None:
    one, two, three = numbered(3)
    members = {
        "EinheitenWasser_1.xml": file("EinheitenWasser", one, two),
        "EinheitenWasser_2.xml": file("EinheitenWasser", two, three),
    }
    parsed = Parsed(tmp_path, export(tmp_path, members))
    assert [(row["record_number"], row["unit_id"][-1]) for row in parsed.rows()] == [(1, "0"), (2, "1"), (4, "2")]
    account = parsed.accounts["energy_unit"]
    assert (account.read, account.staged, account.out_of_scope) == (4, 3, 1)


def test_a_broken_record_at_the_seam_counts_once_too(tmp_path: Path) -> None:
    one, broken = hydro(), hydro(Ort="M & M")
    members = {
        "EinheitenWasser_1.xml": file("EinheitenWasser", one, broken),
        "EinheitenWasser_2.xml": file("EinheitenWasser", broken),
    }
    account = Parsed(tmp_path, export(tmp_path, members)).accounts["energy_unit"]
    assert (account.read, account.staged, account.rejected, account.out_of_scope) == (3, 1, 1, 1)


def test_references_to_missing_actors_and_eeg_plants_lose_no_unit(tmp_path: Path) -> None:
    actors = file("Marktakteure", record("Marktakteur", MastrNummer="ABR900000000009", Personenart="517"))
    (row,) = parse(tmp_path, hydro(EegMaStRNummer="EEG999999999999"), Marktakteure=actors).rows()
    assert (row["eeg_plant_id"], row["operator_id"], row["operator_person_type_id"]) == ("EEG999999999999", None, None)


def test_misspelt_tags_are_known(tmp_path: Path) -> None:
    actors = file(
        "Marktakteure",
        record(
            "Marktakteur",
            MastrNummer="ABR900000000001",
            DatumLetzeAktualisierung="2025-08-13T01:12:33.8170947",
            Personenart="517",
        ),
    )
    store = record(
        "EinheitStromSpeicher",
        **(HYDRO | {"EinheitMastrNummer": "SEE900000000002"}),
        ZugeordnenteWirkleistungWechselrichter="4.500",
        AltAnlagenbentreiberMastrNummer="ABR900000000001",
    )
    members = {
        "EinheitenStromSpeicher.xml": file("EinheitenStromSpeicher", store),
        "Marktakteure.xml": actors,
    }
    parsed = Parsed(tmp_path, export(tmp_path, members), technologies=("storage",))
    (unit,) = parsed.rows()
    (actor,) = parsed.rows("energy_market_actor")
    assert unit["inverter_capacity_kw"] == 4.5
    assert actor["updated_at"] == datetime(2025, 8, 13, 1, 12, 33, 817094)  # noqa: DTZ001 - local time without zone
    assert parsed.drifted == []


def test_a_mandatory_field_that_is_missing_rejects_its_record_alone(tmp_path: Path) -> None:
    parsed = parse(tmp_path, hydro(EinheitBetriebsstatus=None), hydro())
    assert [row["record_number"] for row in parsed.rows()] == [2]
    (rejected,) = parsed.rows("rejected_row")
    assert (rejected["column_name"], rejected["reason"]) == ("EinheitBetriebsstatus", "expected a value")


def test_undocumented_fields_and_files_are_drift(tmp_path: Path) -> None:
    parsed = parse(tmp_path, hydro(NeuesFeld="1"), EinheitenKernfusion=file("EinheitenKernfusion"))
    assert parsed.drifted == [
        ("energy_unit", "NeuesFeld", "new"),
        ("energy_unit", "file:EinheitenKernfusion", "new"),
    ]


@pytest.mark.parametrize(
    "fault",
    [
        {"Ort": "M & M"},
        {"Ort": "&eacute;"},
        {"Ort": "&#0;"},
        {"Ort": "\x01"},
        {"Ort": "]]>"},
        {"Ort": "\ud800"},
        {"Ort": "a</Ort><b"},
        {"Bruttoleistung": "1</Bruttoleistung><Bruttoleistung>2"},
    ],
)
def test_xml_syntax_errors_reject_their_record_alone(tmp_path: Path, fault: dict[str, str]) -> None:
    first, second = numbered(2)
    parsed = parse(tmp_path, first, hydro(**fault), second)
    assert [row["record_number"] for row in parsed.rows()] == [1, 3]
    (rejected,) = parsed.rows("rejected_row")
    # The rest of a record may tell of persons.
    assert (rejected["record_number"], rejected["raw_text"]) == (2, "SEE900000000001")


# -- traps of energy data ---------------------------------------------------------------------------------------------


def test_utf_16_of_either_order_is_read(tmp_path: Path) -> None:
    text = file("EinheitenWasser", *numbered(3)).decode("utf-16")
    content = codecs.BOM_UTF16_BE + text.encode("utf-16-be")
    assert len(Parsed(tmp_path, export(tmp_path, {"EinheitenWasser.xml": content})).rows()) == 3


def test_catalogue_ids_are_resolved_by_the_catalogue(tmp_path: Path) -> None:
    (row,) = parse(tmp_path, hydro()).rows("energy_catalogue_value")
    assert (row["catalogue_id"], row["value"], row["category_id"]) == (35, "In Betrieb", None)


def test_a_column_empty_throughout_is_told(tmp_path: Path) -> None:
    solar = [record("EinheitSolar", **HYDRO, Lage=lage) for lage in (None, "")]
    members = {"EinheitenSolar.xml": file("EinheitenSolar", *solar)}
    parsed = Parsed(tmp_path, export(tmp_path, members), technologies=("solar",))
    assert parsed.drifted == [("energy_unit", "Lage", "missing")]


def test_seven_fractional_digits_are_cut_and_fewer_are_read(tmp_path: Path) -> None:
    stamps = ("2025-08-13T01:12:33.8170949", "2025-08-13T01:12:33.8", "2025-08-13T01:12:33")
    rows = parse(tmp_path, *(hydro(DatumLetzteAktualisierung=stamp) for stamp in stamps)).rows()
    assert [row["updated_at"].microsecond for row in rows] == [817_094, 800_000, 0]


def test_an_ags_that_lost_its_leading_zero_is_rejected_and_not_passed_over(tmp_path: Path) -> None:
    parsed = parse(tmp_path, *numbered(3), hydro(Gemeindeschluessel="5515000"), hydro(Gemeindeschluessel="09162000"))
    assert len(parsed.rows()) == 3
    (rejected,) = parsed.rows("rejected_row")
    assert (rejected["raw_text"], rejected["reason"]) == ("5515000", "expected 8 digits")
    assert parsed.accounts["energy_unit"].out_of_scope == 1


def test_units_without_coordinates_are_units(tmp_path: Path) -> None:
    (row,) = parse(tmp_path, hydro()).rows()
    assert (row["longitude"], row["latitude"], row["ags"]) == (None, None, "05515000")


def test_deleted_and_deactivated_units_are_listed_apart(tmp_path: Path) -> None:
    gone = record("GeloeschteUndDeaktivierteEinheit", EinheitMastrNummer="SEE900000000077", EinheitSystemstatus="473")
    parsed = parse(
        tmp_path, hydro(), GeloeschteUndDeaktivierteEinheiten=file("GeloeschteUndDeaktivierteEinheiten", gone)
    )
    assert [row["unit_id"] for row in parsed.rows()] == ["SEE900000000001"]
    assert [row["unit_id"] for row in parsed.rows("energy_deleted_unit")] == ["SEE900000000077"]


def test_what_a_store_holds_lies_in_its_plant_and_inverters_apart(tmp_path: Path) -> None:
    store = record("EinheitStromSpeicher", **HYDRO, SpeMastrNummer="SSE900000000001")
    plants = [
        record(
            "AnlageStromSpeicher",
            MaStRNummer=number,
            NutzbareSpeicherkapazitaet="12.500",
            VerknuepfteEinheitenMaStRNummern=unit,
        )
        for number, unit in (
            ("SSE900000000001", "SEE900000000001"),
            ("SSE900000000002", "SEE900000000002"),
            ("SSE900000000003", "SEE900000000009, SEE900000000001"),
        )
    ]
    members = {
        "EinheitenStromSpeicher.xml": file("EinheitenStromSpeicher", store),
        "AnlagenStromSpeicher.xml": file("AnlagenStromSpeicher", *plants),
    }
    parsed = Parsed(tmp_path, export(tmp_path, members), technologies=("storage",))
    (unit,) = parsed.rows()
    plant_rows = parsed.rows("energy_storage_plant")
    assert [row["storage_plant_id"][-1] for row in plant_rows] == ["1", "3"]
    assert (unit["storage_plant_id"], plant_rows[0]["usable_capacity_kwh"]) == ("SSE900000000001", 12.5)
    assert (unit["gross_capacity_kw"], unit["net_capacity_kw"], unit["inverter_capacity_kw"]) == (
        167.376,
        150.638,
        None,
    )


@pytest.mark.parametrize(("name", "told"), [("Gesamtdatenexport_20260101_25.2.zip", ("25.2", date(2026, 1, 1)))])
def test_the_day_of_an_export_stands_in_its_name(tmp_path: Path, name: str, told: tuple[str, date]) -> None:
    path = export(tmp_path, {"EinheitenWasser.xml": file("EinheitenWasser", hydro())}, name)
    (row,) = Parsed(tmp_path, path).rows("energy_export")
    assert (row["release"], row["export_date"]) == told


def test_an_export_of_another_name_is_of_its_latest_update(tmp_path: Path) -> None:
    path = export(tmp_path, {"EinheitenWasser.xml": file("EinheitenWasser", *numbered(2))}, "mended.zip")
    (row,) = Parsed(tmp_path, path).rows("energy_export")
    assert (row["release"], row["export_date"]) == (None, date(2025, 8, 13))


# -- persons ----------------------------------------------------------------------------------------------------------


def test_natural_persons_never_leave_the_parser(tmp_path: Path) -> None:
    person = {"Personenart": "518", "MarktakteurNachname": "Muster", "Firmenname": "Erika Muster", "Telefon": "0171"}
    actors = file(
        "Marktakteure",
        record("Marktakteur", MastrNummer="ABR900000000001", **person),
        record("Marktakteur", MastrNummer="ABR900000000002", Personenart="517", Firmenname="Muster GmbH"),
        record(
            "Marktakteur", MastrNummer="ABR900000000003", Personenart="517", Marktfunktion="1", Firmenname="Netz AG"
        ),
        record("Marktakteur", MastrNummer="ABR900000000004", Firmenname="Muster ohne Art"),
        "<Marktakteur><MastrNummer>ABR900000000005</MastrNummer><MarktakteurNachname>Muster & Co</Marktakteur>",
    )
    units = [
        hydro(
            EinheitMastrNummer=f"SEE90000000000{n}", AnlagenbetreiberMastrNummer=f"ABR90000000000{n}", Strasse="Weg 7"
        )
        for n in range(1, 5)
    ]
    broken = hydro(EinheitMastrNummer="SEE900000000008", Strasse="Musterweg & 7")
    parsed = parse(tmp_path, *units, broken, Marktakteure=actors)
    assert [(row["operator_person_type_id"], row["operator_id"]) for row in parsed.rows()] == [
        (518, None),
        (517, "ABR900000000002"),
        (517, "ABR900000000003"),
        (None, None),
    ]
    assert [(row["actor_id"][-1], row["name"]) for row in parsed.rows("energy_market_actor")] == [
        ("2", None),
        ("3", "Netz AG"),
    ]
    for secret in ("Muster", "0171", "Weg 7", "ABR900000000001", "ABR900000000004"):
        assert secret not in parsed.everything()


# -- hostile archives -------------------------------------------------------------------------------------------------


def test_deflate64_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    path = export(tmp_path, {"EinheitenWasser.xml": file("EinheitenWasser", hydro())})
    content = bytearray(path.read_bytes())
    # APPNOTE 4.4.5: method 9 is Deflate64, which Python's zipfile has no means to read.
    for signature, place in ((b"PK\x01\x02", 10), (b"PK\x03\x04", 8)):
        for found in re.finditer(re.escape(signature), bytes(content)):
            content[found.start() + place : found.start() + place + 2] = struct.pack("<H", 9)
    path.write_bytes(content)
    with pytest.raises(PayloadRefused, match="packed by method 9, expected stored or deflated"):
        Parsed(tmp_path, path)


def test_entities_are_refused_before_and_rejected_within_records(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    content = file("EinheitenWasser", hydro(Ort="&b;")).decode("utf-16")
    hostile = codecs.BOM_UTF16_LE + content.replace("<EinheitenWasser>", f"{bomb}<EinheitenWasser>").encode("utf-16-le")
    with pytest.raises(SnapshotRefused, match="declares a DOCTYPE"):
        Parsed(tmp_path, export(tmp_path, {"EinheitenWasser.xml": hostile}))
    within = parse(tmp_path, hydro(Ort=bomb), *numbered(1))
    assert [row["record_number"] for row in within.rows()] == [2]


@pytest.mark.parametrize("between", ["<!-- x -->", "<b>9</b>"])
def test_a_value_with_more_than_text_in_it_is_not_cut(tmp_path: Path, between: str) -> None:
    broken = hydro(EinheitMastrNummer="SEE900000000099", Bruttoleistung=f"12{between}34")
    parsed = parse(tmp_path, broken, *numbered(1))
    assert [row["record_number"] for row in parsed.rows()] == [2]


def test_an_export_without_one_of_its_parts_is_refused(tmp_path: Path) -> None:
    one, two = numbered(2)
    members = {
        "EinheitenWasser_1.xml": file("EinheitenWasser", one),
        "EinheitenWasser_3.xml": file("EinheitenWasser", two),
    }
    with pytest.raises(SnapshotRefused, match="EinheitenWasser has the parts 1, 3, expected 1 to 2"):
        Parsed(tmp_path, export(tmp_path, members))


# -- what is declared -------------------------------------------------------------------------------------------------


def test_declared_words_are_one() -> None:
    assert set(TECHNOLOGIES) == set(get_args(Technology))
    tables = {table.name: table for table in PARSED_TABLES}
    for family in FAMILIES:
        assert len({field.column for field in family.fields}) == len(family.fields)
        for field in family.fields:
            assert tables[family.table].columns.field(field.column).type == ARROW[field.kind]
        named = [family.scope[0]] if isinstance(family.scope, tuple) else []
        assert set(named) <= KNOWN_TAGS


# -- beside a naive parser --------------------------------------------------------------------------------------------


def naive(family: Family, text: str) -> list[dict[str, Any] | None]:
    """Every record of a file by lxml and plain conversions, None where it does not parse."""
    tag = family.record if f"<{family.record}>" in text else family.root
    records = re.findall(rf"<{tag}>.*?</{tag}>", text[text.index(f"<{family.root}>") + 2 :], re.DOTALL)
    rows: list[dict[str, Any] | None] = []
    for found in records:
        try:
            children = {child.tag: (child.text or "").strip() for child in etree.fromstring(found)}
        except etree.XMLSyntaxError:
            rows.append(None)
            continue
        plain = {name.replace("MaStR", "Mastr"): value for name, value in children.items()}
        rows.append({field.column: converted(field, plain) for field in family.fields})
    return rows


def converted(field: Field, tags: dict[str, str]) -> Any:
    text = next((tags[tag] for tag in field.tags if tags.get(tag)), "")
    if not text:
        return None
    match field.kind:
        case "id" | "status":
            return int(text)
        case "number" | "degrees":
            return float(text)
        case "date":
            return date.fromisoformat(text[:10])
        case "instant":
            return datetime.fromisoformat(text)
        case "flag":
            return text in ("1", "true")
    return text


def compare(path: Path, folder: Path, technologies: tuple[str, ...] = TECHNOLOGIES) -> int:
    """Compare every field of every record of an export with the naive parser; returns how many records agree."""
    parsed = Parsed(folder, path, technologies=technologies, region_only=False)
    expected: dict[str, list[dict[str, Any] | None]] = {}
    with zipfile.ZipFile(path) as archive:
        for family in FAMILIES:
            if family.constants.get("technology") in (None, *technologies) or family.table != "energy_unit":
                last: str | None = None
                for name in family.members(archive.namelist()):
                    text = archive.read(name).decode("utf-16")
                    rows = naive(family, text)
                    # The record at a seam is staged once.
                    first = re.search(rf"<{family.record}>.*?</{family.record}>", text, re.DOTALL)
                    if last is not None and first and first[0] == last:
                        rows[0] = None
                    expected.setdefault(family.table, []).extend(rows)
                    last = text[text.rfind(f"<{family.record}>") : text.rfind(f"</{family.record}>")]
                    last += f"</{family.record}>"
    agreeing = 0
    for table, rows in expected.items():
        ours = {row["record_number"]: row for row in parsed.rows(table)}
        for number, row in enumerate(rows, start=1):
            if row is None or (table == "energy_unit" and row["status_id"] is None):
                assert number not in ours, (table, number)
                continue
            if table == "energy_market_actor" and row["person_type_id"] != 517:
                assert number not in ours
                continue
            if table == "energy_market_actor" and row["market_function_id"] not in (1, 8):
                row["name"] = None
            told = ours[number]
            # Whether the number may stay is told by the actors.
            different = {
                column: (value, told[column])
                for column, value in row.items()
                if told[column] != value and column != "operator_id"
            }
            assert not different, (table, number, different)
            agreeing += 1
        assert len(ours) <= len(rows)
    return agreeing


def without_solar(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """The sample's export without its largest files, and the technologies in it."""
    few = {name: content for name, content in register.members().items() if "Solar" not in name}
    path = folder / register.EXPORT_NAME
    path.write_bytes(register.zipped(few))
    return path, tuple(name for name in TECHNOLOGIES if name != "solar")


def test_a_naive_parser_agrees_on_every_field_of_every_record(tmp_path: Path) -> None:
    path, technologies = without_solar(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        # Records lie across the blocks, and blocks are surveyed, many times.
        patch.setattr(mastr_records, "BLOCK_BYTES", 2**16)
        assert compare(path, tmp_path, technologies) > 6_400


def test_blocks_are_surveyed_to_the_same_as_record_by_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mastr_records, "BLOCK_BYTES", 2**15)
    path, technologies = without_solar(tmp_path)
    quick = Parsed(tmp_path / "quick", path, technologies=technologies)
    monkeypatch.setattr(mastr_records.InRegion, "survey", lambda *_: None)
    monkeypatch.setattr(mastr_records.Referring, "survey", lambda *_: None)
    slow = Parsed(tmp_path / "slow", path, technologies=technologies)
    assert quick.accounts == slow.accounts
    assert quick.everything() == slow.everything()


def test_two_processes_come_to_the_same_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, technologies = without_solar(tmp_path)
    one = Parsed(tmp_path / "one", path, technologies=technologies)
    monkeypatch.setattr(mastr, "PARALLEL_FROM_BYTES", 1)
    two = Parsed(tmp_path / "two", path, technologies=technologies)
    assert one.accounts == two.accounts
    assert one.everything() == two.everything()


# -- damaged bytes ----------------------------------------------------------------------------------------------------

VARIANTS = 1_000
GOOD = 12


def damaged(content: bytes, begin: int, end: int, dice: Random) -> bytes:
    """The bytes with some between two places changed, lost or added: all damage lies within one record."""
    body = bytearray(content)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(begin, end)
        kind = dice.randrange(4)
        if kind == 0:
            body[at] = dice.randrange(256)
        elif kind == 1:
            body[at : at + 2] = dice.choice(("<", ">", "&", "/", "\0", "\ud800")).encode("utf-16-le", "surrogatepass")
        elif kind == 2 and end - begin > 8:
            del body[at : at + dice.randint(1, 3)]
            end = min(end, len(body)) - 3
        else:
            body[at:at] = bytes(dice.randrange(256) for _ in range(dice.randint(1, 3)))
    return bytes(body)


def test_a_thousand_damaged_records_lose_no_good_one_before_or_after_them(monkeypatch: pytest.MonkeyPatch) -> None:
    dice, outcomes = Random("mastr"), Counter[str]()
    good = numbered(GOOD)
    victim = hydro(EinheitMastrNummer="SEE999999999999")
    text = [*good[: GOOD // 2], victim, *good[GOOD // 2 :]]
    content = file("EinheitenWasser", *text)
    begin = content.index(victim.encode("utf-16-le"))
    # The gap behind it is the next record's.
    end = begin + len(victim.rstrip().encode("utf-16-le"))
    expected = {f"SEE9000000{number:05d}" for number in range(GOOD)}
    for variant in range(VARIANTS):
        hurt = damaged(content, begin, end, dice)
        monkeypatch.setattr(mastr_records, "BLOCK_BYTES", dice.choice((997, 2**12, 2**22)))
        cut = cut_of(hurt)
        found = Counter(number for number, _ in cut)
        assert {number for number, count in found.items() if number in expected and count == 1} == expected, variant
        outcomes["whole" if len(found) > GOOD else "damaged"] += 1
    # Damage within a text may well leave the record readable.
    assert outcomes["whole"] > 5
    assert outcomes["damaged"] > 500


def cut_of(content: bytes) -> list[tuple[str, int]]:
    """The numbers of the units that can be read from a file, with the numbers of their records."""
    family = next(family for family in FAMILIES if family.record == "EinheitWasser")
    cut = mastr_records.Cut("x", io.BytesIO(content), family, mastr_records.InRegion(region().kreis_keys))
    found = []
    for record in cut:
        try:
            tags = mastr_records.tags_of(record.data, cut.encoding, cut.record)
        except ValueError:
            continue
        if not record.is_damaged:
            found.append((tags.get("EinheitMastrNummer", "?"), record.number))
    assert [number for _, number in found] == sorted({number for _, number in found})
    assert cut.read >= len(found)
    return found


def test_damage_across_a_whole_export_is_accounted_for(tmp_path: Path) -> None:
    """Through the parser itself: what is read is staged, rejected or out of scope, whatever bytes were changed."""
    dice = Random("mastr whole")
    content = file("EinheitenWasser", *numbered(30))
    head = content.index("<EinheitWasser>".encode("utf-16-le"))
    for variant in range(25):
        hurt = damaged(content, head, len(content) - 60, dice)
        folder = tmp_path / str(variant)
        folder.mkdir()
        account = Parsed(folder, export(folder, {"EinheitenWasser.xml": hurt})).accounts["energy_unit"]
        assert account.read == account.staged + account.rejected + account.out_of_scope
        assert account.staged >= 30 - 2 * 6


def test_records_of_every_length_lie_across_every_block_end(monkeypatch: pytest.MonkeyPatch) -> None:
    content = file("EinheitenWasser", *numbered(6))
    for size in itertools.chain(range(61, 2_000, 97), [2**14]):
        monkeypatch.setattr(mastr_records, "BLOCK_BYTES", size)
        assert len(cut_of(content)) == 6, size
