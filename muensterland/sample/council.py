"""A council's lists of meetings and papers by OParl 1.1, in pages of 25 that link to each other; nothing of it real."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from muensterland.sample.eco_visio import Answer

BODY = "oparl.stadt-muenster.de/bodies/0001"
TYPE = "https://schema.oparl.org/1.1"
PER_PAGE = 25
ZONE = ZoneInfo("Europe/Berlin")
FIRST_DAY = datetime(2025, 1, 14, 17, 0, tzinfo=ZONE)
# A meeting every eleven days, the last one planned for after the sample was made; two papers a meeting.
MEETINGS = 62
CANCELLED, DELETED = 7, 9
PAPER_TYPES = ("Öffentliche Beschlussvorlage", "Anfrage", "Antrag")


def answers() -> tuple[Answer, ...]:
    """The pages of both lists, and what has changed since the latest change: the object that was changed then."""
    return (*_list("meetings", meetings()), *_list("papers", papers()))


def meetings() -> list[dict[str, Any]]:
    """The meetings, one cancelled and one deleted."""
    return [_meeting(number) for number in range(MEETINGS)]


def papers() -> list[dict[str, Any]]:
    """Two papers per meeting, dated a week before it."""
    return [_paper(number) for number in range(2 * MEETINGS)]


def _start(meeting: int) -> datetime:
    return FIRST_DAY + timedelta(days=11 * meeting)


def _changed(at: datetime) -> dict[str, str]:
    return {"created": (at - timedelta(days=20)).isoformat(), "modified": (at - timedelta(days=10)).isoformat()}


def _meeting(number: int) -> dict[str, Any]:
    start = _start(number)
    common = {"id": f"https://{BODY}/meetings/{1000 + number}", "type": f"{TYPE}/Meeting", **_changed(start)}
    if number == DELETED:
        return {**common, "deleted": True}
    return {
        **common,
        "name": f"Sitzung des Beispielausschusses (synthetisch), {number + 1}",
        "meetingState": "terminiert",
        "cancelled": number == CANCELLED,
        "start": start.isoformat(),
        "end": (start + timedelta(hours=2)).isoformat(),
        "organization": [f"https://{BODY}/organizations/{number % 4}"],
        "agendaItem": [{"id": f"https://{BODY}/agendaItems/{number}-{item}"} for item in range(number % 5)],
        "somacos:kind": "1",
    }


def _paper(number: int) -> dict[str, Any]:
    at = _start(number // 2) - timedelta(days=7)
    return {
        "id": f"https://{BODY}/papers/{5000 + number}",
        "type": f"{TYPE}/Paper",
        "body": f"https://{BODY}",
        "name": f"Beispielvorlage (synthetisch) {number + 1}",
        "reference": f"V/{number + 1:04}/{at.year}",
        "date": at.date().isoformat(),
        "paperType": PAPER_TYPES[number % len(PAPER_TYPES)],
        **_changed(at),
    }


def _list(name: str, objects: Sequence[Mapping[str, Any]]) -> Iterator[Answer]:
    url = f"{BODY}/{name}"
    latest = max(objects, key=lambda entry: datetime.fromisoformat(entry["modified"]))
    since = {"modified_since": latest["modified"]}
    yield Answer(url, since, f"{url}/since.json", page([latest], None, 1))
    pages = [objects[at : at + PER_PAGE] for at in range(0, len(objects), PER_PAGE)]
    # The first page is what the list's own address answers, whatever its query.
    for number in range(len(pages), 0, -1):
        following = f"https://{url}?page={number + 1}" if number < len(pages) else None
        query = {"page": str(number)} if number > 1 else {}
        yield Answer(url, query, f"{url}/{number}.json", page(pages[number - 1], following, len(pages)))


def page(objects: Sequence[Mapping[str, Any]], following: str | None, pages: int) -> bytes:
    """A page of a list."""
    links = {"next": following} if following else {}
    told = {"data": list(objects), "links": links, "pagination": {"totalPages": pages, "elementsPerPage": PER_PAGE}}
    return json.dumps(told, ensure_ascii=False, indent=1).encode()
