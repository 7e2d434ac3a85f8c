"""The records of stop_times.txt, of which a country has 32 million: they never lie in memory as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Self

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.blocks import Malformed, Parsed
from connectors.formats.gtfs_records import Records
from connectors.formats.gtfs_reference import READ, UNREADABLE, Column, Kind
from connectors.staging import DISTINCT_TEXT, REJECTED_LIMIT
from connectors.tables import GTFS_STOPS, GTFS_TRIPS

# A day and a half has 130,000 seconds. A column with more different texts has them read block by block.
TEXTS_LIMIT = 200_000
# The ids of a country's trips and stops; more of them are not held in memory, the file is surveyed then.
KNOWN_LIMIT = 5_000_000
# A statement per block costs more than its rows.
NOTED_AT_ONCE = 100_000


class _Fault(NamedTuple):
    """Why records are not staged, or not wholly: the column at fault and the reason."""

    column: str
    reason: str


class _Marks:
    """The rows of a block with the first fault that was marked in each."""

    def __init__(self, rows: int) -> None:
        self._faults: list[_Fault] = []
        self._of_row = np.full(rows, -1, np.int16)

    def mark(self, fault: _Fault, is_marked: npt.NDArray[np.bool_]) -> None:
        """Mark rows that bear no mark yet."""
        if is_marked.any():
            self._of_row[is_marked & (self._of_row < 0)] = len(self._faults)
            self._faults.append(fault)

    @property
    def is_marked(self) -> npt.NDArray[np.bool_]:
        """Which rows bear a mark."""
        return self._of_row >= 0

    def marked(self) -> Iterator[tuple[int, _Fault]]:
        """The marked rows in their order, by place, each with its fault."""
        for place in np.flatnonzero(self.is_marked).tolist():
            yield place, self._faults[self._of_row[place]]

    def counted(self, is_counted: npt.NDArray[np.bool_]) -> Iterator[tuple[_Fault, int, int]]:
        """Per fault how many of the rows to be counted bear it, and the first one's place."""
        for number, fault in enumerate(self._faults):
            places = np.flatnonzero((self._of_row == number) & is_counted)
            if len(places):
                yield fault, len(places), int(places[0])


class _Rejection(NamedTuple):
    """What `StagedWriter.reject` is told."""

    record_number: int
    column: str
    raw: str
    reason: str


class _InTurn:
    """Does one thing after another on a thread of its own, while the next one is prepared here."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._doing: Future[None] | None = None

    def do(self, function: Callable[..., None], *arguments: object) -> None:
        """Begin a thing when the former one is done; raises what that raised."""
        self.wait()
        self._doing = self._pool.submit(function, *arguments)

    def wait(self) -> None:
        """Wait for what was begun; raises what it raised."""
        if self._doing is not None:
            doing, self._doing = self._doing, None
            doing.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._pool:
            if error is None:
                self.wait()


class _Judged(NamedTuple):
    """A block's records as texts, what a distinct text of each column means, and what in the records is no good."""

    texts: pa.RecordBatch
    values: Mapping[str, pa.Array]
    faults: _Marks
    unread: _Marks


class StopTimes:
    """The records of stop_times.txt, of which a country has 32 million: they never lie in memory as a whole.

    They are read in blocks, and a text once per block, however many records have it. A feed that is kept whole and
    whose trips go on from record to record is read once. Any other is looked through first: `survey` notes which trips
    and stops each block names, `cut` what of it is kept.
    """

    def __init__(self, records: Records, db: duckdb.DuckDBPyConnection) -> None:
        self._records, self._db, self._out = records, db, records.out
        self._file = records.file
        self._texts = {
            column.source: _Texts(db, column.kind, self._file.table.columns.field(column.staged).type)
            for column in self._file.columns
        }
        self._waiting: dict[str, list[pa.Table]] = {}
        self._unread: dict[str, tuple[int, str]] = {}
        db.execute(
            """
            create table trip_part(
                block integer, trip_id varchar, records bigint, is_inner boolean, is_rising boolean,
                first_sequence integer, last_sequence integer
            );
            create table stop_part(block integer, stop_id varchar);
            create table inner_stop(stop_id varchar);
            create table wanted_part(block integer, trip_id varchar)
            """
        )
        self._is_surveyed = self._is_cut = self._are_repeated = False

    def survey(self) -> None:
        """Note the trips and stops of each block; reject the malformed records.

        Table `trip_part`: per block and trip its records, whether one of them is at an `inner_stop`, and whether their
        stop_sequence rises from record to record. Table `stop_part`: the stops of each block.
        """
        inner_stops = self._value("select count(*) from inner_stop")
        inner: dict[str, int] = {}
        if inner_stops <= KNOWN_LIMIT:
            inner = dict.fromkeys(self._texts_of("inner_stop", "stop_id"), 0)
        for parsed in self._parse(("trip_id", "stop_id", "stop_sequence")):
            batch = self._records.sound(parsed)
            if not batch.num_rows:
                continue
            trips, stops = batch.column("trip_id"), batch.column("stop_id")
            sequences = batch.column("stop_sequence")
            sequence = self._texts["stop_sequence"].read(sequences.dictionary).values.take(sequences.indices)
            if inner_stops <= KNOWN_LIMIT:
                is_inner = _places(stops.dictionary, inner) >= 0
            else:
                is_inner = self._among(stops.dictionary, "select stop_id from inner_stop")
            parts = _parts(_indices(trips), sequence, is_inner[_indices(stops)])
            self._note(
                "trip_part",
                block=_repeat(parsed.block.number, len(parts.trip)),
                trip_id=trips.dictionary.take(pa.array(parts.trip)),
                records=pa.array(parts.records),
                is_inner=pa.array(parts.is_inner),
                is_rising=pa.array(parts.is_rising),
                first_sequence=pa.array(parts.first),
                last_sequence=pa.array(parts.last),
            )
            self._note("stop_part", block=_repeat(parsed.block.number, len(stops.dictionary)), stop_id=stops.dictionary)
        self._noted("trip_part", "stop_part")
        self._is_surveyed = True

    def cut(self) -> int:
        """Keep the trips of `kept_trip` and those that trips.txt does not know; the number of records left out.

        Table `called_stop`: the stops that kept trips call at, some more than once.
        """
        self._is_cut = True
        self._db.execute(
            """
            create table known_trip as select distinct trip_id from gtfs_trips where trip_id is not null;
            insert into wanted_part
            select block, trip_id from trip_part
            where trip_id in (select trip_id from kept_trip) or trip_id not in (select trip_id from known_trip);
            create table called_stop(stop_id varchar);
            create table kept_part as from wanted_part where trip_id in (select trip_id from kept_trip)
            """
        )
        for _, batch in self._of_trips(("trip_id", "stop_id"), "kept_part"):
            self._note("called_stop", stop_id=pc.unique(batch.column("stop_id")).cast(pa.string()))
        self._noted("called_stop")
        return self._value(
            """
            select coalesce(sum(records), 0) from trip_part
            where trip_id not in (select trip_id from kept_trip) and trip_id in (select trip_id from known_trip)
            """
        )

    def stage(self) -> None:
        """Reject what cannot be read, refers to nothing or repeats a key; stage the rest in the file's order.

        View `gtfs_stop_times`: what is staged.
        """
        if not self._is_surveyed and not self._stage_at_once():
            self.survey()
        if self._is_surveyed:
            self._stage_surveyed()
        for name, (count, example) in sorted(self._unread.items()):
            self._out.unread(self._file.table, name, UNREADABLE[self._column(name).kind], count, example)
        self._out.show(self._file.table, self._db)

    def _stage_at_once(self) -> bool:
        """Stage a whole feed in one reading; False, and nothing staged, where that cannot tell all repeated keys.

        It can while the stop_sequence of each trip rises through the whole file, its records side by side or not.
        """
        tables = {"trip_id": GTFS_TRIPS.name, "stop_id": GTFS_STOPS.name}
        if sum(self._value(f"select count(*) from {table}") for table in tables.values()) > KNOWN_LIMIT:
            return False
        known = {
            name: {text: place for place, text in enumerate(self._texts_of(table, name))}
            for name, table in tables.items()
        }
        last_sequence = np.full(len(known["trip_id"]), -1, np.int32)
        malformed: list[Malformed] = []
        rejected: list[_Rejection] = []
        with _InTurn() as turn:
            for parsed in self._parse(tuple(self._records.places)):
                places = {name: _places(parsed.batch.column(name).dictionary, known[name]) for name in known}
                judged = self._judge(parsed.batch, {name: places[name] < 0 for name in known})
                good = self._good_texts(judged)
                if good.num_rows:
                    trip = good.column("trip_id")
                    sequence = judged.values["stop_sequence"].take(good.column("stop_sequence").indices)
                    parts = _parts(_indices(trip), sequence, np.zeros(good.num_rows, bool))
                    of_all = places["trip_id"][parts.trip]
                    if not (parts.is_rising & (parts.first > last_sequence[of_all])).all():
                        turn.wait()
                        self._out.withdraw(self._file.table)
                        self._unread = {}
                        return False
                    last_sequence[of_all] = parts.last
                malformed += parsed.malformed
                rejected += self._rejections(judged)
                if len(malformed) + len(rejected) > REJECTED_LIMIT:
                    break
                turn.do(self._deliver, judged, good)
        for record in malformed:
            self._records.reject(record)
        for rejection in rejected:
            self._out.reject(self._file.table, *rejection)
        return True

    def _stage_surveyed(self) -> None:
        with_unknown = {}
        for name, known in (("trip_id", GTFS_TRIPS.name), ("stop_id", GTFS_STOPS.name)):
            self._db.execute(
                f"""
                create table unknown_{name} as
                select block, {name} from {name.removesuffix("_id")}_part
                where {name} not in (select {name} from {known})
                """
            )
            with_unknown[name] = self._blocks_of(f"unknown_{name}")

        def judged(columns: tuple[str, ...], wanted: str | None) -> Iterator[_Judged]:
            for block, batch in self._of_trips(columns, wanted):
                unknown = {
                    name: self._among(
                        batch.column(name).dictionary, f"select {name} from unknown_{name} where block = {block}"
                    )
                    for name in with_unknown
                    if block in with_unknown[name]
                }
                yield self._judge(batch, unknown)

        columns = tuple(self._records.places)
        self._note_suspects()
        for part in judged(columns, "suspect_part"):
            good = self._typed(part, self._good_texts(part))
            self._note("suspect_key", **{name: good.column(name) for name in ("record_number", *self._file.key)})
        self._find_repeated()
        with _InTurn() as turn:
            for part in judged(columns, "wanted_part" if self._is_cut else None):
                self._mark_repeated(part)
                turn.wait()
                for rejection in self._rejections(part):
                    self._out.reject(self._file.table, *rejection)
                turn.do(self._deliver, part, self._good_texts(part))

    def _deliver(self, judged: _Judged, good: pa.RecordBatch) -> None:
        """Stage the good ones of the records judged."""
        for fault, count, place in judged.unread.counted(~judged.faults.is_marked):
            raw = judged.texts.column(fault.column)[place].as_py()
            former, example = self._unread.get(fault.column, (0, raw))
            self._unread[fault.column] = (former + count, example)
        if good.num_rows:
            self._out.write(self._file.table, self._typed(judged, good))

    def _rejections(self, judged: _Judged) -> Iterator[_Rejection]:
        for place, fault in judged.faults.marked():
            cells = [judged.texts.column(fault.column)] if fault.column in self._records.places else []
            if cells:
                raw = cells[0][place].as_py()
            else:
                key = [judged.values[name][_indices(judged.texts.column(name))[place]] for name in self._file.key]
                raw = " ".join(str(part.as_py()) for part in key)
            yield _Rejection(judged.texts.column("record_number")[place].as_py(), fault.column, raw, fault.reason)

    def _good_texts(self, judged: _Judged) -> pa.RecordBatch:
        """The records without fault."""
        is_faulty = judged.faults.is_marked
        return judged.texts.filter(pa.array(~is_faulty)) if is_faulty.any() else judged.texts

    def _typed(self, judged: _Judged, texts: pa.RecordBatch) -> pa.Table:
        """Records of those judged as rows of the staged table."""
        staged = {"record_number": texts.column("record_number")}
        for column in self._file.columns:
            if column.source in judged.values:
                staged[column.staged] = _spread(judged.values[column.source], texts.column(column.source).indices)
            else:
                staged[column.staged] = pa.nulls(texts.num_rows, self._file.table.columns.field(column.staged).type)
        return pa.table(staged)

    # -- reading ----------------------------------------------------------------------------------------------------

    def _parse(self, columns: tuple[str, ...], blocks: set[int] | None = None) -> Iterator[Parsed]:
        places = {name: self._records.places[name] for name in columns}
        all_blocks = self._records.csv.blocks
        chosen = all_blocks if blocks is None else [block for block in all_blocks if block.number in blocks]
        return self._records.csv.parse(places, REJECTED_LIMIT, chosen, DISTINCT_TEXT)

    def _of_trips(self, columns: tuple[str, ...], wanted: str | None) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Blocks by number with the records of the trips in a table (block, trip_id), or all records."""
        if wanted is None:
            yield from ((parsed.block.number, parsed.batch) for parsed in self._parse(columns))
            return
        for block, batch, _ in self._parse(columns, self._blocks_of(wanted)):
            trips = batch.column("trip_id")
            is_wanted = self._among(trips.dictionary, f"select trip_id from {wanted} where block = {block.number}")
            yield block.number, batch.filter(pa.array(is_wanted[_indices(trips)]))

    def _judge(self, batch: pa.RecordBatch, unknown: Mapping[str, npt.NDArray[np.bool_]]) -> _Judged:
        """What the texts of a block mean, and which of its records cannot be read or refer to nothing.

        unknown: of the texts of a column those that refer to nothing.
        """
        faults, unread = _Marks(batch.num_rows), _Marks(batch.num_rows)
        values: dict[str, pa.Array] = {}
        unreadable: list[tuple[Column, npt.NDArray[np.bool_]]] = []
        for column in (column for column in self._file.columns if self._records.has(column)):
            cells = batch.column(column.source)
            values[column.source], is_blank = self._texts[column.source].read(cells.dictionary)
            if column.need == "cell" and is_blank.any():
                faults.mark(_Fault(column.source, f"no {column.source}"), is_blank[_indices(cells)])
            if column.kind in UNREADABLE:
                is_unreadable = values[column.source].is_null().to_numpy(zero_copy_only=False) & ~is_blank
                if is_unreadable.any():
                    unreadable.append((column, is_unreadable[_indices(cells)]))
        for column, is_marked in unreadable:
            marks = unread if column.need == "informs" else faults
            marks.mark(_Fault(column.source, UNREADABLE[column.kind]), is_marked)
        for name, is_unknown in unknown.items():
            if is_unknown.any():
                faults.mark(_Fault(name, f"unknown {name}"), is_unknown[_indices(batch.column(name))])
        return _Judged(batch, values, faults, unread)

    # -- keys -------------------------------------------------------------------------------------------------------

    def _note_suspects(self) -> None:
        """Make the table `suspect_part` of the trips whose stop_sequence does not rise through the whole file.

        In no other trip a key comes twice.
        """
        self._db.execute(
            f"""
            create table suspect_part as
            with in_several_blocks as (
                select trip_id from trip_part group by trip_id having count(*) > 1
            ),
            followed as (
                select trip_id, first_sequence, max(last_sequence) over (
                    partition by trip_id order by block rows between unbounded preceding and 1 preceding
                ) as former_sequence
                from trip_part where trip_id in (select trip_id from in_several_blocks)
            ),
            suspect as (
                select trip_id from trip_part where not is_rising
                union
                select trip_id from followed where first_sequence <= former_sequence
            )
            select block, trip_id from {"wanted_part" if self._is_cut else "trip_part"}
            where trip_id in (select trip_id from suspect) and trip_id in (select trip_id from gtfs_trips);
            create table suspect_key(record_number bigint, trip_id varchar, stop_sequence integer)
            """
        )

    def _find_repeated(self) -> None:
        """Make the table `repeated` of the records in `suspect_key` whose key came before."""
        self._noted("suspect_key")
        self._db.execute(
            """
            create table repeated as
            with first as (
                select trip_id, stop_sequence, min(record_number) as first_number from suspect_key
                group by trip_id, stop_sequence having count(*) > 1
            )
            select record_number from suspect_key inner join first using (trip_id, stop_sequence)
            where record_number > first_number
            """
        )
        self._are_repeated = self._value("select count(*) from repeated") > 0

    def _mark_repeated(self, judged: _Judged) -> None:
        numbers = judged.texts.column("record_number").to_numpy()
        if self._are_repeated and len(numbers):
            found = self._db.execute(
                "select record_number from repeated where record_number between ? and ?",
                [int(numbers[0]), int(numbers[-1])],
            ).fetchnumpy()["record_number"]
            judged.faults.mark(_Fault(" ".join(self._file.key), "repeated key"), np.isin(numbers, found))

    # -- inside -----------------------------------------------------------------------------------------------------

    def _column(self, source: str) -> Column:
        return next(column for column in self._file.columns if column.source == source)

    def _texts_of(self, table: str, column: str) -> list[str]:
        texts: list[str] = self._db.execute(f"select {column} from {table}").to_arrow_table().column(0).to_pylist()
        return texts

    def _blocks_of(self, table: str) -> set[int]:
        return {number for (number,) in self._db.execute(f"select distinct block from {table}").fetchall()}

    def _among(self, texts: pa.Array, query: str) -> npt.NDArray[np.bool_]:
        """Which of the texts a query's only column holds."""
        held = self._db.execute(query).to_arrow_table().column(0).combine_chunks()
        found: npt.NDArray[np.bool_] = pc.is_in(texts, value_set=held).to_numpy(zero_copy_only=False)
        return found

    def _note(self, table: str, **columns: pa.Array) -> None:
        """Add rows to a table of the database; they are there after `_noted`."""
        self._waiting.setdefault(table, []).append(pa.table(columns))
        if sum(rows.num_rows for rows in self._waiting[table]) > NOTED_AT_ONCE:
            self._noted(table)

    def _noted(self, *tables: str) -> None:
        for table in tables:
            if waiting := self._waiting.pop(table, []):
                rows = pa.concat_tables(waiting)
                self._db.register("noted", rows)
                names = ", ".join(rows.column_names)
                self._db.execute(f"insert into {table} ({names}) select {names} from noted")
                self._db.unregister("noted")

    def _value(self, query: str) -> int:
        return int(self._db.execute(query).fetchall()[0][0])


class _Read(NamedTuple):
    """Texts as values, null where they are blank or cannot be read, and whether they are blank."""

    values: pa.Array
    is_blank: npt.NDArray[np.bool_]


class _Texts:
    """The texts of a column, read once: clock times and small numbers come again in every block."""

    def __init__(self, db: duckdb.DuckDBPyConnection, kind: Kind, type_: pa.DataType) -> None:
        self._db, self._kind, self._type = db, kind, type_
        self._known = pa.array([], pa.string())
        self._read = _Read(pa.array([], type_), np.zeros(0, bool))

    def read(self, texts: pa.Array) -> _Read:
        """The texts, none of them null, as `READ` says."""
        if self._kind == "text":
            is_blank = pc.equal(pc.utf8_trim(texts, characters=" "), "").to_numpy(zero_copy_only=False)
            return _Read(pc.if_else(pc.equal(texts, ""), None, texts), is_blank)
        if len(self._known) > TEXTS_LIMIT:
            return self._read_anew(texts)
        new = texts.filter(pc.invert(pc.is_in(texts, value_set=self._known)))
        if len(new):
            values, is_blank = self._read_anew(new)
            self._known = pa.concat_arrays([self._known, new])
            self._read = _Read(
                pa.concat_arrays([self._read.values, values]), np.concatenate([self._read.is_blank, is_blank])
            )
        places = pc.index_in(texts, value_set=self._known)
        return _Read(self._read.values.take(places), self._read.is_blank[places.to_numpy()])

    def _read_anew(self, texts: pa.Array) -> _Read:
        self._db.register("distinct_text", pa.table({"raw": texts}))
        sql = READ[self._kind].format(raw="raw")
        read = self._db.execute(
            f"select {sql} as value, trim(raw) = '' as is_blank from distinct_text"
        ).to_arrow_table()
        return _Read(read.column("value").combine_chunks().cast(self._type), read.column("is_blank").to_numpy())


class _Parts(NamedTuple):
    """What a block has of each trip, see `StopTimes.survey`; `trip` is its place in the block's dictionary."""

    trip: npt.NDArray[np.int32]
    records: npt.NDArray[np.int64]
    is_inner: npt.NDArray[np.bool_]
    is_rising: npt.NDArray[np.bool_]
    first: npt.NDArray[np.int32]
    last: npt.NDArray[np.int32]


def _parts(trip: npt.NDArray[np.int32], sequence: pa.Array, is_inner: npt.NDArray[np.bool_]) -> _Parts:
    """The records of a block by trip; a sequence that is null rises from nothing."""
    number = sequence.fill_null(-1).to_numpy()
    # A dictionary is filled as texts come: where the places never fall, trips follow each other.
    if (np.diff(trip) < 0).any():
        order = np.argsort(trip, kind="stable")
        trip, number, is_inner = trip[order], number[order], is_inner[order]
    begins = np.flatnonzero(np.diff(trip, prepend=-1))
    rises = np.diff(number, prepend=-1) > 0
    rises[begins] = True
    rises &= number >= 0
    return _Parts(
        trip[begins],
        np.diff(begins, append=len(trip)),
        np.logical_or.reduceat(is_inner, begins),
        np.logical_and.reduceat(rises, begins),
        np.minimum.reduceat(number, begins),
        np.maximum.reduceat(number, begins),
    )


def _places(texts: pa.Array, known: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """The place of each text among those known, -1 where it is none of them."""
    return np.array([known.get(text, -1) for text in texts.to_pylist()], np.int64)


def _spread(values: pa.Array, places: pa.Array) -> pa.Array:
    """The values at their places; text stays a dictionary."""
    if not pa.types.is_string(values.type):
        return values.take(places)
    distinct = values.dictionary_encode()
    return pa.DictionaryArray.from_arrays(distinct.indices.take(places), distinct.dictionary)


def _indices(cells: pa.DictionaryArray) -> npt.NDArray[np.int32]:
    found: npt.NDArray[np.int32] = cells.indices.to_numpy()
    return found


def _repeat(value: int, times: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.int32()), times)
