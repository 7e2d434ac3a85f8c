-- What an area hands on is all of it: the shares of a day add up to 1, and each belongs to one of
-- today's areas in the end.
with

given as (
    select
        effective_date,
        former_area_id,
        sum(persons_share) as persons_share,
        sum(area_share) as area_share
    from {{ ref('int_area_change') }}
    group by effective_date, former_area_id
),

lost as (
    select
        succession.from_area_id,
        succession.valid_to
    from {{ ref('int_area_succession') }} as succession
    inner join {{ ref('dim_area') }} as areas on succession.area_id = areas.area_id
    where areas.valid_to is not null
)

select
    former_area_id as area_id,
    effective_date
from given
where persons_share <> 1 or area_share <> 1
union all
select
    from_area_id as area_id,
    valid_to as effective_date
from lost
