"""The suites as they are written in `suites/<domain>.yml`: checks per mart with severity, owner and dimension."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from expectations.owners import Owners
from expectations.strict import Mart, Strict, SuiteRefused, Text, read

Severity = Literal["critical", "warning", "info"]
Domain = Literal["core", "transit", "mobility", "energy", "registers", "indicators"]
# What a check speaks of: values and records that are missing, values that cannot be, statements that disagree.
Dimension = Literal["complete", "valid", "consistent"]

# The kinds tried on DuckDB, each passing and failing (tests/expectations/test_kinds.py). Regex, LIKE and quantiles
# abort a validation there (design, section 7): write them as unexpected_rows_expectation.
Kind = Literal[
    "expect_column_max_to_be_between",
    "expect_column_min_to_be_between",
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_sum_to_be_between",
    "expect_column_unique_value_count_to_be_between",
    "expect_column_value_lengths_to_equal",
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_be_unique",
    "expect_column_values_to_not_be_null",
    "expect_compound_columns_to_be_unique",
    "expect_table_columns_to_match_set",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
    "unexpected_rows_expectation",
]
ROWS_BY_QUERY: Kind = "unexpected_rows_expectation"

# The dimension of a kind where the check does not name another.
DIMENSIONS: dict[Kind, Dimension] = {
    "expect_column_max_to_be_between": "valid",
    "expect_column_min_to_be_between": "valid",
    "expect_column_pair_values_a_to_be_greater_than_b": "consistent",
    "expect_column_sum_to_be_between": "consistent",
    "expect_column_unique_value_count_to_be_between": "consistent",
    "expect_column_value_lengths_to_equal": "valid",
    "expect_column_values_to_be_between": "valid",
    "expect_column_values_to_be_in_set": "valid",
    "expect_column_values_to_be_unique": "consistent",
    "expect_column_values_to_not_be_null": "complete",
    "expect_compound_columns_to_be_unique": "consistent",
    "expect_table_columns_to_match_set": "valid",
    "expect_table_row_count_to_be_between": "complete",
    "expect_table_row_count_to_equal": "complete",
    "unexpected_rows_expectation": "consistent",
}


class Check(Strict):
    """One expectation on a mart: its Great Expectations type and arguments, how grave a failure is, what it means.

    owner: who looks after it, where it is not the mart's. dimension: where it is not the kind's. of: the mart whose
    rows a query looks through, where that is not the one it is written for (municipalities that are missing).
    """

    expect: Kind
    kwargs: dict[str, Any] = Field(default_factory=dict)
    severity: Severity
    owner: Text = ""
    dimension: Dimension | None = None
    of: Mart | None = None
    meaning_de: Text
    meaning_en: Text

    @field_validator("kwargs")
    @classmethod
    def _whole_table(cls, kwargs: dict[str, Any]) -> dict[str, Any]:
        if "row_condition" in kwargs:
            raise ValueError("row_condition: write a check on some rows as an unexpected_rows_expectation")
        return kwargs

    @field_validator("of")
    @classmethod
    def _of_a_query(cls, of: str | None, said: ValidationInfo) -> str | None:
        if of is not None and said.data.get("expect") != ROWS_BY_QUERY:
            raise ValueError(f"only an {ROWS_BY_QUERY} looks through the rows of another mart")
        return of

    @property
    def speaks_of(self) -> Dimension:
        """The quality dimension it counts for."""
        return self.dimension or DIMENSIONS[self.expect]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it judges by name; none for a query or a table as a whole."""
        named = self.kwargs
        single = (named[key] for key in ("column", "column_A", "column_B") if key in named)
        return (*single, *named.get("column_list", ()))

    def id_on(self, mart: str) -> str:
        """`<mart>.<kind>.<columns>.<hash of the arguments>`: stays where the file is only laid out anew."""
        kind = self.expect.removeprefix("expect_").removesuffix("_expectation")
        said = {
            name: " ".join(value.split()) if isinstance(value, str) else value for name, value in self.kwargs.items()
        }
        digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:8]
        return ".".join(part for part in (mart, kind, "+".join(self.columns), digest) if part)


class MartSuite(Strict):
    """What is expected of one mart. Its key's columns are never null and together unique without being said again.

    counted: whether its rows are written down per partition; a mart that tells of the run itself has as many as there
    is to tell.
    """

    key: Annotated[tuple[Text, ...], Field(min_length=1)]
    owner: Text = ""
    counted: bool = True
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]

    @property
    def all_checks(self) -> tuple[Check, ...]:
        """The checks of the key, then those declared, each with its owner."""
        checks = (*(_never_null(column) for column in self.key), _unique(self.key), *self.checks)
        return tuple(check.model_copy(update={"owner": check.owner or self.owner}) for check in checks)


class Suite(Strict):
    """The marts of one domain; `owner` looks after those marts that name no other."""

    domain: Domain
    owner: Text
    marts: Annotated[dict[Mart, MartSuite], Field(min_length=1)]


def load_suites(folder: Path, owners: Owners) -> dict[str, MartSuite]:
    """The suites of all marts by mart, in alphabetical order.

    Raises SuiteRefused naming the file and the key: unknown, missing or repeated keys, an owner nobody knows, a mart
    in two files, a check written twice, `of` a mart there is none of.
    """
    files = sorted(folder.glob("*.yml"))
    if not files:
        raise SuiteRefused(f"{folder}: expected suite files <domain>.yml, found none")
    suites: dict[str, MartSuite] = {}
    for path in files:
        suite = _load(path, owners)
        twice = suites.keys() & suite.marts.keys()
        if twice:
            raise SuiteRefused(f"{path}: marts {sorted(twice)} have a suite in another file: keep one")
        for name, mart in suite.marts.items():
            suites[name] = mart.model_copy(update={"owner": mart.owner or suite.owner})
    for name, mart in suites.items():
        for number, check in enumerate(mart.checks):
            if check.of is not None and check.of not in suites:
                raise SuiteRefused(f"{folder}: marts.{name}.checks.{number}.of: no suite names {check.of}")
    return dict(sorted(suites.items()))


def _load(path: Path, owners: Owners) -> Suite:
    suite = read(path, Suite)
    if suite.domain != path.stem:
        raise SuiteRefused(f"{path}: domain: expected {path.stem} as the file is named, came {suite.domain}")
    owners.require(path, "owner", suite.owner)
    for name, mart in suite.marts.items():
        owners.require(path, f"marts.{name}.owner", mart.owner or suite.owner)
        for number, check in enumerate(mart.checks):
            owners.require(path, f"marts.{name}.checks.{number}.owner", check.owner or suite.owner)
        twice = [name for name, times in Counter(check.id_on(name) for check in mart.all_checks).items() if times > 1]
        if twice:
            raise SuiteRefused(f"{path}: marts.{name}.checks: {', '.join(twice)} is written twice: keep one")
    return suite


def _never_null(column: str) -> Check:
    return Check(
        expect="expect_column_values_to_not_be_null",
        kwargs={"column": column},
        severity="critical",
        meaning_de=f"Die Schlüsselspalte {column} ist nie leer.",
        meaning_en=f"Key column {column} is never empty.",
    )


def _unique(key: tuple[str, ...]) -> Check:
    columns = ", ".join(key)
    return Check(
        expect="expect_compound_columns_to_be_unique" if len(key) > 1 else "expect_column_values_to_be_unique",
        kwargs={"column_list": list(key)} if len(key) > 1 else {"column": key[0]},
        severity="critical",
        meaning_de=f"Der Schlüssel ({columns}) kommt nur einmal vor.",
        meaning_en=f"Key ({columns}) occurs only once.",
    )
