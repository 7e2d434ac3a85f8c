"""Files that want to do harm, per connector, and what they cost.

`write` puts them into a folder; `python -m tests.connectors.hostile FOLDER` fetches and parses each of them beside the
undamaged one, in a process of its own, and prints as JSON what came of each, the largest memory that process ever had
and the largest size its home ever had.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import re
import resource
import shutil
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from google.transit import gtfs_realtime_pb2

from connectors.catalogue import Source
from connectors.fetching import fetch_source
from connectors.http import Answer, Ask
from connectors.landing import Landing
from connectors.parsing import parse_source
from tests.connectors import mutations
from tests.connectors.fuzzing import AS_OF, Original, staged_of

MEGABYTE = 2**20
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BILLION_LAUGHS = f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>'


@dataclass(frozen=True)
class Cost:
    """What one hostile file came to."""

    name: str
    message: str
    seconds: float
    former_in_force: bool
    staged_files: int
    evidence: bool


# -- archives --------------------------------------------------------------------------------------------------------


def archive_of(members: list[tuple[str, bytes, int, int]], method: int = 8, places: list[int] | None = None) -> bytes:
    """A zip written by hand of (name, packed bytes, checksum, announced size); `places` may share a local header.

    method: 8 deflated, 0 stored (APPNOTE 4.4.5).
    """
    body, directory, offsets = bytearray(), bytearray(), []
    for name, packed, checksum, size in members:
        offsets.append(len(body))
        encoded = name.encode()
        fields = (20, 0x800, method, 0, 33, checksum, len(packed), size, len(encoded), 0)
        body += b"PK\x03\x04" + struct.pack("<HHHHHLLLHH", *fields) + encoded + packed
    for number, (name, packed, checksum, size) in enumerate(members):
        encoded = name.encode()
        fields = (20, 20, 0x800, method, 0, 33, checksum, len(packed), size, len(encoded), 0, 0, 0, 0, 0)
        offset = offsets[places[number] if places else number]
        directory += b"PK\x01\x02" + struct.pack("<HHHHHHLLLHHHHHLL", *fields, offset) + encoded
    count = min(len(members), 0xFFFF)
    return (
        bytes(body)
        + bytes(directory)
        + b"PK\x05\x06"
        + struct.pack("<HHHHLLH", 0, 0, count, count, len(directory), len(body), 0)
    )


def stored(members: dict[str, bytes]) -> bytes:
    """A zip that packs nothing, so that no ratio gives its members away."""
    return archive_of([(name, content, zlib.crc32(content), len(content)) for name, content in members.items()], 0)


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def archives(good: bytes) -> Iterator[tuple[str, bytes]]:
    """What any archive can try, whatever is to be in it."""
    members = list(mutations.members_of(good).items())
    first = members[0][0]
    zeros = bytes(9 * MEGABYTE)
    block, checksum = deflated(zeros), zlib.crc32(zeros)
    yield "bomb by ratio", mutations.zipped([*members, ("bomb.txt", bytes(60 * MEGABYTE))])
    many = [(f"{number}.txt", block, checksum, len(zeros)) for number in range(4_900)]
    # 44 GB by 9 MB each; the format's own limit holds where it is lower, else the missing members.
    yield "bomb by number", archive_of(many)
    yield "overlapping members", archive_of(many[:100], places=[0] * 100)
    yield "endless directory", archive_of([(f"{number:030}.txt", b"", 0, 0) for number in range(60_000)])
    yield "lying size", archive_of([(name, block, checksum, 10) for name, _ in members])
    for name in ("../evil.txt", "/etc/evil.txt", "C:\\evil.txt", "..\\evil.txt", "a/../../evil.txt"):
        yield f"name {name}", mutations.zipped([*members, (name, b"evil")])
    yield "name with NUL", archive_of([("evil.txt\0.csv", deflated(b"x"), zlib.crc32(b"x"), 1)])
    yield "two of one name", mutations.zipped([*members, members[0]])
    yield "endless name", mutations.zipped([*members, ("x" * 5_000, b"")])
    yield "nested bombs", mutations.zipped([(f"{n}.zip", mutations.zipped([("a", zeros)] * n)) for n in range(1, 4)])
    yield "truncated", good[: len(good) // 2]
    yield "no members", mutations.zipped([])
    yield "damaged member", mutations.zipped(members).replace(b"PK\x03\x04", b"PK\x03\x05", 1) if first else b""


# -- texts -----------------------------------------------------------------------------------------------------------


def tables(good: bytes, delimiter: bytes, megabytes: int = 20) -> Iterator[tuple[str, bytes]]:
    """What any CSV can try; the longest line has so many megabytes."""
    lines = good.splitlines(keepends=True)
    head = b"".join(lines[:3])
    yield f"a line of {megabytes} MB", head + b"x" * (megabytes * MEGABYTE)
    yield "a line of 20 million fields", head + delimiter * (20 * MEGABYTE)
    yield "a header of a million columns", delimiter.join([b"a"] * MEGABYTE) + b"\n" + good
    yield "a quote that is never closed", head + b'"' + b"abc\n" * (10 * MEGABYTE)
    yield "nothing but line ends", b"\n" * MEGABYTE
    yield "a million lines of rubbish", head + b"x;y,z\n" * MEGABYTE
    yield "NUL bytes", good[:5_000] + b"\0" * 100 + good[5_000:]
    yield "UTF-16", good.decode("utf-8-sig").encode("utf-16")
    yield "a byte that is not UTF-8", good[:-100] + b"\xff\xfe" + good[-100:]


def documents(good: bytes) -> Iterator[tuple[str, bytes]]:
    """What any JSON can try."""
    yield "nested without end", b"[" * (4 * MEGABYTE)
    yield "nested and closed", b"[" * 100_000 + b"]" * 100_000
    yield "40 MB", b"[" + b"[]," * (13 * MEGABYTE + 999_999) + b"[]]"
    yield "3 MB of empty lists", b"[" + b"[]," * MEGABYTE + b"[]]"
    yield "an endless number", b"[" + b"9" * MEGABYTE + b"]"
    yield "half of a surrogate pair", json.dumps([{"directory": 1, "name": "\ud800", "channels": []}]).encode()
    yield "NaN and infinity", b'[{"directory": NaN, "name": "x", "start": Infinity, "channels": []}]'
    deep = {"directory": 1, "name": "x", "channels": 0}
    entry = json.dumps(deep).encode().replace(b"0}", b"[" * 900 + b"]" * 900 + b"}")
    yield "an entry nested 900 deep", b"[" + entry + b"]"


def market_answers(good: bytes) -> Iterator[tuple[str, bytes]]:
    """What an answer of the electricity market can try, of whatever kind."""
    for key in ("series", "timestamps", "production_types", "unix_seconds"):
        lists = {"series": [], "timestamps": [], "production_types": [], "unix_seconds": []}
        for name, entries in (
            ("numbers without end", [[10**400, 10**400]] * 1_000),
            ("not a number", [[1604444400000, float("nan")]] * 1_000),
            ("instants of no calendar", [[-(10**17), 1], [10**17, 1], 10**17, True, None]),
            ("nested entries", [[[[]]] * 50] * 1_000),
            ("no names", [{"data": []}] * 10),
            ("half of a surrogate pair", [{"name": "\ud800", "data": []}, ["\ud800", 1]]),
        ):
            yield f"{name} under {key}", json.dumps({**lists, key: entries}).encode()
    yield "a million quarter-hours", json.dumps({"series": [[1604444400000, 1]] * MEGABYTE}).encode()
    yield (
        "endless types",
        json.dumps({"unix_seconds": [], "production_types": [{"name": "Solar", "data": []}] * 10**5}).encode(),
    )


def registers(good: bytes) -> Iterator[tuple[str, bytes]]:
    """What any YAML can try."""
    laughs = b"".join(b"l%d: &l%d [%s]\n" % (n, n, b", ".join([b"*l%d" % (n - 1)] * 9)) for n in range(1, 10))
    yield "a billion laughs", b"l0: &l0 [ha]\n" + laughs + b"goals: *l9\n"
    yield "one alias", b"goals: &a\n  - *a\n"
    yield "nested without end", b"goals: " + b"[" * (4 * MEGABYTE) + b"\n"
    yield "nested and closed", b"goals: " + b"[" * 100_000 + b"]" * 100_000 + b"\n"
    yield "keys nested without end", b"".join(b" " * n + b"a:\n" for n in range(2_000))
    yield "40 MB", good + b"#" * (40 * MEGABYTE) + b"\n"
    yield "a million entries", b"goals:\n" + b"- a\n" * MEGABYTE
    yield "an object to be made", b"goals: !!python/object/apply:os.system ['true']\n"
    yield "a key written twice", good + good
    yield "a list for a key", b"? [a, b]\n: c\ngoals: []\n"
    yield "NUL bytes", good[:200] + b"\0" * 100 + good[200:]
    yield "UTF-16", good.decode().encode("utf-16")
    yield "a byte that is not UTF-8", good[:-100] + b"\xff\xfe" + good[-100:]
    yield "a million directives", b"%YAML 1.1\n" * 100_000 + good
    yield "two documents", good + b"---\n" + good
    yield "rubbish", b"x;y,z\n" * 1_000


def field_of(number: int, content: bytes) -> bytes:
    """A field of protobuf that holds bytes."""
    length, size = len(content), bytearray()
    while length >= 0x80:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2]) + bytes(size) + bytes([length]) + content


def messages(good: bytes) -> Iterator[tuple[str, bytes]]:
    """What any message of GTFS Realtime can try."""
    message = gtfs_realtime_pb2.FeedMessage.FromString(good)
    header = field_of(1, message.header.SerializeToString())

    def entity(update: bytes) -> bytes:
        return field_of(2, field_of(1, b"x") + field_of(3, update))

    trip = field_of(1, field_of(1, b"t"))
    yield "65 MB", header + field_of(2, bytes(MEGABYTE - 100)) * 65
    yield "an entity of 2 MB", header + field_of(2, bytes(2 * MEGABYTE))
    yield "millions of empty entities", header + b"\x12\0" * (4 * MEGABYTE)
    yield "half a million empty updates", header + entity(trip + b"\x12\0" * (MEGABYTE // 2 - 50))
    yield "groups without end", header + field_of(2, b"\x0b" * (MEGABYTE - 100))
    yield "messages nested without end", header + field_of(2, b"\x1a\xff\xff\x03" * 200_000)
    yield "a length beyond the end", header + b"\x12\xff\xff\xff\xff\xff\xff\xff\x7f" + good
    yield "a number without end", header + b"\xff" * MEGABYTE
    yield "another kind of message", field_of(1, field_of(2, b"2.0")) + good[len(header) :]
    yield "no header", good[len(header) :]
    yield "truncated", good[: len(good) // 2]
    yield "JSON", b'{"header": {"gtfs_realtime_version": "2.0"}, "entity": []}'
    yield "UTF-16", "header { gtfs_realtime_version: 2.0 }".encode("utf-16")
    late = gtfs_realtime_pb2.FeedMessage.FromString(good)
    late.header.timestamp *= 1000
    yield "milliseconds in the header", late.SerializeToString()
    for name, number in (("times of 1970", 60), ("times of the year 2550", 18_300_000_000), ("negative times", -5)):
        odd = gtfs_realtime_pb2.FeedMessage.FromString(good)
        for one in odd.entity:
            for call in one.trip_update.stop_time_update:
                call.departure.time = number
        yield name, odd.SerializeToString()
    yield "ids that are no UTF-8", header + entity(field_of(1, field_of(1, b"\xff\xfe")) + field_of(2, b"\x08\x01"))
    yield "endless ids", header + entity(field_of(1, field_of(1, b"x" * 900_000)) + field_of(2, b"\x08\x01"))
    yield "relationships of tomorrow", header + entity(trip + field_of(2, b"\x08\x01\x28\x63") * 1_000)


# -- the formats -----------------------------------------------------------------------------------------------------


def in_member(
    good: bytes, suffix: str | tuple[str, ...], files: Callable[[bytes], Iterator[tuple[str, bytes]]]
) -> Iterator[tuple[str, bytes]]:
    members = mutations.members_of(good)
    name = max((name for name in members if name.endswith(suffix)), key=lambda name: len(members[name]))
    for label, content in files(members[name]):
        yield f"{label} in {name}", stored({**members, name: content})


def exports(good: bytes) -> Iterator[tuple[str, bytes]]:
    def inner(content: bytes) -> Iterator[tuple[str, bytes]]:
        text = content.decode("utf-16")
        root = text.index("<Einheiten")
        for name, doctype in (("billion laughs", BILLION_LAUGHS), ("external entity", EXTERNAL)):
            hostile = text[:root] + doctype + text[root:].replace("</Bruttoleistung>", "&l9;</Bruttoleistung>")
            yield name, codecs.BOM_UTF16_LE + hostile.encode("utf-16-le")
        record = text[: text.index("</EinheitSolar>")]
        yield "a record without end", codecs.BOM_UTF16_LE + (record + "<a>b</a>" * 2_000_000).encode("utf-16-le")
        yield (
            "a record nested without end",
            codecs.BOM_UTF16_LE
            + ((record + "<a>" * 100_000 + "</EinheitSolar>") + "</EinheitenSolar>").encode("utf-16-le"),
        )
        unit = text[text.index("<EinheitSolar>") : text.index("</EinheitSolar>")]
        tags = "".join(f"{unit}<T{number}>1</T{number}></EinheitSolar>" for number in range(3_000))
        yield "ever new tags", codecs.BOM_UTF16_LE + f"<EinheitenSolar>{tags}</EinheitenSolar>".encode("utf-16-le")

    return in_member(good, "Solar_1.xml", inner)


def workbooks(good: bytes) -> Iterator[tuple[str, bytes]]:
    def inner(content: bytes) -> Iterator[tuple[str, bytes]]:
        at = content.index(b"<worksheet")
        end = content.index(b"</sheetData>")
        for name, doctype in (("billion laughs", BILLION_LAUGHS), ("external entity", EXTERNAL)):
            yield (
                name,
                content[:at] + doctype.encode() + content[at:end] + b"<row><c><v>&l9;</v></c></row>" + content[end:],
            )
        hidden = BILLION_LAUGHS + content[at:].decode()
        yield "entities in UTF-16", codecs.BOM_UTF16_LE + hidden.encode("utf-16-le")
        yield "entities in UTF-7", b'<?xml version="1.0" encoding="utf-7"?>' + hidden.encode("utf-7")
        yield "entities in EBCDIC", ('<?xml version="1.0" encoding="cp037"?>' + hidden).encode("cp037", "replace")
        for name, rows in (
            ("the billionth row", b'<row r="1000000000"><c r="A1000000000"><v>1</v></c></row>'),
            ("5 million rows", b"<row/>" * 5_000_000),
            ("5 million cells in a row", b"<row>" + b"<c/>" * 5_000_000 + b"</row>"),
            ("wide rows", b'<row><c r="ZZZ1"><v>1</v></c></row>' * 120_000),
            ("an endless attribute list", b"<row " + b" ".join(b'a%d=""' % n for n in range(2_500_000)) + b"/>"),
        ):
            yield name, content[:end] + rows + content[end:]

    return in_member(good, ("sheet1.xml", "sheet2.xml"), inner)


def shapefiles(good: bytes) -> Iterator[tuple[str, bytes]]:
    members = mutations.members_of(good)
    shp, dbf = (
        next(name for name in members if name.endswith("GEM.shp")),
        next(name for name in members if name.endswith("GEM.dbf")),
    )
    # Number of points of the first polygon; number of records (ESRI Shapefile; dBASE III).
    points = members[shp][:148] + struct.pack("<ll", 2**31 - 1, 2**31 - 1) + members[shp][156:]
    records = members[dbf][:4] + struct.pack("<L", 2**32 - 1) + members[dbf][8:]
    other = b'<OGRVRTDataSource><OGRVRTLayer name="VG5000_GEM"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>'
    for name, replaced in (
        ("endless polygon", {shp: points}),
        ("endless table", {dbf: records}),
        ("another format that names files", {shp: other}),
    ):
        yield name, mutations.zipped(list({**members, **replaced}.items()))


COMMA = (
    *("count_table", "parking_table", "count_site_table", "load_profile_bdew", "localzero_renewable_energy"),
    *("table", "statistic_table"),
)
PLAIN = (
    *("charging_register", "schools_nrw", "barrier_free_stops", "bast_stations", "uba_air_quality_csv"),
    *("smard_download", "load_profile_csv", "municipal_series", "itnrw_table", *COMMA),
)
DOCUMENTS = (
    *("eco_counter_sites", "eco_visio_sites", "eco_visio", "uba_air_quality_json", "genesis_metadata", "oparl"),
)


def files_for(original: Original) -> Iterator[tuple[str, bytes]]:
    """Every hostile file for a connector."""
    body = original.body
    if original.connector in PLAIN:
        delimiter = b"," if original.connector in COMMA else b";"
        yield from tables(body, delimiter, megabytes=200 if original.connector == "charging_register" else 20)
    elif original.connector in DOCUMENTS:
        yield from documents(body)
    elif original.connector in ("smard_chart", "smard_index", "energy_charts"):
        yield from documents(body)
        yield from market_answers(body)
    elif original.connector == "gtfs_realtime":
        yield from messages(body)
    elif original.connector == "monitor_yaml":
        yield from registers(body)
    else:
        yield from archives(body)
        if original.connector == "gtfs":
            yield from in_member(body, "stops.txt", lambda content: tables(content, b","))
        if original.connector == "census_grid":
            yield from in_member(body, "_100m-Gitter.csv", lambda content: tables(content, b";"))
        if original.connector in ("genesis_ffcsv", "accident_atlas", "bast_hours"):
            yield from in_member(body, ".csv", lambda content: tables(content, b";"))
        if original.connector == "mastr_export":
            yield from exports(body)
        if original.connector in ("municipality_directory", "load_profile_xlsx", "monitor_workbook"):
            yield from workbooks(body)
        if original.connector == "bkg_boundaries":
            yield from shapefiles(body)


# -- what they cost --------------------------------------------------------------------------------------------------


class FileShelf:
    """A client that hands out a file without reading it."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def download(self, ask: Ask, target: Path) -> Answer:
        if ask.url.endswith("/metadata/table"):
            answer = {"Status": {"Code": 0, "Content": ""}, "Object": {"Updated": str(self.place)}}
            target.write_text(json.dumps(answer))
        else:
            shutil.copyfile(self.place, target)
        return Answer(200, None, None, target.stat().st_size)


def write(original: Original, folder: Path) -> None:
    """Write every hostile file for a connector, and the undamaged one."""
    (folder / "source.json").write_text(original.source().model_dump_json())
    (folder / "undamaged").write_bytes(original.body)
    for number, (label, content) in enumerate(files_for(original)):
        (folder / f"{number:03} {label.replace('/', '_')[:100]}").write_bytes(content)


def take(folder: Path) -> dict[str, Any]:
    """Fetch and parse every file of the folder; returns what it came to, sizes in MB."""
    home = folder / "home"
    source = Source.model_validate_json((folder / "source.json").read_text())
    landing, staged = Landing(home / "landing", "town"), home / "staged"
    peak, stopped = [0], threading.Event()

    def run(place: Path) -> str:
        fetched = fetch_source(source, landing, FileShelf(place), AS_OF)  # type: ignore[arg-type]
        return " ".join(fetched.errors or parse_source(source, landing, staged).errors)

    def in_force() -> list[dict[str, Any]]:
        columns = ["partition", "snapshot_sha256", "parse_key"]
        rows: list[dict[str, Any]] = pq.ParquetFile(staged / "snapshot_in_force/town.parquet").read(columns).to_pylist()
        return rows

    def watch() -> None:
        while not stopped.wait(0.05):
            peak[0] = max(peak[0], size_of(home))

    assert run(folder / "undamaged") == ""
    former, baseline = in_force(), max_memory_mb()
    watching = threading.Thread(target=watch)
    watching.start()
    costs = []
    for place in sorted(folder.glob("[0-9]*")):
        begun, length = time.monotonic(), place.stat().st_size
        message = run(place)
        row = landing.log()[-1]
        kept = landing.file(str(row.snapshot_sha256), str(row.file_name))
        staged_files = len(staged_of(staged, str(row.snapshot_sha256)))
        evidence = kept.is_file() and kept.stat().st_size == length
        costs.append(Cost(place.name, message, time.monotonic() - begun, in_force() == former, staged_files, evidence))
        if in_force() != former:
            assert run(folder / "undamaged") == ""
        # Each file's own cost: the disk holds one of the large ones at a time.
        for large in (place, kept):
            if large.is_file() and length > MEGABYTE:
                large.unlink()
    stopped.set()
    watching.join()
    return {
        "baseline_mb": baseline,
        "memory_mb": max_memory_mb(),
        "home_mb": peak[0] / MEGABYTE,
        "costs": [asdict(cost) for cost in costs],
    }


def max_memory_mb() -> float:
    """The largest memory this process has had so far.

    Of its own: Linux hands `ru_maxrss` down from whoever started it, which would hide what the files cost.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())
    return int(kilobytes) / 1024


def size_of(folder: Path) -> int:
    """Bytes of all files below the folder, as far as they are still there when they are looked at."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += (Path(parent) / name).lstat().st_size
    return total


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(take(Path(sys.argv[1]))))
