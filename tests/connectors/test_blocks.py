"""A CSV cut into blocks has the records Python's csv module sees, numbered in their order, wherever a block ends."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pytest

from connectors import blocks
from connectors.blocks import BlockedCsv, cut_into_blocks
from connectors.errors import SnapshotRefused
from connectors.text import FIELD_LIMIT, RECORD_LIMIT_CHARACTERS

LINES = [f"{number},name {number},{'x' * (number % 7)}" for number in range(1, 101)]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block holds about four of these lines."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 64)


def cut(tmp_path: Path, content: str | bytes) -> BlockedCsv:
    path = tmp_path / "file.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return cut_into_blocks(path, "town: file.csv")


def records(found: BlockedCsv, text: pa.DataType | None = None) -> list[tuple[int, str, str, str]]:
    parsed = found.parse({"a": 0, "b": 1, "c": 2}, malformed_limit=10, text=text)
    return [tuple(row.values()) for part in parsed for row in part.batch.to_pylist()]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("a,b,c\n" + "\n".join(LINES), id="plain, last line open"),
        pytest.param("\ufeffa,b,c\n" + "\n".join(LINES) + "\n", id="byte order mark"),
        pytest.param("a,b,c\r\n" + "\r\n".join(LINES) + "\r\n", id="CRLF"),
        pytest.param("a,b,c\n" + "\n\n".join(LINES) + "\n\n\n", id="blank lines"),
        pytest.param("a,b,c\r\n" + "\r\n\r\n".join(LINES), id="blank lines, CRLF"),
        pytest.param("a,b,c\r" + "\r".join(LINES) + "\r", id="bare carriage returns"),
        pytest.param("a,b,c\n" + "\r\n".join(LINES) + "\n" + "\r".join(LINES), id="mixed line ends"),
        pytest.param('"a","b","c"\n' + "\n".join(f'"{n}","",","' for n in range(100)), id="all quoted"),
        pytest.param("a,b,c\n" + "\n".join(f'{n},"Platz, alt",é' for n in range(100)), id="quoted commas"),
        pytest.param("a,b,c\n" + "\n".join(f'{n},"im ""Hof""",é' for n in range(100)), id="quotes in quotes"),
        pytest.param("a,b,c\n" + "\n".join(f'{n},"auf\n\nab",é' for n in range(100)), id="line breaks in quotes"),
        pytest.param("a,b,c\n" + "\n".join(f'{n},5" breit,x' for n in range(100)), id="inches"),
        pytest.param("a,b,c\n", id="a header alone"),
        pytest.param("a,b,c\n\n\n\n", id="a header and blank lines"),
    ],
)
def test_the_records_are_those_of_the_csv_module(tmp_path: Path, content: str) -> None:
    rows = [row for row in csv.reader(io.StringIO(content.removeprefix("\ufeff"), newline=""), strict=True) if row]
    found = cut(tmp_path, content)
    assert found.header == ("a", "b", "c")
    assert found.records == len(rows) - 1
    expected = [(number, *row) for number, row in enumerate(rows[1:], start=1)]
    assert records(found) == expected
    assert records(found, pa.dictionary(pa.int32(), pa.string())) == expected


def test_a_file_is_read_in_many_blocks_and_some_of_them_alone(tmp_path: Path) -> None:
    found = cut(tmp_path, "a,b,c\n" + "\n".join(LINES))
    assert len(found.blocks) > 20
    chosen = [found.blocks[3], found.blocks[10]]
    parsed = list(found.parse({"c": 2, "a": 0}, 10, chosen))
    assert [part.block for part in parsed] == chosen
    for part in parsed:
        numbers = part.batch.column("record_number").to_pylist()
        assert numbers == list(range(part.block.first_record, part.block.first_record + part.block.records))
        assert part.batch.column("a").to_pylist() == [str(number) for number in numbers]
        assert part.batch.column("c").to_pylist() == ["x" * (number % 7) for number in numbers]


def test_records_that_do_not_fit_the_header_keep_their_numbers(tmp_path: Path) -> None:
    lines = list(LINES)
    lines[0], lines[49], lines[99] = "1", "50,b,c,d", "100,"
    found = cut(tmp_path, "a,b,c\n" + "\n".join(lines) + "\n")
    parsed = list(found.parse({"a": 0}, malformed_limit=10))
    assert [bad for part in parsed for bad in part.malformed] == [
        (1, "1", "expected 3 fields, found 1"),
        (50, "50,b,c,d", "expected 3 fields, found 4"),
        (100, "100,", "expected 3 fields, found 2"),
    ]
    numbers = [number for part in parsed for number in part.batch.column("record_number").to_pylist()]
    assert numbers == [number for number in range(1, 101) if number not in (1, 50, 100)]


def test_more_misfits_than_allowed_refuse_the_file(tmp_path: Path) -> None:
    found = cut(tmp_path, "a,b\n" + "x\n" * 20)
    with pytest.raises(SnapshotRefused, match=r"town: file\.csv: expected CSV in UTF-8"):
        list(found.parse({"a": 0}, malformed_limit=3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("\n".join([*LINES, "1,M\xfcnster,x"]).encode("latin-1"), "below line", id="latin-1"),
        pytest.param("\n".join([*LINES, "1,\0,x"]), "line 101 holds a NUL", id="NUL"),
        pytest.param("\n".join([*LINES, '1,"open,x', *LINES]), "unexpected end of data", id="open quote"),
        pytest.param("\n".join([*LINES, '1,"a"b,x', *LINES]), "line 101", id="text after a quote"),
        pytest.param("\n".join([*LINES, '1,"a" ,x', *LINES]), "line 101", id="blank after a quote"),
        pytest.param("\n".join([*LINES, "1,KÃ¶ln,x", *LINES]), "1 of 1 lines with letters", id="broken umlauts"),
        pytest.param(
            "\n".join([*LINES, "x" * (RECORD_LIMIT_CHARACTERS + 1)]), "line 101 has more than", id="a long line"
        ),
        pytest.param("x" * (RECORD_LIMIT_CHARACTERS + 1), "line 1 has more than", id="a long header"),
    ],
)
def test_what_the_csv_module_refuses_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | bytes, message: str
) -> None:
    for block_bytes in (64, 2**23):
        monkeypatch.setattr(blocks, "BLOCK_BYTES", block_bytes)
        with pytest.raises(SnapshotRefused, match=rf"town: file\.csv.*{message}"):
            cut(tmp_path, content)


def test_a_record_of_too_many_fields_is_refused_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2**20)
    found = cut(tmp_path, "\n".join(["a,b,c", *LINES, "," * FIELD_LIMIT, *LINES]))
    with pytest.raises(SnapshotRefused, match=f"line 102 has {FIELD_LIMIT + 1} fields"):
        list(found.parse({"a": 0}, malformed_limit=10))


def test_a_few_broken_names_among_many_are_kept(tmp_path: Path) -> None:
    found = cut(tmp_path, "\n".join(["a,b,c", "1,Köln,x", "2,MÃ¼nster,x", "3,Äpfel,x", *LINES]))
    assert records(found)[:3] == [(1, "1", "Köln", "x"), (2, "2", "MÃ¼nster", "x"), (3, "3", "Äpfel", "x")]


def test_an_empty_file_has_no_header(tmp_path: Path) -> None:
    found = cut(tmp_path, "")
    assert (found.header, found.records) == ((), 0)
