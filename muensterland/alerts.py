"""Alerts with little noise: one message per subject and state, a recovery message, a reminder after days.

What stands and what was told lies in `status/alerts/`. A channel that fails does not lose a message: it is told what
it missed the next time anything is observed.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, TypeAdapter

log = logging.getLogger(__name__)

OK = "ok"
# A message is read on a telephone; the whole story is in the logs.
DETAIL_LIMIT = 1_500

_WORDS: dict[str, tuple[str, str]] = {
    OK: ("wieder in Ordnung", "in order again"),
    "stale": (
        "liefert nicht; der letzte gute Stand gilt weiter",
        "does not deliver; its last good snapshot stays in force",
    ),
    "failed": (
        "liefert nicht, und es gilt kein früherer Stand",
        "does not deliver, and no former snapshot is in force",
    ),
    "drift": ("nicht wie erklärt oder nicht wie zuvor", "not as declared, or not as before"),
    "unlike": ("anders groß als zuvor; er gilt dennoch", "of another size than before; it is in force nevertheless"),
    "red": (
        "die Prüfung ist rot; nichts wurde veröffentlicht, die bisherige Ausgabe gilt weiter",
        "the gate is red; nothing was promoted, the former release stays current",
    ),
    "broken": ("der Lauf ist gescheitert", "the run has failed"),
    "late": ("der Lauf ist nicht rechtzeitig fertig", "the run is not done in time"),
}
_SUBJECTS_DE = {"source ": "Quelle ", "dag ": "DAG ", "columns of ": "Spalten von ", "snapshot of ": "Stand von "}
# Nobody has to act at once where the source says `drift: report`, or a guard `severity: report`.
TOLD_ONCE = (OK, "drift", "unlike")
_KINDS = {"trouble": ("", ""), "recovery": ("", ""), "reminder": ("immer noch: ", "still: ")}


class ChannelFailed(RuntimeError):
    """A message could not be handed over; it is tried again the next time."""


@dataclass(frozen=True)
class Observation:
    """What a subject was seen to be, `ok` or a state of trouble: `source nrw-schools` (does it deliver), `columns of
    nrw-schools`, `snapshot of nrw-schools` (its size), `dag region_release`.

    `sign` tells two troubles of one state apart: a second column that drifts is news, another error message is not.
    """

    subject: str
    state: str
    detail: str = ""
    sign: str = ""


@dataclass(frozen=True)
class Message:
    """One thing to tell: of which subject, its state and since when, and what it was told to be before."""

    kind: Literal["trouble", "reminder", "recovery"]
    subject: str
    state: str
    former_state: str
    since: datetime
    detail: str

    @property
    def text_de(self) -> str:
        """The message in a German sentence, without its detail."""
        text = self._text(0, "seit")
        kind = next((kind for kind in _SUBJECTS_DE if text.startswith(kind)), "")
        return _SUBJECTS_DE.get(kind, "") + text.removeprefix(kind)

    @property
    def text_en(self) -> str:
        """The message in an English sentence, without its detail."""
        return self._text(1, "since")

    def _text(self, language: int, since: str) -> str:
        what = f"{_KINDS[self.kind][language]}{_WORDS[self.state][language]}"
        return f"{self.subject}: {what} ({self.state}, {since} {self.since:%Y-%m-%d %H:%M %Z})"


Channel = Callable[[Message], None]


class _Told(BaseModel):
    state: str
    sign: str
    at: AwareDatetime


class _Standing(BaseModel):
    state: str
    sign: str
    since: AwareDatetime
    detail: str
    told: dict[str, _Told] = {}


_Standings = TypeAdapter(dict[str, _Standing])


def tell(
    folder: Path,
    observations: Iterable[Observation],
    channels: Mapping[str, Channel],
    now: datetime,
    remind_after: timedelta,
) -> list[Message]:
    """Take note of what was observed and tell each channel what is news to it; returns what was handed over."""
    with _locked(folder):
        standings = _read(folder)
        seen = set()
        for observation in observations:
            _take_note(standings, observation, now)
            seen.add(observation.subject)
        _write(folder, standings)
        handed_over = []
        for name, channel in channels.items():
            try:
                for subject, standing in sorted(standings.items()):
                    message = _news(subject, standing, standing.told.get(name), now, remind_after, subject in seen)
                    if message is not None:
                        channel(message)
                        standing.told[name] = _Told(state=standing.state, sign=standing.sign, at=now)
                        handed_over.append(message)
                        # At once: whoever is killed here tells at most one message twice.
                        _write(folder, standings)
            except ChannelFailed as failure:
                log.warning("alerts: %s failed, it is tried again the next time: %s", name, failure)
    return handed_over


@dataclass(frozen=True)
class Trouble:
    """A subject that is not `ok`: its state, since when (UTC), and what was said of it last."""

    subject: str
    state: str
    since: datetime
    detail: str


def troubles(folder: Path) -> list[Trouble]:
    """Every subject that is in trouble, by name."""
    return [
        Trouble(subject, standing.state, standing.since.astimezone(UTC), standing.detail)
        for subject, standing in sorted(_read(folder).items())
        if standing.state != OK
    ]


def _take_note(standings: dict[str, _Standing], seen: Observation, now: datetime) -> None:
    former = standings.get(seen.subject)
    detail = seen.detail[:DETAIL_LIMIT]
    if former is None or (former.state, former.sign) != (seen.state, seen.sign):
        told = former.told if former else {}
        standings[seen.subject] = _Standing(state=seen.state, sign=seen.sign, since=now, detail=detail, told=told)
    else:
        former.detail = detail


def _news(
    subject: str, standing: _Standing, told: _Told | None, now: datetime, remind_after: timedelta, seen: bool
) -> Message | None:
    former = told.state if told else OK
    kind: Literal["trouble", "reminder", "recovery"]
    if standing.state != former or (told and standing.sign != told.sign):
        kind = "recovery" if standing.state == OK else "trouble"
    elif standing.state not in TOLD_ONCE and seen and told and now - told.at >= remind_after:
        kind = "reminder"
    else:
        return None
    return Message(kind, subject, standing.state, former, standing.since, standing.detail)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Tasks end at the same time; two of them must not tell the same thing."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(folder: Path) -> dict[str, _Standing]:
    place = folder / "state.json"
    return _Standings.validate_json(place.read_bytes()) if place.exists() else {}


def _write(folder: Path, standings: dict[str, _Standing]) -> None:
    draft = folder / ".state.json"
    with draft.open("wb") as stream:
        stream.write(_Standings.dump_json(standings, indent=1))
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(folder / "state.json")
