"""The local calendar: `as_of` is the only clock, and people live by its day in Europe/Berlin."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

LOCAL_TIME = ZoneInfo("Europe/Berlin")


def local_day(as_of: datetime) -> date:
    """The local day of an instant."""
    return as_of.astimezone(LOCAL_TIME).date()
