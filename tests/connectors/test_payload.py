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
PROTOBUF = b"\n\x05\n\x032.0\x12\x03\n\x01x"
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
        ("protobuf", PROTOBUF),
        # A first part of 60 or 123 bytes makes it begin like HTML or JSON.
        ("protobuf", b"\n<" + bytes(60)),
        ("protobuf", b"\n{" + b" " * 123),
        ("protobuf", PROTOBUF + b"\xc0\x3e\x01\xcd\x3e" + bytes(4)),
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
        ("protobuf", HTML, "expected protobuf, html came"),
        ("protobuf", b'{"header": {}}', "expected protobuf, json came"),
        ("protobuf", ZIP, "expected protobuf, zip came"),
        ("protobuf", b"", "the answer is empty"),
        ("protobuf", b"trip;delay\n", "expected protobuf, byte 0 begins no field"),
        ("protobuf", gzip.compress(PROTOBUF, mtime=0), "expected protobuf, byte 0 begins no field"),
        ("protobuf", PROTOBUF[:-1], "field 2 at byte 7 has 3 bytes, the file ends after 11"),
        ("protobuf", b"\x08\x01", "expected protobuf, csv came"),
        ("protobuf", PROTOBUF + b"\xff" * 20, "the number at byte 12 does not end"),
        ("protobuf", PROTOBUF + b"\x12\0" * 500_000, "begins another field, expected at most 500000"),
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
