"""Parse GENESIS flat files (ffcsv) of the Zensus, Regionalstatistik, Destatis and IT.NRW databases."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from connectors.archive import extract, files, open_zip
from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import REJECTED_LIMIT, StagedWriter
from connectors.tables import STATISTIC_VALUE as TABLE
from connectors.text import CsvRecords, text_lines, without_mojibake

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
    _stage(out, region if region_only else None, lines, variables, table_code)


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
    where = f"{snapshot.source_id}: {snapshot.path.name}: {path.name}"
    lines = CsvRecords(without_mojibake(text_lines(path, where), where), where, delimiter=";")
    return next(lines, []), sum(1 for line in lines if line)


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


def _stage(out: StagedWriter, region: Region | None, lines: pa.Table, variables: list[int], table_code: str) -> None:
    """Judge the lines and write those that can be read; `region` where only its areas are in scope."""
    database = out.database()
    database.register("lines", lines)
    database.execute(
        _JUDGED.format(
            variables=", ".join(_VARIABLE.format(n=n) for n in variables),
            quality="value_q" if "value_q" in lines.column_names else "''",
        ),
        {
            "area_variables": list(AREA_VARIABLES),
            "marks": list(MARKS),
            "final": list(FINAL),
            "kreise": list(region.kreis_keys) if region else None,
        },
    )
    outside = database.execute("select count(*) from judged where verdict = 'outside the region'").fetchall()[0][0]
    out.out_of_scope(TABLE, "outside the region", outside)
    rejected = database.execute(
        "select record_number, fault_column, fault_text, verdict from judged where fault_column is not null "
        "order by record_number"
    )
    for record_number, column, text, reason in rejected.fetchall():
        out.reject(TABLE, record_number, column, text, reason)
    staged = database.execute(_STAGED, {"table_code": table_code})
    out.write(TABLE, staged.to_arrow_table())


_VARIABLE = """{{
    'code': "{n}_variable_code", 'attribute': "{n}_variable_attribute_code",
    'name': "{n}_variable_label", 'label': "{n}_variable_attribute_label"
}}"""

# A line may leave a variable out: all its fields are blank then. Sorting structs sorts by their first field, the code.
_JUDGED = """
create table judged as
with listed as (
    select
        * exclude (value), trim(value) as value, {quality} as quality,
        list_filter([{variables}], lambda v: v.code != '') as variables
    from lines
),
split as (
    select
        *,
        list_filter(variables, lambda v: list_contains($area_variables, v.code)) as areas,
        list_sort(list_filter(variables, lambda v: not list_contains($area_variables, v.code))) as attributes
    from listed
),
named as (
    select
        *,
        areas[1] as area,
        case when list_contains($marks, value) then value when not list_contains($final, quality) then quality end
            as value_mark,
        regexp_full_match(value, '-?[0-9]{{1,15}}(,[0-9]+)?') as is_number
    from split
),
judged as (
    select
        *,
        case
            when len(areas) != 1 then 'expected one variable that names an area'
            when not regexp_full_match(area.attribute, 'DG|[0-9]{{2,12}}') then 'expected the key of an area'
            when $kreise is not null and not list_contains($kreise, substr(area.attribute, 1, 5))
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
        when 'expected one variable that names an area'
            then array_to_string(list_transform(variables, lambda v: v.code), ';')
        when 'expected the key of an area' then area.attribute
        else value
    end as fault_text
from judged
"""

_STAGED = """
select
    record_number,
    $table_code as table_code,
    statistics_code as statistic_code,
    statistics_label as statistic_label,
    time_code,
    "time" as period,
    area.code as area_variable_code,
    area.attribute as area_code,
    area.label as area_label,
    array_to_string(list_transform(attributes, lambda v: v.code || '=' || v.attribute), ';') as attribute_codes,
    array_to_string(list_transform(attributes, lambda v: v.name || '=' || v.label), ';') as attribute_labels,
    case when is_number then cast(replace(value, ',', '.') as double) end as value,
    value_mark,
    value_unit,
    value_variable_code,
    value_variable_label
from judged
where verdict = 'fine'
order by record_number
"""

CONNECTOR = Connector(
    name="genesis_ffcsv",
    version=3,
    payload="zip",
    tables=(TABLE,),
    parse=parse,
    request="genesis",
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
