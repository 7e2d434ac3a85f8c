"""Where the sample lies: the 66 municipalities with their true centres, and an invented polygon around each."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyproj import Transformer

from connectors.region import region
from muensterland.sample.packing import dice


class Point(NamedTuple):
    """A place in EPSG:25832: metres east and north."""

    east: float
    north: float


@dataclass(frozen=True)
class Municipality:
    """Facts of one municipality; longitude and latitude of its centre in degrees (EPSG:4326)."""

    ags: str
    name: str
    postal_code: str
    longitude: float
    latitude: float

    @property
    def ars(self) -> str:
        """The 12-digit key: cities without Kreis have an empty association, all others are their own (as in NRW)."""
        own = self.ags[5:]
        return f"{self.ags[:5]}{'0000' if own == '000' else '0' + own}{own}"

    @property
    def kreis(self) -> str:
        """The 5-digit key of its Kreis."""
        return self.ags[:5]

    @property
    def short_name(self) -> str:
        """The name without its designation: `Ahaus` of `Ahaus, Stadt`."""
        return self.name.split(",")[0]

    @property
    def is_city(self) -> bool:
        """Whether its name carries the right to be called a city (`Stadt`, `Glockenstadt`)."""
        return "stadt" in self.name.lower()

    @property
    def is_kreisfrei(self) -> bool:
        """Whether it belongs to no Kreis."""
        return self.ags.endswith("000")

    @property
    def centre(self) -> Point:
        """The centre in EPSG:25832, to the decimetre."""
        return to_metres(self.longitude, self.latitude)


KREIS_NAMES = {
    "05515": "Münster",
    "05554": "Borken",
    "05558": "Coesfeld",
    "05566": "Steinfurt",
    "05570": "Warendorf",
    "03404": "Osnabrück",
    "05913": "Dortmund",
    "05915": "Hamm",
}


def _municipality(ags: str, name: str, postal_code: str) -> Municipality:
    return Municipality(ags, name, postal_code, *region().centres[ags])


# Key, name and postal code of the seat are facts of the Gemeindeverzeichnis (Statistische Ämter des Bundes und der
# Länder, GV-ISys, territory of 2024-06-30, dl-de/by-2-0), as are the centres, which data/region.yml has.
# Population, area and shape of the sample are invented.
REGION = (
    _municipality("05515000", "Münster, Stadt", "48143"),
    _municipality("05554004", "Ahaus, Stadt", "48683"),
    _municipality("05554008", "Bocholt, Stadt", "46395"),
    _municipality("05554012", "Borken, Stadt", "46325"),
    _municipality("05554016", "Gescher, Glockenstadt", "48712"),
    _municipality("05554020", "Gronau (Westf.), Stadt", "48599"),
    _municipality("05554024", "Heek", "48619"),
    _municipality("05554028", "Heiden", "46359"),
    _municipality("05554032", "Isselburg, Stadt", "46419"),
    _municipality("05554036", "Legden", "48739"),
    _municipality("05554040", "Raesfeld", "46348"),
    _municipality("05554044", "Reken", "48734"),
    _municipality("05554048", "Rhede, Stadt", "46414"),
    _municipality("05554052", "Schöppingen", "48624"),
    _municipality("05554056", "Stadtlohn, Stadt", "48703"),
    _municipality("05554060", "Südlohn", "46354"),
    _municipality("05554064", "Velen, Stadt", "46342"),
    _municipality("05554068", "Vreden, Stadt", "48691"),
    _municipality("05558004", "Ascheberg", "59387"),
    _municipality("05558008", "Billerbeck, Stadt", "48727"),
    _municipality("05558012", "Coesfeld, Stadt", "48653"),
    _municipality("05558016", "Dülmen, Stadt", "48249"),
    _municipality("05558020", "Havixbeck", "48329"),
    _municipality("05558024", "Lüdinghausen, Stadt", "59348"),
    _municipality("05558028", "Nordkirchen", "59394"),
    _municipality("05558032", "Nottuln", "48301"),
    _municipality("05558036", "Olfen, Stadt", "59399"),
    _municipality("05558040", "Rosendahl", "48720"),
    _municipality("05558044", "Senden", "48308"),
    _municipality("05566004", "Altenberge", "48341"),
    _municipality("05566008", "Emsdetten, Stadt", "48282"),
    _municipality("05566012", "Greven, Stadt", "48268"),
    _municipality("05566016", "Hörstel, Stadt", "48477"),
    _municipality("05566020", "Hopsten", "48496"),
    _municipality("05566024", "Horstmar, Stadt der Burgmannshöfe", "48612"),
    _municipality("05566028", "Ibbenbüren, Stadt", "49477"),
    _municipality("05566032", "Ladbergen", "49549"),
    _municipality("05566036", "Laer", "48366"),
    _municipality("05566040", "Lengerich, Stadt", "49525"),
    _municipality("05566044", "Lienen", "49536"),
    _municipality("05566048", "Lotte", "49504"),
    _municipality("05566052", "Metelen", "48629"),
    _municipality("05566056", "Mettingen", "49497"),
    _municipality("05566060", "Neuenkirchen", "48485"),
    _municipality("05566064", "Nordwalde", "48356"),
    _municipality("05566068", "Ochtrup, Stadt", "48607"),
    _municipality("05566072", "Recke", "49509"),
    _municipality("05566076", "Rheine, Stadt", "48431"),
    _municipality("05566080", "Saerbeck, NRW-Klimakommune", "48369"),
    _municipality("05566084", "Steinfurt, Stadt", "48565"),
    _municipality("05566088", "Tecklenburg, Stadt", "49545"),
    _municipality("05566092", "Westerkappeln", "49492"),
    _municipality("05566096", "Wettringen", "48493"),
    _municipality("05570004", "Ahlen, Stadt", "59227"),
    _municipality("05570008", "Beckum, Stadt", "59269"),
    _municipality("05570012", "Beelen", "48361"),
    _municipality("05570016", "Drensteinfurt, Stadt", "48317"),
    _municipality("05570020", "Ennigerloh, Stadt", "59320"),
    _municipality("05570024", "Everswinkel", "48351"),
    _municipality("05570028", "Oelde, Stadt", "59302"),
    _municipality("05570032", "Ostbevern", "48346"),
    _municipality("05570036", "Sassenberg, Stadt", "48336"),
    _municipality("05570040", "Sendenhorst, Stadt", "48324"),
    _municipality("05570044", "Telgte, Stadt", "48291"),
    _municipality("05570048", "Wadersloh", "59329"),
    _municipality("05570052", "Warendorf, Stadt", "48231"),
)
# Neighbours that every connector must leave out.
OUTSIDE = (
    Municipality("03404000", "Osnabrück, Stadt", "49074", 8.0420, 52.2769),
    Municipality("05913000", "Dortmund, Stadt", "44135", 7.4642, 51.5142),
    Municipality("05915000", "Hamm, Stadt", "59065", 7.8169, 51.6783),
)
BY_AGS = {place.ags: place for place in (*REGION, *OUTSIDE)}
MUENSTER = BY_AGS["05515000"]

# The invented outer border runs this far outside the outermost centres: wide enough for a small town, narrow enough
# to stay clear of the neighbours' squares.
BORDER_M = 2_500.0
OUTSIDE_HALF_SIDE_M = 2_000.0


@functools.cache
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


@functools.cache
def to_metres(longitude: float, latitude: float) -> Point:
    """A place given in degrees (EPSG:4326) in EPSG:25832; to the decimetre, so that every machine agrees."""
    east, north = _transformer("EPSG:4326", "EPSG:25832").transform(longitude, latitude)
    return Point(round(east, 1), round(north, 1))


def to_degrees(point: Point) -> tuple[float, float]:
    """Longitude and latitude (EPSG:4326) of a place in EPSG:25832, six decimals."""
    longitude, latitude = _transformer("EPSG:25832", "EPSG:4326").transform(*point)
    return round(longitude, 6), round(latitude, 6)


def to_grid(point: Point) -> tuple[float, float]:
    """Metres east and north in EPSG:3035, the system of population grids, of a place in EPSG:25832."""
    east, north = _transformer("EPSG:25832", "EPSG:3035").transform(*point)
    return round(east, 1), round(north, 1)


def from_grid(east: float, north: float) -> Point:
    """The place in EPSG:25832 of metres in EPSG:3035, to the decimetre."""
    east, north = _transformer("EPSG:3035", "EPSG:25832").transform(east, north)
    return Point(round(east, 1), round(north, 1))


@functools.cache
def polygons() -> dict[str, tuple[Point, ...]]:
    """The invented polygon per AGS, counter-clockwise and open (the first corner is not repeated).

    In the region: Voronoi cells of the centres within a common border; they share their edges and never overlap.
    """
    centres = {place.ags: place.centre for place in REGION}
    border = _border(list(centres.values()))
    cells = {ags: _cell(centre, centres.values(), border) for ags, centre in centres.items()}
    return cells | {place.ags: _square(place.centre, OUTSIDE_HALF_SIDE_M) for place in OUTSIDE}


@functools.cache
def area_km2(ags: str) -> float:
    """The area of the invented polygon in km2, two decimals as the Gemeindeverzeichnis gives it."""
    ring = polygons()[ags]
    twice = sum(a.east * b.north - b.east * a.north for a, b in zip(ring, ring[1:] + ring[:1], strict=True))
    return round(twice / 2e6, 2)


@functools.cache
def population(ags: str) -> tuple[int, int]:
    """Invented inhabitants (male, female) of a municipality."""
    roll = dice(f"population {ags}")
    total = 4_000 + int(56_000 * roll.random() ** 2) + (200_000 if BY_AGS[ags].is_kreisfrei else 0)
    male = int(total * (0.485 + 0.02 * roll.random()))
    return male, total - male


def point_within(ags: str, roll: random.Random) -> Point:
    """A place inside the municipality's polygon, well clear of its edges.

    The polygon is convex: what lies between its centre and an edge lies inside.
    """
    ring, centre = polygons()[ags], BY_AGS[ags].centre
    corner = roll.randrange(len(ring))
    a, b, along, out = ring[corner - 1], ring[corner], roll.random(), 0.8 * roll.random()
    return Point(
        round(centre.east + out * (a.east + along * (b.east - a.east) - centre.east), 1),
        round(centre.north + out * (a.north + along * (b.north - a.north) - centre.north), 1),
    )


def is_within(point: Point, ags: str) -> bool:
    """Whether a place lies in the municipality's polygon, its edges included."""
    ring = polygons()[ags]
    return all(_turn(a, b, point) >= 0 for a, b in zip(ring, ring[1:] + ring[:1], strict=True))


def distance_m(a: Point, b: Point) -> float:
    """The straight distance in metres."""
    return math.sqrt((a.east - b.east) ** 2 + (a.north - b.north) ** 2)


def between(a: Point, b: Point, share: float) -> Point:
    """The place at `share` (0-1) of the way from a to b."""
    return Point(round(a.east + share * (b.east - a.east), 1), round(a.north + share * (b.north - a.north), 1))


def _square(centre: Point, half: float) -> tuple[Point, ...]:
    return tuple(
        Point(round(centre.east + x * half, 1), round(centre.north + y * half, 1))
        for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    )


class _HalfPlane(NamedTuple):
    """The points with east * x + north * y <= bound."""

    east: float
    north: float
    bound: float

    def over(self, point: Point) -> float:
        return self.east * point.east + self.north * point.north - self.bound


def _cell(centre: Point, others: Iterable[Point], border: Sequence[_HalfPlane]) -> tuple[Point, ...]:
    """What lies within the border and nearer to `centre` than to any other centre."""
    ring = list(_square(centre, 200_000.0))
    for limit in (*border, *(_nearer(centre, other) for other in others if other != centre)):
        ring = _clipped(ring, limit)
    corners = [Point(round(point.east, 1), round(point.north, 1)) for point in ring]
    return tuple(corner for corner, former in zip(corners, corners[-1:] + corners, strict=False) if corner != former)


def _nearer(a: Point, b: Point) -> _HalfPlane:
    squares = (b.east**2 - a.east**2) + (b.north**2 - a.north**2)
    return _HalfPlane(b.east - a.east, b.north - a.north, squares / 2)


def _clipped(ring: list[Point], limit: _HalfPlane) -> list[Point]:
    """The part of a convex ring within a half-plane (Sutherland-Hodgman)."""
    kept: list[Point] = []
    for a, b in zip(ring[-1:] + ring[:-1], ring, strict=True):
        over_a, over_b = limit.over(a), limit.over(b)
        if (over_a > 0) != (over_b > 0):
            share = over_a / (over_a - over_b)
            kept.append(Point(a.east + share * (b.east - a.east), a.north + share * (b.north - a.north)))
        if over_b <= 0:
            kept.append(b)
    return kept


def _border(centres: Sequence[Point]) -> list[_HalfPlane]:
    """The convex hull of the centres, its sides and blunted corners moved outwards by BORDER_M."""
    hull = _lower_hull(sorted(centres)) + _lower_hull(sorted(centres, reverse=True))
    sides = [_outward(a, b) for a, b in zip(hull, hull[1:] + hull[:1], strict=True)]
    corners = [
        (before[0] + after[0], before[1] + after[1])
        for before, after in zip(sides[-1:] + sides[:-1], sides, strict=True)
    ]
    planes = []
    for corner, side, blunt in zip(hull, sides, corners, strict=True):
        for east, north in (side, blunt):
            length = math.sqrt(east**2 + north**2)
            bound = (east * corner.east + north * corner.north) / length + BORDER_M
            planes.append(_HalfPlane(east / length, north / length, bound))
    return planes


def _lower_hull(points: Sequence[Point]) -> list[Point]:
    """Half of a convex hull, counter-clockwise, without its last point (monotone chain)."""
    hull: list[Point] = []
    for point in points:
        while len(hull) > 1 and _turn(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        hull.append(point)
    return hull[:-1]


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b.east - a.east) * (c.north - a.north) - (b.north - a.north) * (c.east - a.east)


def _outward(a: Point, b: Point) -> tuple[float, float]:
    """The unit vector to the right of a side, which is outwards where the hull runs counter-clockwise."""
    length = distance_m(a, b)
    return (b.north - a.north) / length, (a.east - b.east) / length
