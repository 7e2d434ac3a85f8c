"""The list of barrier-free stops in its two layouts, and notes that are HTML, some of it hostile."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.barrier_free_stops import CONNECTOR, INFO_LIMIT_CHARACTERS, plain_text
from connectors.region import region
from connectors.staging import StagedWriter

SHA = "a" * 64
NEW = "ID;Title;Latitude;Longitude;Info"
OLD = "Haltestellen-Id,Name der barrierefreien Haltestelle,Latitude,Longitude"
COLUMNS = ("entry_id", "name", "longitude", "latitude", "info")


def parse(tmp_path: Path, text: str | bytes) -> tuple[StagedWriter, list[dict[str, Any]]]:
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with StagedWriter(tmp_path / "staged", "list", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("list", path, SHA), out, region())
        out.close()
    place = out.file_of("barrier_free_stop")
    return out, pq.ParquetFile(place).read().to_pylist() if place.exists() else []


def values(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in COLUMNS) for row in rows]


def rejected(out: StagedWriter) -> list[tuple[int, str, str]]:
    rows = pq.ParquetFile(out.file_of("rejected_row")).read().to_pylist()
    return [(row["record_number"], row["column_name"], row["reason"]) for row in rows]


def test_trap_notes_of_several_quoted_lines_are_one_record(tmp_path: Path) -> None:
    note = '"<p>Eingeschränkt; nur<br />\r\nBussteig ""A"".</p>\r\n\r\n<ul><li>Aufzug</li></ul>"'
    out, rows = parse(tmp_path, f"{NEW}\r\n170;Domplatz;51.962;7.626;{note}\r\n171;Neutor;51.967;7.616;\r\n")
    assert values(rows) == [
        ("170", "Domplatz", 7.626, 51.962, 'Eingeschränkt; nur Bussteig "A". Aufzug'),
        ("171", "Neutor", 7.616, 51.967, None),
    ]
    assert [row["record_number"] for row in rows] == [1, 2]
    assert out.accounts["barrier_free_stop"].read == 2


def test_trap_a_file_that_ends_within_a_quoted_note_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="line 3: unexpected end of data"):
        parse(tmp_path, f'{NEW}\n170;Domplatz;51.962;7.626;"Barrierefrei ist nur\nder Bussteig A.\n')


def test_trap_ids_are_renumbered_between_the_layouts(tmp_path: Path) -> None:
    """Both say the same of a stop, but for its number, and where it was drawn."""
    _, old = parse(tmp_path / "o", f"{OLD}\n1,Haus Uhlenkotten,51.991740594365,7.5742641699524\n")
    _, new = parse(tmp_path / "n", f"{NEW}\n170;Haus Uhlenkotten;51.992869;7.574347;\n")
    assert values(old) == [("1", "Haus Uhlenkotten", 7.5742641699524, 51.991740594365, None)]
    assert values(new) == [("170", "Haus Uhlenkotten", 7.574347, 51.992869, None)]


def test_trap_columns_come_in_another_order(tmp_path: Path) -> None:
    text = "Info,Longitude,Title,ID,Latitude\r\n,7.626,Domplatz,170,51.962\r\n"
    out, rows = parse(tmp_path, text.encode("utf-8-sig"))
    assert values(rows) == [("170", "Domplatz", 7.626, 51.962, None)]
    assert out.drifted == []


def test_trap_values_have_changed_places_under_their_headers(tmp_path: Path) -> None:
    out, rows = parse(tmp_path, f"{NEW}\n170;Domplatz;7.626;51.962;\n171;Nirgendwo;0.0;0.0;\n")
    assert rows == []
    assert rejected(out) == [(1, "Latitude", "latitude and longitude swapped"), (2, "Latitude", "outside Germany")]


def test_names_lose_their_blanks(tmp_path: Path) -> None:
    _, rows = parse(tmp_path, f"{OLD}\n13,Alte Sternwarte ,51.975895285469,7.5846711409302\n")
    assert [row["name"] for row in rows] == ["Alte Sternwarte"]


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("x1;Domplatz;51.962;7.626;", "ID", "expected a whole number"),
        ("170; ;51.962;7.626;", "Title", "expected a name of 1 to 200 characters"),
        (f"170;{'x' * 201};51.962;7.626;", "Title", "expected a name of 1 to 200 characters"),
        ("170;Domplatz;51,962;7.626;", "Latitude", "expected degrees with a decimal point"),
        ("170;Domplatz;51.962;;", "Longitude", "expected degrees with a decimal point"),
        ("170;Domplatz;51.962;7.626", "row", "expected 5 fields"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_its_reason(tmp_path: Path, line: str, column: str, reason: str) -> None:
    out, rows = parse(tmp_path, f"{NEW}\n{line}\n171;Neutor;51.967;7.616;\n")
    assert [row["entry_id"] for row in rows] == ["171"]
    assert rejected(out) == [(1, column, reason)]


def test_an_entry_that_comes_twice_counts_once_and_others_lie_elsewhere(tmp_path: Path) -> None:
    lines = ["170;Domplatz;51.962;7.626;", "170;Dom;51.963;7.627;", "", "171;Hamburg Hbf;53.552;10.006;"]
    out, rows = parse(tmp_path, "\n".join([NEW, *lines]) + "\n")
    assert values(rows) == [("170", "Domplatz", 7.626, 51.962, None)]
    assert rejected(out) == [(2, "ID", "entry repeated")]
    found = out.accounts["barrier_free_stop"]
    assert (found.read, found.staged, found.rejected, found.out_of_scope) == (4, 1, 1, 2)


def test_a_missing_column_refuses_and_a_new_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="expected one column Title or Name der barrierefreien Haltestelle"):
        parse(tmp_path, "ID;Name;Latitude;Longitude;Info\n170;Domplatz;51.962;7.626;\n")
    out, _ = parse(tmp_path / "n", f"{NEW};Foto\n170;Domplatz;51.962;7.626;;x\n")
    assert [tuple(drift) for drift in out.drifted] == [("barrier_free_stop", "Foto", "new")]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Barrierefrei.", "Barrierefrei."),
        ("", None),
        ("  \r\n ", None),
        ("a<br>b<p>c</p>d", "a b c d"),
        ("Bussteig A &amp; B &lt; C", "Bussteig A & B < C"),
        ("a < b & c", "a < b & c"),
        ("<script>alert(1)</script>Aufzug <img src=x onerror=alert(1)>vorhanden", "Aufzug vorhanden"),
        ("<style>p {color: red}</style><!-- nicht zeigen -->Rampe", "Rampe"),
        ('<a href="javascript:alert(1)">hier</a>', "hier"),
        ("<script>nie zu Ende", None),
        ("<![foo <b>x</b>", "x"),
        ("<![CDATA[x]]>y", "y"),
        ("<?php echo 1 ?>y", "y"),
        ("&lt;script&gt;bleibt Text&lt;/script&gt;", "<script>bleibt Text</script>"),
        # A mark that turns the direction of writing, a backspace, half of a pair.
        ("An&#x202e;kunft\b &#xd800;", "Ankunft \ufffd"),
        ("x" * (INFO_LIMIT_CHARACTERS + 5), "x" * INFO_LIMIT_CHARACTERS),
    ],
)
def test_a_note_becomes_plain_text(markup: str, text: str | None) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize("piece", ["<a ", "<!--", "<div>", "<table>", "<b><p>", "&", "<![CDATA[", "<"])
def test_markup_without_end_takes_no_time(piece: str) -> None:
    begun = time.monotonic()
    plain_text(piece * (60_000 // len(piece)))
    assert time.monotonic() - begun < 1


def test_a_note_whose_markup_holds_no_text_is_told(tmp_path: Path) -> None:
    broken = '"<a href=""https://town.example"" target=""_blank""Stellplatz buchen</a>"'
    out, rows = parse(tmp_path, f"{NEW}\n170;Domplatz;51.962;7.626;{broken}\n")
    assert values(rows) == [("170", "Domplatz", 7.626, 51.962, None)]
    (unread,) = pq.ParquetFile(out.file_of("unread_cell")).read().to_pylist()
    assert (unread["column_name"], unread["reason"], unread["records"]) == ("Info", "no text in the markup", 1)
