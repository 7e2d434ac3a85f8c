"""Parse a full export of the Marktstammdatenregister: solar, wind, biomass and hydro units, streamed from the zip."""

from __future__ import annotations

import codecs
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from lxml import etree

from connectors.archive import files, open_zip
from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import ENERGY_CATALOGUE_VALUE, ENERGY_UNIT, Table
from connectors.text import is_mojibake

Technology = Literal["solar", "wind", "biomass", "hydro"]


@dataclass(frozen=True)
class Family:
    """A family of export files: the root element gives the file its name, and holds one element per record."""

    root: str
    record: str

    def members(self, names: Mapping[str, zipfile.ZipInfo]) -> list[str]:
        """The family's file names, numbered parts in the order of their numbers."""
        parts = [re.fullmatch(rf"{self.root}(?:_([0-9]+))?\.xml", name) for name in names]
        return [part[0] for part in sorted(filter(None, parts), key=lambda part: int(part[1] or 0))]


FAMILIES: dict[Technology, Family] = {
    "solar": Family("EinheitenSolar", "EinheitSolar"),
    "wind": Family("EinheitenWind", "EinheitWind"),
    "biomass": Family("EinheitenBiomasse", "EinheitBiomasse"),
    "hydro": Family("EinheitenWasser", "EinheitWasser"),
}
CATALOGUE = Family("Katalogwerte", "Katalogwert")

# EinheitBetriebsstatus: 31 planned, 35 in operation, 37 temporarily shut, 38 finally shut.
PLANNED = 31
STATUSES = (PLANNED, 35, 37, 38)

# The export of 2025 unpacks to about 50 GB of UTF-16; it is streamed and never lies on the disk unpacked.
UNPACKED_LIMIT_BYTES = 80 * 2**30
CHUNK_BYTES = 2**20
# A unit has about 2,000 characters; one of a million is an attack or a broken file.
RECORD_LIMIT_CHARACTERS = 2**20
BATCH_ROWS = 5_000
TAG_LIMIT = 2_000
MUNICIPALITY_KEY = re.compile(r"<Gemeindeschluessel>([^<]*)<")


def parse(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    region_only: bool = True,
    technologies: tuple[Technology, ...] = ("solar", "wind", "biomass", "hydro"),
) -> None:
    """Stage generating units (capacities in kW) and the catalogue that resolves their ids.

    A record is one unit or catalogue element; a unit repeated at the seam of two parts is staged twice, as it comes.
    `region_only` leaves units of other municipalities, and those without a municipality, out of scope.
    Raises SnapshotRefused where a family is missing, a file is not UTF-16 XML or carries a DOCTYPE.
    """
    units = _Batches(out, ENERGY_UNIT)
    with open_zip(snapshot.path, UNPACKED_LIMIT_BYTES) as archive:
        # A family's numbered parts are one table: their number grows with the register.
        families = {re.sub(r"(_[0-9]+)?\.xml$", "", name) for name in files(archive)}
        out.saw_header(ENERGY_UNIT, [f"file:{name}" for name in sorted(families)])
        for technology in technologies:
            seen: Counter[str] = Counter()
            for member, record in _records(snapshot, out, archive, FAMILIES[technology], ENERGY_UNIT):
                number = units.next_number()
                if not _is_wanted(out, region if region_only else None, number, record):
                    continue
                tags = _tags(out, ENERGY_UNIT, number, record)
                if tags is None:
                    continue
                seen.update(tags.keys())
                if len(seen) > TAG_LIMIT:
                    raise SnapshotRefused(
                        f"{snapshot.source_id}: {snapshot.path.name}: {member}: more than {TAG_LIMIT} different tags, "
                        "the export has about 150; ask the publisher again"
                    )
                row = _unit(out, number, tags)
                if row is not None:
                    units.add(row | {"technology": technology, "export_member": member})
            _report_drift(out, technology, set(seen))
            out.saw_fields(ENERGY_UNIT, seen)
        units.flush()
        _parse_catalogue(snapshot, out, archive)


def _parse_catalogue(snapshot: Snapshot, out: StagedWriter, archive: zipfile.ZipFile) -> None:
    values = _Batches(out, ENERGY_CATALOGUE_VALUE)
    for _, record in _records(snapshot, out, archive, CATALOGUE, ENERGY_CATALOGUE_VALUE):
        number = values.next_number()
        tags = _tags(out, ENERGY_CATALOGUE_VALUE, number, record)
        row = None if tags is None else _read_fields(out, ENERGY_CATALOGUE_VALUE, number, tags, CATALOGUE_FIELDS)
        if row is not None:
            values.add(row)
    values.flush()


class _Batches:
    """Counts the records of a table and hands its rows to the writer in batches, so that memory stays bounded."""

    def __init__(self, out: StagedWriter, table: Table) -> None:
        self._out, self._table = out, table
        self._rows: list[dict[str, Any]] = []
        self._number = 0

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        if len(self._rows) >= BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._out.write(self._table, self._rows)
            self._rows = []


# -- from the zip to the text of single records ---------------------------------------------------------------------


def _records(
    snapshot: Snapshot, out: StagedWriter, archive: zipfile.ZipFile, family: Family, table: Table
) -> Iterator[tuple[str, str]]:
    """(member, text of one record element) through all files of a family."""
    members = files(archive)
    names = family.members(members)
    if not names:
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: expected {family.root}.xml or {family.root}_1.xml, "
            f"found {', '.join(sorted(members)[:20]) or 'nothing'}; check the option `technologies` or ask again"
        )
    for name in names:
        where = f"{snapshot.source_id}: {snapshot.path.name}: {name}"
        texts = _counted(out, table, family.record, _texts(where, archive, members[name], family.root))
        for record in _split(where, texts, family.record):
            yield name, record


def _texts(where: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, root: str) -> Iterator[str]:
    """The member's text in chunks; raises SnapshotRefused where it is not UTF-16 XML with the expected root."""
    decoder = codecs.getincrementaldecoder("utf-16")("strict")
    tail, is_first = "", True
    with archive.open(member) as stream:
        while data := stream.read(CHUNK_BYTES):
            if is_first and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise SnapshotRefused(f"{where}: expected UTF-16 with a byte order mark, found {data[:16]!r}")
            text = _decode(where, decoder, data)
            if is_first and f"<{root}" not in text:
                raise SnapshotRefused(f"{where}: expected the root element <{root}>, found {text[:100]!r}")
            if "<!DOCTYPE" in tail + text or "<!ENTITY" in tail + text:
                raise SnapshotRefused(
                    f"{where}: declares a DOCTYPE, which the export never does; entities are hostile: ask the publisher"
                )
            tail, is_first = text[-len("<!DOCTYPE") :], False
            yield text
    _decode(where, decoder, b"")


def _decode(where: str, decoder: codecs.IncrementalDecoder, data: bytes) -> str:
    try:
        return decoder.decode(data, final=not data)
    except UnicodeDecodeError as error:
        raise SnapshotRefused(f"{where}: expected UTF-16, {error.reason}; ask the publisher again") from error


def _counted(out: StagedWriter, table: Table, record: str, texts: Iterator[str]) -> Iterator[str]:
    """Pass the chunks through and count their opening tags: the records read, apart from what becomes of them."""
    # Wider than what `_split` looks for, so that a tag written in another way is missed in the account, not in silence.
    opening, tail = re.compile(rf"<{record}(?=[\s/>])"), ""
    width = len(record) + 2
    for text in texts:
        seen = tail + text
        out.read(table, sum(1 for _ in opening.finditer(seen)))
        tail = seen[-width + 1 :]
        yield text


def _split(where: str, texts: Iterator[str], record: str) -> Iterator[str]:
    """Each record's text from its opening tag on.

    A record that is not closed before the next one opens, or before the file ends, comes as it is: it will not parse.
    """
    opening, closing = f"<{record}>", f"</{record}>"
    buffer = ""
    for text in texts:
        buffer += text
        start = buffer.find(opening)
        while start >= 0:
            following = buffer.find(opening, start + len(opening))
            end = buffer.find(closing, start, following if following >= 0 else len(buffer))
            if end < 0 and following < 0:
                break
            stop = end + len(closing) if end >= 0 else following
            yield _bounded(where, buffer[start:stop])
            start = following
        # Between records nothing is kept but what may be the beginning of an opening tag.
        buffer = _bounded(where, buffer[start:]) if start >= 0 else buffer[-len(opening) + 1 :]
    if buffer.startswith(opening):
        yield buffer


def _bounded(where: str, text: str) -> str:
    if len(text) > RECORD_LIMIT_CHARACTERS:
        raise SnapshotRefused(
            f"{where}: a record is longer than {RECORD_LIMIT_CHARACTERS} characters: {text[:100]!r}; "
            "ask the publisher again"
        )
    return text


# -- from the text of a record to a row -----------------------------------------------------------------------------


def _is_wanted(out: StagedWriter, region: Region | None, number: int, record: str) -> bool:
    """Whether the record lies in `region` (None: anywhere); told from its text, as most units lie elsewhere."""
    found = MUNICIPALITY_KEY.search(record)
    key = found[1].strip() if found else ""
    if key and not re.fullmatch(r"[0-9]{8}", key):
        out.reject(ENERGY_UNIT, number, "Gemeindeschluessel", key, "expected 8 digits")
        return False
    if region is not None and not region.holds(key):
        out.out_of_scope(ENERGY_UNIT, "outside the region" if key else "no municipality key")
        return False
    return True


def _tags(out: StagedWriter, table: Table, number: int, record: str) -> dict[str, str] | None:
    """The record's child elements with their text; None where it does not parse and was rejected."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        element = etree.fromstring(record, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        out.reject(table, number, "record", record, f"not well-formed XML: {type(error).__name__}")
        return None
    tags: dict[str, str] = {}
    for child in element.iterchildren(tag=etree.Element):
        if child.tag in tags and tags[child.tag] != (child.text or "").strip():
            out.reject(table, number, child.tag, child.text, "given twice with different values")
            return None
        tags[child.tag] = (child.text or "").strip()
    return tags


def _unit(out: StagedWriter, number: int, tags: dict[str, str]) -> dict[str, Any] | None:
    row = _read_fields(out, ENERGY_UNIT, number, tags, UNIT_FIELDS)
    if row is None:
        return None
    if row["commissioned_date"] is None and row["status_id"] != PLANNED:
        out.reject(ENERGY_UNIT, number, "Inbetriebnahmedatum", None, "expected a date, as the unit is not planned")
        return None
    return row


def _read_fields(
    out: StagedWriter, table: Table, number: int, tags: Mapping[str, str], fields: tuple[_Field, ...]
) -> dict[str, Any] | None:
    row: dict[str, Any] = {"record_number": number}
    for field in fields:
        raw = next((tags[tag] for tag in field.tags if tags.get(tag)), "")
        if field.is_required and not raw:
            out.reject(table, number, field.tags[0], raw, "expected a value")
            return None
        try:
            row[field.column] = field.read(raw) if raw else None
        except ValueError as error:
            out.reject(table, number, field.tags[0], raw, str(error))
            return None
    return row


def _report_drift(out: StagedWriter, technology: Technology, seen: set[str]) -> None:
    for tag in sorted(seen - UNIT_TAGS):
        out.drift(ENERGY_UNIT, tag, "new")
    filled = ALWAYS_FILLED | (FILLED_WITH_SITING if technology in ("solar", "wind") else set())
    for tag in sorted(filled - seen if seen else ()):
        out.drift(ENERGY_UNIT, tag, "missing")


# -- the fields ------------------------------------------------------------------------------------------------------


def _code(raw: str) -> str:
    return raw


def _label(raw: str) -> str:
    if is_mojibake(raw):
        raise ValueError("broken encoding")
    return raw


def _whole(raw: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", raw):
        raise ValueError("expected a whole number")
    return int(raw)


def _status(raw: str) -> int:
    if raw not in [str(status) for status in STATUSES]:
        raise ValueError(f"expected one of {', '.join(map(str, STATUSES))}")
    return int(raw)


def _kilowatts(raw: str) -> float:
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]+)?", raw):
        raise ValueError("expected kW with a decimal point")
    return float(raw)


def _degrees(raw: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]+)?", raw):
        raise ValueError("expected degrees with a decimal point")
    return float(raw)


def _day(raw: str) -> date:
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9:.]+)?", raw)
    if not found:
        raise ValueError("expected a date Y-M-D")
    return date.fromisoformat(found[1])


def _instant(raw: str) -> datetime:
    """Seven fractional digits are cut to microseconds; the export gives no zone."""
    if not re.fullmatch(r"[0-9-]{10}T[0-9:]{8}(\.[0-9]+)?", raw):
        raise ValueError("expected Y-M-DTH:M:S without zone")
    return datetime.fromisoformat(raw)


@dataclass(frozen=True)
class _Field:
    """A column, the tags that may carry it (the first one that is filled counts), and how to read it."""

    column: str
    tags: tuple[str, ...]
    read: Callable[[str], Any]
    is_required: bool = False


UNIT_FIELDS = (
    _Field("unit_id", ("EinheitMastrNummer",), _code, is_required=True),
    _Field("energy_carrier_id", ("Energietraeger",), _whole),
    _Field("status_id", ("EinheitBetriebsstatus",), _status, is_required=True),
    _Field("ags", ("Gemeindeschluessel",), _code),
    _Field("postal_code", ("Postleitzahl",), _code),
    _Field("longitude", ("Laengengrad",), _degrees),
    _Field("latitude", ("Breitengrad",), _degrees),
    _Field("commissioned_date", ("Inbetriebnahmedatum",), _day),
    _Field("planned_date", ("GeplantesInbetriebnahmedatum",), _day),
    _Field("temporarily_shut_date", ("DatumBeginnVoruebergehendeStilllegung",), _day),
    _Field("resumed_date", ("DatumWiederaufnahmeBetrieb",), _day),
    _Field("shut_date", ("DatumEndgueltigeStilllegung",), _day),
    _Field("gross_capacity_kw", ("Bruttoleistung",), _kilowatts, is_required=True),
    _Field("net_capacity_kw", ("Nettonennleistung",), _kilowatts),
    _Field("siting_id", ("Lage",), _whole),
    _Field("registered_date", ("Registrierungsdatum",), _day),
    # The second spelling is the register's own mistake (marktstammdatenregister-dev/feler).
    _Field("updated_at", ("DatumLetzteAktualisierung", "DatumLetzeAktualisierung"), _instant),
)
CATALOGUE_FIELDS = (
    _Field("catalogue_id", ("Id",), _whole, is_required=True),
    _Field("value", ("Wert",), _label, is_required=True),
    _Field("category_id", ("KatalogKategorieId",), _whole),
)
ALWAYS_FILLED = {
    "EinheitMastrNummer",
    "EinheitBetriebsstatus",
    "Energietraeger",
    "Bruttoleistung",
    "Nettonennleistung",
    "Registrierungsdatum",
    "DatumLetzteAktualisierung",
}
# Lage once came empty through a whole release.
FILLED_WITH_SITING = {"Lage"}
# Unit fields of the export that are documented and not staged, many of them data on persons and their addresses
# (documentation of the full export; open-MaStR's data package).
TAGS_NOT_STAGED = frozenset(
    re.findall(
        r"\w+",
        """
    Adresszusatz Aktenzeichen AltAnlagenbetreiberMastrNummer AltAnlagenbentreiberMastrNummer
    AnlagenbetreiberMastrNummer AnschlussAnHoechstOderHochSpannung AnzahlModule AnzeigeEinerStilllegung
    ArtDerFlaeche ArtDerFlaecheIds ArtDerSolaranlage ArtDerStilllegung ArtDerWasserkraftanlage ArtDesZuflusses
    AuflageAbschaltungLeistungsbegrenzung AuflagenAbschaltungEiswurf
    AuflagenAbschaltungSchallimmissionsschutzNachts AuflagenAbschaltungSchallimmissionsschutzTagsueber
    AuflagenAbschaltungSchattenwurf AuflagenAbschaltungSonstige AuflagenAbschaltungTierschutz
    BestandsanlageMastrNummer BestandteilGrenzkraftwerk Biomasseart Buergerenergie Bundesland ClusterNordsee
    ClusterOstsee DatumBeendigungVorlaeufigenStilllegung DatumBeginnVorlaeufigenOderEndgueltigenStilllegung
    DatumDesBetreiberwechsels DatumRegistrierungDesBetreiberwechsels EegMaStRNummer EegMastrNummer
    Einsatzverantwortlicher EinheitSystemstatus EinheitlicheAusrichtungUndNeigungswinkel Einspeisungsart
    FernsteuerbarkeitDr FernsteuerbarkeitDv FernsteuerbarkeitNb FlurFlurstuecknummern Gemarkung Gemeinde
    GemeinsamerWechselrichterMitSpeicher GenMastrNummer Hauptausrichtung HauptausrichtungNeigungswinkel
    Hauptbrennstoff Hausnummer Hausnummer_nv HausnummerNichtGefunden Hersteller InAnspruchGenommeneAckerflaeche
    InAnspruchGenommeneFlaeche Inselbetriebsfaehigkeit Kraftwerksnummer Kraftwerksnummer_nv Kuestenentfernung
    KwkMaStRNummer KwkMastrNummer Land Landkreis Leistungsbegrenzung LokationMaStRNummer LokationMastrNummer
    MinderungStromerzeugung Nabenhoehe Nachtkennzeichen NameKraftwerk NameStromerzeugungseinheit NameWindpark
    Nebenausrichtung NebenausrichtungNeigungswinkel NettonennleistungDeutschland NetzbetreiberMastrNummer
    NetzbetreiberpruefungDatum NetzbetreiberpruefungStatus NichtVorhandenInMigriertenEinheiten Nutzungsbereich Ort
    PraequalifiziertFuerRegelenergie Rotorblattenteisungssystem Rotordurchmesser Schwarzstartfaehigkeit Seelage
    SpeMastrNummer Strasse StrasseNichtGefunden Technologie Typenbezeichnung Wassertiefe Weic WeicDisplayName Weic_nv
    ZugeordneteWirkleistungWechselrichter ZugeordnenteWirkleistungWechselrichter
    """,
    )
)
UNIT_TAGS = TAGS_NOT_STAGED | {tag for field in UNIT_FIELDS for tag in field.tags}

CONNECTOR = Connector(
    name="mastr_export",
    version=3,
    payload="zip",
    tables=(ENERGY_UNIT, ENERGY_CATALOGUE_VALUE),
    parse=parse,
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
