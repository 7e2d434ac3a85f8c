"""What the gate report says around the figures, in German and in English."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from expectations.clock import LOCAL_TIME
from expectations.owners import Owner
from expectations.suite import Severity
from expectations.verdict import Quarantine, Result


@dataclass(frozen=True)
class Words:
    """One language: its texts and how it writes figures and dates."""

    lang: str
    title: str
    passed: str
    failed: str
    passed_means: str
    failed_means: str
    synthetic: str
    state: str
    overview: str
    severity: str
    severities: Mapping[Severity, str]
    checks: str
    failures: str
    failures_none: str
    quarantined: str
    quarantined_short: str
    quarantined_none: str
    scorecard: str
    scorecard_means: str
    dimensions: Mapping[str, str]
    blank: str
    owner: str
    check: str
    reason: str
    until: str
    found: str
    expected: str
    partition: str
    row_counts: str
    row_counts_means: str
    row_counts_same: str
    row_counts_see: str
    unexpected: str
    examples: str
    observed: str
    error: str
    history: str
    history_means: str
    history_none: str
    judgement: str
    result: str
    release: str
    no_release: str
    this_one: str
    all_checks: str
    all_checks_means: str
    asked: str
    missed: str
    holds: str
    fails: str
    meaning: str
    dimension: str
    identifier: str
    decimal_comma: bool
    date_format: str
    time_zones: Mapping[str, str]

    def number(self, value: int) -> str:
        """A count with its thousands apart."""
        text = f"{value:,}"
        return text.replace(",", ".") if self.decimal_comma else text

    def share(self, value: float) -> str:
        """A mark with three digits, cut and not rounded: 1 is said of nothing that is less."""
        text = f"{math.floor(value * 1000) / 1000:.3f}"
        return text.replace(".", ",") if self.decimal_comma else text

    def day(self, value: date) -> str:
        """A date as the language writes it."""
        return value.strftime(self.date_format)

    def moment(self, value: datetime) -> str:
        """An instant in local time."""
        local = value.astimezone(LOCAL_TIME)
        return f"{self.day(local)}, {local:%H:%M} {self.time_zones[f'{local:%Z}']}"

    def means(self, result: Result) -> str:
        """What a check says."""
        return result.meaning_de if self.lang == "de" else result.meaning_en

    def why(self, quarantine: Quarantine) -> str:
        """Why a failure is quarantined."""
        return quarantine.reason_de if self.lang == "de" else quarantine.reason_en

    def who(self, owner: Owner) -> str:
        """An owner's title."""
        return owner.title_de if self.lang == "de" else owner.title_en


GERMAN = Words(
    lang="de",
    title="Prüfbericht der Marts",
    passed="bestanden",
    failed="nicht bestanden",
    passed_means="Kein kritischer Fehler: Der Stand darf herausgegeben werden.",
    failed_means="Mindestens ein kritischer Fehler: Nichts wird herausgegeben, die vorige Ausgabe bleibt.",
    synthetic="SYNTHETISCH – erfundene Beispielregion, keine echten Daten",
    state="Stand",
    overview="Überblick",
    severity="Schwere",
    severities={"critical": "kritisch", "warning": "Warnung", "info": "Hinweis"},
    checks="Prüfungen",
    failures="Verfehlt",
    failures_none="Alle Prüfungen sind erfüllt oder in Quarantäne.",
    quarantined="Bekannte Fehler in Quarantäne",
    quarantined_short="Quarantäne",
    quarantined_none="Kein Fehler ist in Quarantäne.",
    scorecard="Zeugnis je Mart",
    scorecard_means=(
        "Vier Noten von 0 bis 1 (1 ist am besten, abgerundet). Vollständig, gültig, stimmig: gewichtetes Mittel der "
        "Prüfungen (kritisch 3, Warnung 2, Hinweis 1); erfüllt zählt 1, sonst 1 − unerwartete ÷ geprüfte Zeilen, bei "
        "Kennzahlen 0. Frisch: Anteil der speisenden Quellen, die zum Stand frisch sind. Quarantäne hebt keine Note. "
        "Wo nichts spricht, steht –."
    ),
    dimensions={"fresh": "frisch", "complete": "vollständig", "valid": "gültig", "consistent": "stimmig"},
    blank="keine Note",
    owner="Zuständig",
    check="Prüfung",
    reason="Grund",
    until="gilt bis",
    found="gezählt",
    expected="erwartet",
    partition="Teil",
    row_counts="Abweichende Zeilenzahlen",
    row_counts_means=(
        "Zu wenige Zeilen sind kritisch, zu viele eine Warnung. Stimmen die neuen Zahlen, dann schreibt "
        "„python -m muensterland gate counts --write“ sie auf (nach einem roten Urteil mit „--run ORDNER“); sie "
        "gelten, sobald sie geprüft und eingetragen (commit) sind."
    ),
    row_counts_same="Jeder Teil jedes Marts hat so viele Zeilen, wie in Git steht.",
    row_counts_see="siehe abweichende Zeilenzahlen",
    unexpected="unerwartete Zeilen",
    examples="Beispiele",
    observed="Gesehen",
    error="Nicht auswertbar",
    history="Verlauf",
    history_means="Verfehlte Prüfungen der letzten Urteile, das neueste zuletzt; ein Balken je Urteil.",
    history_none="Dies ist das erste Urteil.",
    judgement="Urteil",
    result="Ergebnis",
    release="Ausgabe",
    no_release="–",
    this_one="dieses",
    all_checks="Alle Prüfungen je Mart",
    all_checks_means="Zum Aufklappen.",
    asked="Prüfungen",
    missed="verfehlt",
    holds="erfüllt",
    fails="verfehlt",
    meaning="Bedeutung",
    dimension="Merkmal",
    identifier="Kennung",
    decimal_comma=True,
    date_format="%d.%m.%Y",
    time_zones={"CET": "MEZ", "CEST": "MESZ"},
)

ENGLISH = Words(
    lang="en",
    title="Gate report on the marts",
    passed="passed",
    failed="failed",
    passed_means="No critical failure: this state may be released.",
    failed_means="At least one critical failure: nothing is released, the former release stays.",
    synthetic="SYNTHETIC – an invented sample region, no real data",
    state="As of",
    overview="Overview",
    severity="Severity",
    severities={"critical": "critical", "warning": "warning", "info": "note"},
    checks="Checks",
    failures="Failed",
    failures_none="Every check holds or is quarantined.",
    quarantined="Known failures in quarantine",
    quarantined_short="Quarantine",
    quarantined_none="No failure is quarantined.",
    scorecard="Scorecard per mart",
    scorecard_means=(
        "Four marks from 0 to 1 (1 is best, rounded down). Complete, valid, consistent: weighted mean of the checks "
        "(critical 3, warning 2, note 1); one that holds counts 1, else 1 − unexpected ÷ judged rows, for single "
        "figures 0. Fresh: share of the feeding sources that are fresh. Quarantine improves no mark. "
        "Where nothing speaks there is –."
    ),
    dimensions={"fresh": "fresh", "complete": "complete", "valid": "valid", "consistent": "consistent"},
    blank="no mark",
    owner="Owner",
    check="Check",
    reason="Reason",
    until="holds until",
    found="found",
    expected="expected",
    partition="Partition",
    row_counts="Row counts that differ",
    row_counts_means=(
        "Too few rows are critical, too many a warning. Where the new counts are right, “python -m muensterland gate "
        "counts --write” writes them down (after a red judgement with “--run FOLDER”); they hold once reviewed and "
        "committed."
    ),
    row_counts_same="Every partition of every mart has as many rows as written down in git.",
    row_counts_see="see row counts that differ",
    unexpected="unexpected rows",
    examples="Examples",
    observed="Observed",
    error="Could not be evaluated",
    history="History",
    history_means="Failed checks of the last judgements, the newest last; one bar per judgement.",
    history_none="This is the first judgement.",
    judgement="Judgement",
    result="Result",
    release="Release",
    no_release="–",
    this_one="this one",
    all_checks="All checks per mart",
    all_checks_means="Unfold a mart to see them.",
    asked="checks",
    missed="failed",
    holds="holds",
    fails="fails",
    meaning="Meaning",
    dimension="Dimension",
    identifier="Id",
    decimal_comma=False,
    date_format="%Y-%m-%d",
    time_zones={"CET": "CET", "CEST": "CEST"},
)
