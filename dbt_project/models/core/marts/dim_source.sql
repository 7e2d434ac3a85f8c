with

accounts as (
    select
        source_id,
        sum(case when outcome = 'read' then records else 0 end) as records_read,
        sum(case when outcome = 'staged' then records else 0 end) as records_staged,
        sum(case when outcome = 'rejected' then records else 0 end) as records_rejected,
        sum(case when outcome = 'out_of_scope' then records else 0 end) as records_out_of_scope
    from {{ ref('stg_record_account') }}
    group by source_id
),

covered as (
    select
        source_id,
        count(distinct ags) as covered_municipalities
    from {{ ref('stg_source_coverage') }}
    group by source_id
)

select
    catalogue.source_id,
    catalogue.title_de,
    catalogue.title_en,
    catalogue.domain,
    catalogue.publisher,
    catalogue.url,
    catalogue.licence,
    catalogue.licence_url,
    catalogue.attribution,
    catalogue.schedule,
    catalogue.priority,
    catalogue.fresh_for_days,
    catalogue.is_offered,
    catalogue.synthetic,
    coalesce(covered.covered_municipalities, 0) as covered_municipalities,
    state.snapshots_in_force,
    cast(coalesce(accounts.records_read, 0) as bigint) as records_read,
    cast(coalesce(accounts.records_staged, 0) as bigint) as records_staged,
    cast(coalesce(accounts.records_rejected, 0) as bigint) as records_rejected,
    cast(coalesce(accounts.records_out_of_scope, 0) as bigint) as records_out_of_scope,
    state.last_success_at,
    state.last_outcome
from {{ ref('stg_source_catalogue') }} as catalogue
inner join {{ ref('int_source_state') }} as state on catalogue.source_id = state.source_id
left join accounts on catalogue.source_id = accounts.source_id
left join covered on catalogue.source_id = covered.source_id
