"""The attacker: whoever has a release in hand and wants to know the counts that it hides.

He knows every value shown, and how cells hang together: a Kreis is the sum of its municipalities, a total of its
categories, the same cell of two tables the same count, a merged area the sum of those that were. Each hidden count is
an unknown of a linear system. It is found out where the system determines it (it does not change in the null space),
or where no other count that is not negative fits (its smallest and its largest are one).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog

Cell = Hashable
TOLERANCE = 1e-6
# Counts are whole: between two that differ by less, there is one alone.
PERSON = 1.0
# More than live in the region.
MANY = 1e8


@dataclass
class System:
    """Cells with their values (None where hidden) and equations: the coefficients times the cells make nothing."""

    values: dict[Cell, float | None] = field(default_factory=dict)
    equations: list[dict[Cell, float]] = field(default_factory=list)

    def know(self, cell: Cell, value: float | None) -> None:
        """A cell as it is published; the same cell shown anywhere is known everywhere."""
        if value is not None or cell not in self.values:
            self.values[cell] = value

    def add_up(self, total: Cell, parts: Iterable[Cell], weight: float = 1.0) -> None:
        """The total is the sum of its parts, each with the weight; cells nobody published are unknown too."""
        equation: dict[Cell, float] = defaultdict(float)
        equation[total] -= 1.0
        for part in parts:
            equation[part] += weight
        for cell in equation:
            self.values.setdefault(cell, None)
        self.equations.append(dict(equation))


@dataclass(frozen=True)
class Knowledge:
    """What can be known of a hidden cell: whether the linear system alone tells it, and the counts that fit."""

    is_determined: bool
    least: float
    most: float

    @property
    def is_found(self) -> bool:
        """Whether no two counts of persons fit."""
        return self.is_determined or self.most - self.least < PERSON - TOLERANCE


def attack(system: System) -> dict[Cell, Knowledge]:
    """What the published cells tell of every hidden one that an equation speaks of, by cell.

    Ends are as far apart as any two ways found to fill in the hidden cells; where those differ by less than a person,
    they are the true ends. Raises ValueError where the published cells contradict each other.
    """
    found: dict[Cell, Knowledge] = {}
    for cells, rows in _components(system):
        matrix, constants = _matrix(system, cells, rows)
        moving = np.abs(_null_space(matrix)).max(axis=1, initial=0) > TOLERANCE
        least, most = np.full(len(cells), np.inf), np.full(len(cells), -np.inf)
        for number in range(len(cells)):
            for sign in (1, -1):
                if most[number] - least[number] < PERSON - TOLERANCE:
                    filled = _fill(matrix, constants, number, sign)
                    least, most = np.minimum(least, filled), np.maximum(most, filled)
        for number, cell in enumerate(cells):
            found[cell] = Knowledge(not moving[number], float(least[number]), float(most[number]))
    return found


def _components(system: System) -> list[tuple[list[Cell], list[Mapping[Cell, float]]]]:
    """The hidden cells and their equations, in groups that have nothing to do with each other."""
    leader: dict[Cell, Cell] = {}

    def find(cell: Cell) -> Cell:
        while leader[cell] != cell:
            leader[cell] = leader[leader[cell]]
            cell = leader[cell]
        return cell

    hidden_of = [[cell for cell in row if system.values[cell] is None] for row in system.equations]
    for cells in hidden_of:
        for cell in cells:
            leader.setdefault(cell, cell)
            leader[find(cell)] = find(cells[0])
    groups: dict[Cell, tuple[list[Cell], list[Mapping[Cell, float]]]] = defaultdict(lambda: ([], []))
    for cell in leader:
        groups[find(cell)][0].append(cell)
    for cells, row in zip(hidden_of, system.equations, strict=True):
        if cells:
            groups[find(cells[0])][1].append(row)
    return list(groups.values())


def _matrix(system: System, cells: list[Cell], rows: list[Mapping[Cell, float]]) -> tuple[np.ndarray, np.ndarray]:
    place = {cell: number for number, cell in enumerate(cells)}
    matrix = np.zeros((len(rows), len(cells)))
    constants = np.zeros(len(rows))
    for number, row in enumerate(rows):
        for cell, weight in row.items():
            value = system.values[cell]
            if value is None:
                matrix[number, place[cell]] += weight
            else:
                constants[number] -= weight * value
    return matrix, constants


def _null_space(matrix: np.ndarray) -> np.ndarray:
    """A basis of all ways in which the hidden cells can change while nothing that is shown does; a row per cell."""
    _, singular, right = np.linalg.svd(matrix)
    rank = int(np.sum(singular > TOLERANCE))
    return right[rank:].T


def _fill(matrix: np.ndarray, constants: np.ndarray, number: int, sign: int) -> np.ndarray:
    """The hidden cells filled in so that all adds up, one of them with as few (1) or as many persons (-1) as can be."""
    costs = np.zeros(matrix.shape[1])
    costs[number] = sign
    answer = linprog(costs, A_eq=matrix, b_eq=constants, bounds=(0, MANY), method="highs")
    if answer.status != 0:
        raise ValueError(f"the published cells contradict each other: {answer.message}")
    filled: np.ndarray = answer.x
    return filled
