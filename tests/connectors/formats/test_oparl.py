"""Objects of OParl: staged as told last, deleted ones marked, none with a person in it."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import PayloadRefused, SnapshotRefused
from connectors.formats.oparl import CONNECTOR
from connectors.region import region
from connectors.staging import StagedWriter

SHA = "a" * 64
BASE = "https://council.example"


def meeting(**fields: Any) -> dict[str, Any]:
    return {"id": f"{BASE}/meetings/1", "type": "https://schema.oparl.org/1.1/Meeting", **fields}


def paper(**fields: Any) -> dict[str, Any]:
    return {"id": f"{BASE}/papers/1", "type": "https://schema.oparl.org/1.1/Paper", **fields}


def parse(
    tmp_path: Path, *told: list[dict[str, Any]], objects: str = "meeting", ags: str = "05515000"
) -> tuple[StagedWriter, list[dict[str, Any]]]:
    path = tmp_path / "list"
    with zipfile.ZipFile(path, "w") as archive:
        for number, entries in enumerate(told):
            archive.writestr(f"{number:05}-00001.json", json.dumps({"data": entries, "links": {}}))
    with StagedWriter(tmp_path / "staged", "council", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("council", path, SHA), out, region(), objects=objects, ags=ags)
        out.close()
    place = out.file_of(f"council_{objects}")
    return out, pq.ParquetFile(place).read().to_pylist() if place.exists() else []


def rejected(out: StagedWriter) -> list[tuple[int, str]]:
    rows = pq.ParquetFile(out.file_of("rejected_row")).read().to_pylist()
    return [(row["record_number"], row["column_name"]) for row in rows]


def test_a_meeting_is_staged_in_utc_without_its_name(tmp_path: Path) -> None:
    told = meeting(
        name="Gespräch mit Frau Beispiel",
        start="2024-07-04T17:00:00+02:00",
        organization=[f"{BASE}/organizations/2", f"{BASE}/organizations/1"],
        agendaItem=[{"id": "a"}, {"id": "b"}],
        cancelled=True,
        modified="2024-06-01T00:00:00Z",
    )
    out, (row,) = parse(tmp_path, [{**told, "somacos:room": "1"}])
    assert (row["ags"], row["meeting_id"], row["is_cancelled"], row["is_deleted"]) == (
        "05515000",
        f"{BASE}/meetings/1",
        True,
        False,
    )
    assert row["start_at"] == datetime(2024, 7, 4, 15, tzinfo=UTC)
    assert row["organization_ids"] == f"{BASE}/organizations/1 {BASE}/organizations/2"
    assert row["agenda_items"] == 2
    assert "Beispiel" not in str(row)
    assert out.drifted == []


def test_the_last_word_on_an_object_counts(tmp_path: Path) -> None:
    first = [paper(date="2024-01-01", paperType="Antrag"), paper(id=f"{BASE}/papers/2", date="2024-01-02")]
    out, rows = parse(tmp_path, first, [paper(date="2024-02-01")], [paper(deleted=True)], objects="paper")
    assert [(row["paper_id"][-1], row["record_number"], row["paper_date"], row["is_deleted"]) for row in rows] == [
        ("1", 4, None, True),
        ("2", 2, date(2024, 1, 2), False),
    ]
    account = out.accounts["council_paper"]
    assert (account.read, account.staged, account.out_of_scope) == (4, 2, 2)


@pytest.mark.parametrize(
    ("objects", "told", "column"),
    [
        ("meeting", paper(), "type"),
        ("paper", paper(type=None), "type"),
        ("paper", paper(id=""), "id"),
        ("paper", paper(id=7), "id"),
        ("paper", paper(date="4. April"), "date"),
        ("paper", paper(deleted="yes"), "deleted"),
        ("paper", paper(reference="x" * 3_000), "reference"),
        ("paper", paper(paperType="Ã–ffentlich"), "paperType"),
        ("meeting", meeting(start="2024-07-04T17:00:00"), "start"),
        ("meeting", meeting(start="9999-12-31T23:59:59Z"), "start"),
        ("meeting", meeting(organization="one"), "organization"),
        ("meeting", meeting(cancelled=1), "cancelled"),
    ],
)
def test_an_object_that_cannot_be_read_is_rejected(
    tmp_path: Path, objects: str, told: dict[str, Any], column: str
) -> None:
    good = {"meeting": meeting, "paper": paper}[objects](id=f"{BASE}/good")
    out, rows = parse(tmp_path, [told, good], objects=objects)
    assert len(rows) == 1
    assert rejected(out) == [(1, column)]


def test_fields_that_the_specification_does_not_know_are_drift(tmp_path: Path) -> None:
    out, _ = parse(tmp_path, [meeting(room="1")])
    assert out.drifted == [("council_meeting", "room", "new")]


def test_another_municipality_and_another_archive_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="no municipality of the region"):
        parse(tmp_path, [meeting()], ags="05315000")
    path = tmp_path / "other"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.md", "news")
    with (
        StagedWriter(tmp_path / "staged", "council", SHA, "1-x") as out,
        pytest.raises(PayloadRefused, match="expected pages such as 00000-00001"),
    ):
        CONNECTOR.parse(Snapshot("council", path, SHA), out, region(), objects="meeting", ags="05515000")
