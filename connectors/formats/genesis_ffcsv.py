"""Parse GENESIS flat files (ffcsv) of the Zensus, Regionalstatistik, Destatis and IT.NRW databases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv

from connectors.archive import extract, files, open_zip
from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.statistic_time import span_of
from connectors.region import Region
from connectors.staging import REJECTED_LIMIT, StagedWriter
from connectors.tables import STATISTIC_VALUE as TABLE
from connectors.text import (
    FIELD_LIMIT,
    RECORD_LIMIT_CHARACTERS,
    CsvRecords,
    is_mojibake,
    text_lines,
    without_mojibake,
)

REQUIRED_COLUMNS = (
    "statistics_code",
    "statistics_label",
    "time_code",
    "time",
    "value",
    "value_unit",
    "value_variable_code",
    "value_variable_label",
)
# value_q: the quality of a value, in some answers only.
OTHER_COLUMNS = frozenset({"time_label", "value_q"})
# Each classifying variable N has these columns; N counts from 1.
VARIABLE_PARTS = ("variable_code", "variable_label", "variable_attribute_code", "variable_attribute_label")
# Variables that name an area: Germany, Länder, Regierungsbezirke, Kreise, associations, municipalities; those of the
# Zensus begin with GEO and end in a digit for the state of the territory.
AREA_VARIABLES = (
    *("DINSG", "DLAND", "DLANDU", "REGBEZ", "KREISE", "KREISU", "GEMEIN"),
    *(f"GEO{level}{state}" for level in ("DL", "BL", "RB", "LK", "KR", "VB", "GM") for state in range(1, 6)),
)
# Signs that stand in place of a number (Zeichenerklärung of the statistical offices): `-` nothing, `.` unknown or
# secret, `...` later, `x` blocked, `/` not reliable enough; a blank is marked as the empty text.
MARKS = ("-", ".", "...", "x", "/", "")
# Quality `e` is a final value; any other, as `()` (uncertain), is kept as the mark beside its number.
FINAL = ("e", "")
LINE_LIMIT_BYTES = 2**20
# Lines of a table differ in which variables they have, not by hundreds.
KINDS_LIMIT = 100
# A table is read whole; the largest one a host answers at once unpacks to some 50 MB.
UNPACKED_LIMIT_BYTES = 200 * 2**20


def parse(
    snapshot: Snapshot, out: StagedWriter, region: Region, /, *, table_code: str, region_only: bool = True
) -> None:
    """Stage the values of one table in the unit the line names; a record is one line below the header.

    Factors (`1000`, `Tsd. EUR`) are staged as the unit, not applied. `region_only` leaves lines of other areas,
    Germany and the Länder included, out of scope. Raises SnapshotRefused where the zip does not hold one flat file
    of `table_code` or a column is missing.
    """
    path = _unpack(snapshot, out.scratch, table_code)
    header, records = _measure(snapshot, path)
    variables = _check_columns(snapshot, out, header)
    out.read(TABLE, records)
    lines = _read(snapshot, out, path, header, records)
    _stage(snapshot, out, region if region_only else None, lines, variables, table_code)


def _unpack(snapshot: Snapshot, folder: Path, table_code: str) -> Path:
    with open_zip(snapshot.path, UNPACKED_LIMIT_BYTES) as archive:
        members = files(archive)
        flat = [name for name in members if name.endswith("_flat.csv")]
        if len(flat) != 1 or not flat[0].lower().startswith(table_code.lower()):
            raise SnapshotRefused(
                f"{snapshot.source_id}: {snapshot.path.name}: expected one member {table_code}…_flat.csv, "
                f"found {', '.join(sorted(members)[:20]) or 'none'}; check the table code and the format ffcsv"
            )
        return extract(archive, members[flat[0]], folder)


def _measure(snapshot: Snapshot, path: Path) -> tuple[list[str], int]:
    """The header, and the number of records as the standard library counts them: apart from what Arrow reads."""
    plain = _measure_plain(path)
    if plain is not None:
        return plain
    where = f"{snapshot.source_id}: {snapshot.path.name}: {path.name}"
    lines = CsvRecords(without_mojibake(text_lines(path, where), where), where, delimiter=";")
    return next(lines, []), sum(1 for line in lines if line)


def _measure_plain(path: Path) -> tuple[list[str], int] | None:
    """The same of a file whose records are its lines, in a third of the time; None where a record may be anything else
    or the file has a fault, which the slow way names."""
    content = path.read_bytes()
    if any(sign in content for sign in (b'"', b"\r", b"\0")):
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    lines = text.split("\n")
    header = lines[0].split(";")
    if is_mojibake(text) or max(map(len, lines)) > RECORD_LIMIT_CHARACTERS or len(header) > FIELD_LIMIT:
        return None
    return header, sum(map(bool, lines[1:]))


def _check_columns(snapshot: Snapshot, out: StagedWriter, header: list[str]) -> list[int]:
    """The numbers of the classifying variables; raises SnapshotRefused where a required column is missing."""
    variables = sorted({int(found[1]) for name in header if (found := re.fullmatch(r"(\d)_variable_code", name))})
    out.saw_header(TABLE, header)
    expected = [*REQUIRED_COLUMNS, *(f"{n}_{part}" for n in variables or [1] for part in VARIABLE_PARTS)]
    for name in header:
        if name not in expected and name not in OTHER_COLUMNS:
            out.drift(TABLE, name, "new")
    missing = [name for name in expected if name not in header]
    for name in missing:
        out.drift(TABLE, name, "missing")
    if missing or len(set(header)) != len(header):
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: expected each of the columns {', '.join(expected)} once; "
            f"missing: {', '.join(missing) or 'none'}; found: {', '.join(header)[:500]}; "
            "compare the file with the connector"
        )
    return variables


def _read(snapshot: Snapshot, out: StagedWriter, path: Path, header: list[str], records: int) -> pa.Table:
    """The lines as text columns with their `record_number` (line in the file); others are rejected."""
    torn: list[int] = []

    def reject(line: pacsv.InvalidRow) -> str:
        if len(torn) > REJECTED_LIMIT:
            return "error"
        torn.append(line.number)
        reason = f"expected {line.expected_columns} fields, found {line.actual_columns}"
        out.reject(TABLE, line.number, "row", line.text, reason)
        return "skip"

    try:
        lines = pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(use_threads=False, block_size=LINE_LIMIT_BYTES),
            parse_options=pacsv.ParseOptions(delimiter=";", newlines_in_values=True, invalid_row_handler=reject),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in header}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise _unreadable(snapshot, path, error) from error
    # The header is line 1.
    left_out = frozenset(torn)
    numbers = pa.array([number for number in range(2, records + 2) if number not in left_out], pa.int64())
    return lines.append_column("record_number", numbers)


def _unreadable(snapshot: Snapshot, path: Path, error: Exception) -> SnapshotRefused:
    return SnapshotRefused(
        f"{snapshot.source_id}: {snapshot.path.name}: {path.name}: expected UTF-8 CSV with lines of at most "
        f"{LINE_LIMIT_BYTES} bytes, {error}; ask the publisher again"
    )


def _stage(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region | None,
    lines: pa.Table,
    variables: list[int],
    table_code: str,
) -> None:
    """Judge the lines and write those that can be read; `region` where only its areas are in scope."""
    database = out.database()
    database.register("lines", lines)
    quality = "value_q" if "value_q" in lines.column_names else "''"
    read = " union all ".join(kind.sql(quality) for kind in _kinds_of_line(snapshot, database, variables))
    database.execute(
        f"create table judged as with read as ({read or _NO_LINES}) {_JUDGED}",
        {"marks": list(MARKS), "final": list(FINAL), "kreise": list(region.kreis_keys) if region else None},
    )
    outside = database.execute("select count(*) from judged where verdict = 'outside the region'").fetchall()[0][0]
    out.out_of_scope(TABLE, "outside the region", outside)
    rejected = database.execute(
        "select record_number, fault_column, fault_text, verdict from judged where fault_column is not null "
        "order by record_number"
    )
    for record_number, column, text, reason in rejected.fetchall():
        out.reject(TABLE, record_number, column, text, reason)
    database.register("spans", _spans(out, database))
    staged = database.execute(_STAGED, {"table_code": table_code})
    out.write(TABLE, staged.to_arrow_table())


@dataclass(frozen=True)
class _Kind:
    """Lines whose variables have the same codes: (number of the variable, its code), blank ones too."""

    codes: tuple[tuple[int, str], ...]

    def sql(self, quality: str) -> str:
        """What these lines say, with the area told apart from what else classifies the value."""
        areas = [(n, code) for n, code in self.codes if code in AREA_VARIABLES]
        others = sorted(
            ((n, code) for n, code in self.codes if code and code not in AREA_VARIABLES),
            key=lambda variable: variable[1],
        )
        parts = [(n, code) for n, code in others if _PART_OF_YEAR.match(code)]
        area, area_code = areas[0] if areas else (self.codes[0][0], "")
        named = ";".join(code for _, code in self.codes if code)
        return f"""
            select
                record_number, statistics_code, statistics_label, time_code, "time", trim(value) as value, value_unit,
                value_variable_code, value_variable_label, {quality} as quality,
                {len(areas)} as areas, {_literal(named)} as variable_codes, {_literal(area_code)} as area_variable_code,
                "{area}_variable_attribute_code" as area_code, "{area}_variable_attribute_label" as area_label,
                {_joined(others, label=False)} as attribute_codes,
                {_joined(others, label=True)} as attribute_labels,
                {_joined(parts, label=False)} as part_of_year
            from lines
            where {" and ".join(f'"{n}_variable_code" = {_literal(code)}' for n, code in self.codes)}
        """


# A month or a quarter may stand apart from its year, as a variable of its own.
_PART_OF_YEAR = re.compile("MONAT|QUART|HALBJ")


def _joined(variables: Sequence[tuple[int, str]], *, label: bool) -> str:
    """SQL for `VARIABLE=CODE;…`, or the same in words."""
    if not variables:
        return "''"
    if label:
        each = [f'"{n}_variable_label" || \'=\' || "{n}_variable_attribute_label"' for n, _ in variables]
    else:
        each = [f'{_literal(f"{code}=")} || "{n}_variable_attribute_code"' for n, code in variables]
    return " || ';' || ".join(each)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _kinds_of_line(snapshot: Snapshot, database: duckdb.DuckDBPyConnection, variables: list[int]) -> list[_Kind]:
    """The sets of variables that lines have; a line may leave some out: all fields of these are blank then."""
    columns = ", ".join(f'"{n}_variable_code"' for n in variables)
    found = database.execute(f"select distinct {columns} from lines order by all limit {KINDS_LIMIT + 1}").fetchall()
    if len(found) > KINDS_LIMIT:
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: lines with more than {KINDS_LIMIT} different sets of "
            "variables, expected a few; compare the file with the connector"
        )
    return [_Kind(tuple(zip(variables, codes, strict=True))) for codes in found]


def _spans(out: StagedWriter, database: duckdb.DuckDBPyConnection) -> pa.Table:
    """The days of each distinct period; periods that nobody can read are told, their values are staged all the same."""
    found = database.execute(_PERIODS).fetchall()
    spans = [span_of(period, codes) for period, codes, _ in found]
    unread = [(period, lines) for (period, _, lines), span in zip(found, spans, strict=True) if span is None]
    if unread:
        lines = sum(lines for _, lines in unread)
        out.unread(TABLE, "time", "expected a day, month, year or a period such as 2023-10P6M", lines, unread[0][0])
    return pa.table(
        {
            "period": pa.array([period for period, _, _ in found], pa.string()),
            "part_of_year": pa.array([codes for _, codes, _ in found], pa.string()),
            "first": pa.array([span and span[0] for span in spans], pa.date32()),
            "last": pa.array([span and span[1] for span in spans], pa.date32()),
        }
    )


_NO_LINES = """
    select
        0::bigint as record_number, '' as statistics_code, '' as statistics_label, '' as time_code, '' as "time",
        '' as value, '' as value_unit, '' as value_variable_code, '' as value_variable_label, '' as quality,
        0 as areas, '' as variable_codes, '' as area_variable_code, '' as area_code, '' as area_label,
        '' as attribute_codes, '' as attribute_labels, '' as part_of_year
    where false
"""

_JUDGED = """,
named as (
    select
        *,
        case when list_contains($marks, value) then value when not list_contains($final, quality) then quality end
            as value_mark,
        regexp_full_match(value, '-?[0-9]{1,15}(,[0-9]+)?') as is_number
    from read
),
judged as (
    select
        *,
        case
            when areas != 1 then 'expected one variable that names an area'
            when not regexp_full_match(area_code, 'DG|[0-9]{2,12}') then 'expected the key of an area'
            when $kreise is not null and not list_contains($kreise, substr(area_code, 1, 5))
                then 'outside the region'
            when not is_number and not list_contains($marks, value)
                then 'expected a number with a decimal comma or a sign'
            else 'fine'
        end as verdict
    from named
)
select
    *,
    case verdict
        when 'expected one variable that names an area' then 'variable_code'
        when 'expected the key of an area' then 'variable_attribute_code'
        when 'expected a number with a decimal comma or a sign' then 'value'
    end as fault_column,
    case verdict
        when 'expected one variable that names an area' then variable_codes
        when 'expected the key of an area' then area_code
        else value
    end as fault_text
from judged
"""

_PERIODS = """
select "time" as period, part_of_year, count(*)
from judged
where verdict = 'fine'
group by all
order by all
"""

_STAGED = """
select
    record_number,
    $table_code as table_code,
    statistics_code as statistic_code,
    statistics_label as statistic_label,
    time_code,
    "time" as period,
    spans.first as period_start_date,
    spans.last as period_end_date,
    area_variable_code,
    area_code,
    area_label,
    attribute_codes,
    attribute_labels,
    case when is_number then cast(replace(value, ',', '.') as double) end as value,
    value_mark,
    value_unit,
    value_variable_code,
    value_variable_label
from judged
left join spans on judged."time" = spans.period and judged.part_of_year = spans.part_of_year
where verdict = 'fine'
order by record_number
"""

CONNECTOR = Connector(
    name="genesis_ffcsv",
    version=4,
    payload="zip",
    tables=(TABLE,),
    parse=parse,
    request="genesis",
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
