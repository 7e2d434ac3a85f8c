"""Municipalities as their two publishers give them: BKG boundaries (VG5000) and the Gemeindeverzeichnis."""

from __future__ import annotations

from openpyxl import Workbook

from muensterland.sample import shapefile
from muensterland.sample.geography import BY_AGS, KREIS_NAMES, Municipality, area_km2, polygons, population
from muensterland.sample.packing import workbook_bytes, zipped
from muensterland.sample.shapefile import Field

BOUNDARIES = "daten.gdz.bkg.bund.de/produkte/vg/vg5000_1231/aktuell/vg5000_12-31.utm32s.shape.ebenen.zip"
REGISTER = "www.destatis.de/DE/Themen/Laender-Regionen/Regionales/Gemeindeverzeichnis/AuszugGV2QAktuell.xlsx"

# The attribute table of VG5000_GEM, widths as BKG has them.
FIELDS = (
    Field("OBJID", "C", 16),
    Field("BEGINN", "D", 8),
    Field("ADE", "N", 2),
    Field("GF", "N", 2),
    Field("BSG", "N", 2),
    Field("ARS", "C", 12),
    Field("AGS", "C", 8),
    Field("SDV_ARS", "C", 12),
    Field("GEN", "C", 60),
    Field("BEZ", "C", 60),
    Field("IBZ", "N", 2),
    Field("BEM", "C", 60),
    Field("NBD", "C", 4),
    Field("SN_L", "C", 2),
    Field("SN_R", "C", 1),
    Field("SN_K", "C", 2),
    Field("SN_V1", "C", 2),
    Field("SN_V2", "C", 2),
    Field("SN_G", "C", 3),
    Field("FK_S3", "C", 2),
    Field("NUTS", "C", 5),
    Field("ARS_0", "C", 12),
    Field("AGS_0", "C", 8),
    Field("WSK", "D", 8),
)
ETRS89_UTM32 = (
    'PROJCS["ETRS_1989_UTM_Zone_32N",GEOGCS["GCS_ETRS_1989",DATUM["D_ETRS_1989",SPHEROID["GRS_1980",6378137.0,'
    '298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
    'PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",9.0],'
    'PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)

LAND_NAMES = {"03": "Niedersachsen", "05": "Nordrhein-Westfalen"}
DISTRICT_NAMES = {"055": "Reg.-Bez. Münster", "059": "Reg.-Bez. Arnsberg"}
TITLE = "Gemeinden in Deutschland nach Fläche, Bevölkerung und Postleitzahl am 30.06.2026 (2. Quartal)"
COLUMNS = 20
Cell = str | int | float | None


def files() -> dict[str, bytes]:
    """Both files by publisher's address."""
    return {BOUNDARIES: boundaries(), REGISTER: register()}


def boundaries() -> bytes:
    """VG5000: one zip with the municipality layer in a nested folder; 66 municipalities and three neighbours."""
    shp, shx = shapefile.shapes([polygons()[ags] for ags in BY_AGS])
    folder = "vg5000_12-31.utm32s.shape.ebenen/vg5000_ebenen_1231/"
    return zipped(
        {
            folder + "VG5000_GEM.cpg": b"UTF-8",
            folder + "VG5000_GEM.dbf": shapefile.attributes(FIELDS, [_attributes(place) for place in BY_AGS.values()]),
            folder + "VG5000_GEM.prj": ETRS89_UTM32.encode(),
            folder + "VG5000_GEM.shp": shp,
            folder + "VG5000_GEM.shx": shx,
            "vg5000_12-31.utm32s.shape.ebenen/aktualitaet.txt": b"31.12.2025",
            "vg5000_12-31.utm32s.shape.ebenen/quellenvermerk_datenlizenz_deutschland.txt": (
                "Synthetisches Beispiel: erfundene Umrisse, keine Geodaten des BKG\r\n".encode("latin-1")
            ),
        }
    )


def _attributes(place: Municipality) -> dict[str, str]:
    return {
        "OBJID": f"SYNTH{place.ags}",
        "BEGINN": "20260101",
        "ADE": "6",
        "GF": "9",
        "BSG": "1",
        "ARS": place.ars,
        "AGS": place.ags,
        "SDV_ARS": place.ars,
        "GEN": place.short_name,
        "BEZ": "Stadt" if place.is_city else "Gemeinde",
        "IBZ": "60" if place.is_kreisfrei else "63" if place.is_city else "64",
        "BEM": "kreisfrei" if place.is_kreisfrei else "--",
        "NBD": "ja" if place.is_city else "nein",
        "SN_L": place.ags[:2],
        "SN_R": place.ags[2],
        "SN_K": place.ags[3:5],
        "SN_V1": place.ars[5:7],
        "SN_V2": place.ars[7:9],
        "SN_G": place.ags[5:],
        "FK_S3": "R",
        "NUTS": "DEXXX",
        "ARS_0": place.ars,
        "AGS_0": place.ags,
        "WSK": "20260101",
    }


def register() -> bytes:
    """The Gemeindeverzeichnis: five header rows, record types 10 to 60 in one table, a footer."""
    workbook = Workbook()
    contents = workbook.worksheets[0]
    contents.title = "Inhalt"
    contents.append(["Synthetisches Beispiel, kein Werk des Statistischen Bundesamtes"])
    sheet = workbook.create_sheet("Onlineprodukt_Gemeinden30062026")
    for row in (*_header(), *_records(), *_footer()):
        sheet.append(row)
    return workbook_bytes(workbook)


def _header() -> list[list[Cell]]:
    return [
        _row({0: TITLE}),
        _row({}),
        _row(
            {
                0: "Satz-art",
                1: "Text-kenn-zeichen",
                2: "Amtlicher Regionalschlüssel (ARS)",
                7: "Gemeindename",
                8: "Fläche km2 1)",
                9: "Bevölkerung2)",
                13: "Postleit-zahl3)",
                14: "Geografische Mittelpunktkoordinaten",
                16: "Reisegebiete",
                18: "Grad der Verstädterung",
            }
        ),
        _row(
            {
                2: "Land",
                3: "RB",
                4: "Kreis",
                5: "VB",
                6: "Gem",
                9: "insgesamt",
                10: "männlich",
                11: "weiblich",
                12: "je km2",
                14: "Längengrad",
                15: "Breitengrad",
            }
        ),
        _row(
            {
                2: "Gebietsstand am 30.06.2026 (2. Quartal)",
                8: "31.12.2024 (Jahr)",
                9: "am 31.12.2024 (Jahr)",
                14: "Zuordnungsstand am 31.12.2025",
                16: "Schlüssel",
                17: "Bezeichnung",
                18: "Schlüssel",
                19: "Bezeichnung",
            }
        ),
        _row({}),
    ]


def _records() -> list[list[Cell]]:
    """Land, district, Kreis and association before their first municipality, as the register nests them."""
    rows: list[list[Cell]] = []
    told: set[str] = set()

    def tell_once(key: str, row: dict[int, Cell]) -> None:
        if key not in told:
            told.add(key)
            rows.append(_row(row))

    for ags in sorted(BY_AGS):
        place = BY_AGS[ags]
        land, district, kreis, association = ags[:2], ags[2], ags[3:5], place.ars[5:9]
        keys: dict[int, Cell] = {2: land, 3: district, 4: kreis}
        kreis_name = place.name if place.is_kreisfrei else KREIS_NAMES[place.kreis]
        tell_once(land, {0: "10", 2: land, 7: LAND_NAMES[land], 12: ""})
        if ags[:3] in DISTRICT_NAMES:
            tell_once(ags[:3], {0: "20", 2: land, 3: district, 7: DISTRICT_NAMES[ags[:3]], 12: ""})
        tell_once(ags[:5], {0: "40", 1: "41" if place.is_kreisfrei else "43", **keys, 7: kreis_name, 12: ""})
        tell_once(place.ars[:9], {0: "50", 1: "50", **keys, 5: association, 7: place.name, 12: ""})
        rows.append(_municipality(place))
    return rows


def _municipality(place: Municipality) -> list[Cell]:
    male, female = population(place.ags)
    area = area_km2(place.ags)
    own = place.ags[5:]
    outside = place.kreis[:3] != "055"
    return [
        *("60", "61" if place.is_kreisfrei else "63" if place.is_city else "64"),
        *(place.ags[:2], place.ags[2], place.ags[3:5], place.ars[5:9], own, place.name),
        *(area, male + female, male, female, round((male + female) / area), place.postal_code),
        *(str(place.longitude).replace(".", ","), str(place.latitude).replace(".", ",")),
        *(("X00", "Außerhalb") if outside else ("H03", "Münsterland")),
        *(("01", "dicht besiedelt") if place.is_kreisfrei else ("02", "mittlere Besiedlungsdichte")),
    ]


def _footer() -> list[list[Cell]]:
    return [
        _row({}),
        _row({0: "Quelle: synthetisches Beispiel nach dem Gemeindeverzeichnis-Informationssytem GV-ISys"}),
        _row({}),
        _row({0: "1) Flächen der erfundenen Umrisse."}),
        _row({0: "2) Erfundene Bevölkerung."}),
        _row({0: "3) Die Gemeinde kann mehrere Postleitzahlen (PLZ) haben."}),
    ]


def _row(cells: dict[int, Cell]) -> list[Cell]:
    return [cells.get(column) for column in range(COLUMNS)]
