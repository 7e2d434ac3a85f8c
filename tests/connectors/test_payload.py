"""An answer is taken only for what its source declares."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from connectors.connector import Payload
from connectors.errors import PayloadRefused
from connectors.payload import check_payload
from tests.connectors.conftest import zipped

ZIP = zipped({"a.txt": b"x"})
XLSX = zipped({"[Content_Types].xml": b"<Types/>"})
HTML = b"\n <!doctype html>\n<title>Fehler</title>"


@pytest.mark.parametrize(
    ("payload", "content"),
    [
        ("zip", ZIP),
        ("xlsx", XLSX),
        ("csv", b"\xef\xbb\xbfa;b\r\n1;2\r\n"),
        ("csv", "Straße;Stärke\n".encode("latin-1")),
        ("csv", b"sep=;\n"),
        ("json", b'\xef\xbb\xbf {"a": [1]}'),
        ("json", b"[]"),
        ("html", HTML),
        ("html", b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"></html>'),
    ],
)
def test_takes_what_is_declared(tmp_path: Path, payload: Payload, content: bytes) -> None:
    (tmp_path / "body").write_bytes(content)
    check_payload(tmp_path / "body", payload)


@pytest.mark.parametrize(
    ("payload", "content", "words"),
    [
        ("csv", HTML, "expected csv, html came"),
        ("csv", b'{"Status": {"Code": 104}}', "expected csv, json came"),
        ("csv", ZIP, "expected csv, zip came"),
        ("csv", b'<?xml version="1.0"?><ServiceException/>', "expected csv, xml came"),
        ("csv", "a;b\n".encode("utf-16"), "expected csv, binary came"),
        ("csv", gzip.compress(b"a;b\n", mtime=0), "expected csv, binary came"),
        ("csv", b"", "the answer is empty"),
        ("csv", b" \r\n\t", "the answer is empty"),
        ("zip", HTML, "expected zip, html came"),
        ("zip", b"PK\x03\x04 half", "expected a zip archive"),
        ("xlsx", ZIP, "without [Content_Types].xml"),
        ("xlsx", b"a;b\n", "expected xlsx, csv came"),
        ("json", b'{"a": [1', "expected JSON"),
        ("json", b"a;b\n", "expected json, csv came"),
        ("json", b"[" * 100_000, "expected JSON"),
        ("html", b"a;b\n", "expected html, csv came"),
    ],
)
def test_refuses_anything_else_saying_what_was_expected_and_what_came(
    tmp_path: Path, payload: Payload, content: bytes, words: str
) -> None:
    (tmp_path / "body").write_bytes(content)
    with pytest.raises(PayloadRefused) as refusal:
        check_payload(tmp_path / "body", payload)
    assert words in str(refusal.value)


def test_quotes_the_beginning_of_what_came(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"<html>Wartungsarbeiten bis 12 Uhr" + b"x" * 10_000)
    with pytest.raises(PayloadRefused, match="'<html>Wartungsarbeiten bis 12 Uhr") as refusal:
        check_payload(tmp_path / "body", "csv")
    assert len(str(refusal.value)) < 300
