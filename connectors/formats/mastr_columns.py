"""Turn the tags of MaStR records into typed Arrow columns, many records at once.

A column whose texts are all as expected is cast as a whole; where one is not, it is read value by value, so that a
record is rejected with its own column, text and reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from connectors.mastr_fields import ARROW, PLANNED, STATUSES, Family, Field, Kind
from connectors.text import is_mojibake

Texts = list[str | None]


class Rejected(NamedTuple):
    """A record that cannot be read: its number, the tag, the text (None where it may not be told), the reason."""

    number: int
    tag: str
    raw: str | None
    reason: str


def typed(
    family: Family, numbers: Sequence[int], records: Sequence[dict[str, str]], given: Mapping[str, int]
) -> tuple[pa.RecordBatch, list[Rejected]]:
    """`record_number` and the family's columns of the records that can be read, and those that cannot.

    given: in how many of the records each tag stands.
    """
    columns: list[pa.Array] = []
    faults: dict[int, Rejected] = {}
    for field in family.fields:
        texts = pa.array(_texts(field, records, given), pa.string())
        values, wrong = _column(field, texts)
        if field.need == "required":
            wrong = dict.fromkeys(_places(values.is_null()), "expected a value") | wrong
        if field.column == "ags":
            wrong = dict.fromkeys(_places(pc.invert(_like(values, "^[0-9]{8}$"))), "expected 8 digits")
        for place, reason in wrong.items():
            raw = texts[place].as_py() or ""
            faults.setdefault(place, Rejected(numbers[place], field.tag, _evidence(family, field, raw), reason))
        columns.append(values)
    batch = pa.RecordBatch.from_arrays(
        [pa.array(numbers, pa.int64()), *columns], ["record_number", *(field.column for field in family.fields)]
    )
    if family.table == "energy_unit":
        undated = pc.and_(batch["commissioned_date"].is_null(), pc.not_equal(batch["status_id"], PLANNED))
        for place in _places(undated):
            fault = Rejected(numbers[place], "Inbetriebnahmedatum", None, "expected a date, as the unit is not planned")
            faults.setdefault(place, fault)
    if faults:
        batch = batch.filter(pa.array([place not in faults for place in range(len(numbers))]))
    return batch, [faults[place] for place in sorted(faults)]


def _evidence(family: Family, field: Field, raw: str) -> str | None:
    """The text that could not be read, but nothing that may be a person's name."""
    return None if family.table == "energy_market_actor" and field.kind == "label" else raw


def _texts(field: Field, records: Sequence[dict[str, str]], given: Mapping[str, int]) -> Texts:
    """The field's text in each record: of the tags that may carry it the first that is filled."""
    texts: Texts = [None] * len(records)
    for place, tag in enumerate(tag for tag in field.tags if given.get(tag)):
        if place == 0:
            everywhere = given[tag] == len(records)
            texts = list(map(itemgetter(tag), records)) if everywhere else [record.get(tag) for record in records]
        else:
            texts = [
                text if text and text.strip() else record.get(tag) for text, record in zip(texts, records, strict=True)
            ]
    return texts


def _places(mask: pa.Array) -> list[int]:
    places: list[int] = pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist()
    return places


def _like(texts: pa.Array, pattern: str) -> pa.Array:
    """Whether each text fits; blanks do."""
    return pc.or_kleene(pc.is_null(texts), pc.match_substring_regex(texts, pattern))


def _column(field: Field, texts: pa.Array) -> tuple[pa.Array, dict[int, str]]:
    """The values, blank ones null, and by their places those that cannot be read."""
    target = ARROW[field.kind]
    if texts.null_count == len(texts):
        return pa.nulls(len(texts), target), {}
    trimmed = pc.utf8_trim_whitespace(texts)
    trimmed = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
    how = READING[field.kind]
    if pc.all(_like(trimmed, how.pattern)).as_py() is not False:
        try:
            return how.cast(trimmed), {}
        except pa.ArrowInvalid:
            pass  # such as 2008-13-19; which one it is, is told below
    values: list[Any] = []
    wrong: dict[int, str] = {}
    for place, text in enumerate(trimmed.to_pylist()):
        try:
            values.append(None if text is None else how.read(text))
        except ValueError as error:
            values.append(None)
            wrong[place] = str(error)
    return pa.array(values, target), wrong


class _Reading(NamedTuple):
    """How texts of a kind become values: what all must fit, the cast of those that do, and the reading of one."""

    pattern: str
    cast: Callable[[pa.Array], pa.Array]
    read: Callable[[str], Any]


def _label(text: str) -> str:
    if is_mojibake(text):
        raise ValueError("broken encoding")
    return text


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError("expected a whole number")
    return int(text)


def _status(text: str) -> int:
    if text not in [str(status) for status in STATUSES]:
        raise ValueError(f"expected one of {', '.join(map(str, STATUSES))}")
    return int(text)


def _number(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]+)?", text):
        raise ValueError("expected a number with a decimal point")
    return float(text)


def _degrees(text: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]+)?", text):
        raise ValueError("expected degrees with a decimal point")
    return float(text)


def _day(text: str) -> date:
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9:.]+)?", text)
    if not found:
        raise ValueError("expected a date Y-M-D")
    return date.fromisoformat(found[1])


def _instant(text: str) -> datetime:
    """Seven fractional digits are cut to microseconds; the export gives no zone."""
    if not re.fullmatch(r"[0-9-]{10}T[0-9:]{8}(\.[0-9]+)?", text):
        raise ValueError("expected Y-M-DTH:M:S without zone")
    return datetime.fromisoformat(text)


def _flag(text: str) -> bool:
    if text not in ("0", "1", "true", "false"):
        raise ValueError("expected 0 or 1")
    return text in ("1", "true")


def _as_day(texts: pa.Array) -> pa.Array:
    return pc.cast(pc.utf8_slice_codeunits(texts, 0, 10), pa.date32())


def _as_instant(texts: pa.Array) -> pa.Array:
    return pc.cast(pc.utf8_slice_codeunits(texts, 0, 26), pa.timestamp("us"))


def _as_flag(texts: pa.Array) -> pa.Array:
    return pc.if_else(texts.is_valid(), pc.is_in(texts, pa.array(["1", "true"])), pa.scalar(None, pa.bool_()))


READING: dict[Kind, _Reading] = {
    "code": _Reading("", lambda texts: texts, str),
    # Letters that mojibake is made of are rare in German: where there are none, nobody need look closer.
    "label": _Reading("^[^\u0080-\u009f\u00c2\u00c3\u00e2\ufffd]*$", lambda texts: texts, _label),
    "id": _Reading(r"^[0-9]{1,9}$", lambda texts: pc.cast(texts, pa.int32()), _whole),
    "status": _Reading(f"^({'|'.join(map(str, STATUSES))})$", lambda texts: pc.cast(texts, pa.int32()), _status),
    "number": _Reading(r"^[0-9]{1,12}(\.[0-9]+)?$", lambda texts: pc.cast(texts, pa.float64()), _number),
    "degrees": _Reading(r"^-?[0-9]{1,3}(\.[0-9]+)?$", lambda texts: pc.cast(texts, pa.float64()), _degrees),
    "date": _Reading(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+)?$", _as_day, _day),
    "instant": _Reading(r"^[0-9-]{10}T[0-9:]{8}(\.[0-9]+)?$", _as_instant, _instant),
    "flag": _Reading("^(0|1|true|false)$", _as_flag, _flag),
}
