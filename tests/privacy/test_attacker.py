"""The attacker finds what can be found, or his finding nothing would say nothing."""

from __future__ import annotations

import pytest

from tests.privacy.attacker import System, attack


def table(rows: dict[str, tuple[float | None, ...]]) -> System:
    """Rows and columns with their totals: the last row and the last column."""
    found = System()
    names = list(rows)
    width = len(rows[names[0]])
    for name, values in rows.items():
        for column, value in enumerate(values):
            found.know((name, column), value)
        found.add_up((name, width - 1), [(name, column) for column in range(width - 1)])
    for column in range(width):
        found.add_up((names[-1], column), [(name, column) for name in names[:-1]])
    return found


def test_one_hidden_cell_of_a_line_is_computed() -> None:
    known = attack(table({"a": (3, None, 10), "b": (4, 5, 9), "all": (7, 12, 19)}))
    assert known["a", 1].is_determined
    assert known["a", 1].least == pytest.approx(7)


def test_a_bridge_between_two_rectangles_is_computed() -> None:
    """Two hidden cells in every row and column are not enough."""
    hidden = [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("c", 2), ("c", 3), ("d", 2), ("d", 3), ("b", 2)]
    rows = {name: [10.0] * 4 for name in "abcd"}
    rows["all"] = [sum(rows[name][column] for name in "abcd") for column in range(4)]
    system = table({name: (*values, sum(values)) for name, values in rows.items()})
    for one in hidden:
        system.values[one] = None
    known = attack(system)
    assert [one for one in hidden if known[one].is_found] == [("b", 2)]


def test_zeros_that_cannot_give_way_tell() -> None:
    """Not determined by the equations alone, but persons cannot be fewer than none."""
    known = attack(table({"a": (None, None, 0), "b": (None, None, 9), "all": (4, 5, 9)}))
    assert not known["b", 0].is_determined
    assert known["b", 0].is_found
    assert known["b", 0].most == pytest.approx(4)


def test_a_rectangle_hides_its_corners() -> None:
    known = attack(table({"a": (None, None, 5), "b": (None, None, 9), "all": (6, 8, 14)}))
    assert not any(one.is_found for one in known.values())
    assert (known["a", 0].least, known["a", 0].most) == (pytest.approx(0), pytest.approx(5))


def test_what_is_published_must_add_up() -> None:
    system = table({"a": (None, 2, 1), "b": (1, 1, 2), "all": (1, 3, 4)})
    with pytest.raises(ValueError, match="contradict"):
        attack(system)
