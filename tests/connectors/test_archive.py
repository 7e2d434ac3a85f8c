"""Archives from outside: refused before a byte is unpacked; equal content has an equal hash."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from pathlib import Path

import pytest

from connectors import archive
from connectors.archive import content_sha256, extract, files, open_zip
from connectors.errors import PayloadRefused
from connectors.genesis import without_stamp
from tests.connectors.conftest import zipped


def placed(folder: Path, content: bytes) -> Path:
    path = folder / "answer.zip"
    path.write_bytes(content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(PayloadRefused) as caught, open_zip(path) as opened:
        for member in opened.infolist():
            opened.read(member)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["../a.txt", "a/../../b.txt", "..\\a.txt", "/etc/passwd", "\\a.txt", "C:a.txt", "C:\\a.txt"]
)
def test_a_member_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = placed(tmp_path, zipped({"good.txt": b"x", name: b"x"}))
    assert f"answer.zip: member name {name!r} leaves the archive's folder; ask the publisher" == refusal(path)


@pytest.mark.parametrize("name", ["", "."])
def test_a_member_without_a_name_is_refused(tmp_path: Path, name: str) -> None:
    assert "a member has the name" in refusal(placed(tmp_path, zipped({name: b"x"})))


def with_central_field(content: bytes, offset: int, value: int) -> bytes:
    """The archive with a 16-bit field of its first directory entry replaced (APPNOTE 4.3.12)."""
    entry = content.index(b"PK\x01\x02")
    return content[: entry + offset] + struct.pack("<H", value) + content[entry + offset + 2 :]


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    content = with_central_field(zipped({"a.txt": b"x"}), 8, 1)
    assert refusal(placed(tmp_path, content)) == "answer.zip: member 'a.txt' is encrypted; ask the publisher"


@pytest.mark.parametrize("method", [9, 12, 99])
def test_an_unusual_packing_is_refused(tmp_path: Path, method: int) -> None:
    content = with_central_field(zipped({"a.txt": b"x"}), 10, method)
    assert f"packed by method {method}, expected stored or deflated" in refusal(placed(tmp_path, content))


def test_a_bomb_is_refused_unread(tmp_path: Path) -> None:
    path = placed(tmp_path, zipped({"a.txt": bytes(12 * 2**20)}))
    assert path.stat().st_size < 20_000
    message = refusal(path)
    assert "unpacks 1" in message
    assert "to 12582912 bytes, more than 250:1; a zip bomb is not unpacked" in message


def test_a_small_member_may_be_packed_as_tightly_as_it_likes(tmp_path: Path) -> None:
    with open_zip(placed(tmp_path, zipped({"a.txt": bytes(9 * 2**20)}))) as opened:
        assert len(opened.read("a.txt")) == 9 * 2**20


def test_more_bytes_in_all_than_allowed_are_refused(tmp_path: Path) -> None:
    path = placed(tmp_path, zipped({f"{number}.txt": b"x" * 251 for number in range(4)}))
    with open_zip(path, unpacked_limit_bytes=1_004):
        pass
    with pytest.raises(PayloadRefused, match="unpacks to 1004 bytes, expected at most 1003; a zip bomb"):
        open_zip(path, unpacked_limit_bytes=1_003).__enter__()


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MEMBER_LIMIT", 3)
    path = placed(tmp_path, zipped({f"{number}.txt": b"" for number in range(4)}))
    assert refusal(path) == "answer.zip: 4 members, expected at most 3; ask the publisher"


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 half", zipped({"a.txt": b"x" * 999})[:-10]])
def test_what_is_no_whole_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "answer.zip: expected a zip archive" in refusal(placed(tmp_path, content))


def test_any_cut_and_any_flipped_byte_ends_in_a_refusal_or_in_the_right_bytes(tmp_path: Path) -> None:
    members = {"a.txt": bytes(range(40)), "ä/b.txt": b"b" * 50}
    whole = zipped(members)
    damaged = [whole[:cut] for cut in range(len(whole))]
    damaged += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(len(whole))]
    refused = 0
    for content in damaged:
        try:
            with open_zip(placed(tmp_path, content)) as opened:
                read = {member.filename: opened.read(member) for member in opened.infolist()}
        except PayloadRefused:
            refused += 1
        else:
            assert set(read.values()) <= set(members.values())
    assert refused > len(whole)


def test_files_are_found_by_base_name(tmp_path: Path) -> None:
    content = zipped({"feed/": b"", "feed/stops.txt": b"s", "__MACOSX/feed/stops.txt": b"m", "feed/.DS_Store": b"d"})
    with open_zip(placed(tmp_path, content)) as opened:
        found = files(opened)
    assert {name: member.filename for name, member in found.items()} == {"stops.txt": "feed/stops.txt"}


def test_two_members_of_one_base_name_are_refused(tmp_path: Path) -> None:
    path = placed(tmp_path, zipped({"a/stops.txt": b"1", "b/stops.txt": b"2"}))
    with pytest.raises(PayloadRefused, match=r"two members are called 'stops\.txt'"), open_zip(path) as opened:
        files(opened)


def test_a_member_is_unpacked_under_its_base_name(tmp_path: Path) -> None:
    with open_zip(placed(tmp_path, zipped({"deep/er\\a.txt": b"content"}))) as opened:
        place = extract(opened, opened.infolist()[0], tmp_path)
    assert (place, place.read_bytes()) == (tmp_path / "a.txt", b"content")


def test_content_is_equal_however_it_was_packed(tmp_path: Path) -> None:
    members = {"a.txt": b"1", "b.txt": b"2"}
    first = placed(tmp_path, zipped(members))
    again = tmp_path / "again.zip"
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr(zipfile.ZipInfo("b.txt", (2020, 1, 1, 0, 0, 0)), b"2")
        packed.writestr(zipfile.ZipInfo("a.txt", (2021, 1, 1, 0, 0, 0)), b"1")
    again.write_bytes(stored.getvalue())
    assert first.read_bytes() != again.read_bytes()
    assert content_sha256(first) == content_sha256(again)


@pytest.mark.parametrize(
    "members",
    [
        {"a.txt": b"1", "b.txt": b"3"},
        {"a.txt": b"1"},
        {"a.txt": b"2", "b.txt": b"1"},
        {"a.txt": b"1", "c.txt": b"2"},
        {"a.txt": b"1", "b.txt": b"2", "c.txt": b""},
    ],
)
def test_other_content_has_another_hash(tmp_path: Path, members: dict[str, bytes]) -> None:
    original = content_sha256(placed(tmp_path, zipped({"a.txt": b"1", "b.txt": b"2"})))
    assert content_sha256(placed(tmp_path, zipped(members))) != original


def test_a_stamp_in_names_does_not_count_where_it_is_taken_out(tmp_path: Path) -> None:
    def content_of(first: str, second: str) -> str:
        members = {f"t_{first}_a.csv": b"1", f"t_{second}_b.csv": b"2"}
        return content_sha256(placed(tmp_path, zipped(members)), without_stamp)

    assert content_of("1700000000000", "1700000000001") == content_of("1800000000001", "1800000000000")


def test_a_file_that_is_no_archive_has_the_hash_of_its_bytes(tmp_path: Path) -> None:
    assert content_sha256(placed(tmp_path, b"a;b\n")) == hashlib.sha256(b"a;b\n").hexdigest()
