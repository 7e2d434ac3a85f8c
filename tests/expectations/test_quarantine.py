"""Known failures: they stop no release while they are known, needed and not expired, and are never forgotten."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from expectations.owners import load_owners
from expectations.quarantine import Quarantined, load_quarantine, quarantine
from expectations.scorecard import scorecard
from expectations.strict import SuiteRefused
from expectations.verdict import Result, verdict_of
from tests.expectations.conftest import AS_OF, OWNERS, result

ENTRY: dict[str, Any] = {
    "check": "dim_area.check",
    "inputs": ["sample", "live"],
    "reason_de": "Der Herausgeber weiß davon.",
    "reason_en": "The publisher knows of it.",
    "owner": "mobility",
    "expires": date(2026, 11, 22),
}
FAILS = {"success": False, "unexpected_count": 12, "judged": 100}


def applied(day: date = date(2026, 11, 22), entry: dict[str, Any] | None = None, **said: Any) -> tuple[Result, ...]:
    known = Quarantined.model_validate({**ENTRY, **(entry or {})})
    return quarantine([result(**{**FAILS, **said})], {known.check: known}, day)


def test_a_known_failure_does_not_stop_the_release_and_is_told() -> None:
    (known,) = applied()
    assert known.quarantine is not None
    assert (known.quarantine.reason_en, known.quarantine.expires) == ("The publisher knows of it.", date(2026, 11, 22))
    verdict = verdict_of([known], (), "sample", AS_OF)
    assert verdict.passed
    assert verdict.failures == ()
    assert verdict.quarantined == (known,)
    assert verdict.counts["critical"].model_dump() == {"checks": 1, "failed": 0, "quarantined": 1}


def test_quarantine_does_not_mend_the_mark() -> None:
    (score,) = scorecard(applied(), {}, {})
    assert (score.complete, score.failed_checks, score.quarantined_checks) == (0.88, 0, 1)


@pytest.mark.parametrize(
    ("change", "severities", "said"),
    [
        ({"day": date(2026, 11, 23)}, ["warning", "critical"], "expired on 2026-11-22"),
        ({"success": True, "unexpected_count": None}, ["critical"], "The check passes now: take the entry out"),
        # Also after its end: what is no longer needed is said rather than what is over.
        ({"day": date(2027, 1, 1), "success": True, "unexpected_count": None}, ["critical"], "passes now"),
        ({"entry": {"most_rows": 11}}, ["warning", "warning"], "12 unexpected rows, 11 are known"),
    ],
)
def test_a_quarantine_that_does_not_hold_fails(change: dict[str, Any], severities: list[str], said: str) -> None:
    results = applied(severity="warning", **change)
    assert [one.quarantine for one in results] == [None, None]
    assert [one.severity for one in results if not one.success] == severities
    assert (results[1].id, results[1].owner) == ("dim_area.check.quarantine", "mobility")
    assert said in results[1].meaning_en
    assert "(Der Herausgeber weiß davon.)" in results[1].meaning_de
    assert verdict_of(results, (), "sample", AS_OF).passed is ("critical" not in severities)


def test_as_many_rows_as_known_are_fine() -> None:
    (known,) = applied(entry={"most_rows": 12})
    assert known.quarantine is not None


def test_what_could_not_be_evaluated_is_never_quarantined() -> None:
    (broken,) = applied(error="no such column")
    assert broken.fails


def test_other_checks_stay_as_they_are() -> None:
    other = result(id="dim_area.other", success=False)
    known = Quarantined.model_validate(ENTRY)
    assert quarantine([other], {known.check: known}, date(2026, 1, 1)) == (other,)


def write(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "quarantine.yml"
    path.write_text(yaml.safe_dump({"quarantined": [{**ENTRY, **entry} for entry in entries]}), encoding="utf-8")
    return path


def load(path: Path, kind: Any = "sample") -> dict[str, Quarantined]:
    (path.parent / "owners.yml").write_text(OWNERS, encoding="utf-8")
    owners = load_owners(path.parent / "owners.yml")
    return load_quarantine(path, owners, {"dim_area.check", "dim_area.row_count_per_partition"}, kind)


def test_an_entry_holds_for_the_inputs_it_names(tmp_path: Path) -> None:
    path = write(tmp_path, {}, {"inputs": ["mirror"], "most_rows": 3})
    assert load(path, "live")["dim_area.check"].most_rows is None
    assert load(path, "mirror")["dim_area.check"].most_rows == 3
    assert load(write(tmp_path)) == {}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (
            [{"check": "dim_area.chekc"}],
            "quarantined.0.check: there is no check dim_area.chekc.*nearest is dim_area.check",
        ),
        # Also of an INPUT that is not the run's.
        ([{"check": "fct_x.y", "inputs": ["mirror"]}], "quarantined.0.check: there is no check fct_x.y"),
        ([{}, {"owner": "mobilty"}], "quarantined.1.owner: 'mobilty' is no owner"),
        ([{"expires": "some day"}], "quarantined.0.expires"),
        ([{"until": date(2027, 1, 1)}], "quarantined.0.until: Extra inputs"),
        ([{"reason_de": " "}], "quarantined.0.reason_de"),
        ([{"inputs": []}], "quarantined.0.inputs"),
        ([{"inputs": ["sampel"]}], "quarantined.0.inputs.0"),
        ([{"most_rows": 0}], "quarantined.0.most_rows"),
        ([{}, {}], "quarantined.1.check: dim_area.check is quarantined twice"),
    ],
)
def test_a_slip_names_file_and_key(tmp_path: Path, entries: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(SuiteRefused, match=rf"quarantine\.yml.*(?s:.*){said}"):
        load(write(tmp_path, *entries))
