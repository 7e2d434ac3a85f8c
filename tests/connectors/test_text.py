"""Text from outside: strict in its encoding, bounded in its lines and records."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from connectors.errors import SnapshotRefused
from connectors.text import (
    FIELD_LIMIT,
    RECORD_LIMIT_CHARACTERS,
    CsvRecords,
    calendar_date,
    is_mojibake,
    mostly_without_mojibake,
    text_lines,
    without_mojibake,
)


def lines(tmp_path: Path, content: bytes, encoding: str = "utf-8") -> list[str]:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return list(text_lines(path, "town: file.csv", encoding))


def refusal(tmp_path: Path, content: bytes, encoding: str = "utf-8") -> str:
    with pytest.raises(SnapshotRefused) as caught:
        list(CsvRecords(lines(tmp_path, content, encoding), "town: file.csv", delimiter=";"))
    return str(caught.value)


def test_lines_come_with_their_ends_and_without_byte_order_mark(tmp_path: Path) -> None:
    assert lines(tmp_path, "\ufeffä\r\nb\nc".encode()) == ["ä\r\n", "b\n", "c"]
    assert lines(tmp_path, "ä\n".encode("latin-1"), "latin-1") == ["ä\n"]


@pytest.mark.parametrize(
    ("content", "encoding", "words"),
    [
        (b"a\nb\xffc\n", "utf-8", "expected utf-8"),
        ("ä".encode("utf-16")[:-1], "utf-16", "expected utf-16"),
        (b"a\n\0b\n", "utf-8", "line 2 holds a NUL character"),
        (b"a\n" + b"x" * (RECORD_LIMIT_CHARACTERS + 1), "utf-8", "line 2 has more than 65536 characters, begins 'xxx"),
        (b"a", "klingon", "encoding: unknown encoding: klingon; mend the option"),
        (b"a\n" + b";" * FIELD_LIMIT, "utf-8", "line 2 has 4001 fields, expected at most 4000"),
        (b'a\n"' + b"x\n" * RECORD_LIMIT_CHARACTERS, "utf-8", "look for a quote that is not closed"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_line(tmp_path: Path, content: bytes, encoding: str, words: str) -> None:
    message = refusal(tmp_path, content, encoding)
    assert message.startswith("town: file.csv: ")
    assert words in message


def test_the_longest_line_and_the_widest_record_allowed_are_read(tmp_path: Path) -> None:
    content = b"x" * (RECORD_LIMIT_CHARACTERS - 1) + b"\n" + b";" * (FIELD_LIMIT - 1) + b"\n"
    found = list(CsvRecords(lines(tmp_path, content), "town: file.csv", delimiter=";"))
    assert [len(record) for record in found] == [1, FIELD_LIMIT]


def test_a_text_that_is_no_csv_is_refused_where_the_dialect_is_strict(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match=r"town: expected CSV, line 2: .*; ask the publisher again"):
        list(CsvRecords(lines(tmp_path, b'a,b\n"a"b,c\n'), "town", strict=True))


@pytest.mark.parametrize(("content", "ends_open"), [(b"a\nb", True), (b"a\nb\n", False), (b"a\r\nb\r", False)])
def test_a_record_says_whether_its_line_was_closed(tmp_path: Path, content: bytes, ends_open: bool) -> None:
    records = CsvRecords(lines(tmp_path, content), "town")
    assert [(record, records.ends_open) for record in records] == [(["a"], False), (["b"], ends_open)]


@pytest.mark.parametrize("text", ["MÃ¼nster", "CafÃ©", "StraÃŸe", "StraÃ\x9fe", "Â§ 3", "M\ufffdnster", "ï»¿id"])
def test_broken_letters_are_known(text: str) -> None:
    assert is_mojibake(text)
    with pytest.raises(SnapshotRefused, match=r"town: line 2 holds .* a broken encoding"):
        list(without_mojibake(["a", text], "town"))


@pytest.mark.parametrize("text", ["Münster", "Café", "Straße", "São Paulo", "Ångström", "PARQUE Ã", "§ 3 – „so“"])
def test_letters_of_other_languages_are_not_broken(text: str) -> None:
    assert not is_mojibake(text)
    assert list(without_mojibake([text], "town")) == [text]


def test_one_broken_name_among_many_is_no_broken_file() -> None:
    assert len(list(mostly_without_mojibake(["Münster", "Köln", "MÃ¼nster", "Bonn"], "feed"))) == 4
    with pytest.raises(SnapshotRefused, match="feed: 2 of 3 lines with letters beyond ASCII have a broken encoding"):
        list(mostly_without_mojibake(["Münster", "KÃ¶ln", "MÃ¼nster", "Bonn"], "feed"))


@pytest.mark.parametrize("text", ["2028-02-29", "29.02.2028"])
def test_a_day_is_written_in_one_of_two_ways(text: str) -> None:
    assert calendar_date(text) == date(2028, 2, 29)


@pytest.mark.parametrize(
    "text", ["", "29.2.2028", "2028-2-29", "02/29/2028", "2028-02-29T00:00", "２９.02.2028", "29.02.2027"]
)
def test_another_day_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        calendar_date(text)
