"""What a GENESIS host says of a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.genesis_metadata import CONNECTOR
from connectors.region import region
from connectors.staging import StagedWriter

SHA = "a" * 64


def variable(code: str, label: str, *nested: dict[str, Any]) -> dict[str, Any]:
    return {"Code": code, "Content": label, "Structure": list(nested) or None, "Updated": "see parent"}


TABLE = {
    "Code": "61511-01-03-4",
    "Content": "Kaufwerte nach Baulandarten -\nregionale Tiefe: Kreise",
    "Time": {"From": "1995", "To": "2024"},
    "Valid": "false",
    "Structure": {
        "Head": variable("61511", "Kaufwerte für Bauland", variable("BAU009", "Im Kopf")),
        "Columns": [variable("BAUNW2", "Baulandverkäufe")],
        "Rows": [variable("KREISE", "Kreise", variable("BAU001", "Fälle"), variable("BAU002", "Fläche"))],
        "Subtitel": None,
        "Subheading": variable("JAHR", "Jahr"),
    },
    "Updated": "10.03.2023 09:47:28h",
}


def parse(tmp_path: Path, answer: object, table: str = "61511-01-03-4") -> tuple[StagedWriter, dict[str, Any]]:
    path = tmp_path / "table"
    path.write_text(json.dumps(answer), encoding="utf-8")
    with StagedWriter(tmp_path / "staged", "genesis", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("genesis", path, SHA, {"table": table}), out, region())
        out.close()
    (row,) = pq.ParquetFile(out.file_of("statistic_table")).read().to_pylist()
    return out, row


def test_a_table_is_described_on_one_line_with_its_variables_in_the_order_they_are_read(tmp_path: Path) -> None:
    out, row = parse(tmp_path, {"Object": TABLE})
    assert row["title"] == "Kaufwerte nach Baulandarten - regionale Tiefe: Kreise"
    assert (row["statistic_code"], row["statistic_label"]) == ("61511", "Kaufwerte für Bauland")
    assert (row["first_period"], row["last_period"]) == ("1995", "2024")
    assert row["variables"] == (
        "JAHR=Jahr;KREISE=Kreise;BAU001=Fälle;BAU002=Fläche;BAUNW2=Baulandverkäufe;BAU009=Im Kopf"
    )
    assert row["updated_local"].isoformat() == "2023-03-10T09:47:28"
    assert out.drifted == []


NESTED: dict[str, Any] = variable("A", "a")
for _ in range(30):
    NESTED = variable("A", "a", NESTED)


@pytest.mark.parametrize(
    "answer",
    [
        {"Object": None},
        {"Status": {}},
        [],
        {"Object": {**TABLE, "Updated": "gestern"}},
        {"Object": {**TABLE, "Code": "12411-01-01-4"}},
        {"Object": {**TABLE, "Code": ""}},
        {"Object": {**TABLE, "Content": "Kaufwerte fÃ¼r Bauland"}},
        {"Object": {**TABLE, "Content": "x" * 10_000}},
        {"Object": {**TABLE, "Structure": {"Rows": [NESTED]}}},
        {"Object": {**TABLE, "Structure": {"Rows": [variable("A", "a")] * 300}}},
        {"Object": {**TABLE, "Structure": {"Rows": ["KREISE"]}}},
    ],
)
def test_what_describes_no_table_is_refused(tmp_path: Path, answer: object) -> None:
    with pytest.raises(SnapshotRefused, match="expected the description of 61511-01-03-4"):
        parse(tmp_path, answer)


def test_new_fields_are_drift(tmp_path: Path) -> None:
    out, _ = parse(tmp_path, {"Object": {**TABLE, "Licence": "x"}})
    assert out.drifted == [("statistic_table", "Licence", "new")]
