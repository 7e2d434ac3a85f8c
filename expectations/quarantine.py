"""Known failures that do not stop a release for now, as written in `quarantine.yml`: with a reason and a last day.

A quarantine that has run out, that is no longer needed, or that holds more rows than were known fails itself: nobody
forgets it.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from expectations.owners import Owners
from expectations.strict import Strict, SuiteRefused, Text, read
from expectations.suite import Severity
from expectations.verdict import Quarantine, Result
from muensterland.settings import Input


class Quarantined(Strict):
    """One known failure.

    check: the id that the report shows. inputs: where it is known (what fails on live data may hold on the sample).
    expires: the last day of the quarantine. most_rows: how many unexpected rows are known, where more would be news.
    """

    check: Text
    inputs: Annotated[tuple[Input, ...], Field(min_length=1)]
    reason_de: Text
    reason_en: Text
    owner: Text
    expires: date
    most_rows: int | None = Field(None, ge=1)


class _File(Strict):
    quarantined: tuple[Quarantined, ...]


def load_quarantine(path: Path, owners: Owners, ids: Collection[str], kind: Input) -> dict[str, Quarantined]:
    """The quarantines that hold for this INPUT by the check's id.

    Raises SuiteRefused naming file and key, also of other INPUTs' entries: a check there is none of, an owner nobody
    knows, a check quarantined twice.
    """
    found: dict[str, Quarantined] = {}
    for number, entry in enumerate(read(path, _File).quarantined):
        key = f"quarantined.{number}"
        owners.require(path, f"{key}.owner", entry.owner)
        if entry.check not in ids:
            near = difflib.get_close_matches(entry.check, ids, n=1, cutoff=0.5)
            hint = f"; nearest is {near[0]}" if near else ""
            raise SuiteRefused(f"{path}: {key}.check: there is no check {entry.check}: take it away{hint}")
        if kind not in entry.inputs:
            continue
        if entry.check in found:
            raise SuiteRefused(f"{path}: {key}.check: {entry.check} is quarantined twice for INPUT={kind}: keep one")
        found[entry.check] = entry
    return found


def quarantine(results: Iterable[Result], known: Mapping[str, Quarantined], day: date) -> tuple[Result, ...]:
    """The results with their quarantines, and a failing one beside each quarantine that does not hold on `day`.

    A check that could not be evaluated is never quarantined: nobody knows what it would have said.
    """
    judged: list[Result] = []
    for result in results:
        entry = known.get(result.id)
        if entry is None or result.error:
            judged.append(result)
            continue
        trouble = _trouble(result, entry, day)
        if trouble is None:
            reasons = entry.model_dump(include={"reason_de", "reason_en", "owner", "expires"})
            judged.append(result.model_copy(update={"quarantine": Quarantine.model_validate(reasons)}))
        else:
            judged += [result, _broken(result, entry, *trouble)]
    return tuple(judged)


def _trouble(result: Result, entry: Quarantined, day: date) -> tuple[Severity, str, str] | None:
    """How grave it is that the quarantine does not hold, and why not in German and English; None where it holds."""
    if result.success:
        return (
            "critical",
            "Die Prüfung ist wieder erfüllt: den Eintrag aus quarantine.yml nehmen.",
            "The check passes now: take the entry out of quarantine.yml.",
        )
    if day > entry.expires:
        return (
            "critical",
            f"Die Quarantäne ist am {entry.expires:%d.%m.%Y} abgelaufen: beheben oder neu und mit Grund entscheiden.",
            f"The quarantine expired on {entry.expires}: mend what the check finds, or decide anew and say why.",
        )
    if entry.most_rows is not None and (result.unexpected_count or 0) > entry.most_rows:
        return (
            result.severity,
            f"{result.unexpected_count} unerwartete Zeilen, bekannt sind {entry.most_rows}: die neuen ansehen.",
            f"{result.unexpected_count} unexpected rows, {entry.most_rows} are known: look at the new ones.",
        )
    return None


def _broken(result: Result, entry: Quarantined, severity: Severity, why_de: str, why_en: str) -> Result:
    return Result(
        id=f"{result.id}.quarantine",
        mart=result.mart,
        expectation="quarantine_in_force",
        columns=result.columns,
        owner=entry.owner,
        severity=severity,
        success=False,
        meaning_de=f"{why_de} ({entry.reason_de})",
        meaning_en=f"{why_en} ({entry.reason_en})",
    )
