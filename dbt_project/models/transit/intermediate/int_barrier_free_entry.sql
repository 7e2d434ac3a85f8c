-- The entries of the lists of barrier-free stops in force, with the key their name is compared by.
with

entries as (
    select
        source_id,
        snapshot_sha256,
        entry_id,
        name,
        longitude,
        latitude,
        info
    from {{ ref('stg_barrier_free_stop') }}
    qualify row_number() over (
        partition by source_id, entry_id
        order by snapshot_sha256 asc, record_number asc
    ) = 1
),

located as (
    select
        source_id,
        snapshot_sha256,
        entity_id as entry_id,
        min(ags) as ags
    from {{ ref('stg_located_point') }}
    where entity = 'barrier_free_stop'
    group by source_id, snapshot_sha256, entity_id
)

select
    entries.source_id,
    entries.snapshot_sha256,
    entries.entry_id,
    entries.name,
    entries.longitude,
    entries.latitude,
    entries.info,
    located.ags,
    {{ stop_name_key('entries.name', "coalesce(municipalities.name, '')") }} as name_key
from entries
left join located
    on
        entries.source_id = located.source_id
        and entries.snapshot_sha256 = located.snapshot_sha256
        and entries.entry_id = located.entry_id
left join {{ ref('dim_municipality') }} as municipalities on located.ags = municipalities.ags
