"""What GENESIS hosts are told and what their answers mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.errors import PayloadRefused
from connectors.genesis import refuse_error_answer, table_form, table_updated, without_stamp


def answer(folder: Path, **content: object) -> Path:
    path = folder / "body"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


FINE = {"Code": 0, "Content": "erfolgreich", "Type": "Information"}


def test_the_sources_form_overrules_the_usual_fields() -> None:
    form = table_form("12411-01-01-4", {"area": "free", "startyear": "2020"})
    assert form == {
        "name": "12411-01-01-4",
        "area": "free",
        "format": "ffcsv",
        "compress": "false",
        "language": "de",
        "startyear": "2020",
    }


def test_reads_when_the_table_was_changed_not_its_parts(tmp_path: Path) -> None:
    described = {"Structure": {"Head": {"Updated": "see parent"}}, "Updated": "21.11.2023 13:47:55h"}
    assert table_updated(answer(tmp_path, Status=FINE, Object=described), "1000A-0000") == "21.11.2023 13:47:55h"


def test_an_error_is_told_in_the_hosts_words(tmp_path: Path) -> None:
    status = {"Code": 104, "Content": "Es gibt keine Objekte zum angegebenen Selektionskriterium"}
    with pytest.raises(PayloadRefused, match=r"1000A-0000: GENESIS code 104: Es gibt keine Objekte .* nothing matches"):
        table_updated(answer(tmp_path, Status=status), "1000A-0000")
    with pytest.raises(PayloadRefused, match="GENESIS code 104"):
        refuse_error_answer(tmp_path / "body", "1000A-0000")


def test_json_without_an_error_is_no_table_either(tmp_path: Path) -> None:
    with pytest.raises(PayloadRefused, match="expected a zip with ffcsv"):
        refuse_error_answer(answer(tmp_path, Status=FINE), "1000A-0000")


def test_a_zip_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"PK\x03\x04")
    refuse_error_answer(tmp_path / "body", "1000A-0000")


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("1000A-0000_1700000000000_flat.csv", "1000A-0000_flat.csv"),
        ("12411-01-01-4_flat.csv", "12411-01-01-4_flat.csv"),
        ("12411_170000000000_flat.csv", "12411_170000000000_flat.csv"),
    ],
)
def test_only_the_stamp_of_milliseconds_is_taken_out(member: str, name: str) -> None:
    assert without_stamp(member) == name
