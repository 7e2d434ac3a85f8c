"""Tell whether an answer is what its source declares, before anything is made of it."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

from connectors.archive import UNPACKED_LIMIT_BYTES, ZIP_BEGINNINGS, files, open_zip
from connectors.connector import Payload
from connectors.errors import PayloadRefused
from connectors.protobuf import parts

_HEAD_BYTES = 4096
# JSON takes up to 25 times its size in memory.
JSON_LIMIT_BYTES = 32 * 2**20


def check_payload(path: Path, payload: Payload, unpacked_limit_bytes: int = UNPACKED_LIMIT_BYTES) -> None:
    """Raise PayloadRefused where the file is no `payload` within its limits, with what was expected and what came."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if not head.strip():
        raise PayloadRefused(f"{path.name}: expected {payload}, the answer is empty; ask the publisher again")
    came = _kind(head)
    if payload == "csv_utf16" and head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        # Judged by what its letters are, as others are by their bytes.
        came = f"{_kind(head.decode('utf-16', 'ignore').encode('utf-8', 'ignore'))}_utf16"
    if payload in ("zip", "xlsx"):
        if came != "zip":
            raise _refusal(path, payload, came, head)
        with open_zip(path, unpacked_limit_bytes) as archive:
            if payload == "xlsx" and "[Content_Types].xml" not in files(archive):
                raise PayloadRefused(
                    f"{path.name}: expected an xlsx workbook, a zip without [Content_Types].xml came; ask the publisher"
                )
    elif payload == "protobuf":
        _check_protobuf(path, came, head)
    elif payload == "yaml":
        # Any text may be YAML; what it says is for its parser, which refuses what is none.
        if came != "csv":
            raise _refusal(path, payload, came, head)
    elif came != payload:
        raise _refusal(path, payload, came, head)
    if payload == "json":
        if path.stat().st_size > JSON_LIMIT_BYTES:
            raise PayloadRefused(
                f"{path.name}: {path.stat().st_size} bytes of JSON, expected at most {JSON_LIMIT_BYTES}, as it is read "
                "whole; see the publisher's page for a smaller file"
            )
        try:
            json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise PayloadRefused(f"{path.name}: expected JSON, {error}; ask the publisher again") from error


def _check_protobuf(path: Path, came: str, head: bytes) -> None:
    """Protobuf has no mark of its own: what tells it from anything else is that its fields end where the file does."""
    try:
        found = sum(1 for _ in parts(path))
    except PayloadRefused as error:
        if came in ("html", "xml", "json", "zip"):
            raise _refusal(path, "protobuf", came, head) from error
        raise
    if not found:
        raise _refusal(path, "protobuf", came, head)


def _kind(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(ZIP_BEGINNINGS):
        return "zip"
    if text[:1] == b"<":
        return "html" if b"<html" in text[:1024].lower() or text[:9].lower() == b"<!doctype" else "xml"
    if text[:1] in (b"{", b"["):
        return "json"
    return "binary" if b"\0" in head else "csv"


def _refusal(path: Path, payload: Payload, came: str, head: bytes) -> PayloadRefused:
    beginning = head[:120].decode("utf-8", "replace").replace("\n", " ")
    return PayloadRefused(
        f"{path.name}: expected {payload}, {came} came: {beginning!r}; see the kept file and the publisher's page"
    )
