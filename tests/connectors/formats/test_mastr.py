from __future__ import annotations

import codecs
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import mastr_records
from connectors.formats.mastr import CONNECTOR
from connectors.mastr_fields import UNITS
from connectors.region import region
from connectors.staging import StagedWriter

SHA = "a" * 64
DECLARATION = '<?xml version="1.0" encoding="utf-16"?>\n'
UNIT = {
    "EinheitMastrNummer": "SEE900000000001",
    "DatumLetzteAktualisierung": "2025-08-13T01:12:33.8170947",
    "AnlagenbetreiberMastrNummer": "ABR900000000001",
    "Gemeindeschluessel": "05515000",
    "Postleitzahl": "48143",
    "Ort": "Ort &amp; Söhne",
    "Registrierungsdatum": "2019-02-01",
    "Inbetriebnahmedatum": "2008-11-19",
    "EinheitBetriebsstatus": "35",
    "Energietraeger": "2495",
    "Bruttoleistung": "167.376",
    "Nettonennleistung": "150.638",
    "Lage": "853",
}
CATALOGUE_XML = (
    "<Katalogwerte><Katalogwert><Id>35</Id><Wert>In Betrieb</Wert><KatalogKategorieId>1</KatalogKategorieId>"
    "</Katalogwert></Katalogwerte>"
)


def unit(**changes: str | None) -> str:
    tags = {tag: text for tag, text in (UNIT | changes).items() if text is not None}
    return "<EinheitSolar>" + "".join(f"\n<{tag}>{text}</{tag}>" for tag, text in tags.items()) + "\n</EinheitSolar>"


def solar(*units: str) -> str:
    return "<EinheitenSolar>\n" + "\n".join(units) + "\n</EinheitenSolar>\n"


def export(tmp_path: Path, members: dict[str, str]) -> Path:
    path = tmp_path / "Gesamtdatenexport_20260101_25.2.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in ({"Katalogwerte.xml": CATALOGUE_XML} | members).items():
            archive.writestr(name, codecs.BOM_UTF16_LE + (DECLARATION + text).encode("utf-16-le"))
    return path


def parse(tmp_path: Path, path: Path, **options: Any) -> tuple[StagedWriter, list[dict[str, Any]]]:
    with StagedWriter(tmp_path / "staged", "mastr", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("mastr", path, SHA), out, region(), **({"technologies": ("solar",)} | options))
        out.close()
    place = out.file_of("energy_unit")
    return out, pq.ParquetFile(place).read().to_pylist() if place.exists() else []


def parse_units(tmp_path: Path, *units: str) -> tuple[StagedWriter, list[dict[str, Any]]]:
    return parse(tmp_path, export(tmp_path, {"EinheitenSolar_1.xml": solar(*units)}))


def rejected(out: StagedWriter) -> list[tuple[int, str, str | None]]:
    rows = pq.ParquetFile(out.file_of("rejected_row")).read().to_pylist()
    return [(row["record_number"], row["column_name"], row["raw_text"]) for row in rows]


def reasons(out: StagedWriter) -> dict[str, int]:
    rows = pq.ParquetFile(out.file_of("record_account")).read().to_pylist()
    return {row["reason"]: row["records"] for row in rows if row["outcome"] == "out_of_scope"}


def test_a_unit_is_staged_with_its_types(tmp_path: Path) -> None:
    out, rows = parse_units(tmp_path, unit())
    (row,) = rows
    assert row["unit_id"] == "SEE900000000001"
    assert (row["technology"], row["export_member"]) == ("solar", "EinheitenSolar_1.xml")
    assert (row["ags"], row["status_id"], row["siting_id"]) == ("05515000", 35, 853)
    assert (row["gross_capacity_kw"], row["net_capacity_kw"]) == (167.376, 150.638)
    assert row["commissioned_date"] == date(2008, 11, 19)
    # The seventh digit is cut, not rounded up.
    assert row["updated_at"] == datetime(2025, 8, 13, 1, 12, 33, 817094)  # noqa: DTZ001 - local time without zone
    assert (row["longitude"], row["latitude"], row["shut_date"]) == (None, None, None)
    assert out.drifted == []


def test_the_catalogue_is_staged(tmp_path: Path) -> None:
    out, _ = parse_units(tmp_path, unit())
    (row,) = pq.ParquetFile(out.file_of("energy_catalogue_value")).read().to_pylist()
    assert (row["catalogue_id"], row["value"], row["category_id"]) == (35, "In Betrieb", 1)


def test_parts_are_read_in_the_order_of_their_numbers_and_a_repeated_seam_record_stays(tmp_path: Path) -> None:
    members = {
        f"EinheitenSolar_{part}.xml": solar(unit(EinheitMastrNummer=f"SEE{part}"), unit(EinheitMastrNummer="SEAM"))
        for part in (10, 2, 1)
    } | {f"EinheitenSolar_{part}.xml": solar() for part in range(3, 10)}
    out, rows = parse(tmp_path, export(tmp_path, members))
    assert [(row["record_number"], row["unit_id"]) for row in rows] == [
        (1, "SEE1"),
        (2, "SEAM"),
        (3, "SEE2"),
        (4, "SEAM"),
        (5, "SEE10"),
        (6, "SEAM"),
    ]
    assert out.accounts["energy_unit"].read == 6


def test_each_family_gives_its_technology(tmp_path: Path) -> None:
    members = {
        f"{family.root}.xml": f"<{family.root}>{unit().replace('EinheitSolar', family.record)}</{family.root}>"
        for family in UNITS
        if family.constants["technology"] in ("solar", "wind", "biomass", "hydro")
    }
    _, rows = parse(tmp_path, export(tmp_path, members), technologies=("solar", "wind", "biomass", "hydro"))
    assert [row["technology"] for row in rows] == ["solar", "wind", "biomass", "hydro"]


def test_units_elsewhere_are_out_of_scope_and_need_not_even_parse(tmp_path: Path) -> None:
    units = (
        unit(Gemeindeschluessel="09162000", Ort="M & M"),
        unit(Gemeindeschluessel=None),
        unit(),
    )
    out, rows = parse_units(tmp_path, *units)
    assert [row["record_number"] for row in rows] == [3]
    assert reasons(out) == {"outside the region": 1, "no municipality key": 1}


def test_without_region_only_every_unit_is_staged(tmp_path: Path) -> None:
    path = export(tmp_path, {"EinheitenSolar.xml": solar(unit(Gemeindeschluessel="09162000"), unit())})
    _, rows = parse(tmp_path, path, region_only=False)
    assert [row["ags"] for row in rows] == ["09162000", "05515000"]


@pytest.mark.parametrize(
    ("changes", "column", "raw"),
    [
        ({"Bruttoleistung": "167,376"}, "Bruttoleistung", "167,376"),
        ({"Bruttoleistung": None}, "Bruttoleistung", ""),
        ({"EinheitMastrNummer": None}, "EinheitMastrNummer", ""),
        ({"EinheitBetriebsstatus": "99"}, "EinheitBetriebsstatus", "99"),
        ({"Inbetriebnahmedatum": "2008-13-19"}, "Inbetriebnahmedatum", "2008-13-19"),
        ({"Inbetriebnahmedatum": None}, "Inbetriebnahmedatum", None),
        ({"Gemeindeschluessel": "5515000"}, "Gemeindeschluessel", "5515000"),
        ({"Laengengrad": "NaN"}, "Laengengrad", "NaN"),
    ],
)
def test_what_cannot_be_read_rejects_the_unit_alone(
    tmp_path: Path, changes: dict[str, str | None], column: str, raw: str | None
) -> None:
    out, rows = parse_units(tmp_path, unit(**changes), unit())
    assert [row["record_number"] for row in rows] == [2]
    assert rejected(out) == [(1, column, raw)]


def test_a_planned_unit_needs_no_commissioning_date(tmp_path: Path) -> None:
    planned = unit(EinheitBetriebsstatus="31", Inbetriebnahmedatum=None, GeplantesInbetriebnahmedatum="2027-03-01")
    _, rows = parse_units(tmp_path, planned)
    assert (rows[0]["commissioned_date"], rows[0]["planned_date"]) == (None, date(2027, 3, 1))


def test_broken_xml_rejects_its_record_and_loses_no_other(tmp_path: Path) -> None:
    unclosed = unit().removesuffix("</EinheitSolar>")
    out, rows = parse_units(tmp_path, unit(Ort="M & M"), unclosed, unit(), unclosed)
    assert [row["record_number"] for row in rows] == [3]
    assert [(number, column) for number, column, _ in rejected(out)] == [(1, "record"), (2, "record"), (4, "record")]
    assert out.accounts["energy_unit"].read == 4


def test_a_record_whose_opening_tag_cannot_be_found_is_rejected_alone(tmp_path: Path) -> None:
    other = unit().replace("<EinheitSolar>", '<EinheitSolar id="1">')
    out, rows = parse_units(tmp_path, unit(), other, unit(), other)
    assert [row["record_number"] for row in rows] == [1, 3]
    assert [(number, column) for number, column, _ in rejected(out)] == [(2, "record"), (4, "record")]


def test_records_that_lie_across_chunks_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = [unit(EinheitMastrNummer=f"SEE{number}") for number in range(7)]
    path = export(tmp_path, {"EinheitenSolar.xml": solar(*units)})
    for size in (301, 4096):
        monkeypatch.setattr(mastr_records, "BLOCK_BYTES", size)
        _, rows = parse(tmp_path, path)
        assert [row["unit_id"] for row in rows] == [f"SEE{number}" for number in range(7)]


def test_an_unknown_tag_is_drift_and_a_column_gone_empty_too(tmp_path: Path) -> None:
    out, _ = parse_units(tmp_path, unit(NeuesFeld2026="1", Lage=None))
    assert out.drifted == [("energy_unit", "Lage", "missing"), ("energy_unit", "NeuesFeld2026", "new")]


def test_nobodys_name_or_number_is_staged(tmp_path: Path) -> None:
    _, rows = parse_units(tmp_path, unit(Strasse="Netzestraße", NameStromerzeugungseinheit="PV Erika Muster"))
    for secret in ("ABR900000000001", "Netzestraße", "Erika Muster"):
        assert secret not in str(rows)


def test_a_doctype_is_refused_even_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + solar(unit(Ort="&a;"))
    path = export(tmp_path, {"EinheitenSolar.xml": "<!-- <EinheitenSolar -->" + text})
    for size in (2**20, 151):
        monkeypatch.setattr(mastr_records, "BLOCK_BYTES", size)
        with pytest.raises(SnapshotRefused, match="declares a DOCTYPE"):
            parse(tmp_path, path)


def test_an_endless_record_is_refused(tmp_path: Path) -> None:
    path = export(tmp_path, {"EinheitenSolar.xml": "<EinheitenSolar><EinheitSolar>" + "a" * 3_000_000})
    with pytest.raises(SnapshotRefused, match="longer than 1048576 characters"):
        parse(tmp_path, path)


def test_another_encoding_root_or_missing_family_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("EinheitenSolar.xml", solar(unit()))
        archive.writestr("Katalogwerte.xml", CATALOGUE_XML)
    with pytest.raises(SnapshotRefused, match="expected UTF-16 with a byte order mark"):
        parse(tmp_path, path)
    with pytest.raises(SnapshotRefused, match="expected the root element <EinheitenSolar>"):
        parse(tmp_path, export(tmp_path, {"EinheitenSolar.xml": "<html/>"}))
    with pytest.raises(SnapshotRefused, match=r"expected EinheitenWind\.xml"):
        parse(tmp_path, export(tmp_path, {"EinheitenSolar.xml": solar(unit())}), technologies=("wind",))
