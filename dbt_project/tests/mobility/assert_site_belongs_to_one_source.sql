-- The publisher's site id is the key: two publishers that use the same would be added up as one site.
with

told as (
    select
        site_id,
        source_id
    from {{ ref('stg_count_site') }}
    union
    select
        site_id,
        source_id
    from {{ ref('stg_count_reading') }}
)

select
    site_id,
    min(source_id) as first_source_id,
    max(source_id) as last_source_id
from told
group by site_id
having count(*) > 1
