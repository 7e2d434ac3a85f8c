"""What a release's monitor says: how far the indicators of the 14 fields of action reach, and how its goals stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb


@dataclass(frozen=True)
class Coverage:
    """One indicator: of how many municipalities and Kreise there is a number, up to which period, else why not."""

    field_of_action: str
    field_title_de: str
    field_title_en: str
    indicator_id: str
    title_de: str
    title_en: str
    unit: str
    level: str
    municipalities: int
    municipalities_in_all: int
    kreise: int
    kreise_in_all: int
    latest_period: str | None
    periods: int
    source_ids: str | None
    reason: str | None


@dataclass(frozen=True)
class Goal:
    """One goal as mart_goal_progress has it."""

    goal_id: str
    area_id: str
    indicator_id: str
    target_value: float
    target_date: date
    latest_value: float | None
    latest_period: str | None
    share_of_way: float | None
    status: str
    reason: str


class MonitorMissing(RuntimeError):
    """The release is older than the monitor."""


# The reason told is that of most areas of the level at which the source tells it.
_COVERAGE = """
with areas as (
    select area_id, level from marts.dim_area where level in ('municipality', 'kreis', 'region')
),
sizes as (
    select
        count(*) filter (level = 'municipality') as municipalities,
        count(*) filter (level = 'kreis') as kreise
    from areas
),
told as (
    select m.indicator_id, a.level, m.area_id, m.period, m.period_date, m.value, m.reason, m.source_ids
    from marts.mart_indicator as m
    inner join areas as a on m.area_id = a.area_id
),
reasons as (
    select t.indicator_id, t.reason
    from told as t
    inner join marts.dim_indicator as i on t.indicator_id = i.indicator_id and t.level = i.level
    where t.value is null and t.reason is not null
    group by t.indicator_id, t.reason
    qualify row_number() over (partition by t.indicator_id order by count(distinct t.area_id) desc, t.reason) = 1
),
counted as (
    select
        indicator_id,
        count(distinct area_id) filter (level = 'municipality' and value is not null) as municipalities,
        count(distinct area_id) filter (level = 'kreis' and value is not null) as kreise,
        arg_max(period, period_date) filter (value is not null) as latest_period,
        count(distinct period) filter (value is not null) as periods
    from told
    group by indicator_id
),
speaking as (
    select t.indicator_id, string_agg(distinct t.source_ids, ' / ' order by t.source_ids) as source_ids
    from told as t
    inner join counted as c on t.indicator_id = c.indicator_id and t.period = c.latest_period
    where t.value is not null
    group by t.indicator_id
)
select
    i.field_of_action, i.field_title_de, i.field_title_en, i.indicator_id, i.title_de, i.title_en, i.unit, i.level,
    c.municipalities, s.municipalities, c.kreise, s.kreise, c.latest_period, c.periods, k.source_ids,
    case
        when case i.level when 'kreis' then c.kreise < s.kreise else c.municipalities < s.municipalities end
        then r.reason
    end
from marts.dim_indicator as i
inner join counted as c on i.indicator_id = c.indicator_id
cross join sizes as s
left join speaking as k on i.indicator_id = k.indicator_id
left join reasons as r on i.indicator_id = r.indicator_id
order by i.field_sort_order, i.indicator_id
"""

_GOALS = """
select
    goal_id, area_id, indicator_id, target_value, target_date, latest_value, latest_period, share_of_way, status, reason
from marts.mart_goal_progress
order by goal_id
"""


def coverage(warehouse: Path) -> list[Coverage]:
    """Every indicator of a release's DuckDB file with its coverage, in the order of the fields of action.

    Raises MonitorMissing where the release has no indicators yet.
    """
    return [Coverage(*row) for row in _rows(warehouse, _COVERAGE)]


def goals(warehouse: Path) -> list[Goal]:
    """Every goal of a release's DuckDB file; raises MonitorMissing where the release knows none yet."""
    return [Goal(*row) for row in _rows(warehouse, _GOALS)]


def _rows(warehouse: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(warehouse, read_only=True) as release:
        try:
            return release.execute(query).fetchall()
        except duckdb.CatalogException as error:
            raise MonitorMissing(f"{warehouse}: has no marts of the monitor; run the pipeline again") from error


def markdown(rows: list[Coverage]) -> str:
    """The coverage as a table of Markdown, a heading line per field of action."""
    lines = [
        "| indicator | unit | told for | municipalities | Kreise | latest | sources, or why there is none |",
        "| --- | --- | --- | ---: | ---: | --- | --- |",
    ]
    field = ""
    for row in rows:
        if row.field_of_action != field:
            field = row.field_of_action
            lines.append(f"| **{row.field_title_en}** ({row.field_title_de}) | | | | | | |")
        lines.append(
            f"| `{row.indicator_id}`: {row.title_en} | {row.unit} | {row.level} "
            f"| {row.municipalities}/{row.municipalities_in_all} | {row.kreise}/{row.kreise_in_all} "
            f"| {row.latest_period or '–'} | {row.source_ids or row.reason} |"
        )
    return "\n".join(lines) + "\n"
