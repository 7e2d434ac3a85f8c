"""The census's population grid of the sample: invented people in cells of 100 m around the settlements."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable

from openpyxl import Workbook

from muensterland.sample.geography import (
    BY_AGS,
    Municipality,
    Point,
    distance_m,
    from_grid,
    is_within,
    point_within,
    to_grid,
)
from muensterland.sample.packing import dice, lines, workbook_bytes, zipped
from muensterland.sample.registers import census_population

GRID = "www.destatis.de/static/DE/zensus/gitterdaten/Zensus2022_Bevoelkerungszahl.zip"
CELL_M = 100
# What the files call the widths of the grid, in metres.
WIDTHS = {"10km": 10_000, "1km": 1_000, "100m": CELL_M}
# A settlement is a disc around the centre; the city reaches as far as its bus lines.
TOWN_RADIUS_M, CITY_RADIUS_M = 800.0, 3_200.0
# Farms lie anywhere in the municipality, most of them far from any stop.
FARMS, FARM_PEOPLE = 40, 3
# Every so many cells of a settlement the number is withheld.
WITHHELD_EVERY, WITHHELD = 97, "–"

# South-western corner in metres (EPSG:3035), east and north.
Corner = tuple[int, int]


def files() -> dict[str, bytes]:
    """The grid by publisher's address."""
    return {GRID: grid()}


def grid() -> bytes:
    """One zip with the CSVs of three widths and a description, as the publisher packs them."""
    cells = {corner: people for place in BY_AGS.values() for corner, people in people_by_cell(place).items()}
    tables = {f"Zensus2022_Bevoelkerungszahl_{name}-Gitter.csv": _csv(name, cells) for name in WIDTHS}
    return zipped({**tables, "Datensatzbeschreibung_Bevoelkerungszahl_Zensus.xlsx": _description()})


@functools.cache
def people_by_cell(place: Municipality) -> dict[Corner, int | None]:
    """The cells of a municipality and how many people live in each, None where the number is withheld.

    Together they are the people the sample's census counts. Towns are denser in the middle.
    """
    roll = dice(f"grid {place.ags}")
    farms = {_corner(point_within(place.ags, roll)) for _ in range(FARMS)}
    farms = {corner for corner in farms if is_within(_middle(corner), place.ags)}
    settled = [corner for corner in _disc(place) if corner not in farms]
    withheld = settled[WITHHELD_EVERY - 1 :: WITHHELD_EVERY]
    inhabited = [corner for corner in settled if corner not in set(withheld)]
    people: dict[Corner, int | None] = dict.fromkeys(farms, FARM_PEOPLE)
    people |= _spread(census_population(place.ags) - FARM_PEOPLE * len(farms), inhabited)
    return people | dict.fromkeys(withheld)


def _spread(people: int, corners: list[Corner]) -> dict[Corner, int]:
    """The people shared out over cells that come nearest to the centre first; cells without people are left out."""
    weights = range(2 * len(corners), len(corners), -1)
    whole = sum(weights)
    shares = [people * weight // whole for weight in weights]
    left = people - sum(shares)
    return {
        corner: share + (place < left)
        for place, (corner, share) in enumerate(zip(corners, shares, strict=True))
        if share + (place < left)
    }


def _disc(place: Municipality) -> list[Corner]:
    """The cells of a settlement whose midpoint lies in the municipality, the nearest to its centre first."""
    radius = CITY_RADIUS_M if place.is_kreisfrei else TOWN_RADIUS_M
    east, north = _corner(place.centre)
    steps = range(-int(radius), int(radius) + 1, CELL_M)
    found = []
    for corner in ((east + x, north + y) for x in steps for y in steps):
        middle = _middle(corner)
        if distance_m(middle, place.centre) <= radius and is_within(middle, place.ags):
            found.append((round(distance_m(middle, place.centre)), corner))
    return [corner for _, corner in sorted(found)]


def _corner(point: Point) -> Corner:
    east, north = to_grid(point)
    return int(east // CELL_M) * CELL_M, int(north // CELL_M) * CELL_M


def _middle(corner: Corner) -> Point:
    return from_grid(corner[0] + CELL_M / 2, corner[1] + CELL_M / 2)


def _csv(name: str, cells: dict[Corner, int | None]) -> bytes:
    """One width of the grid, from south to north; what is withheld in the finest one is nothing in the others."""
    width = WIDTHS[name]
    if width == CELL_M:
        texts = {corner: WITHHELD if people is None else str(people) for corner, people in cells.items()}
    else:
        texts = {corner: str(people) for corner, people in _widened(cells.items(), width).items()}
    rows = [[f"GITTER_ID_{name}", f"x_mp_{name}", f"y_mp_{name}", "Einwohner"]]
    for north, east in sorted((north, east) for east, north in texts):
        middle = [str(east + width // 2), str(north + width // 2)]
        rows.append([f"CRS3035RES{width}mN{north}E{east}", *middle, texts[east, north]])
    return lines(rows, ";").encode()


def _widened(cells: Iterable[tuple[Corner, int | None]], width: int) -> Counter[Corner]:
    people: Counter[Corner] = Counter()
    for (east, north), count in cells:
        people[east // width * width, north // width * width] += count or 0
    return people


def _description() -> bytes:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(["Synthetisches Beispiel, kein Werk des Statistischen Bundesamtes"])
    sheet.append([WITHHELD, "nichts vorhanden oder aus Gründen der Geheimhaltung auf nichts geändert"])
    return workbook_bytes(workbook)
