"""A small seeded part of the mutated inputs (`make fuzz` runs all), and that the bench would notice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from connectors.formats import CONNECTORS, schools_nrw
from tests.connectors import mutations
from tests.connectors.fuzzing import Bench, fuzz, originals

SEED, COUNT = 20261122, 150


def test_mutated_inputs_end_in_rows_rejections_or_refusals_and_nothing_else(tmp_path: Path) -> None:
    verdicts = list(fuzz(COUNT, SEED, tmp_path))
    assert [verdict for verdict in verdicts if verdict.problems] == []
    assert {verdict.connector for verdict in verdicts} == set(CONNECTORS)
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    assert min(outcomes[name] for name in ("staged", "refused at fetch", "refused at parse")) > COUNT / 10


def test_the_same_seed_gives_the_same_inputs() -> None:
    for original in originals():
        for change in {**original.faithful, **original.damage}.values():
            first, again = change(original.body, Random("7")), change(original.body, Random("7"))
            assert first == again


def test_columns_that_move_with_their_header_say_the_same() -> None:
    moved = mutations.shuffle_columns(";")(b"a;b;c\r\n1;2;3\r\n", Random("1"))
    head, values = (line.split(b";") for line in moved.splitlines())
    assert dict(zip(head, values, strict=True)) == {b"a": b"1", b"b": b"2", b"c": b"3"}


# -- the bench notices -----------------------------------------------------------------------------------------------


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, next(original for original in originals() if original.connector == "schools_nrw"))


def problems(bench: Bench, mutation: str) -> str:
    return json.dumps([bench.try_out(mutation, number, SEED).problems for number in range(6)], ensure_ascii=False)


def test_a_value_from_nowhere_is_noticed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schools_nrw, "_cell", lambda raw: raw.strip().replace("Münster", "Moenster") or None)
    assert "rows are not in the undamaged file" in problems(bench, "double_lines")


def test_a_fault_of_the_parser_is_noticed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by mistake")

    monkeypatch.setattr(schools_nrw, "_row", broken)
    assert "failed on this file with ZeroDivisionError" in problems(bench, "swap_lines")


def test_a_record_counted_twice_is_noticed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schools_nrw, "_placed", lambda out, rows: [*rows, *rows[:1]])
    assert "mend the parser" in problems(bench, "cut_lines")
