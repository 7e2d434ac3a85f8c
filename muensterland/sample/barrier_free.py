"""The operator's list of barrier-free stops, in the layout of 2024: invented, with the oddities of the real one."""

from __future__ import annotations

from collections.abc import Iterator

from muensterland.sample.geography import MUENSTER, Point, to_degrees
from muensterland.sample.packing import dice, lines
from muensterland.sample.timetable import Stop, city_lines, station

BARRIER_FREE = "opendata.stadt-muenster.de/sites/default/files/haltestellen_barrierefrei.csv"
FIRST_ID = 170
# One stop in four is not barrier-free, of the others one in five only in part.
UNLISTED_EVERY, PARTLY_EVERY = 4, 5
# The list was drawn by hand: its stops lie some metres beside those of the timetable.
SHIFT_M = 25.0
PARTLY = (
    "Die Haltestelle ist eingeschränkt barrierefrei. Barrierefrei ist nur der stadtauswärtige Bussteig.",
    "<p>Die Haltestelle ist eingeschränkt barrierefrei.<br>\nBarrierefrei sind nur die Bussteige A und B.</p>",
    'Die Haltestelle ist eingeschränkt barrierefrei; "Aufzug" am Ausgang Nord.\n',
)
# Somebody put a script into a note.
HOSTILE = "<script>document.location='https://evil.example'</script>Aufzug <img src=x onerror=alert(1)>vorhanden"


def files() -> dict[str, bytes]:
    """The list by publisher's address."""
    return {BARRIER_FREE: stops()}


def stops() -> bytes:
    """Semicolons, CRLF, notes in HTML over several lines, numbers that name an entry and no stop."""
    rows = [
        [str(number), name, *_coordinates(place), note]
        for number, (name, place, note) in enumerate(_entries(), FIRST_ID)
    ]
    return lines([["ID", "Title", "Latitude", "Longitude", "Info"], *rows], ";", "\r\n").encode()


def _entries() -> Iterator[tuple[str, Point, str]]:
    """Stops under their name without the city's; one renamed since, one spelt longer, one given up."""
    roll = dice("barrier-free")
    hub = station(MUENSTER.ags)
    listed = 0
    for place, stop in enumerate(city_stops()):
        if stop == hub or place % UNLISTED_EVERY == 0:
            continue
        listed += 1
        near = Point(
            stop.place.east + SHIFT_M * (2 * roll.random() - 1), stop.place.north + SHIFT_M * (2 * roll.random() - 1)
        )
        name = stop.name.removeprefix("Münster, ")
        note = PARTLY[listed // PARTLY_EVERY % len(PARTLY)] if listed % PARTLY_EVERY == 0 else ""
        if listed == 1:
            name += " / Beispielplatz"
        elif listed == 2:
            note = HOSTILE
        yield name, near, note
    yield "Zentraler Omnibusbahnhof", Point(hub.place.east + 5, hub.place.north), ""
    yield "Ehemaliges Gaswerk", Point(MUENSTER.centre.east + 1_000, MUENSTER.centre.north - 4_000), ""


def city_stops() -> list[Stop]:
    """The stops of the city's lines, by number."""
    return sorted({stop for line in city_lines() for stop in line.stops}, key=lambda stop: stop.number)


def _coordinates(place: Point) -> tuple[str, str]:
    longitude, latitude = to_degrees(place)
    return f"{latitude:.6f}", f"{longitude:.6f}"
