"""The invented timetable the GTFS feeds are written from: days of service, stops, lines and their trips."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from muensterland.sample.geography import BY_AGS, MUENSTER, REGION, Municipality, Point, between, distance_m
from muensterland.sample.packing import dice

PERIOD = (date(2026, 10, 1), date(2026, 12, 31))
# Public holidays in North Rhine-Westphalia (Feiertagsgesetz NW, section 2) and the school holidays of the state's
# calendar for 2026/27 that lie in the period.
PUBLIC_HOLIDAYS = (date(2026, 10, 3), date(2026, 11, 1), date(2026, 12, 25), date(2026, 12, 26))
SCHOOL_HOLIDAYS = ((date(2026, 10, 17), date(2026, 10, 31)), (date(2026, 12, 23), date(2026, 12, 31)))

DayType = Literal["weekday", "saturday", "sunday"]
Service = Literal["weekday", "school", "saturday", "sunday"]
SERVICES: tuple[Service, ...] = ("weekday", "school", "saturday", "sunday")

HOUR = 3_600
MINUTE = 60
CITY_M_PER_MIN = 330.0  # about 20 km/h
REGIONAL_M_PER_MIN = 700.0  # about 42 km/h
RAIL_M_PER_MIN = 1_300.0  # about 78 km/h


@dataclass(frozen=True)
class Stop:
    """A stop of an invented name; `number` is unique over all feeds."""

    number: int
    name: str
    place: Point
    country_kreis: str

    @property
    def station_id(self) -> str:
        """The DHID of the stop as a whole: country, Kreis, stop."""
        return f"{self.country_kreis}:{self.number}"


@dataclass(frozen=True)
class Headway:
    """Departures of one service from the first to the last, in seconds of the service day."""

    service: Service
    first_s: int
    last_s: int
    every_s: int


@dataclass(frozen=True)
class Line:
    """A line: its stops, the seconds from its beginning to each, and when it runs."""

    number: str
    name: str
    route_type: int
    stops: tuple[Stop, ...]
    offsets_s: tuple[int, ...]
    headways: tuple[Headway, ...]
    dwell_s: int = 0

    @property
    def backwards(self) -> tuple[tuple[Stop, ...], tuple[int, ...]]:
        """Stops and offsets of the other direction."""
        whole = self.offsets_s[-1]
        return self.stops[::-1], tuple(whole - offset for offset in reversed(self.offsets_s))


@dataclass(frozen=True)
class Visit:
    """A trip's call at a stop; seconds after noon minus 12 h of the service day."""

    stop: Stop
    arrival_s: int
    departure_s: int


@dataclass(frozen=True)
class Trip:
    """One run of a line on the days of a service."""

    line: Line
    direction: int
    service: Service
    number: int
    visits: tuple[Visit, ...]

    @property
    def headsign(self) -> str:
        """The name of the last stop."""
        return self.visits[-1].stop.name


def days() -> list[date]:
    """Every day of the period."""
    first, last = PERIOD
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def day_type(day: date) -> DayType:
    """What runs on a day: public holidays run like Sundays."""
    if day in PUBLIC_HOLIDAYS or day.weekday() == 6:
        return "sunday"
    return "saturday" if day.weekday() == 5 else "weekday"


def runs(service: Service, day: date) -> bool:
    """Whether a service runs on a day; `school` runs on weekdays outside the school holidays."""
    if service == "school":
        return day_type(day) == "weekday" and not any(first <= day <= last for first, last in SCHOOL_HOLIDAYS)
    return day_type(day) == service


def trips(line: Line) -> Iterator[Trip]:
    """All trips of a line, both directions; a trip that begins before midnight may end after 24:00."""
    number = 0
    for headway in line.headways:
        for start in range(headway.first_s, headway.last_s + 1, headway.every_s):
            for direction, (stops, offsets) in enumerate(((line.stops, line.offsets_s), line.backwards)):
                number += 1
                yield Trip(line, direction, headway.service, number, _visits(stops, offsets, start, line.dwell_s))


def _visits(stops: tuple[Stop, ...], offsets: tuple[int, ...], start: int, dwell: int) -> tuple[Visit, ...]:
    last = len(stops) - 1
    return tuple(
        Visit(stop, start + offset, start + offset + (dwell if 0 < at < last else 0))
        for at, (stop, offset) in enumerate(zip(stops, offsets, strict=True))
    )


# -- stops and lines ----------------------------------------------------------------------------------------------


def _stop(number: int, name: str, place: Point, kreis: str, country: str = "de") -> Stop:
    return Stop(number, name, place, f"{country}:{kreis}")


@functools.cache
def town_hall(ags: str) -> Stop:
    """The stop at a municipality's centre, the same for all lines."""
    place = BY_AGS[ags]
    number = 10_000 + list(BY_AGS).index(ags)
    return _stop(number, f"{place.short_name}, Rathaus", place.centre, place.kreis)


@functools.cache
def station(ags: str) -> Stop:
    """The railway station of a municipality, 400 m north of its centre."""
    place = BY_AGS[ags]
    number = 11_000 + list(BY_AGS).index(ags)
    return _stop(number, f"{place.short_name} Bahnhof", Point(place.centre.east, place.centre.north + 400), place.kreis)


def _line(
    number: str,
    name: str,
    route_type: int,
    stops: tuple[Stop, ...],
    metres_per_minute: float,
    headways: tuple[Headway, ...],
    dwell_s: int = 0,
) -> Line:
    offsets = [0]
    for a, b in itertools.pairwise(stops):
        offsets.append(offsets[-1] + MINUTE * max(1, round(distance_m(a.place, b.place) / metres_per_minute)))
    return Line(number, name, route_type, stops, tuple(offsets), headways, dwell_s)


CITY_HEADWAYS = (
    Headway("weekday", 5 * HOUR + 15 * MINUTE, 23 * HOUR + 45 * MINUTE, 30 * MINUTE),
    Headway("school", 7 * HOUR + 10 * MINUTE, 7 * HOUR + 40 * MINUTE, 30 * MINUTE),
    Headway("saturday", 6 * HOUR, 23 * HOUR + 45 * MINUTE, 45 * MINUTE),
    Headway("sunday", 8 * HOUR, 22 * HOUR, 60 * MINUTE),
)
NIGHT_HEADWAYS = (Headway("saturday", 24 * HOUR + 30 * MINUTE, 26 * HOUR + 30 * MINUTE, 60 * MINUTE),)
REGIONAL_HEADWAYS = (
    Headway("weekday", 5 * HOUR + 20 * MINUTE, 20 * HOUR + 20 * MINUTE, 75 * MINUTE),
    Headway("school", 7 * HOUR, 13 * HOUR, 6 * HOUR),
    Headway("saturday", 7 * HOUR, 19 * HOUR, 120 * MINUTE),
    Headway("sunday", 9 * HOUR, 18 * HOUR, 180 * MINUTE),
)
RAIL_HEADWAYS = (
    Headway("weekday", 5 * HOUR + 8 * MINUTE, 23 * HOUR + 38 * MINUTE, 60 * MINUTE),
    Headway("saturday", 6 * HOUR + 8 * MINUTE, 23 * HOUR + 38 * MINUTE, 60 * MINUTE),
    Headway("sunday", 7 * HOUR + 8 * MINUTE, 22 * HOUR + 8 * MINUTE, 60 * MINUTE),
)
CROSS_BORDER_HEADWAYS = (
    Headway("weekday", 6 * HOUR, 20 * HOUR, 120 * MINUTE),
    Headway("saturday", 8 * HOUR, 18 * HOUR, 120 * MINUTE),
)


@functools.cache
def city_lines() -> tuple[Line, ...]:
    """Five lines across Münster that meet at the main station, and one by night."""
    hub = station(MUENSTER.ags)
    lines = []
    for number in range(1, 6):
        angle = math.pi * number / 5
        stops = []
        for step in (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5):
            place = Point(
                round(hub.place.east + 600 * step * math.cos(angle), 1),
                round(hub.place.north + 600 * step * math.sin(angle), 1),
            )
            stops.append(
                _stop(46_000 + 100 * number + step, f"Münster, Musterstraße {number}.{step + 6}", place, "05515")
            )
        stops.insert(5, hub)
        name = f"Musterstraße {number}.1 - Hauptbahnhof - Musterstraße {number}.11"
        lines.append(_line(str(number), name, 3, tuple(stops), CITY_M_PER_MIN, CITY_HEADWAYS))
    night = _line("N81", "Nachtlinie Musterstraße", 3, lines[0].stops[5:], CITY_M_PER_MIN, NIGHT_HEADWAYS)
    return (*lines, night)


@functools.cache
def regional_lines() -> tuple[Line, ...]:
    """Bus lines along the shortest tree over the 66 centres, so that every municipality is served."""
    lines = []
    for number, (a, b) in enumerate(_shortest_tree(), start=1):
        quarter = _stop(20_000 + 2 * number, f"{a.short_name}, Feldweg", between(a.centre, b.centre, 0.3), a.kreis)
        other = _stop(20_001 + 2 * number, f"{b.short_name}, Hofstraße", between(a.centre, b.centre, 0.7), b.kreis)
        stops = (town_hall(a.ags), quarter, other, town_hall(b.ags))
        is_express = number % 8 == 0
        lines.append(
            _line(
                f"{'X' if is_express else 'R'}{number:02d}",
                f"{a.short_name} - {b.short_name}",
                702 if is_express else 700,  # extended route types: express bus, bus
                stops,
                REGIONAL_M_PER_MIN,
                REGIONAL_HEADWAYS,
            )
        )
    return tuple(lines)


def _shortest_tree() -> list[tuple[Municipality, Municipality]]:
    """The edges of the minimum spanning tree over the centres, grown from Münster (Prim)."""
    reached, edges = [MUENSTER], []
    left = [place for place in REGION if place != MUENSTER]
    while left:
        a, b = min(
            ((a, b) for a in reached for b in left),
            key=lambda pair: (round(distance_m(pair[0].centre, pair[1].centre)), pair[0].ags, pair[1].ags),
        )
        edges.append((a, b))
        reached.append(b)
        left.remove(b)
    return edges


@functools.cache
def outside_lines() -> tuple[Line, ...]:
    """Lines without a stop in the region: in Osnabrück, within the region's bounding box, and far off in Dortmund."""
    lines = []
    for number, ags in (("41", "03404000"), ("471", "05913000")):
        hub, town = town_hall(ags), BY_AGS[ags]
        stops = tuple(
            _stop(
                30_000 + 10 * int(number) + step,
                f"{town.short_name}, Probeweg {step}",
                Point(hub.place.east + 300 * step, hub.place.north),
                town.kreis,
            )
            for step in range(1, 6)
        )
        lines.append(
            _line(number, f"{town.short_name} - Probeweg", 700, (hub, *stops), CITY_M_PER_MIN, REGIONAL_HEADWAYS)
        )
    return tuple(lines)


@functools.cache
def cross_border_line() -> Line:
    """A line from a stop in the Netherlands into the region."""
    gronau = town_hall("05554020")
    abroad = _stop(70_001, "Enschede, Voorbeeldplein", Point(gronau.place.east - 7_500, gronau.place.north), "S", "NL")
    border = _stop(70_002, "Gronau (Westf.), Grenze", Point(gronau.place.east - 2_000, gronau.place.north), "05554")
    name = "Enschede - Gronau (Westf.)"
    return _line("GB1", name, 700, (abroad, border, gronau), REGIONAL_M_PER_MIN, CROSS_BORDER_HEADWAYS)


@functools.cache
def loop_line() -> Line:
    """A town circle in Bocholt: it ends where it began, so one stop comes twice in a trip."""
    hub = town_hall("05554008")
    roll = dice("loop")
    stops = tuple(
        _stop(40_000 + step, f"Bocholt, Ringstraße {step}", Point(hub.place.east + x, hub.place.north + y), "05554")
        for step, (x, y) in enumerate(((500, 0), (500, 500), (0, 600 + roll.randrange(50))), start=1)
    )
    template = (Headway("weekday", 6 * HOUR, 6 * HOUR, HOUR),)
    return _line("C1", "Stadtring Bocholt", 700, (hub, *stops, hub), CITY_M_PER_MIN, template)


@functools.cache
def rail_lines() -> tuple[Line, ...]:
    """Four railway lines out of Münster; one ends outside the region."""
    routes = {
        "RB901": ("05515000", "05566012", "05566008", "05566076", "05566028"),
        "RB902": ("05515000", "05558020", "05558008", "05558012", "05554016"),
        "RB903": ("05515000", "05570044", "05570052", "05570012"),
        "RB904": ("05515000", "05570016", "05570004", "05915000"),
    }
    return tuple(
        _line(
            number,
            " - ".join(BY_AGS[ags].short_name for ags in (towns[0], towns[-1])),
            106,  # extended route type: regional rail
            tuple(station(ags) for ags in towns),
            RAIL_M_PER_MIN,
            RAIL_HEADWAYS,
            dwell_s=MINUTE,
        )
        for number, towns in routes.items()
    )
