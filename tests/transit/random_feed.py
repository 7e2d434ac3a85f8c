"""Random small feeds, and what a plain reading of their text says they offer."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from muensterland.sample.geography import BY_AGS, REGION, Point, distance_m, to_degrees, to_metres
from tests.transit.world import Feed

# Around both clock changes of the year, and the days between.
DAYS = [date(2026, 3, 26) + timedelta(days=n) for n in range(6)] + [
    date(2026, 10, 22) + timedelta(days=n) for n in range(6)
]
BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def random_feed(seed: int) -> Feed:
    """A feed with what real ones have: platforms, blank times, loops, exceptions, frequencies, calls to alight only."""
    roll = random.Random(seed)
    stops: list[list[object]] = []
    for number in range(roll.randint(3, 6)):
        home = roll.choice([*REGION[:12], BY_AGS["03404000"]]).centre
        place = Point(home.east + roll.uniform(-900, 900), home.north + roll.uniform(-900, 900))
        longitude, latitude = (f"{degrees:.6f}" for degrees in to_degrees(place))
        name, station = f"Halt {seed}-{number}", f"{seed}.{number}"
        has_station = roll.random() < 0.4
        if has_station:
            stops.append([station, name, latitude, longitude, 1, ""])
        for platform in range(roll.randint(1, 2) if has_station else 1):
            own = f"{station}.{platform}" if has_station else station
            stops.append([own, name, latitude, longitude, roll.choice(["", 0]), station if has_station else ""])
    served = [str(row[0]) for row in stops if row[4] != 1]
    services = [f"S{number}" for number in range(roll.randint(1, 3))]
    weekly = [service for service in services if roll.random() < 0.6]
    calendar = [
        [service, *(roll.randint(0, 1) for _ in WEEKDAYS), *(f"{day:%Y%m%d}" for day in sorted(roll.sample(DAYS, 2)))]
        for service in weekly
    ]
    exceptions = [
        [service, f"{day:%Y%m%d}", roll.choice([1, 2]) if service in weekly else 1]
        for service in services
        for day in roll.sample(DAYS, roll.randint(2, 7))
    ]
    routes = [
        [f"R{number}", f"L{seed}-{number}", roll.choice([3, 700, 0, 109])] for number in range(roll.randint(1, 3))
    ]
    trips, times, frequencies = [], [], []
    for number in range(roll.randint(3, 7)):
        trip = f"T{number}"
        trips.append([roll.choice(routes)[0], roll.choice(services), trip])
        clock = roll.randrange(0, 28 * 3600)
        calls = roll.randint(2, 6)
        sequence = roll.choice([0, 1, 10])
        for call in range(calls):
            timed = call in (0, calls - 1) or roll.random() < 0.7
            arrival, departure = clock, clock + roll.choice([0, 0, 60])
            pickup = roll.choice(["", 0, 0, 0, 1, 2])
            shown = [_clock(arrival, roll), _clock(departure, roll)] if timed else ["", ""]
            times.append([trip, *shown, roll.choice(served), sequence, pickup])
            clock = departure + 60 * roll.randint(1, 15)
            sequence += roll.choice([1, 1, 5])
        if roll.random() < 0.25:
            start = roll.randrange(0, 24 * 3600, 60)
            end = start + roll.choice([0, 599, 600, 601, 7200])
            frequencies.append([trip, _clock(start, roll), _clock(end, roll), roll.choice([300, 600, 1000])])
    roll.shuffle(times)
    feed = {
        "agency.txt": [
            ["agency_id", "agency_name", "agency_url", "agency_timezone"],
            [1, f"Betrieb {seed}", "http://betrieb.example", "Europe/Berlin"],
        ],
        "stops.txt": [["stop_id", "stop_name", "stop_lat", "stop_lon", "location_type", "parent_station"], *stops],
        "routes.txt": [["route_id", "route_short_name", "route_type"], *routes],
        "trips.txt": [["route_id", "service_id", "trip_id"], *trips],
        "stop_times.txt": [
            ["trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type"],
            *times,
        ],
        "calendar_dates.txt": [["service_id", "date", "exception_type"], *exceptions],
    }
    if calendar:
        feed["calendar.txt"] = [["service_id", *WEEKDAYS, "start_date", "end_date"], *calendar]
    if frequencies:
        feed["frequencies.txt"] = [["trip_id", "start_time", "end_time", "headway_secs"], *frequencies]
    return {name: _written(rows, roll) for name, rows in feed.items()}


def _clock(seconds: int, roll: random.Random) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours:{roll.choice(['', '02'])}}:{rest // 60:02}:{rest % 60:02}"


def _written(rows: list[list[object]], roll: random.Random) -> str:
    """The rows with their columns in any order, in the spelling of one publisher or another."""
    order = roll.sample(range(len(rows[0])), len(rows[0]))
    target = io.StringIO()
    csv.writer(
        target,
        lineterminator=roll.choice(["\n", "\r\n"]),
        quoting=roll.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    ).writerows([row[place] for place in order] for row in rows)
    return roll.choice(["", "\ufeff"]) + target.getvalue()


# -- a plain reading -------------------------------------------------------------------------------------------------


@dataclass
class Supply:
    """What is offered in a municipality on a service date; seconds after noon minus 12 h."""

    departures: int = 0
    places: set[str] = field(default_factory=set)
    routes: set[str] = field(default_factory=set)
    departure_s: list[int] = field(default_factory=list)

    def row(self, day: date) -> tuple[int, int, int, datetime | None, datetime | None]:
        """departures, stops_served, routes_served, first and last departure in local time."""
        first, last = (local(day, pick(self.departure_s)) if self.departure_s else None for pick in (min, max))
        return self.departures, len(self.places), len(self.routes), first, last


def local(day: date, seconds: int) -> datetime:
    """Local time so many seconds after noon minus 12 h of the service day."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=BERLIN)
    return datetime.fromtimestamp(noon.timestamp() - 43_200 + seconds, BERLIN).replace(tzinfo=None)


@dataclass
class Reading:
    """Visits and departures per stop and service date, and supply per municipality and service date."""

    visits: Counter[tuple[str, date]] = field(default_factory=Counter)
    departures: Counter[tuple[str, date]] = field(default_factory=Counter)
    supply: dict[tuple[str, date], Supply] = field(default_factory=lambda: defaultdict(Supply))


def read(feed: Feed) -> Reading:
    """Count by loops over the feed's text."""
    rows = {
        name: list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))) for name, text in feed.items()
    }
    stops = {row["stop_id"]: row for row in rows["stops.txt"]}
    route_names = {row["route_id"]: row["route_short_name"] for row in rows["routes.txt"]}
    calls: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows["stop_times.txt"]:
        calls[row["trip_id"]].append(row)
    found = Reading()
    for trip in rows["trips.txt"]:
        of_trip = sorted(calls[trip["trip_id"]], key=lambda row: int(row["stop_sequence"]))
        zero = seconds(of_trip[0]["departure_time"])
        repeats = [row for row in rows.get("frequencies.txt", []) if row["trip_id"] == trip["trip_id"]]
        shifts = [0] if not repeats else [start - zero for row in repeats for start in starts(row)]
        for day in service_days(trip["service_id"], rows):
            for call in of_trip:
                stop = stops[call["stop_id"]]
                found.visits[call["stop_id"], day] += 1
                departs = call is not of_trip[-1] and call["pickup_type"] != "1"
                runs = len(shifts) if departs else 0
                found.departures[call["stop_id"], day] += runs
                ags = municipality(float(stop["stop_lon"]), float(stop["stop_lat"]))
                if ags is None or not shifts:
                    continue
                there = found.supply[ags, day]
                there.departures += runs
                there.places.add(stop["parent_station"] or stop["stop_id"])
                there.routes.add(route_names[trip["route_id"]])
                if departs and call["departure_time"]:
                    there.departure_s += [seconds(call["departure_time"]) + shift for shift in shifts]
    return found


def starts(row: Mapping[str, str]) -> range:
    """First departures that a record of frequencies.txt makes."""
    return range(seconds(row["start_time"]), seconds(row["end_time"]), int(row["headway_secs"]))


def seconds(text: str) -> int:
    hours, minutes, rest = map(int, text.split(":"))
    return hours * 3600 + minutes * 60 + rest


def service_days(service: str, rows: Mapping[str, list[dict[str, str]]]) -> Iterator[date]:
    """The dates a service runs on."""
    for day in (date(2026, 1, 1) + timedelta(days=n) for n in range(365)):
        told = f"{day:%Y%m%d}"
        runs = any(
            row["service_id"] == service
            and row["start_date"] <= told <= row["end_date"]
            and row[WEEKDAYS[day.weekday()]] == "1"
            for row in rows.get("calendar.txt", [])
        )
        for row in rows["calendar_dates.txt"]:
            if (row["service_id"], row["date"]) == (service, told):
                runs = row["exception_type"] == "1"
        if runs:
            yield day


def municipality(longitude: float, latitude: float) -> str | None:
    """The municipality of the sample that a place lies in: the nearest centre's, for the sample's polygons are so made;
    none near Osnabrück, which lies outside."""
    here = to_metres(longitude, latitude)
    nearest = min(BY_AGS.values(), key=lambda place: distance_m(here, place.centre))
    return nearest.ags if nearest in REGION else None
