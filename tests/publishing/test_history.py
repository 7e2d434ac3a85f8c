"""The releases' ledger: append-only, whole lines, what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from publishing.history import (
    HISTORY,
    Event,
    Held,
    HistoryBroken,
    append_event,
    held_back,
    last_former,
    promoted_at,
    read_history,
    rolled_back,
)

AT = datetime(2025, 3, 31, 4, 0, tzinfo=UTC)


def event(action: Any, version: str, **more: Any) -> Event:
    return Event(at=AT, action=action, version=version, by="somebody", **more)


def test_what_is_added_comes_back_in_order(tmp_path: Path) -> None:
    assert read_history(tmp_path) == []
    events = [event("promoted", "1", record_sha256="ab"), event("promoted", "2", former="1", reason="Grund: ß")]
    for one in events:
        append_event(tmp_path, one)
    assert read_history(tmp_path) == events
    assert (tmp_path / HISTORY).read_bytes().count(b"\n") == 2


def test_a_line_cut_by_a_power_failure_makes_way_for_the_next(tmp_path: Path) -> None:
    append_event(tmp_path, event("promoted", "1"))
    with (tmp_path / HISTORY).open("ab") as ledger:
        ledger.write(b'{"at":"2025-03-')
    assert [one.version for one in read_history(tmp_path)] == ["1"]
    append_event(tmp_path, event("promoted", "2"))
    assert [one.version for one in read_history(tmp_path)] == ["1", "2"]


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    append_event(tmp_path, event("promoted", "1"))
    with (tmp_path / HISTORY).open("ab") as ledger:
        ledger.write(b'{"version": 5}\n')
    with pytest.raises(HistoryBroken, match=r"history\.jsonl: line 2: expected an event"):
        read_history(tmp_path)


TWO, THREE = (Held(recipe_key=f"key-{n}", snapshots=(("a", "b", n),)) for n in "23")
BACK = event("rolled_back", "1", former="3", held_back={"2": TWO, "3": THREE})


@pytest.mark.parametrize(
    ("then", "held", "behind"),
    [
        ([], {"2": TWO, "3": THREE}, {"2", "3"}),
        ([event("allowed", "3")], {"2": TWO}, {"2", "3"}),
        ([event("restored", "2")], {"3": THREE}, {"3"}),
        ([event("promoted", "4")], {"2": TWO, "3": THREE}, {"2", "3"}),
        ([event("pruned", "3")], {"2": TWO, "3": THREE}, {"2", "3"}),
        ([event("allowed", "3"), BACK], {"2": TWO, "3": THREE}, {"2", "3"}),
    ],
)
def test_what_is_held_back_until_somebody_says_so(then: list[Event], held: dict[str, Held], behind: set[str]) -> None:
    events = [*(event("promoted", version) for version in "123"), BACK, *then]
    assert held_back(events) == held
    assert rolled_back(events) == behind


def test_the_one_just_replaced_is_known_whatever_was_pruned_since() -> None:
    events = [event("promoted", "1"), event("promoted", "2", former="1"), event("pruned", "0")]
    assert last_former(events) == "1"
    assert last_former([]) is None
    assert promoted_at(events, "2") == AT
    assert promoted_at(events, "0") is None
