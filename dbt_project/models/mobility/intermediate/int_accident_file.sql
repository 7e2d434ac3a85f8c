-- The years whose file is in force, and whether it has this state: a file that has no line of the state, neither in the
-- region nor outside of it, says nothing of the region. North Rhine-Westphalia is in the atlas from 2019 on.
with

years as (
    select
        source_id,
        snapshot_sha256,
        split_part(partition, 'year=', 2) as year
    from {{ ref('stg_snapshot_in_force') }}
    where partition like '%year=%'
),

accounts as (
    select
        source_id,
        snapshot_sha256,
        sum(
            case
                when outcome in ('staged', 'rejected') then records
                when outcome = 'out_of_scope' and reason = 'outside the region' then records
                else 0
            end
        ) as state_records
    from {{ ref('stg_record_account') }}
    where table_name = 'accident'
    group by source_id, snapshot_sha256
)

select
    cast(years.year as integer) as year,
    max(accounts.state_records) > 0 as has_state
from years
inner join accounts
    on
        years.source_id = accounts.source_id
        and years.snapshot_sha256 = accounts.snapshot_sha256
group by years.year
