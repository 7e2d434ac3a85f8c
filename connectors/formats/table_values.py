"""Cells of declared tables as typed values: numbers as written in a country, dates as declared."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time
from typing import Any

import pyarrow as pa

from connectors.formats.count_clock import time_pattern
from connectors.workbook import cell_text

TEXT_LIMIT_CHARACTERS = 1_000
# Years that the calendar of a register can mean.
_FIRST_YEAR, _LAST_YEAR = 1900, 2099
_LIMITS = {pa.int32(): 2**31 - 1, pa.int64(): 2**53}


def text_of(cell: object) -> str:
    """A cell as text; numbers with a decimal point, moments as `YYYY-MM-DD HH:mm:ss`, true and false as such."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell_text(cell).strip()


def typed(cell: object, kind: pa.DataType, decimal: str, thousands: str | None, format_: str | None) -> Any:
    """A cell that is not blank as a value of the staged type; raises ValueError with what was expected."""
    if kind == pa.string():
        text = text_of(cell)
        if len(text) > TEXT_LIMIT_CHARACTERS:
            raise ValueError(f"more than {TEXT_LIMIT_CHARACTERS} characters")
        return text
    if kind == pa.bool_():
        return _flag(cell)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        moment = _moment(cell, format_ or "")
        return moment.date() if pa.types.is_date(kind) else moment
    number = number_of(cell, decimal, thousands)
    if pa.types.is_floating(kind):
        return number
    if not number.is_integer() or abs(number) > _LIMITS[kind]:
        raise ValueError("expected a whole number")
    return int(number)


def number_of(cell: object, decimal: str, thousands: str | None) -> float:
    """A finite number; a text as declared, a number of a workbook or JSON as it is. Raises ValueError."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        number = float(cell)
    elif isinstance(cell, str) and (found := _digits(cell.strip(), decimal, thousands)) is not None:
        number = float(found)
    else:
        raise ValueError(f"expected a number with decimal sign {decimal!r}")
    if not math.isfinite(number) or abs(number) > 1e15:
        raise ValueError("expected a number below 10^15")
    return number


def _digits(text: str, decimal: str, thousands: str | None) -> str | None:
    """A number's text with decimal point and nothing between its thousands; None where it is none as declared."""
    sign = re.escape(thousands) if thousands else ""
    whole = rf"\d{{1,3}}(?:{sign}\d{{3}}){{1,5}}|\d{{1,18}}" if thousands else r"\d{1,18}"
    if not re.fullmatch(rf"[+-]?(?:{whole})(?:{re.escape(decimal)}\d{{1,30}})?", text, re.ASCII):
        return None
    return (text.replace(thousands, "") if thousands else text).replace(decimal, ".")


def _flag(cell: object) -> bool:
    text = text_of(cell).lower()
    if text not in ("true", "false", "1", "0"):
        raise ValueError("expected true or false; declare words for what the publisher writes")
    return text in ("true", "1")


def _moment(cell: object, format_: str) -> datetime:
    """A local moment; a workbook's own dates as they are, texts as declared."""
    if isinstance(cell, datetime):
        moment = cell.replace(tzinfo=None)
    elif isinstance(cell, date):
        moment = datetime.combine(cell, time())
    else:
        found = re.fullmatch(time_pattern(format_), text_of(cell), re.ASCII)
        if found is None:
            raise ValueError(f"expected a date or time as {format_}")
        part = {name: int(digits) for name, digits in found.groupdict().items()}
        year = part.get("year", 2000 + part.get("short_year", 0))
        moment = datetime(  # noqa: DTZ001 - local time, as the register has it
            *(year, part.get("month", 1), part.get("day", 1), part.get("hour", 0), part.get("minute", 0)),
            part.get("second", 0),
        )
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"expected a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    return moment
