"""The names and intervals that the publishers of the national electricity market have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from connectors.civil_time import CIVIL_TIME
from connectors.staging import StagedWriter
from connectors.tables import MARKET_READING as TABLE

EUR_PER_MWH, MWH, MW, GW = "EUR/MWh", "MWh", "MW", "GW"
BATCH_ROWS = 20_000
# Years in which these markets are measured at all; beyond them a number is no instant of theirs.
FIRST_YEAR, LAST_YEAR = 1990, 2100
# No market has as large a value in whatever unit: Germany's load of a quarter-hour is 20,000 MWh.
VALUE_LIMIT = 1e9
NO_INSTANT, NO_NUMBER, TWICE = "expected an instant of this market", "expected a number", "interval told twice"
# A series that ends in blanks has not been measured so far yet.
NOT_YET = "not yet published"
# Resolution -> minutes; the longer ones follow the local calendar.
MINUTES = {"quarterhour": 15, "hour": 60}
CALENDAR = ("day", "week", "month", "year")


@dataclass(frozen=True)
class Series:
    """What a publisher's series is called here, and its unit."""

    name: str
    unit: str


class Reading(NamedTuple):
    """One value as it stands in a file. mark: what stands in place of a number."""

    record_number: int
    at: datetime
    value: float | None
    mark: str | None = None


def instant_of(seconds: Any) -> datetime | None:
    """The instant of whole seconds since 1970; None where it is none of this market."""
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        return None
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return at if FIRST_YEAR <= at.year <= LAST_YEAR else None


def number_of(value: Any) -> float | None:
    """A finite number of a plausible size; None where the JSON value is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Neither infinity nor what is no number is below the limit; an integer of a thousand digits would be no float.
    return float(value) if abs(value) < VALUE_LIMIT else None


def minutes_of(at: datetime, resolution: str) -> int:
    """How long the interval that begins at `at` is; a local day has 23, 24 or 25 hours."""
    if resolution in MINUTES:
        return MINUTES[resolution]
    local = at.astimezone(CIVIL_TIME).replace(tzinfo=None)
    match resolution:
        case "day":
            end = local + timedelta(days=1)
        case "week":
            end = local + timedelta(days=7)
        case "month":
            end = local.replace(year=local.year + local.month // 12, month=local.month % 12 + 1)
        case "year":
            end = local.replace(year=local.year + 1)
        case _:
            raise ValueError(f"resolution {resolution!r}, expected one of {', '.join([*MINUTES, *CALENDAR])}")
    return int((end.replace(tzinfo=CIVIL_TIME).astimezone(UTC) - at).total_seconds() // 60)


def stage(out: StagedWriter, series: Series, market_region: str, resolution: str, readings: Sequence[Reading]) -> None:
    """Stage a series' readings of one file; blanks after its last value are out of scope, later ones of a pair too.

    The order of the readings does not matter: which are the last ones is told by their instants.
    """
    measured = [reading.at for reading in readings if reading.value is not None or reading.mark is not None]
    last = max(measured, default=None)
    seen: set[datetime] = set()
    rows: list[dict[str, Any]] = []
    for reading in readings:
        if reading.value is None and reading.mark is None and (last is None or reading.at > last):
            out.out_of_scope(TABLE, NOT_YET)
        elif reading.at in seen:
            out.reject(TABLE, reading.record_number, series.name, str(reading.at), TWICE)
        else:
            seen.add(reading.at)
            rows.append(_row(series, market_region, resolution, reading))
    for batch in _batches(rows):
        out.write(TABLE, batch)


def _row(series: Series, market_region: str, resolution: str, reading: Reading) -> dict[str, Any]:
    return {
        "record_number": reading.record_number,
        "series": series.name,
        "region": market_region,
        "interval_start_at": reading.at,
        "interval_minutes": minutes_of(reading.at, resolution),
        "value": reading.value,
        "unit": series.unit,
        "resolution": resolution,
        "value_mark": reading.mark,
    }


def _batches(rows: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    return (rows[start : start + BATCH_ROWS] for start in range(0, len(rows), BATCH_ROWS))
