"""Unfallatlas: one zip per year, whose member, columns and encoding change from year to year as the publisher's do."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from muensterland.sample.geography import BY_AGS, OUTSIDE, REGION, Point, point_within, to_degrees
from muensterland.sample.packing import dice, lines, zipped

FOLDER = "www.opengeodata.nrw.de/produkte/transport_verkehr/unfallatlas"
# The first year that has North Rhine-Westphalia.
NRW_SINCE = 2019
# So many accidents in the region in a year, and far away.
WITHIN, ELSEWHERE = 220, 40
# Two municipalities where nothing ever happens: that is a measured zero.
QUIET = frozenset({"05554024", "05570012"})
# Of another state's file: the key and a place near it.
FAR = (("03404000", OUTSIDE[0].centre), ("09162000", Point(691_000.0, 5_334_000.0)), ("11000000", OUTSIDE[0].centre))

_KEY = (
    "ULAND",
    "UREGBEZ",
    "UKREIS",
    "UGEMEINDE",
    "UJAHR",
    "UMONAT",
    "USTUNDE",
    "UWOCHENTAG",
    "UKATEGORIE",
    "UART",
    "UTYP1",
)
_PLACE = ("LINREFX", "LINREFY", "XGCSWGS84", "YGCSWGS84")
_TAKING_PART = ("IstRad", "IstPKW", "IstFuss", "IstKrad")


@dataclass(frozen=True)
class Generation:
    """How a year's file looks: its member, its columns in their order, its first bytes."""

    member: str
    columns: tuple[str, ...]
    mark: bytes = b""


# Columns in the order of the publisher's files, see connectors.formats.accident_atlas.
GENERATIONS: Mapping[int, Generation] = {
    2016: Generation(
        "csv/Unfallorte2016_LinRef.txt",
        ("FID", "OBJECTID", *_KEY, "ULICHTVERH", "IstStrasse", *_TAKING_PART, "IstGkfz", "IstSonstig", *_PLACE),
    ),
    2017: Generation(
        "csv/Unfallorte2017_LinRef.txt",
        ("OBJECTID", "UIDENTSTLA", *_KEY, *_TAKING_PART, "IstSonstig", "LICHT", "STRZUSTAND", *_PLACE),
    ),
    2018: Generation(
        "csv/Unfallorte2018_LinRef.txt",
        ("OBJECTID_1", *_KEY, "ULICHTVERH", *_TAKING_PART, "IstGkfz", "IstSonstig", "STRZUSTAND", *_PLACE),
    ),
    2019: Generation(
        "csv/Unfallorte2019_LinRef.txt",
        ("OBJECTID", *_KEY, "ULICHTVERH", *_TAKING_PART, "IstGkfz", "IstSonstige", *_PLACE, "STRZUSTAND"),
    ),
    2020: Generation(
        "csv/Unfallorte2020_LinRef.csv",
        (
            "OBJECTID",
            "UIDENTSTLAE",
            *_KEY,
            "ULICHTVERH",
            *_TAKING_PART,
            "IstGkfz",
            "IstSonstige",
            *_PLACE,
            "STRZUSTAND",
        ),
    ),
    2021: Generation(
        "Unfallorte2021_EPSG25832_CSV.csv",
        (
            *("OID_", *_KEY, *_TAKING_PART, "IstSonstige", "ULICHTVERH", "IstGkfz"),
            *(*_PLACE, "UIDENTSTLAE", "IstStrassenzustand"),
        ),
        b"\xef\xbb\xbf",
    ),
    2022: Generation(
        "csv/Unfallorte2022_LinRef.csv",
        (
            *("OBJECTID", "UIDENTSTLAE", *_KEY, "ULICHTVERH", "IstStrassenzustand"),
            *(*_TAKING_PART, "IstGkfz", "IstSonstige", *_PLACE),
        ),
    ),
    **{
        year: Generation(
            f"csv/Unfallorte{year}_LinRef.csv",
            (
                *("OID_", "UIDENTSTLAE", *_KEY, "ULICHTVERH", "IstStrassenzustand"),
                *(*_TAKING_PART, "IstGkfz", "IstSonstige", *_PLACE, "PLST"),
            ),
            b"\xef\xbb\xbf",
        )
        for year in (2023, 2024)
    },
    2025: Generation(
        "csv/Unfallorte2025_LinRef.csv",
        (
            *("UIDENTSTLAE", *_KEY, "ULICHTVERH", "IstStrassenzustand"),
            *(*_TAKING_PART, "IstGkfz", "IstSonstige", *_PLACE, "PLST"),
        ),
    ),
}


def files() -> dict[str, bytes]:
    """The zip of every year by publisher's address."""
    return {f"{FOLDER}/Unfallorte{year}_EPSG25832_CSV.zip": year_file(year) for year in GENERATIONS}


def year_file(year: int) -> bytes:
    """A year of invented accidents, CRLF; in 2021 one whose severity nobody can read."""
    generation = GENERATIONS[year]
    rows = [[accident[column] for column in generation.columns] for accident in _accidents(year)]
    if year == 2021:
        rows[7][generation.columns.index("UKATEGORIE")] = "4"
    text = lines([generation.columns, *rows], ";", "\r\n")
    return zipped({generation.member: generation.mark + text.encode("latin-1")})


def _accidents(year: int) -> Iterator[dict[str, str]]:
    roll = dice(f"accidents {year}")
    within = [place.ags for place in REGION if place.ags not in QUIET] + ["05515000"] * 60 + ["05913000"] * 15
    chosen = [roll.choice(within) for _ in range(WITHIN)] if year >= NRW_SINCE else []
    places = [(ags, point_within(ags, roll)) for ags in chosen]
    if places:
        # Its key says Bocholt, its place lies in Münster: the key holds.
        places[0] = ("05554008", BY_AGS["05515000"].centre)
    places += [FAR[roll.randrange(len(FAR))] for _ in range(ELSEWHERE)]
    for number, (ags, point) in enumerate(places, start=1):
        yield _accident(year, number, ags, point, roll)


def _accident(year: int, number: int, ags: str, point: Point, roll: random.Random) -> dict[str, str]:
    longitude, latitude = to_degrees(point)
    month, hour, weekday = 1 + roll.randrange(12), roll.randrange(24), 1 + roll.randrange(7)
    bicycle, car, pedestrian = roll.random() < 0.45, roll.random() < 0.8, roll.random() < 0.12
    goods = roll.random() < 0.06
    # A spreadsheet took the leading zeros of 2019; blanks stand within the numbers of 2022.
    key = (ags[:2], ags[2:3], ags[3:5], ags[5:])
    state, district, kreis, municipality = (str(int(part)) for part in key) if year == 2019 else key
    gap = " " if year == 2022 else ""
    # 2017 has no column for goods vehicles: they were among the others.
    other = goods if year == 2017 else roll.random() < 0.05
    return {
        **{"FID": str(number - 1), "OBJECTID": str(number), "OBJECTID_1": str(number), "OID_": str(number)},
        **dict.fromkeys(("UIDENTSTLA", "UIDENTSTLAE"), f"{ags[:2]}{year % 100}{month:02}{number:016}"),
        **{"ULAND": state, "UREGBEZ": district, "UKREIS": kreis, "UGEMEINDE": municipality},
        **{"UJAHR": str(year), "UMONAT": f"{month:02}", "USTUNDE": f"{hour:02}", "UWOCHENTAG": str(weekday)},
        "UKATEGORIE": str(3 if roll.random() < 0.83 else 2 if roll.random() < 0.93 else 1),
        **{"UART": str(roll.randrange(10)), "UTYP1": str(1 + roll.randrange(7))},
        **dict.fromkeys(("ULICHTVERH", "LICHT"), str(roll.randrange(3))),
        **dict.fromkeys(("IstStrasse", "STRZUSTAND", "IstStrassenzustand"), str(roll.randrange(3))),
        **{"IstRad": _flag(bicycle), "IstPKW": _flag(car), "IstFuss": _flag(pedestrian)},
        **{"IstKrad": _flag(roll.random() < 0.1), "IstGkfz": _flag(goods)},
        **dict.fromkeys(("IstSonstig", "IstSonstige"), _flag(other)),
        **{"LINREFX": gap + _comma(point.east), "LINREFY": gap + _comma(point.north)},
        **{"XGCSWGS84": gap + _comma(longitude), "YGCSWGS84": gap + _comma(latitude), "PLST": "1"},
    }


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _comma(number: float) -> str:
    return str(number).replace(".", ",")
