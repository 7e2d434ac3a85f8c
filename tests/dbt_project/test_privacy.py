"""No release tells how many persons stand behind a small count: an attacker with all its files finds nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors import tables
from connectors.formats.statistic_time import span_of
from publishing.release import publish
from tests.dbt_project.conftest import AS_OF, KREISE, MUENSTER, Built, Staged, build, keys, stage_core
from tests.privacy.attacker import Cell, Knowledge, attack
from tests.privacy.published import cell, district_cell, districts, of_parquet, of_warehouse, system

K = 5
AGES = ("A1", "A2", "A3", "A4")
SEXES = ("M", "W")
EARLY, BEFORE, AFTER = "2018", "2019-12-31", "2021-12-31"
# Areas that were (seed area_change) and what became of them.
FORMER = {"05558801", "05570801", "05554801", "05554802", "05566801"}
# Until then there was none under these keys.
NEW = {"05558004", "05558008", "05570012", "05554016"}
SAME_TERRITORY = ("published", "total", "reckoned_back")
# Tables that leave the code of a total blank, one that calls it INSGESAMT, one whose sexes are variables of their own.
STUDENTS, UNEMPLOYED = "21311-01-01-4-B", "13211-05i"
ATTACKED = {"by_age", "by_sex", "kreise", "city", STUDENTS, UNEMPLOYED}
PERSONS = ATTACKED | {"overlapping"}
# What those read.
DIMENSIONS = {"dim_municipality"}
MARTS = (
    *("dim_area", "mart_area_change", "mart_statistic", "mart_statistic_today"),
    *("mart_population_district", "mart_district_statistic"),
)
DISTRICTS, SEX_OF_DISTRICT = ("Altstadt", "Hafen", "Neustadt", "Wald", "Feld"), ("male", "female")


@dataclass(frozen=True)
class People:
    """What was staged, by cell, and the release made of it."""

    truth: dict[Cell, float]
    built: Built
    release: Path


def municipalities(period: str) -> list[str]:
    """Two Kreise, and of the others what changed."""
    here = {key for key in keys() if key[:5] in ("05515", "05558")} | NEW | {"05566020"}
    return sorted(here - NEW | FORMER) if period == BEFORE else sorted(here)


def whole(period: str) -> list[str]:
    """All municipalities of that day."""
    return sorted(keys()) if period == AFTER else sorted({*keys()} - NEW | FORMER)


def few(roll: Random) -> int:
    """A count as sparse tables have them: often none, mostly one to nine, sometimes many."""
    return roll.choice((0, 0, 1, 2, 3, 4, 5, 6, 9, 15, 40, 120))


def seldom_few(roll: Random) -> int:
    """A count as full tables have them."""
    return roll.choice((1, 3, 8, *range(30, 130)))


class Statistics:
    """Rows of statistical tables, with what they truly say."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.truth: dict[Cell, float] = {}

    def tell(self, table: str, period: str, area: str, categories: dict[str, str], value: float, **other: str) -> None:
        span = span_of(period)
        assert span is not None
        row = {
            "table_code": table,
            "period": period,
            "period_start_date": span[0],
            "period_end_date": span[1],
            "area_variable_code": "GEMEIN" if len(area) == 8 else "KREISE",
            "area_code": area,
            "attribute_codes": ";".join(f"{name}={code}" for name, code in categories.items()),
            "value": float(value),
            "value_unit": "Anzahl",
            "value_variable_code": "BEVSTD",
            **other,
        }
        self.rows.append(row)
        if table in PERSONS:
            self.truth[cell(row | {"area_id": area})] = float(value)

    def cross(
        self,
        table: str,
        period: str,
        dimensions: dict[str, tuple[str, ...]],
        counts: dict[Any, float],
        total: str = "",
        **other: str,
    ) -> None:
        """Every combination of categories and totals, from the counts by area and one code per dimension."""
        for area in sorted({area for area, *_ in counts}):
            for choice in itertools.product(*((total, *codes) for codes in dimensions.values())):
                value = sum(
                    count
                    for (where, *found), count in counts.items()
                    if where == area and all(want in (total, code) for want, code in zip(choice, found, strict=True))
                )
                self.tell(table, period, area, dict(zip(dimensions, choice, strict=True)), value, **other)


def stage() -> Statistics:
    """Tables with many small counts: of two and three variables, linked, of one city alone, with overlapping ages."""
    statistics, roll = Statistics(), Random(7)
    for period in (BEFORE, AFTER):
        people = {key: few(roll) for key in itertools.product(municipalities(period), AGES, SEXES)}
        statistics.cross("by_age", period, {"ALT": AGES, "GES": SEXES}, people)
        by_sex: dict[Any, float] = {}
        for (ags, _, sex), count in people.items():
            by_sex[ags[:5], sex] = by_sex.get((ags[:5], sex), 0) + count
        statistics.cross("by_sex", period, {"GES": SEXES}, by_sex)
    for year in range(2000, 2005):
        period = f"{year}-12-31"
        choices = itertools.product(KREISE, SEXES, ("D", "A"), ("F1", "F2", "F3"))
        counts = {key: few(roll) for key in choices}
        statistics.cross("kreise", period, {"GES": SEXES, "NAT": ("D", "A"), "FG": ("F1", "F2", "F3")}, counts)
        period = f"{year}-06-30"
        counts = {key: few(roll) for key in itertools.product([MUENSTER], AGES, SEXES)}
        statistics.cross("city", period, {"ALT": AGES, "GES": SEXES}, counts)
        dimensions = {"GESINS": ("GESM", "GESW"), "NAT01": ("NATD", "NATA"), "HS-FG2": ("FG1", "FG2", "FG3")}
        counts = {key: seldom_few(roll) for key in itertools.product(KREISE, *dimensions.values())}
        statistics.cross(STUDENTS, f"{year}-09-30", dimensions, counts, "INSGESAMT", value_variable_code="HS-W02")
        for ags in keys():
            men, women = few(roll), few(roll)
            told = {"UNEMPLOYED": men + women, "UNEMPLOYED_MEN": men, "UNEMPLOYED_WOMEN": women}
            for variable, value in told.items():
                statistics.tell(UNEMPLOYED, f"{year}-06-30", ags, {}, value, value_variable_code=variable)
    # A3 holds A1: whoever took them for parts of a whole would give A1 away.
    for ags, code, value in [(a, c, v) for a in keys() for c, v in (("A1", 3), ("A2", 50), ("A3", 53), ("", 56))]:
        statistics.tell("overlapping", "2015-12-31", ags, {"ALT": code}, value)
    for ags in keys():
        statistics.tell("1000A-1013", "2022-05-15", ags, {"GES": "M"}, 3, value_variable_code="PRS018")
    for period in (EARLY, BEFORE, AFTER):
        for number, ags in enumerate(whole(period), 1):
            statistics.tell(
                "claims", period, ags, {}, 100 * number, value_variable_code="FOR002", value_unit="Tsd. EUR"
            )
            statistics.tell("prices", period, ags, {}, 90 + number, value_variable_code="BAU004", value_unit="EUR")
            if ags != "05554802":
                statistics.tell("gaps", period, ags, {}, number, value_variable_code="FOR002", value_unit="EUR")
    for ags, value in {"05554016": 700, "05554801": 300, "05566020": 50, "05566801": 8}.items():
        statistics.tell("reckoned", BEFORE, ags, {}, value, value_variable_code="FOR002", value_unit="EUR")
    statistics.tell("11111", "2022-12-31", "05515", {}, 1, value_variable_code="GEM001")
    statistics.tell("unheard", "2022-12-31", "05515", {}, 2, value_variable_code="XYZ001")
    return statistics


def stage_districts() -> list[dict[str, Any]]:
    """Figures of a city's districts by sex and age with all their totals, and of more subjects without any."""
    roll, rows = Random(11), []

    def tell(subject: str, year: int, name: str, sex: str, ages: tuple[int | None, int | None], value: int) -> None:
        is_sum = name not in DISTRICTS
        rows.append(
            {
                **{"subject": subject, "ags": MUENSTER, "district_name": name, "sex": sex, "period": str(year)},
                **{"district_key": None if is_sum else str(11 + DISTRICTS.index(name)), "value": float(value)},
                **dict(zip(("age_from", "age_to"), ages, strict=True)),
            }
        )

    groups = [(0, 17), (18, 64), (65, 89), (90, None)]
    for year in range(2000, 2010):
        people = {key: few(roll) for key in itertools.product(DISTRICTS, SEX_OF_DISTRICT, groups)}
        for name, sex, ages in itertools.product(
            (*DISTRICTS, "Münster"), (*SEX_OF_DISTRICT, "total"), (*groups, (None, None))
        ):
            value = sum(
                count
                for (where, who, age), count in people.items()
                if where in (name, *(DISTRICTS if name == "Münster" else ()))
                and sex in (who, "total")
                and ages in (age, (None, None))
            )
            tell("population", year, name, sex, ages, value)
        for name in DISTRICTS:
            tell("unemployed", year, name, "total", (None, None), roll.choice((3, 30, 40)) if year < 2005 else 50)
    return rows


def district_truth() -> dict[Cell, float]:
    """What was staged of districts, by cell."""
    truth = {}
    for row in stage_districts():
        first, last = row["age_from"], row["age_to"]
        age_group = "total" if first is None else f"{first}-{last}" if last is not None else f"{first}+"
        truth[district_cell({**row, "source_id": "regional", "age_group": age_group})] = row["value"]
    return truth


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """The tables staged, built and published, as far as they go."""
    root = tmp_path_factory.mktemp("people")
    folder = Staged(root / "staged")
    stage_core(folder)
    statistics = stage()
    folder.write(tables.STATISTIC_VALUE, "regional", statistics.rows)
    folder.write(tables.DISTRICT_VALUE, "regional", stage_districts())
    built = build(
        folder.root,
        root / "build",
        *("--select", *(f"+{mart}" for mart in MARTS), "--exclude-resource-type", "unit_test", "test"),
    )
    assert built.result.success, [str(run.message) for run in built.result.result if str(run.status) == "error"]
    manifest = root / "manifest.json"
    nodes = {
        key: node
        for key, node in built.manifest["nodes"].items()
        if node["resource_type"] == "model" and (node["schema"] != "marts" or node["name"] in DIMENSIONS | {*MARTS})
    }
    manifest.write_text(json.dumps({"nodes": nodes}), encoding="utf-8")
    published = publish(
        candidate=built.candidate,
        manifest=manifest,
        releases=root / "releases",
        as_of=datetime.fromisoformat(AS_OF).astimezone(UTC),
        input_key="people",
        inputs=[],
        code_version="test",
        gate={"passed": True, "counts": {}},
        synthetic=True,
    )
    yield People(statistics.truth, built, published.release.path)


@pytest.fixture(scope="module")
def known(people: People) -> dict[Cell, Knowledge]:
    """What the attacker makes of the release's Parquet."""
    return attack(system(of_parquet(people.release), ATTACKED))


@pytest.fixture(scope="module")
def suppressed(people: People) -> set[Cell]:
    """The counts that the release hides. A share of a divided area is an estimate, not a count."""
    read = of_parquet(people.release)
    return {
        cell(row, today=row.get("territory_rule", "published") not in SAME_TERRITORY)
        for mart in ("mart_statistic", "mart_statistic_today")
        for row in read(mart)
        if row["value_status"] == "suppressed" and row.get("territory_rule") != "divided"
    }


def test_an_attacker_finds_no_hidden_count(people: People, known: dict[Cell, Knowledge], suppressed: set[Cell]) -> None:
    attacked = suppressed & known.keys()
    assert {hidden: known[hidden] for hidden in attacked if known[hidden].is_found} == {}
    # All that equations speak of was attacked: small counts, and those that are hidden for their sake.
    assert len(attacked) > 600
    assert len({one for one in attacked if people.truth.get(one, 0) >= K}) > 100


def test_the_equations_of_the_attacker_hold_in_truth(people: People) -> None:
    """Else finding nothing would say nothing."""
    equations = system(of_parquet(people.release), ATTACKED).equations
    told = [equation for equation in equations if equation.keys() <= people.truth.keys()]
    assert len(told) > 1000
    wrong = [one for one in told if abs(sum(weight * people.truth[each] for each, weight in one.items())) > 1e-6]
    assert wrong == []


def test_hiding_small_counts_alone_would_tell_them(people: People) -> None:
    """The same attacker finds most of them where only counts from 1 to 4 are hidden."""
    naive = system(of_parquet(people.release), ATTACKED)
    small = {hidden for hidden, value in people.truth.items() if 0 < value < K and hidden in naive.values}
    for told, value in people.truth.items():
        if told in naive.values and told not in small:
            naive.values[told] = value
    known = attack(naive)
    found = {hidden for hidden in small & known.keys() if known[hidden].is_found}
    assert len(found) > len(small) / 4
    assert all(abs(known[hidden].least - people.truth[hidden]) < 1 for hidden in found)


def test_no_small_count_stands_in_any_artefact(people: People) -> None:
    read = of_parquet(people.release)
    for mart in MARTS:
        assert sorted(map(repr, read(mart))) == sorted(map(repr, of_warehouse(people.release)(mart)))
    for mart in ("mart_statistic", "mart_statistic_today"):
        shown = [row for row in read(mart) if row["is_count_of_persons"] and row["value"] is not None]
        assert len(shown) > 500
        assert [row for row in shown if 0 < row["value"] < K] == []
        assert {row["value"] for row in shown} >= {0.0, 5.0}
    # Nothing but the marts leaves the house: no intermediate table that still knows.
    schemas = people.built.query("select distinct schema_name from duckdb_tables() where table_name like 'int_person%'")
    assert schemas == [("intermediate",)]
    assert {path.name for path in people.release.iterdir()} == {"muensterland.duckdb", "parquet", "release.json"}


def test_an_attacker_finds_no_hidden_figure_of_a_district(people: People) -> None:
    """Where the hidden columns of a line hold nobody together, all are none: that nobody is there is no secret."""
    read, truth = of_parquet(people.release), district_truth()
    rows = [*read("mart_population_district"), *read("mart_district_statistic")]
    hidden = {district_cell({"subject": "population", **row}) for row in rows if row["value_status"] == "suppressed"}
    small = {told for told, value in truth.items() if 0 < value < K}
    assert len(small) > 100
    assert small <= hidden
    found = districts(read)
    assert all(found.values[told] == value for told, value in truth.items() if told not in hidden)
    known = attack(found)
    assert {told for told in hidden if told in known and known[told].is_found and truth[told] > 0} == set()
    assert len(hidden & known.keys()) > 400


def test_hiding_small_figures_of_districts_alone_would_tell_them(people: People) -> None:
    naive, truth = districts(of_parquet(people.release)), district_truth()
    for told, value in truth.items():
        naive.values[told] = None if 0 < value < K else value
    found = {told: one for told, one in attack(naive).items() if one.is_found}
    assert len(found) > 50
    assert all(abs(one.least - truth[told]) < 1 for told, one in found.items())


def test_not_more_is_hidden_than_it_takes(people: People) -> None:
    """A table is hidden whole only where nothing else hides it; in others the totals of most lines stay."""
    rows = of_parquet(people.release)("mart_statistic")
    shares = {
        period: sum(row["value"] is None for row in told) / len(told)
        for period in {row["period"] for row in rows if row["table_code"] == "kreise"}
        if (told := [row for row in rows if row["table_code"] == "kreise" and row["period"] == period])
    }
    partly = [share for share in shares.values() if share < 1]
    assert len(partly) > len(shares) / 2
    assert max(partly) < 0.8
    assert all(row["value"] is not None for row in rows if row["table_code"] == "by_sex")


def test_categories_that_overlap_are_hidden_as_a_whole(people: People) -> None:
    rows = [row for row in of_parquet(people.release)("mart_statistic") if row["table_code"] == "overlapping"]
    assert len(rows) == 4 * 66
    assert {(row["value"], row["value_status"], row["reason"]) for row in rows} == {
        (None, "suppressed", "disclosure_control")
    }


def test_what_cell_key_protects_stays_and_is_not_added_up(people: People) -> None:
    read = of_parquet(people.release)
    rows = [row for row in read("mart_statistic") if row["table_code"] == "1000A-1013"]
    assert {(row["value"], row["value_status"], row["is_count_of_persons"]) for row in rows} == {
        (3.0, "measured", False)
    }
    totals = [
        row for row in read("mart_statistic_today") if row["table_code"] == "1000A-1013" and len(row["area_id"]) != 8
    ]
    assert {row["area_id"] for row in totals} == {*KREISE, "muensterland"}
    assert {(row["value"], row["value_status"], row["reason"]) for row in totals} == {
        (None, "missing", "cell_key_not_summed")
    }


def test_a_total_that_nobody_knows_as_one_stops_the_run(tmp_path: Path) -> None:
    folder = Staged(tmp_path / "staged")
    stage_core(folder)
    statistics = Statistics()
    for code, label in (("GESX", "Insgesamt"), ("GESM", "männlich")):
        labels = {"attribute_labels": f"Geschlecht={label}"}
        statistics.tell("unheard", "2022-12-31", "05515", {"GES": code}, 60, **labels)
        statistics.tell("known", "2022-12-31", "05515", {"GES": code.replace("GESX", "INSGESAMT")}, 60, **labels)
    folder.write(tables.STATISTIC_VALUE, "regional", statistics.rows)
    selected = ("--select", "+int_person_cell", "assert_every_total_is_known", "--exclude-resource-type", "unit_test")
    built = build(folder.root, tmp_path / "build", *selected)
    failed = [run.node.name for run in built.result.result if str(run.status) in ("fail", "error")]
    assert failed == ["assert_every_total_is_known"]
    (run,) = [run for run in built.result.result if run.node.name == failed[0]]
    assert run.failures == 1


def test_what_nobody_has_declared_counts_as_persons(people: People) -> None:
    rows = {row["table_code"]: row for row in of_parquet(people.release)("mart_statistic")}
    assert (rows["unheard"]["value"], rows["unheard"]["value_status"]) == (None, "suppressed")
    assert (rows["11111"]["value"], rows["11111"]["value_status"]) == (1.0, "measured")


# -- territory -------------------------------------------------------------------------------------------------------


def series(people: People, mart: str, table: str, period: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of a table and day by area and categories."""
    return {
        (row["area_id"], row["attribute_codes"]): row
        for row in of_parquet(people.release)(mart)
        if row["table_code"] == table and row["period"] == period
    }


def test_a_series_speaks_of_one_territory_before_and_after_a_merger(people: People) -> None:
    told = {period: series(people, "mart_statistic", "claims", period) for period in (EARLY, BEFORE, AFTER)}
    today = {period: series(people, "mart_statistic_today", "claims", period) for period in (EARLY, BEFORE, AFTER)}
    then = {area: row["value"] for (area, _), row in told[BEFORE].items()}
    assert then.keys() >= FORMER
    assert not NEW & then.keys()
    for period, rows in today.items():
        assert {area for area, _ in rows if len(area) == 8} == {*keys()}
        # Nothing is gained or lost on the way.
        total = sum(row["value"] for row in told[period].values())
        assert sum(row["value"] for (area, _), row in rows.items() if len(area) == 8) == pytest.approx(total)
        assert sum(row["value"] for (area, _), row in rows.items() if len(area) == 5) == pytest.approx(total)
        assert rows["muensterland", ""]["value"] == pytest.approx(total)
    expected = {
        "05554016": (then["05554801"] + then["05554802"], "measured", "merged"),
        "05566020": (then["05566020"] + then["05566801"], "measured", "merged"),
        "05570012": (then["05570801"], "measured", "new_key"),
        "05558004": (0.6 * then["05558801"], "estimated", "divided"),
        "05558008": (0.4 * then["05558801"], "estimated", "divided"),
        "05515000": (then["05515000"], "measured", "published"),
    }
    for period in (EARLY, BEFORE):
        rows = today[period]
        found = {
            area: (rows[area, ""]["value"], rows[area, ""]["value_status"], rows[area, ""]["territory_rule"])
            for area in expected
        }
        assert found == {area: (pytest.approx(value), *rest) for area, (value, *rest) in expected.items()}
    assert {row["territory_rule"] for row in today[AFTER].values()} == {"published", "total"}


def test_what_cannot_be_added_up_is_missing_with_its_reason(people: People) -> None:
    prices = series(people, "mart_statistic_today", "prices", BEFORE)
    found = {area: (row["value"] is None, row["reason"]) for (area, _), row in prices.items()}
    assert found["05554016"] == (True, "not_additive")
    assert found["05554"] == (True, "not_additive")
    # Another key is no other price.
    assert found["05570012"] == (False, None)


def test_a_sum_with_a_part_missing_is_missing(people: People) -> None:
    rows = series(people, "mart_statistic_today", "gaps", BEFORE)
    for area in ("05554016", "05554", "muensterland"):
        assert (rows[area, ""]["value"], rows[area, ""]["value_status"]) == (None, "missing")
        assert rows[area, ""]["reason"] == "part_missing"
    assert rows["05558", ""]["value_status"] == "measured"


def test_what_the_publisher_reckoned_back_speaks_for_itself(people: People) -> None:
    """The new key told for a day before it was there is today's territory; a key that went on is not."""
    rows = series(people, "mart_statistic_today", "reckoned", BEFORE)
    assert (rows["05554016", ""]["value"], rows["05554016", ""]["territory_rule"]) == (700, "reckoned_back")
    assert (rows["05566020", ""]["value"], rows["05566020", ""]["territory_rule"]) == (58, "merged")


def test_areas_that_were_keep_a_row_of_their_own(people: People) -> None:
    areas = {row["area_id"]: row for row in of_parquet(people.release)("dim_area")}
    assert {area for area, row in areas.items() if row["valid_to"] is not None} == FORMER
    assert (areas["05554801"]["level"], areas["05554801"]["parent_area_id"]) == ("municipality", "05554")
    assert str(areas["05554801"]["valid_to"]) == "2020-12-31"
    assert str(areas["05554016"]["valid_from"]) == "2021-01-01"
    # A new name is no new territory.
    assert areas["05566024"]["valid_from"] is None
    municipalities = {row["ags"]: row for row in of_parquet(people.release)("dim_municipality")}
    assert len(municipalities) == 66
    assert {row["valid_to"] for row in municipalities.values()} == {None}
    changed = {ags: str(row["valid_from"]) for ags, row in municipalities.items() if row["valid_from"]}
    assert changed == {
        "05558004": "2020-01-01",
        "05558008": "2020-01-01",
        "05570012": "2020-07-01",
        "05554016": "2021-01-01",
        "05566020": "2021-01-01",
    }
