-- A blank is shown as a blank with its reason: a municipality that nobody covers has a row of source `none`.
with

places as (
    select
        municipalities.ags,
        domains.domain
    from {{ ref('dim_municipality') }} as municipalities
    cross join {{ ref('domain') }} as domains
),

covering as (
    select distinct
        coverage.ags,
        state.source_id,
        state.domain,
        state.last_success_at,
        state.freshness_status,
        state.reason
    from {{ ref('stg_source_coverage') }} as coverage
    inner join {{ ref('int_source_state') }} as state on coverage.source_id = state.source_id
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
