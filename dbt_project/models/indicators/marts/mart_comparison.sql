-- Municipalities against each other, Kreise against each other: the latest period of an indicator that any of them has.
-- The best is first where the catalogue says what is better, else the largest; equal values share a rank.
with

newest as (
    select
        indicator_id,
        level,
        max(period_date) as period_date
    from {{ ref('int_indicator_value') }}
    where
        value is not null
        and level in ('municipality', 'kreis')
    group by indicator_id, level
),

values_of_date as (
    select
        told.indicator_id,
        told.area_id,
        told.level,
        told.period,
        told.period_date,
        told.value,
        told.unit,
        told.value_status,
        indicators.direction,
        case indicators.direction when 'less' then told.value else -told.value end as sort_value
    from {{ ref('int_indicator_value') }} as told
    inner join newest
        on
            told.indicator_id = newest.indicator_id
            and told.level = newest.level
            and told.period_date = newest.period_date
    inner join {{ ref('indicator') }} as indicators on told.indicator_id = indicators.indicator_id
    where told.value is not null
),

medians as (
    select
        indicator_id,
        level,
        count(*) as areas,
        {{ quantile('value', 0.5) }} as median
    from values_of_date
    group by indicator_id, level
),

peers as (
    select
        alike.ags,
        told.indicator_id,
        count(*) as peers,
        {{ quantile('told.value', 0.5) }} as median,
        {{ joined_texts('alike.similar_ags', 'alike.similar_ags') }} as similar_area_ids
    from {{ ref('int_similar_municipality') }} as alike
    inner join values_of_date as told on alike.similar_ags = told.area_id
    group by alike.ags, told.indicator_id
),

ranked as (
    select
        indicator_id,
        area_id,
        level,
        period,
        period_date,
        value,
        unit,
        value_status,
        direction,
        rank() over (
            partition by indicator_id, level
            order by sort_value asc
        ) as place
    from values_of_date
)

select
    ranked.area_id,
    ranked.indicator_id,
    ranked.level,
    ranked.period,
    ranked.value,
    ranked.unit,
    ranked.value_status,
    ranked.direction,
    cast(ranked.place as integer) as rank,
    cast(medians.areas as integer) as areas,
    case when medians.areas >= 4 then cast(ceil(4.0 * ranked.place / medians.areas) as integer) end as quartile,
    medians.median as region_median,
    ranked.value - medians.median as distance_to_median,
    peers.median as similar_median,
    ranked.value - peers.median as distance_to_similar,
    cast(coalesce(peers.peers, 0) as integer) as similar_areas,
    peers.similar_area_ids
from ranked
inner join medians
    on
        ranked.indicator_id = medians.indicator_id
        and ranked.level = medians.level
left join peers
    on
        ranked.area_id = peers.ags
        and ranked.indicator_id = peers.indicator_id
