"""Decode text files from outside strictly: what is not the declared encoding is refused, not repaired."""

from __future__ import annotations

from pathlib import Path

from connectors.errors import SnapshotRefused


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """The file's text without byte order mark; raises SnapshotRefused naming the first byte that does not fit."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise SnapshotRefused(
            f"{path.name}: expected {encoding}, byte {error.start} is 0x{data[error.start]:02x}; "
            "check the file's encoding and declare it in the source's YAML"
        ) from error


def refuse_mojibake(path: Path, text: str) -> None:
    """Raise SnapshotRefused where UTF-8 was once read as Latin-1 (`MÃ¼nster` for `Münster`)."""
    for mark in ("Ã¼", "Ã¶", "Ã¤", "ÃŸ", "Ã\x9f", "�"):
        if mark in text:
            line = text.count("\n", 0, text.index(mark)) + 1
            raise SnapshotRefused(
                f"{path.name}: line {line} holds {mark!r}, a broken encoding; ask the publisher again"
            )
