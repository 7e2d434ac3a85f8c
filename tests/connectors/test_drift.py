"""Renames are found where two names are the same in truth, and only there."""

from __future__ import annotations

import time

import pytest

from connectors.drift import Change, Drift, Seen, declared_drift, drift_between


def header(*names: str) -> dict[tuple[str, str], Seen]:
    return {("t", name): Seen(position=place) for place, name in enumerate(names, start=1)}


def told(drifts: list[Drift]) -> list[tuple[str, str]]:
    return [(drift.change, drift.subject) for drift in drifts]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # What publishers did: Ladesäulenregister 2025 and 2022, MaStR, schuldaten.csv.
        ("Art der Ladeeinrichung", "Art der Ladeeinrichtung"),
        ("Anschlussleistung", "Anschlussleistung [kW]"),
        ("DatumLetzeAktualisierung", "DatumLetzteAktualisierung"),
        ("Straße", "STRASSE"),
        ("Längengrad", "laengengrad"),
        ("stop_name", "stop name"),
        ("P1 [kW]", "P1 (kW)"),
    ],
)
def test_a_column_with_a_like_name_is_renamed(old: str, new: str) -> None:
    reported: list[tuple[str, str, Change]] = [("t", old, "missing"), ("t", new, "new")]
    assert declared_drift(reported) == [Drift("t", new, "renamed", old)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("stop_lat", "stop_lon"),
        ("P1 [kW]", "P2 [kW]"),
        ("100020113-status", "100020114-status"),
        ("Inbetriebnahmedatum", "GeplantesInbetriebnahmedatum"),
        ("UTMRechtswert", "UTMHochwert"),
        ("start_date", "end_date"),
        ("file:calendar.txt", "file:calendar_dates.txt"),
    ],
)
def test_another_column_is_missing_and_new(old: str, new: str) -> None:
    reported: list[tuple[str, str, Change]] = [("t", old, "missing"), ("t", new, "new")]
    assert sorted(told(declared_drift(reported))) == [("missing", old), ("new", new)]


def test_columns_of_different_tables_are_never_one() -> None:
    drifts = declared_drift([("stops", "name", "missing"), ("routes", "name", "new")])
    assert told(drifts) == [("new", "name"), ("missing", "name")]


def test_the_most_alike_pair_is_taken_and_each_name_once() -> None:
    drifts = declared_drift(
        [
            ("t", "Leistung", "missing"),
            ("t", "Leistung kW", "new"),
            ("t", "Leistungen", "new"),
            ("t", "Leistung_", "new"),
        ]
    )
    assert sorted(told(drifts)) == [("new", "Leistung kW"), ("new", "Leistungen"), ("renamed", "Leistung -> Leistung_")]


def test_what_is_reported_twice_is_told_once() -> None:
    assert told(declared_drift([("t", "a", "new"), ("t", "a", "new")])) == [("new", "a")]


def test_between_snapshots_columns_come_go_and_are_renamed() -> None:
    drifts = drift_between(header("id", "Strasse", "fax"), header("id", "Straße", "mail"))
    assert sorted(told(drifts)) == [("missing", "fax"), ("new", "mail"), ("renamed", "Strasse -> Straße")]


def test_at_the_same_place_less_likeness_is_enough() -> None:
    assert told(drift_between(header("id", "Ort"), header("id", "Wohnort"))) == [("renamed", "Ort -> Wohnort")]
    assert sorted(told(drift_between(header("id", "Ort"), header("Wohnort", "id")))) == [
        ("missing", "Ort"),
        ("new", "Wohnort"),
    ]


def test_columns_in_another_order_are_no_drift() -> None:
    assert drift_between(header("a", "b", "c"), header("c", "a", "b")) == []


def test_without_columns_on_one_side_nothing_is_compared() -> None:
    assert drift_between({}, header("a")) == []
    assert drift_between(header("a"), {}) == []


def test_a_field_that_few_records_carry_comes_and_goes_by_chance() -> None:
    common, rare = {("t", "Lage"): Seen(records=20)}, {("t", "Seelage"): Seen(records=19)}
    other = {("t", "id"): Seen(records=500)}
    assert drift_between({**other, **rare}, other) == []
    assert drift_between(other, {**other, **rare}) == []
    assert told(drift_between({**other, **common}, other)) == [("missing", "Lage")]


def test_two_headers_that_share_nothing_take_no_time_to_compare() -> None:
    started = time.monotonic()
    drifts = drift_between(
        header(*(f"a{number}" * 20 for number in range(500))), header(*(f"b{number}" * 20 for number in range(500)))
    )
    assert len(drifts) == 1_000
    assert time.monotonic() - started < 2
