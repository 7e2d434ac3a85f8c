-- A blank is shown as a blank with its reason: a municipality that nobody covers has a row of source `none`. A source
-- speaks for what the catalogue declares, and in part for every municipality that one of its points lies in: lines
-- cross borders.
with

places as (
    select
        municipalities.ags,
        domains.domain
    from {{ ref('dim_municipality') }} as municipalities
    cross join {{ ref('domain') }} as domains
),

speaking as (
    select
        source_id,
        ags,
        1 as is_declared
    from {{ ref('stg_source_coverage') }}
    union all
    select
        source_id,
        ags,
        0 as is_declared
    from {{ ref('stg_located_point') }}
    where ags is not null
),

spoken_for as (
    select
        source_id,
        ags,
        max(is_declared) = 1 as is_declared
    from speaking
    group by source_id, ags
),

covering as (
    select
        spoken_for.ags,
        state.source_id,
        state.domain,
        state.last_success_at,
        state.freshness_status,
        case
            when spoken_for.is_declared then state.reason
            when state.reason is null then 'in part: not among the municipalities the source declares'
            else concat('in part: not among the municipalities the source declares; ', state.reason)
        end as reason
    from spoken_for
    inner join {{ ref('int_source_state') }} as state on spoken_for.source_id = state.source_id
)

select
    places.ags,
    places.domain,
    coalesce(covering.source_id, 'none') as source_id,
    covering.last_success_at,
    coalesce(covering.freshness_status, 'none') as freshness_status,
    case
        when covering.source_id is null then 'no source of this domain covers the municipality'
        else covering.reason
    end as reason
from places
left join covering
    on
        places.ags = covering.ags
        and places.domain = covering.domain
