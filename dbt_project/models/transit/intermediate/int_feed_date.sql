-- Per service date one version of a feed speaks: of those valid that day the newest, else the newest whose calendars
-- reach it.
with

candidates as (
    select
        versions.source_id,
        versions.snapshot_sha256,
        versions.age,
        dates.date as service_date,
        dates.date between versions.valid_from and versions.valid_to as is_valid
    from {{ ref('int_feed_version') }} as versions
    inner join {{ ref('dim_date') }} as dates
        on
            dates.date
            between least(versions.valid_from, versions.first_service_date)
            and greatest(versions.valid_to, versions.last_service_date)
)

select
    source_id,
    service_date,
    snapshot_sha256
from candidates
qualify row_number() over (
    partition by source_id, service_date
    order by case when is_valid then 0 else 1 end asc, age asc
) = 1
