"""Cut the UTF-16 XML of a MaStR export into records, by its bytes, and read those that are wanted.

Most of an export lies outside the region: 50 records in 51. They are passed over without being decoded. The low bytes
of UTF-16 are text of one byte per character in which tags, keys and references (all ASCII) are found by `bytes.find`,
at several GB/s; only the records that stay are decoded and parsed. What is found is looked at again in the decoded
text, so that a letter whose low byte looks like a tag's cannot smuggle anything in.

A record reaches from its opening tag to its closing tag. One that the next opening tag or the end of the file comes
before, and one whose opening tag cannot be found, is damaged: told as such, its neighbours are whole.
"""

from __future__ import annotations

import codecs
import itertools
import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from typing import IO, NamedTuple, Protocol

import numpy as np
from lxml import etree

from connectors.errors import SnapshotRefused
from connectors.mastr_fields import Family

BLOCK_BYTES = 4 * 2**20
# A unit has about 2,000 characters; one of a million is an attack or a broken file.
RECORD_LIMIT_CHARACTERS = 2**20
HEAD_LIMIT_CHARACTERS = 2**14
KEY_TAG = b"<Gemeindeschluessel>"


class Wish(Protocol):
    """Which records are wanted, told from the low bytes of their text."""

    def reason(self, low: bytes, begin: int, end: int) -> str | None:
        """Why the record between two places is out of scope; None where it is wanted."""

    def survey(self, low: bytes, end: int) -> Survey | None:
        """What there is before `end`; None where that can only be told record by record."""

    def reasons(self, records: int, named: int, wanted: int) -> dict[str, int]:
        """Why, of so many records of which so many have the tag, all but those wanted are out of scope."""


class Survey(NamedTuple):
    """Places that lie within records that are wanted, in order, the how many-eth of its kind each tag is that says so,
    and how often it stands there at all.
    """

    places: list[int]
    orders: list[int]
    named: int


class Slice(NamedTuple):
    """A record that is wanted: its number in the file, its bytes as they lie there, and whether it is damaged."""

    number: int
    data: bytes
    is_damaged: bool


class Cut:
    """The records of one file that are wanted, in their order.

    While iterating, `encoding` is known; afterwards `read` counts all records, `passed_over` why others did not come,
    and `first` and `last` are those of the file that are whole: a part may begin with the last record of another.
    Raises SnapshotRefused where the file is not UTF-16 with the family's root element, carries a DOCTYPE, or has a
    record without end.
    """

    def __init__(self, where: str, stream: IO[bytes], family: Family, wish: Wish) -> None:
        self._where, self._stream, self._family, self._wish = where, stream, family, wish
        self.encoding = "utf-16-le"
        self.record = family.record
        self.read = 0
        self.passed_over: Counter[str] = Counter()
        self.first = self.last = b""

    def __iter__(self) -> Iterator[Slice]:
        block = self._stream.read(BLOCK_BYTES)
        if not block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise SnapshotRefused(f"{self._where}: expected UTF-16 with a byte order mark, found {block[:16]!r}")
        if block.startswith(codecs.BOM_UTF16_BE):
            self.encoding = "utf-16-be"
        data, begun = block[2:], False
        while True:
            is_last = not block
            if not begun and (after := self._head(data, is_last)) is not None:
                begun, data = True, data[2 * after :]
            if begun:
                is_realigned = True
                while is_realigned:
                    done, is_realigned = yield from self._cut(data, is_last)
                    data = data[done:]
                if len(data) > 2 * RECORD_LIMIT_CHARACTERS:
                    begins = data[:200].decode(self.encoding, "replace")
                    raise SnapshotRefused(
                        f"{self._where}: a record is longer than {RECORD_LIMIT_CHARACTERS} characters: {begins!r}; "
                        "ask the publisher again"
                    )
            if is_last:
                return
            block = self._stream.read(BLOCK_BYTES)
            data += block

    def _head(self, data: bytes, is_last: bool) -> int | None:
        """The place after the root's opening tag; None where more must be read first."""
        text = data[: 2 * HEAD_LIMIT_CHARACTERS].decode(self.encoding, "replace")
        is_all = is_last or len(text) == HEAD_LIMIT_CHARACTERS
        bare = re.sub(r"<!--.*?-->", lambda comment: " " * len(comment[0]), text, flags=re.DOTALL)
        root = self._family.root
        found = re.match(rf"\s*(?:<\?xml[^>]*\?>)?\s*<{root}\s*/?(>)\s*(?:<(\w+)[\s/>])?", bare)
        if found and (found[2] or is_all):
            if found[2] == root:
                # A record of Ertuechtigungen is called as its root is, whatever the documentation says.
                self.record = root
            return found.end(1)
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise SnapshotRefused(
                f"{self._where}: declares a DOCTYPE, which the export never does; entities are hostile: "
                "ask the publisher"
            )
        if is_all:
            raise SnapshotRefused(f"{self._where}: expected the root element <{root}>, found {text[:100]!r}")
        return None

    def _cut(self, data: bytes, is_last: bool) -> Generator[Slice, None, tuple[int, bool]]:
        """The records that end in the data; returns up to which byte, and whether what follows is to be cut again."""
        order = "<u2" if self.encoding == "utf-16-le" else ">u2"
        low = np.frombuffer(memoryview(data)[: len(data) & ~1], order).astype(np.uint8).tobytes()
        opening, closing = f"<{self.record}>".encode(), f"</{self.record}>".encode()
        is_first = not self.read
        plain = None if is_last else self._plainly(low, opening, closing)
        if plain is not None:
            wanted, done = plain
            for number, begin, end in wanted:
                yield Slice(number, data[2 * begin : 2 * end], is_damaged=False)
            if is_first:
                self.first = data[2 * low.find(opening) : 2 * (low.find(closing) + len(closing))]
            self.last = data[2 * low.rfind(opening, 0, done) : 2 * done]
            return 2 * done, False
        find, wish, passed_over = low.find, self._wish.reason, self.passed_over
        after_opening, after_closing = len(opening), len(closing)
        read, final, at = self.read, (0, 0), 0
        while (begin := find(opening, at)) >= 0:
            if find(b"<", at, begin) >= 0:
                # Between two records stands what is left of one whose opening tag is damaged.
                stretch = at, begin
            else:
                close = find(closing, begin + after_opening)
                follows = find(opening, begin + after_opening, close if close >= 0 else len(low))
                if close < 0 and follows < 0 and not is_last:
                    at = begin
                    break
                is_whole = close >= 0 and follows < 0
                end = follows if follows >= 0 else close + after_closing if close >= 0 else len(low)
                if is_whole and (find(b"\0", begin, end) < 0 or self._astray(data, begin, end, opening) < 0):
                    read += 1
                    if (reason := wish(low, begin, end)) is None:
                        yield Slice(read, data[2 * begin : 2 * end], is_damaged=False)
                    else:
                        passed_over[reason] += 1
                    at, final = end, (begin, end)
                    if read == 1:
                        self.first = data[2 * begin : 2 * end]
                    continue
                stretch = begin, end
            if self._astray(data, *stretch, opening) >= 0:
                at = stretch[0]
                break
            read += 1
            yield from self._damaged(data, low, *stretch, read)
            at = stretch[1]
        self.read = read
        if final[1]:
            self.last = data[2 * final[0] : 2 * final[1]]
        return (yield from self._rest(data, low, at, is_last))

    def _rest(self, data: bytes, low: bytes, at: int, is_last: bool) -> Generator[Slice, None, tuple[int, bool]]:
        """What follows the last whole record: damaged ones among it, and the byte from which on more must be read."""
        opening, closing = f"<{self.record}>".encode(), f"</{self.record}>".encode()
        astray = self._astray(data, at, len(low), opening)
        if astray >= 0:
            # A byte is missing or too many: from here on, low bytes and high ones have changed places.
            end = (astray + 1) // 2
            if low[at:end].strip(b"\0 \t\r\n"):
                self.read += 1
                yield from self._damaged(data, low, at, end, self.read)
            return astray, True
        end = low.rfind(f"</{self._family.root}>".encode(), at)
        if is_last and low.find(closing, at, end if end >= 0 else len(low)) >= 0:
            # A record whose opening tag is damaged, and no other follows it.
            self.read += 1
            yield from self._damaged(data, low, at, end if end >= 0 else len(low), self.read)
        return 2 * at, False

    def _plainly(self, low: bytes, opening: bytes, closing: bytes) -> tuple[list[tuple[int, int, int]], int] | None:
        """The records wanted, as number, begin and end, and the place after the last whole record, told at a glance.

        None where something in the block is damaged, or the wish cannot be told so: it is walked record by record.
        """
        if b"\0" in low:
            # As low bytes that are high ones would be: a byte may be missing or too many.
            return None
        done = low.rfind(closing) + len(closing)
        first = low.find(opening)
        survey = self._wish.survey(low, done)
        if done < len(closing) or survey is None or first < 0 or low.find(b"<", 0, first) >= 0:
            return None
        wanted: list[tuple[int, int, int]] = []
        closings = low.count(closing, 0, done)
        # Where every record has the tag once, the tag's number is the record's.
        is_one_each = survey.named == closings
        records = counted = end = 0
        for hit, order in zip(survey.places, survey.orders, strict=True):
            if hit < end:
                continue
            begin = low.rfind(opening, end, hit)
            end = low.find(closing, hit, done)
            if begin < 0 or end < 0 or low.find(closing, begin, hit) >= 0 or low.find(opening, hit, end) >= 0:
                return None
            end += len(closing)
            if not is_one_each:
                records += low.count(opening, counted, end)
                counted = end
            wanted.append((self.read + (order if is_one_each else records), begin, end))
        records = closings if is_one_each else records + low.count(opening, counted, done)
        if records != closings:
            return None
        self.read += records
        self.passed_over.update(self._wish.reasons(records, survey.named, len(wanted)))
        return wanted, done

    def _astray(self, data: bytes, begin: int, end: int, opening: bytes) -> int:
        """The byte at which an opening tag begins between two characters, from the one before `begin` on; -1: none."""
        side = 0 if self.encoding == "utf-16-le" else 1
        first = 2 * begin - 1 if begin else 1
        found = data[first + side : 2 * end + 1 : 2].find(opening)
        return first + 2 * found if found >= 0 else -1

    def _damaged(self, data: bytes, low: bytes, begin: int, end: int, number: int) -> Iterator[Slice]:
        reason = self._wish.reason(low, begin, end)
        if reason is None:
            yield Slice(number, data[2 * begin : 2 * end], is_damaged=True)
        else:
            self.passed_over[reason] += 1


# -- which records are wanted ------------------------------------------------------------------------------------------


class Everything:
    """All records are wanted."""

    def reason(self, low: bytes, begin: int, end: int) -> str | None:
        """None, always."""
        return None

    def survey(self, low: bytes, end: int) -> Survey | None:
        """Record by record."""
        return None

    def reasons(self, records: int, named: int, wanted: int) -> dict[str, int]:
        """None is left out."""
        return {}


class InRegion:
    """Records whose municipality key lies in one of the Kreise; one whose key is no key is wanted, to be told."""

    def __init__(self, kreis_keys: Sequence[str]) -> None:
        self._kreise = frozenset(key.encode() for key in kreis_keys)

    def reason(self, low: bytes, begin: int, end: int) -> str | None:
        """Told by the first key in the record."""
        at = low.find(KEY_TAG, begin, end)
        if at < 0:
            return "no municipality key"
        at += len(KEY_TAG)
        key = low[at : at + 9]
        if key[:5] in self._kreise:
            return None
        if key[:8].isdigit() and key[8:] == b"<":
            return "outside the region"
        return None if low[at : low.find(b"<", at, end)].strip() else "no municipality key"

    def survey(self, low: bytes, end: int) -> Survey | None:
        """By all keys at once: most of the records of a block share a few thousand."""
        pieces = low[:end].split(KEY_TAG)
        keys = [piece[:9] for piece in pieces]
        wanted = {key for key in {*keys[1:]} if key[:5] in self._kreise or not (key[:8].isdigit() and key[8:] == b"<")}
        return _surveyed(pieces, [key in wanted for key in keys], len(KEY_TAG))

    def reasons(self, records: int, named: int, wanted: int) -> dict[str, int]:
        """Records without a key, and those whose key is another."""
        return {"no municipality key": max(0, records - named), "outside the region": min(named, records) - wanted}


def _surveyed(pieces: list[bytes], is_wanted: list[bool], width: int) -> Survey:
    """Of a text cut at a tag of that width: the tags that begin the pieces that are wanted."""
    named = len(pieces) - 1
    if not any(is_wanted[1:]):
        return Survey([], [], named)
    ends = itertools.accumulate(len(piece) + width for piece in pieces)
    # A piece's tag stands where the one before it ends.
    orders = [order for order, wanted in enumerate(is_wanted) if wanted and order]
    chosen = set(orders)
    return Survey([end - width for order, end in enumerate(ends, start=1) if order in chosen], orders, named)


class Referring:
    """Records that name one of the numbers under a tag, alone or in a list."""

    REASON = "refers to nothing in the region"

    def __init__(self, tag: str, numbers: frozenset[bytes]) -> None:
        self._tags = [f"<{spelling}>".encode() for spelling in dict.fromkeys((tag.replace("Mastr", "MaStR"), tag))]
        self._numbers = numbers

    def reason(self, low: bytes, begin: int, end: int) -> str | None:
        """Told by the first of the tag's spellings in the record that names one."""
        for tag in self._tags:
            at = low.find(tag, begin, end)
            if at >= 0 and self._names(low[at + len(tag) : low.find(b"<", at + 1, end)]):
                return None
        return self.REASON

    def _names(self, text: bytes) -> bool:
        return text in self._numbers or (b"," in text and any(n.strip() in self._numbers for n in text.split(b",")))

    def survey(self, low: bytes, end: int) -> Survey | None:
        """By all that stands under the tag at once."""
        found: list[Survey] = []
        for tag in self._tags:
            pieces = low[:end].split(tag)
            # A MaStR number is 15 characters long; what is not is looked at more closely.
            is_wanted = [
                piece[:15] in self._numbers or (piece[15:16] != b"<" and self._names(piece[: piece.find(b"<")]))
                for piece in pieces
            ]
            found.append(_surveyed(pieces, is_wanted, len(tag)))
        spelt = [survey for survey in found if survey.named]
        # Records that spell it by turns are looked at one by one.
        return None if len(spelt) > 1 else (spelt or found)[0]

    def reasons(self, records: int, named: int, wanted: int) -> dict[str, int]:
        """One for all."""
        return {self.REASON: records - wanted}


# -- from a record to its tags -----------------------------------------------------------------------------------------

_NO_CHARACTERS = "\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff"
_NOT_IN_XML = re.compile(f"[{_NO_CHARACTERS}]")
# Flat records, as all are: an element, its text, the same element's end; between elements blanks.
_FLAT = re.compile(rf"<([^\W\d][\w.-]*)>([^<{_NO_CHARACTERS}]*)</([^<>/]+)>")
_BLANKS = " \t\r\n"
_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_NUMBER = re.compile(r"[A-Z]{3}[0-9]{12}")


def tags_of(data: bytes, encoding: str, record: str) -> dict[str, str]:
    """The record's child elements with their text, blanks around it kept.

    Raises ValueError with the reason where it is not well-formed or gives an element twice with different values.
    """
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-16: {error.reason}") from error
    tags = _quickly(text, record)
    return _carefully(text) if tags is None else tags


def _quickly(text: str, record: str) -> dict[str, str] | None:
    """The tags of a flat record, checked to be well-formed; None where that cannot be told without a parser."""
    if not (text.startswith(f"<{record}>") and text.endswith(f"</{record}>")):
        return None
    body = text[len(record) + 2 : -len(record) - 3]
    parts = _FLAT.split(body)
    names = parts[1::4]
    blanks = "".join(parts[::4])
    if names != parts[3::4] or blanks.strip(_BLANKS) or "]]>" in body:
        return None
    tags = dict(zip(names, parts[2::4], strict=True))
    if len(tags) != len(names):
        return None
    if "\r" in body:
        tags = {tag: value.replace("\r\n", "\n").replace("\r", "\n") for tag, value in tags.items()}
    if "&" in body:
        for tag, value in tags.items():
            if "&" in value:
                if value.count("&") != len(_REFERENCE.findall(value)):
                    return None
                tags[tag] = _REFERENCE.sub(_referred, value)
                if _NOT_IN_XML.search(tags[tag]):
                    return None
    return tags


def _referred(reference: re.Match[str]) -> str:
    name, decimal, digits = reference.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(digits, 16)
    # What is no character becomes one that XML does not have: the parser shall refuse it.
    return chr(code) if code < 0x110000 else "\0"


def _carefully(text: str) -> dict[str, str]:
    """The same by a parser that resolves nothing and loads nothing."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("not well-formed XML: declares a DOCTYPE")
    try:
        element = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ValueError(f"not well-formed XML: {type(error).__name__}") from error
    tags: dict[str, str] = {}
    for child in element.iterchildren(tag=etree.Element):
        if len(child):
            raise ValueError(f"{child.tag} holds more than text")
        value = child.text or ""
        if tags.setdefault(child.tag, value).strip() != value.strip():
            raise ValueError(f"{child.tag} given twice with different values")
    return tags


def number_in(data: bytes, encoding: str) -> str | None:
    """The first MaStR number in a record that cannot be read: all of it that may be told, as the rest is of persons."""
    found = _NUMBER.search(data.decode(encoding, "replace"))
    return found[0] if found else None
