"""The suites as they are written in `suites/<domain>.yml`: strict, so that a slip of the pen fails at load."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

SUITES = Path(__file__).resolve().parent / "suites"

Severity = Literal["critical", "warning", "info"]
Domain = Literal["core", "transit", "mobility", "energy", "registers"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Mart = Annotated[str, StringConstraints(pattern=r"^(dim|fct|mart)_[a-z0-9_]+$")]

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


class SuiteRefused(ValueError):
    """A suite file does not say what a suite must say."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Check(_Strict):
    """One expectation on a mart: its Great Expectations type and arguments, how grave a failure is, what it means."""

    expect: Kind
    kwargs: dict[str, Any] = Field(default_factory=dict)
    severity: Severity
    meaning_de: Text
    meaning_en: Text


class MartSuite(_Strict):
    """What is expected of one mart. Its key's columns are never null and together unique without being said again."""

    key: Annotated[tuple[Text, ...], Field(min_length=1)]
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]

    @property
    def all_checks(self) -> tuple[Check, ...]:
        """The checks of the key, then those declared."""
        return (*(_never_null(column) for column in self.key), _unique(self.key), *self.checks)


class Suite(_Strict):
    """The marts of one domain."""

    domain: Domain
    marts: Annotated[dict[Mart, MartSuite], Field(min_length=1)]


def load_suites(folder: Path = SUITES) -> dict[str, MartSuite]:
    """The suites of all marts by mart, in alphabetical order.

    Raises SuiteRefused naming the file and the key: unknown, missing or repeated keys, a mart in two files.
    """
    files = sorted(folder.glob("*.yml"))
    if not files:
        raise SuiteRefused(f"{folder}: expected suite files <domain>.yml, found none")
    suites: dict[str, MartSuite] = {}
    for path in files:
        suite = _load(path)
        twice = suites.keys() & suite.marts.keys()
        if twice:
            raise SuiteRefused(f"{path}: marts {sorted(twice)} have a suite in another file: keep one")
        suites.update(suite.marts)
    return dict(sorted(suites.items()))


def _load(path: Path) -> Suite:
    try:
        suite = Suite.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=_NoKeyTwice))  # noqa: S506
    except yaml.YAMLError as error:
        raise SuiteRefused(f"{path}: expected YAML: {error}") from error
    except ValidationError as error:
        keys = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
        raise SuiteRefused(f"{path}: {keys}") from error
    if suite.domain != path.stem:
        raise SuiteRefused(f"{path}: domain: expected {path.stem} as the file is named, came {suite.domain}")
    return suite


class _NoKeyTwice(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"keys given twice: {sorted(twice)}", node.start_mark)
        return super().construct_mapping(node, deep)


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
