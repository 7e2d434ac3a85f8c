"""What sources declare of their counters: refused where it contradicts itself, else in the view as it was meant."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from connectors.catalogue import CatalogueError, Source, load_source
from connectors.counts import declared_corrections, declared_topology
from tests.connectors.conftest import source_fields

FILE = {"connector": "schools_nrw", "url": "https://town.example/file.csv"}
MEANING = {"site": "100", "channel": "101", "from": date(2024, 10, 1), "direction": "in", "reason": "Vor Ort gesehen"}
CORRECTION = {
    "site": "100",
    "from": "2024-10-05 10:00",
    "to": "2024-10-05 12:00",
    "action": "drop",
    "reason": "Baustelle",
    "provider": "Stadt",
    "expect": 120,
}


def source(tmp_path: Path, **declared: Any) -> Source:
    """The source of a YAML file with these keys beside the usual ones."""
    path = tmp_path / "town.yml"
    path.write_text(yaml.safe_dump(source_fields({"file": FILE}, **declared)), encoding="utf-8")
    return load_source(path)


def without(entry: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != key}


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"topology": [without(MEANING, "reason")]}, "topology.0.reason: is missing"),
        ({"topology": [without(MEANING, "from")]}, "topology.0.from: is missing"),
        ({"topology": [without(MEANING, "direction")]}, "topology.0: says nothing of the channel, expected role, mode"),
        (
            {"topology": [{**MEANING, "form": 1}]},
            "topology.0.form: unknown key; did you mean from? expected one of chan",
        ),
        ({"topology": [{**MEANING, "direction": "inn"}]}, "topology.0.direction: is 'inn', expected 'in', 'out'"),
        (
            {"topology": [{**MEANING, "to": date(2024, 9, 1)}]},
            "topology.0: to: 2024-09-01 lies before from, 2024-10-01",
        ),
        (
            {"topology": [{**MEANING, "to": date(2024, 12, 1)}, {**MEANING, "from": date(2024, 12, 1)}]},
            "file: topology.1: site 100, from 2024-12-01: topology.0 speaks of the same time",
        ),
        ({"topology": [{**MEANING, "site": 100}]}, "topology.0.site: is 100, expected text; put it into quotes"),
        ({"topology": [MEANING], "domain": "energy"}, "file: topology: is for counts, but the domain is energy"),
        ({"corrections": [without(CORRECTION, "expect")]}, "corrections.0.expect: is missing"),
        ({"corrections": [without(CORRECTION, "provider")]}, "corrections.0.provider: is missing"),
        ({"corrections": [{**CORRECTION, "action": "delete"}]}, "corrections.0.action: is 'delete', expected 'drop'"),
        ({"corrections": [{**CORRECTION, "action": "scale"}]}, "corrections.0: factor: goes with action scale"),
        ({"corrections": [{**CORRECTION, "factor": 2}]}, "corrections.0: factor: goes with action scale"),
        (
            {"corrections": [{**CORRECTION, "action": "scale", "factor": 0}]},
            "corrections.0.factor: is 0, expected great",
        ),
        (
            {"corrections": [{**CORRECTION, "expect": -1}]},
            "corrections.0.expect: is -1, expected greater than or equal",
        ),
        (
            {"corrections": [{**CORRECTION, "to": "2024-10-05 10:00"}]},
            "corrections.0: to: 2024-10-05 10:00:00 is not aft",
        ),
        (
            {"corrections": [{**CORRECTION, "from": "2024-10-05 10:15"}]},
            "corrections.0.from: is 2024-10-05 10:15:00, expected a full hour",
        ),
        (
            {"corrections": [{**CORRECTION, "from": "2024-03-31 02:00"}]},
            "corrections.0.from: is 2024-03-31 02:00, an hour that the clock change leaves out in Europe/Berlin",
        ),
        (
            {"corrections": [CORRECTION, {**CORRECTION, "channel": "101", "from": "2024-10-05 11:00"}]},
            "file: corrections.1: site 100, from 2024-10-05 11:00:00: corrections.0 speaks of the same time",
        ),
    ],
)
def test_a_declaration_that_does_not_fit_is_told_with_file_and_key(
    tmp_path: Path, declared: dict[str, Any], words: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        source(tmp_path, **declared)
    assert str(caught.value).startswith(f"town.yml: {words}")
    assert "\n" not in str(caught.value)


def test_declarations_that_follow_each_other_or_speak_of_different_channels_are_fine(tmp_path: Path) -> None:
    later = {**CORRECTION, "from": "2024-10-05 12:00", "to": "2024-10-05 13:00"}
    other = {**MEANING, "channel": "102"}
    declared = source(tmp_path, corrections=[CORRECTION, later], topology=[MEANING, other])
    assert len(declared.corrections) == len(declared.topology) == 2


def test_corrections_begin_and_end_at_instants(tmp_path: Path) -> None:
    # Winter time begins at 03:00 on 2024-10-27: the day has 25 hours.
    day = {**CORRECTION, "from": date(2024, 10, 27), "to": date(2024, 10, 28), "channel": "101"}
    scaled = {**CORRECTION, "action": "scale", "factor": 1.5}
    rows = declared_corrections([source(tmp_path, corrections=[scaled, day])], "live").to_pylist()
    assert [(row["declaration"], row["channel_id"], row["factor"], row["expected_count"]) for row in rows] == [
        ("corrections.0", None, 1.5, 120),
        ("corrections.1", "101", None, 120),
    ]
    assert [(row["first_at"], row["until_at"]) for row in rows] == [
        (datetime(2024, 10, 5, 8, tzinfo=UTC), datetime(2024, 10, 5, 10, tzinfo=UTC)),
        (datetime(2024, 10, 26, 22, tzinfo=UTC), datetime(2024, 10, 27, 23, tzinfo=UTC)),
    ]


def test_topology_is_told_with_its_place_and_only_under_its_inputs(tmp_path: Path) -> None:
    elsewhere = {**MEANING, "channel": "102", "inputs": ["sample"], "role": "ghost"}
    declared = source(tmp_path, topology=[elsewhere, MEANING])
    live = declared_topology([declared], "live").to_pylist()
    assert [(row["declaration"], row["channel_id"], row["direction"], row["channel_role"]) for row in live] == [
        ("topology.1", "101", "in", None)
    ]
    assert (live[0]["first_date"], live[0]["last_date"]) == (date(2024, 10, 1), None)
    sample = declared_topology([declared], "sample").to_pylist()
    assert [(row["declaration"], row["channel_role"]) for row in sample] == [
        ("topology.0", "ghost"),
        ("topology.1", None),
    ]


def test_a_source_that_is_written_down_is_read_again_as_it_was(tmp_path: Path) -> None:
    declared = source(tmp_path, topology=[MEANING], corrections=[CORRECTION])
    assert Source.model_validate_json(declared.model_dump_json()) == declared
    written = TypeAdapter(tuple[Source, ...]).dump_json((declared,))
    assert TypeAdapter(tuple[Source, ...]).validate_json(written) == (declared,)
