-- A new name is no new territory.
with

changes as (
    select
        effective_date,
        former_area_id,
        area_id
    from {{ ref('int_area_change') }}
    where kind <> 'renaming'
),

touched as (
    select
        area_id,
        effective_date
    from changes
    union all
    select
        former_area_id as area_id,
        effective_date
    from changes
)

select
    area_id,
    max(effective_date) as valid_from
from touched
group by area_id
