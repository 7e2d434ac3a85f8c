"""Parse a GTFS Realtime feed message into the staged `gtfs_rt_` tables.

Format: https://gtfs.org/documentation/realtime/reference/ . Trip updates, vehicle positions and alerts may stand in one
message or in one each.

- Entities are unpacked one by one. One that cannot be unpacked refuses the message: protobuf carries no checksum, and
  what stands beside damage is not to be trusted either.
- Protobuf reads a value of an enumeration that it does not know as if it were not there, and so a relationship of
  tomorrow as SCHEDULED. Such a record is rejected.
- A trip update needs a timestamp, its own or the message's: without it nobody knows whether it was told before or after
  the vehicle called.
- Fields that nobody declared (extensions) are drift. What records carry follows the traffic of the minute, so columns
  are not compared with those of the former message.
- Ids, labels and licence plates of vehicles are not staged: they lead to who drives.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet
from google.transit import gtfs_realtime_pb2 as realtime

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.protobuf import parts
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import (
    GTFS_RT_ALERT,
    GTFS_RT_INFORMED_ENTITY,
    GTFS_RT_STOP_TIME_UPDATE,
    GTFS_RT_TRIP_UPDATE,
    GTFS_RT_VEHICLE_POSITION,
    Table,
)

TABLES = (
    GTFS_RT_TRIP_UPDATE,
    GTFS_RT_STOP_TIME_UPDATE,
    GTFS_RT_VEHICLE_POSITION,
    GTFS_RT_ALERT,
    GTFS_RT_INFORMED_ENTITY,
)
_HEADER, _ENTITY = 1, 2  # fields of FeedMessage
# Instants outside are no POSIX seconds: milliseconds, or a clock that was never set.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
# A message tells of the running days; a delay or a time farther off is none.
_FARTHEST = timedelta(days=7)
_INTEGER_LIMIT = 2**31
_ID_LIMIT, _TEXT_LIMIT = 1_000, 50_000
_BATCH = 10_000


class _Unreadable(Exception):
    """A value that rejects its record."""

    def __init__(self, column: str, raw: object, reason: str) -> None:
        super().__init__(reason)
        self.column, self.raw, self.reason = column, raw, reason


def parse(snapshot: Snapshot, out: StagedWriter, region: Region, /) -> None:
    """Stage every entity of a message; `region` cuts nothing: only the timetable says where a trip runs.

    Raises SnapshotRefused where the message has no readable header or an entity cannot be unpacked, PayloadRefused
    where it is no protobuf or beyond its limits.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    header = realtime.FeedHeader()
    for number, content in parts(snapshot.path):
        if number == _HEADER:
            _unpack(header, content, f"{where}: header")
    feed = _Feed(out, _feed_at(header, where))
    for table in TABLES:
        out.read(table, 0)
    entities = (content for number, content in parts(snapshot.path) if number == _ENTITY)
    for place, content in enumerate(entities, start=1):
        entity = realtime.FeedEntity()
        _unpack(entity, content, f"{where}: entity {place}")
        feed.take(entity)
    feed.close()


def _unpack(message: Message, content: bytes, where: str) -> None:
    try:
        message.MergeFromString(content)
    except DecodeError as error:
        raise SnapshotRefused(
            f"{where}: expected a message of GTFS Realtime, {error}; ask the publisher again"
        ) from error


def _feed_at(header: Any, where: str) -> datetime | None:
    """The message's timestamp; None where it has none. A message without a version is another kind of message."""
    if not re.fullmatch(r"\d+(\.\d+)*", str(header.gtfs_realtime_version)):
        raise SnapshotRefused(
            f"{where}: expected a header with gtfs_realtime_version, such as 2.0, found "
            f"{str(header.gtfs_realtime_version)[:40]!r}; ask the publisher for the GTFS Realtime feed"
        )
    try:
        return _instant("timestamp", header.timestamp)
    except _Unreadable as error:
        raise SnapshotRefused(
            f"{where}: header.timestamp: {error.reason} ({error.raw}); ask the publisher which clock it goes by"
        ) from error


@dataclass
class _Feed:
    """The records of one message on their way to the writer."""

    out: StagedWriter
    feed_at: datetime | None
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {table.name: [] for table in TABLES})
    numbers: Counter[str] = field(default_factory=Counter)
    unread: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def take(self, entity: Any) -> None:
        """Stage what an entity holds: a trip update, a vehicle, an alert, or several of them."""
        self._tell_unknown(GTFS_RT_TRIP_UPDATE, "entity", entity)
        known = [name for name in ("trip_update", "vehicle", "alert") if entity.HasField(name)]
        if entity.is_deleted or not known:
            reason = "deleted entity" if entity.is_deleted else "entity without trip update, vehicle position or alert"
            self.numbers[GTFS_RT_TRIP_UPDATE.name] += 1
            self.out.read(GTFS_RT_TRIP_UPDATE, 1)
            self.out.out_of_scope(GTFS_RT_TRIP_UPDATE, reason)
            return
        if entity.HasField("trip_update"):
            self._take_trip_update(entity.trip_update)
        if entity.HasField("vehicle"):
            self._tell_unknown(GTFS_RT_VEHICLE_POSITION, "vehicle", entity.vehicle)
            self._put(GTFS_RT_VEHICLE_POSITION, lambda: self._vehicle(entity.vehicle))
        if entity.HasField("alert"):
            self._take_alert(entity.id, entity.alert)

    def close(self) -> None:
        """Write what still waits and tell which cells could not be read."""
        for table in TABLES:
            self._flush(table)
        tables = {table.name: table for table in TABLES}
        for (name, column), (records, example) in sorted(self.unread.items()):
            self.out.unread(tables[name], column, "not a value of the reference", records, example)

    # -- entities ----------------------------------------------------------------------------------------------------

    def _take_trip_update(self, update: Any) -> None:
        self._tell_unknown(GTFS_RT_TRIP_UPDATE, "trip_update", update)
        calls = update.stop_time_update
        shared: dict[str, Any] = {}

        def trip_update() -> dict[str, Any]:
            measured_at = _instant("timestamp", update.timestamp)
            if measured_at is None and self.feed_at is None:
                raise _Unreadable("timestamp", None, "neither message nor trip update has a timestamp")
            delay_s = _delay("delay", update) if update.HasField("delay") else None
            shared.update(feed_at=self.feed_at, measured_at=measured_at, **self._trip(update.trip))
            return {**shared, "delay_s": delay_s, "stop_time_updates": len(calls)}

        number, refusal = self._put(GTFS_RT_TRIP_UPDATE, trip_update)
        shared["trip_update_number"] = number
        for call in calls:
            self._put(GTFS_RT_STOP_TIME_UPDATE, partial(self._call, call, shared, refusal))

    def _call(self, call: Any, shared: dict[str, Any], refusal: _Unreadable | None) -> dict[str, Any]:
        if refusal is not None:
            raise refusal
        self._tell_unknown(GTFS_RT_STOP_TIME_UPDATE, "stop_time_update", call)
        sequence = _whole("stop_sequence", call.stop_sequence) if call.HasField("stop_sequence") else None
        stop_id = _text("stop_id", call.stop_id)
        if sequence is None and stop_id is None:
            raise _Unreadable("stop_sequence stop_id", None, "names no stop")
        return {
            **shared,
            "stop_sequence": sequence,
            "stop_id": stop_id,
            "schedule_relationship": _name("schedule_relationship", call),
            **self._event("arrival", call),
            **self._event("departure", call),
        }

    def _event(self, name: str, call: Any) -> dict[str, Any]:
        event = getattr(call, name) if call.HasField(name) else None
        delay_s = _delay(f"{name}.delay", event) if event is not None and event.HasField("delay") else None
        at = _instant(f"{name}.time", event.time) if event is not None else None
        if at is not None and self.feed_at is not None and abs(at - self.feed_at) > _FARTHEST:
            raise _Unreadable(f"{name}.time", at.isoformat(), f"more than {_FARTHEST.days} days from the message")
        return {f"{name}_delay_s": delay_s, f"{name}_at": at}

    def _vehicle(self, vehicle: Any) -> dict[str, Any]:
        trip = self._trip(vehicle.trip if vehicle.HasField("trip") else realtime.TripDescriptor())
        position = vehicle.position
        longitude, latitude = float(position.longitude), float(position.latitude)
        if not vehicle.HasField("position") or not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            raise _Unreadable("position", f"{longitude} {latitude}", "no place on earth")
        if longitude == latitude == 0:
            raise _Unreadable("position", "0 0", "0, 0 is no place of a vehicle")
        sequence = vehicle.current_stop_sequence if vehicle.HasField("current_stop_sequence") else None
        filled = vehicle.occupancy_percentage if vehicle.HasField("occupancy_percentage") else None
        return {
            "feed_at": self.feed_at,
            "measured_at": _instant("timestamp", vehicle.timestamp),
            **trip,
            "longitude": longitude,
            "latitude": latitude,
            "bearing_degrees": self._measured("bearing", position, 360),
            "speed_m_per_s": self._measured("speed", position, 300),
            "stop_sequence": None if sequence is None else _whole("current_stop_sequence", sequence),
            "stop_id": _text("stop_id", vehicle.stop_id),
            "occupancy_percentage": None if filled is None else _whole("occupancy_percentage", filled),
            **{
                name: self._informing(GTFS_RT_VEHICLE_POSITION, name, vehicle)
                for name in ("current_status", "congestion_level", "occupancy_status")
            },
        }

    def _take_alert(self, alert_id: str, alert: Any) -> None:
        self._tell_unknown(GTFS_RT_ALERT, "alert", alert)
        self._put(GTFS_RT_ALERT, partial(self._alert, alert_id, alert))
        for selector in alert.informed_entity:
            self._tell_unknown(GTFS_RT_INFORMED_ENTITY, "informed_entity", selector)
            self._put(GTFS_RT_INFORMED_ENTITY, partial(self._informed, alert_id, selector))

    def _alert(self, alert_id: str, alert: Any) -> dict[str, Any]:
        periods, texts = alert.active_period, ("header_text", "description_text", "url")
        begins = [at for period in periods if (at := _instant("active_period.start", period.start))]
        ends = [at for period in periods if (at := _instant("active_period.end", period.end))]
        return {
            "feed_at": self.feed_at,
            "alert_id": _text("id", alert_id),
            **{name: self._informing(GTFS_RT_ALERT, name, alert) for name in ("cause", "effect", "severity_level")},
            "active_periods": len(periods),
            "active_from_at": min(begins, default=None) if len(begins) == len(periods) else None,
            "active_until_at": max(ends, default=None) if len(ends) == len(periods) else None,
            **{name: _translated(name, getattr(alert, name)) for name in texts},
        }

    def _informed(self, alert_id: str, selector: Any) -> dict[str, Any]:
        trip = selector.trip if selector.HasField("trip") else realtime.TripDescriptor()
        own = self._trip(trip)
        direction = selector.direction_id if selector.HasField("direction_id") else None
        return {
            "feed_at": self.feed_at,
            "alert_id": _text("id", alert_id),
            "agency_id": _text("agency_id", selector.agency_id),
            "route_type": _whole("route_type", selector.route_type) if selector.HasField("route_type") else None,
            "stop_id": _text("stop_id", selector.stop_id),
            **own,
            "route_id": _text("route_id", selector.route_id) or own["route_id"],
            "direction_id": own["direction_id"] if direction is None else _whole("direction_id", direction),
        }

    def _trip(self, trip: Any) -> dict[str, Any]:
        return {
            "trip_id": _text("trip.trip_id", trip.trip_id),
            "route_id": _text("trip.route_id", trip.route_id),
            "direction_id": _whole("trip.direction_id", trip.direction_id) if trip.HasField("direction_id") else None,
            "start_date": _day("trip.start_date", trip.start_date),
            "start_time_s": _time("trip.start_time", trip.start_time),
            "trip_schedule_relationship": _name("schedule_relationship", trip),
        }

    # -- records -----------------------------------------------------------------------------------------------------

    def _put(self, table: Table, make: Callable[[], dict[str, Any]]) -> tuple[int, _Unreadable | None]:
        """Stage the record that `make` gives, or reject it; its number, and why it was rejected."""
        self.numbers[table.name] += 1
        number = self.numbers[table.name]
        self.out.read(table, 1)
        try:
            row = make()
        except _Unreadable as error:
            raw = None if error.raw is None else str(error.raw)
            self.out.reject(table, number, error.column, raw, error.reason)
            return number, error
        self.rows[table.name].append({"record_number": number, **row})
        if len(self.rows[table.name]) == _BATCH:
            self._flush(table)
        return number, None

    def _flush(self, table: Table) -> None:
        if self.rows[table.name]:
            self.out.write(table, self.rows[table.name])
            self.rows[table.name] = []

    def _informing(self, table: Table, name: str, message: Any) -> str | None:
        """An enumeration that only informs: null where its value is unknown, which is told."""
        try:
            return _name(name, message)
        except _Unreadable as error:
            self._pass_over(table, name, error.raw)
            return None

    def _measured(self, name: str, position: Any, limit: float) -> float | None:
        """A figure from 0 to a limit that only informs: null where it is another one, which is told."""
        value = float(getattr(position, name))
        if not position.HasField(name):
            return None
        if not 0 <= value <= limit:
            self._pass_over(GTFS_RT_VEHICLE_POSITION, name, value)
            return None
        return value

    def _pass_over(self, table: Table, column: str, raw: object) -> None:
        records, example = self.unread.get((table.name, column), (0, str(raw)))
        self.unread[table.name, column] = records + 1, example

    def _tell_unknown(self, table: Table, what: str, message: Any) -> None:
        """Report fields of a message that the reference does not have, by their numbers."""
        known = message.DESCRIPTOR.fields_by_number
        for number in _unknown(message).keys() - known.keys():
            self.out.drift(table, f"{what}: field {number}", "new")


# -- values ----------------------------------------------------------------------------------------------------------


def _unknown(message: Any) -> dict[int, Any]:
    """Fields that were not understood: of numbers, or with values of enumerations, that the reference does not have."""
    return {entry.field_number: entry.data for entry in UnknownFieldSet(message)}


def _name(name: str, message: Any) -> str | None:
    """The name of an enumeration's value; None where none is told."""
    if message.HasField(name):
        value: str = message.DESCRIPTOR.fields_by_name[name].enum_type.values_by_number[getattr(message, name)].name
        return value
    strange = _unknown(message).get(message.DESCRIPTOR.fields_by_name[name].number)
    if strange is not None:
        raise _Unreadable(name, strange, "not a value of the reference")
    return None


def _text(column: str, value: str | bytes, limit: int = _ID_LIMIT) -> str | None:
    """A text, None where it is empty. What is no UTF-8 comes as bytes."""
    if isinstance(value, bytes):
        raise _Unreadable(column, value.decode("utf-8", "backslashreplace"), "not UTF-8")
    if "\0" in value:
        raise _Unreadable(column, value, "holds a NUL")
    if len(value) > limit:
        raise _Unreadable(column, value, f"more than {limit} characters")
    return value or None


def _translated(column: str, text: Any) -> str | None:
    """A translated text in German, else the one without a language, else the first."""
    order = sorted(text.translation, key=lambda said: (not str(said.language).startswith("de"), said.language != ""))
    return _text(column, order[0].text, _TEXT_LIMIT) if order else None


def _whole(column: str, value: int) -> int:
    if not 0 <= value < _INTEGER_LIMIT:
        raise _Unreadable(column, value, "not a number that may stand here")
    return value


def _instant(column: str, seconds: int) -> datetime | None:
    """POSIX seconds; 0 is how many publishers write that there is none."""
    if not seconds:
        return None
    if not _EARLIEST.timestamp() <= seconds < _LATEST.timestamp():
        raise _Unreadable(column, seconds, "not seconds since 1970 in this century")
    return datetime.fromtimestamp(seconds, UTC)


def _delay(column: str, holder: Any) -> int:
    value = int(holder.delay)
    if abs(value) > _FARTHEST.total_seconds():
        raise _Unreadable(column, value, f"a delay of more than {_FARTHEST.days} days")
    return value


def _day(column: str, value: str | bytes) -> date | None:
    text = _text(column, value)
    if text is None:
        return None
    try:
        if not re.fullmatch(r"[0-9]{8}", text):
            raise ValueError
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError as error:
        raise _Unreadable(column, text, "not a date YYYYMMDD") from error


def _time(column: str, value: str | bytes) -> int | None:
    text = _text(column, value)
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,2}):([0-5][0-9]):([0-5][0-9])", text)
    if found is None:
        raise _Unreadable(column, text, "not a time H:MM:SS")
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds


CONNECTOR = Connector(
    name="gtfs_realtime", version=1, payload="protobuf", tables=TABLES, parse=parse, needs_timetable=True
)
