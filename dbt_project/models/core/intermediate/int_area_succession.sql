-- sqlfluff:indentation:template_blocks_indent:False
-- Which of today's areas a former territory belongs to, and with which share: the declared changes followed one after
-- the other. An area's span ends on each day it hands territory on; what it keeps, it hands on to itself.
{%- set hops = 6 %}
with

changes as (
    select
        effective_date,
        former_area_id,
        area_id,
        cast(persons_share as double) as persons_share,
        cast(area_share as double) as area_share
    from {{ ref('int_area_change') }}
    where kind <> 'renaming'
),

ends as (
    select distinct
        former_area_id as area_id,
        effective_date
    from changes
),

spans as (
    select
        area_id,
        lag(effective_date) over (partition by area_id order by effective_date asc) as valid_from,
        effective_date as next_date
    from ends
    union all
    select
        areas.area_id,
        max(ends.effective_date) as valid_from,
        cast(null as date) as next_date
    from {{ ref('dim_area') }} as areas
    left join ends on areas.area_id = ends.area_id
    where areas.valid_to is null
    group by areas.area_id
),

walk_0 as (
    select
        area_id as from_area_id,
        valid_from,
        cast(next_date - interval 1 day as date) as valid_to,
        area_id,
        next_date,
        cast(1 as double) as persons_share,
        cast(1 as double) as area_share
    from spans
),

{% for hop in range(1, hops + 1) -%}
walk_{{ hop }} as (
    select
        walk.from_area_id,
        walk.valid_from,
        walk.valid_to,
        coalesce(changes.area_id, walk.area_id) as area_id,
        spans.next_date,
        walk.persons_share * coalesce(changes.persons_share, 1) as persons_share,
        walk.area_share * coalesce(changes.area_share, 1) as area_share
    from walk_{{ hop - 1 }} as walk
    left join changes
        on
            walk.area_id = changes.former_area_id
            and walk.next_date = changes.effective_date
    left join spans
        on
            changes.area_id = spans.area_id
            and coalesce(walk.next_date >= spans.valid_from, true)
            and coalesce(walk.next_date < spans.next_date, true)
),

{% endfor -%}

summed as (
    select
        from_area_id,
        valid_from,
        valid_to,
        area_id,
        -- More changes in a row than are followed: nobody knows where it went.
        max(next_date) is not null as is_unfinished,
        sum(persons_share) as persons_share,
        sum(area_share) as area_share
    from walk_{{ hops }}
    group by from_area_id, valid_from, valid_to, area_id
),

-- Whether the area was there before its last change, under the same key: then a value of an earlier day is of the
-- smaller territory; else it was reckoned back by the publisher.
created as (
    select
        area_id,
        max(effective_date) as created_date
    from {{ ref('int_area_change') }}
    where kind in ('merger', 'division', 'key_change')
    group by area_id
)

select
    summed.from_area_id,
    summed.valid_from,
    summed.valid_to,
    summed.area_id,
    summed.is_unfinished,
    case when summed.from_area_id = summed.area_id then created.created_date end as created_date,
    summed.persons_share,
    summed.area_share
from summed
left join created on summed.area_id = created.area_id
