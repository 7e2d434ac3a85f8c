"""The sample is the same bytes everywhere, and written only once."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from muensterland.sample import generate as generator
from muensterland.sample.generate import generate
from muensterland.sample.packing import dice, lines, zipped

REPOSITORY = Path(__file__).resolve().parents[3]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(place.relative_to(folder)): hashlib.sha256(place.read_bytes()).hexdigest()
        for place in folder.rglob("*")
        if place.is_file()
    }


def test_another_process_writes_the_same_bytes(publishers: Path, tmp_path: Path) -> None:
    code = "import sys, pathlib; from muensterland.sample.generate import generate; generate(pathlib.Path(sys.argv[1]))"
    elsewhere = {"PYTHONHASHSEED": "4711", "TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    subprocess.run(command, check=True, cwd=tmp_path, env=os.environ | elsewhere)
    first, second = digests(publishers), digests(tmp_path)
    assert first == second
    assert len(first) == 302


def test_nothing_is_compressed_so_that_no_zlib_decides_on_bytes(publishers: Path) -> None:
    archives = [place for place in publishers.rglob("*") if zipfile.is_zipfile(place)]
    members = [member for place in archives for member in zipfile.ZipFile(place).infolist()]
    assert len(archives) == 48
    assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
    assert {member.date_time for member in members} == {(2026, 11, 1, 5, 0, 0)}
    assert {member.create_system for member in members} == {3}


def test_dice_do_not_depend_on_anything_but_their_name() -> None:
    assert dice("a").random() == dice("a").random()
    assert dice("a").random() != dice("b").random()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Two files in place of the whole sample."""
    contents = {"a.example/x.csv": b"x", "routes.json": b"[]"}
    monkeypatch.setattr(generator, "_contents", lambda: contents)
    return contents


def test_a_complete_sample_is_left_alone(small: dict[str, bytes], tmp_path: Path) -> None:
    generate(tmp_path)
    small["a.example/x.csv"] = b"y"
    generate(tmp_path)
    assert (tmp_path / "a.example/x.csv").read_bytes() == b"x"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("damage", [lambda place: place.unlink(), lambda place: place.write_bytes(b"")])
def test_a_damaged_sample_is_written_anew(damage: Callable[[Path], None], tmp_path: Path) -> None:
    generate(tmp_path)
    damage(tmp_path / "a.example/x.csv")
    generate(tmp_path)
    assert (tmp_path / "a.example/x.csv").read_bytes() == b"x"


def test_an_interrupted_sample_is_written_anew(small: dict[str, bytes], tmp_path: Path) -> None:
    generate(tmp_path)
    (tmp_path / ".generation.json").unlink()
    small["a.example/x.csv"] = b"y"
    generate(tmp_path)
    assert (tmp_path / "a.example/x.csv").read_bytes() == b"y"


@pytest.mark.usefixtures("small")
def test_files_of_another_generator_are_removed_and_foreign_ones_kept(tmp_path: Path) -> None:
    (tmp_path / "old.example").mkdir()
    (tmp_path / "old.example/file.csv").write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    marker = {"generator": "another", "files": {"old.example/file.csv": 3}}
    (tmp_path / ".generation.json").write_text(json.dumps(marker))
    generate(tmp_path)
    assert not (tmp_path / "old.example/file.csv").exists()
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert (tmp_path / "a.example/x.csv").read_bytes() == b"x"


def test_lines_quotes_what_would_break_a_row() -> None:
    assert lines([["a,b", 'say "x"', "c"]]) == '"a,b","say ""x""",c\n'
    assert lines([["a,b", "c"]], ";", "\r\n") == "a,b;c\r\n"


def test_zipped_keeps_names_and_contents() -> None:
    with zipfile.ZipFile(io.BytesIO(zipped({"b/x.txt": b"1", "a.txt": b"2"}))) as archive:
        assert archive.namelist() == ["b/x.txt", "a.txt"]
        assert archive.read("a.txt") == b"2"
