"""The operator's realtime feed: what it told on one evening of the invented timetable, with known delays.

Three lines tell their delays in the three ways that publishers do, each with the habits seen in real feeds: all calls
of the day stand in the message, those that are over as they were recorded, the next ones as they are predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from google.transit import gtfs_realtime_pb2 as realtime

from muensterland.sample.geography import to_degrees
from muensterland.sample.timetable import HOUR, Line, Trip, city_lines, runs, trips
from muensterland.sample.transit import OPERATOR_IDS

HOST = "echtzeit.beispielverkehr.example"
TRIP_UPDATES, VEHICLES, ALERTS = (f"{HOST}/{name}.pb" for name in ("trip-updates", "vehicle-positions", "alerts"))
# A Tuesday outside the holidays, at half past nine in the evening; nothing of it depends on when the sample is made.
SERVICE_DATE = date(2026, 11, 17)
TOLD_S = 21 * HOUR + HOUR // 2
# Calls that are farther ahead are not told of.
AHEAD_S = HOUR
# Seconds late at the first stop, by the trip's number; ten more at every stop.
DELAYS_S = (0, 30, -30, 90, 150, 400, -120)
GROWTH_S = 10
# Numbers of the first line's trips that do not run as planned.
CANCELED_TRIP, SKIPPING_TRIP, SILENT_TRIP = 21, 22, 23
ADDED_ID, UNKNOWN_ID = "extra-1", "99-verschollen"

Tell = Callable[[realtime.TripUpdate, Trip, int], None]


def files() -> dict[str, bytes]:
    """The three messages by publisher's address."""
    return {TRIP_UPDATES: _bytes(trip_updates()), VEHICLES: _bytes(vehicles()), ALERTS: _bytes(alerts())}


def told_trips(line: Line) -> Iterator[Trip]:
    """The trips of a line that the message speaks of: those of the day that have begun or soon will."""
    for trip in trips(line):
        if runs(trip.service, SERVICE_DATE) and trip.visits[0].departure_s <= TOLD_S + AHEAD_S:
            yield trip


def delay_s(trip: Trip, place: int) -> int:
    """How late a trip is at a call."""
    return DELAYS_S[trip.number % len(DELAYS_S)] + GROWTH_S * place


def told_lines() -> tuple[Line, ...]:
    """The lines that are told of: the first tells delays by number, the second times by number and stop, the third
    both by stop."""
    return city_lines()[:3]


# -- trip updates ----------------------------------------------------------------------------------------------------


def trip_updates() -> realtime.FeedMessage:
    """What was told of every trip, of one that is added and of one that nobody knows."""
    message = _message()
    for line, tell in zip(told_lines(), (_delays_by_number, _times_by_shifted_number, _both_by_stop), strict=True):
        for trip in told_trips(line):
            update = message.entity.add(id=f"fahrt-{OPERATOR_IDS.trip(trip)}").trip_update
            update.trip.trip_id = OPERATOR_IDS.trip(trip)
            update.trip.route_id = OPERATOR_IDS.route(line)
            for place in range(len(trip.visits)):
                tell(update, trip, place)
    first = told_lines()[0]
    for trip_id, relationship in ((ADDED_ID, realtime.TripDescriptor.ADDED), (UNKNOWN_ID, None)):
        update = message.entity.add(id=f"fahrt-{trip_id}").trip_update
        update.trip.trip_id, update.trip.start_date = trip_id, f"{SERVICE_DATE:%Y%m%d}"
        update.trip.route_id = OPERATOR_IDS.route(first)
        if relationship is not None:
            update.trip.schedule_relationship = relationship
        call = update.stop_time_update.add(stop_sequence=0, stop_id=OPERATOR_IDS.platform(first.stops[0], 0))
        call.departure.time = _posix(TOLD_S)
    return message


def _delays_by_number(update: realtime.TripUpdate, trip: Trip, place: int) -> None:
    """Start date, numbers and delays; here are the trips that do not run as planned."""
    update.trip.start_date = f"{SERVICE_DATE:%Y%m%d}"
    if trip.number == CANCELED_TRIP:
        update.trip.schedule_relationship = realtime.TripDescriptor.CANCELED
        return
    call = update.stop_time_update.add(stop_sequence=place)
    if trip.number == SKIPPING_TRIP and place == 1:
        call.schedule_relationship = realtime.TripUpdate.StopTimeUpdate.SKIPPED
    elif trip.number == SILENT_TRIP:
        call.schedule_relationship = realtime.TripUpdate.StopTimeUpdate.NO_DATA
    else:
        call.arrival.delay = call.departure.delay = delay_s(trip, place)


def _times_by_shifted_number(update: realtime.TripUpdate, trip: Trip, place: int) -> None:
    """Times alone, without a start date, the stops numbered otherwise than in the timetable."""
    visit, late = trip.visits[place], delay_s(trip, place)
    call = update.stop_time_update.add(
        stop_sequence=place + 1, stop_id=OPERATOR_IDS.platform(visit.stop, trip.direction)
    )
    call.arrival.time, call.departure.time = _posix(visit.arrival_s + late), _posix(visit.departure_s + late)


def _both_by_stop(update: realtime.TripUpdate, trip: Trip, place: int) -> None:
    """Stops without numbers, delays beside times that were rounded to the minute."""
    visit, late = trip.visits[place], delay_s(trip, place)
    update.trip.start_date = f"{SERVICE_DATE:%Y%m%d}"
    call = update.stop_time_update.add(stop_id=OPERATOR_IDS.platform(visit.stop, trip.direction))
    call.departure.delay, call.departure.time = late, _posix((visit.departure_s + late) // 60 * 60)


# -- vehicles and alerts ---------------------------------------------------------------------------------------------


def vehicles() -> realtime.FeedMessage:
    """A vehicle for every trip that is under way, with what leads to its driver, as publishers send it."""
    message = _message()
    for line in told_lines():
        for trip in told_trips(line):
            if not trip.visits[0].departure_s <= TOLD_S <= trip.visits[-1].arrival_s:
                continue
            place = max(at for at, visit in enumerate(trip.visits) if visit.departure_s <= TOLD_S)
            stop = trip.visits[place].stop
            vehicle = message.entity.add(id=f"wagen-{trip.line.number}-{trip.number}").vehicle
            vehicle.trip.trip_id, vehicle.trip.route_id = OPERATOR_IDS.trip(trip), OPERATOR_IDS.route(line)
            vehicle.position.longitude, vehicle.position.latitude = to_degrees(stop.place)
            vehicle.stop_id, vehicle.current_stop_sequence = OPERATOR_IDS.platform(stop, trip.direction), place
            vehicle.current_status = realtime.VehiclePosition.STOPPED_AT
            vehicle.timestamp = _posix(TOLD_S) - 20
            vehicle.vehicle.id, vehicle.vehicle.license_plate = f"wagen-{trip.number}", f"MS-XX {trip.number}"
    return message


def alerts() -> realtime.FeedMessage:
    """A detour of a line for a week, in two languages, and a closed stop until further notice."""
    message = _message()
    line = told_lines()[0]
    detour = message.entity.add(id="umleitung-1").alert
    detour.active_period.add(start=_posix(4 * HOUR), end=_posix(4 * HOUR) + 7 * 24 * HOUR)
    detour.informed_entity.add(route_id=OPERATOR_IDS.route(line))
    detour.cause, detour.effect = realtime.Alert.CONSTRUCTION, realtime.Alert.DETOUR
    detour.header_text.translation.add(language="en", text=f"Line {line.number}: detour (synthetic)")
    detour.header_text.translation.add(language="de", text=f"Linie {line.number}: Umleitung (synthetisch)")
    closed = message.entity.add(id="haltestelle-1").alert
    closed.active_period.add(start=_posix(4 * HOUR))
    for direction in (0, 1):
        closed.informed_entity.add(stop_id=OPERATOR_IDS.platform(line.stops[1], direction))
    closed.effect = realtime.Alert.NO_SERVICE
    closed.header_text.translation.add(text=f"{line.stops[1].name}: Haltestelle aufgehoben (synthetisch)")
    return message


# -- what the messages share -----------------------------------------------------------------------------------------


def _message() -> realtime.FeedMessage:
    message = realtime.FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    message.header.incrementality = realtime.FeedHeader.FULL_DATASET
    message.header.timestamp = _posix(TOLD_S)
    return message


def _posix(seconds: int) -> int:
    """An instant of the service date by seconds after noon minus 12 h."""
    noon = datetime.combine(SERVICE_DATE, time(12), ZoneInfo("Europe/Berlin"))
    return int(noon.timestamp()) - 12 * HOUR + seconds


def _bytes(message: realtime.FeedMessage) -> bytes:
    content: bytes = message.SerializeToString(deterministic=True)
    return content
