-- A display that the office has not written for longer than waiting_display_stale_min tells of an earlier moment: such
-- readings are counted, but no figure stands on them. Only the clock is displayed; one later than the reading is of the
-- day before.
with

readings as (
    select
        source_id,
        office_id,
        office_name,
        ags,
        read_local,
        waiting_persons,
        waiting_time_min,
        cast(extract(hour from read_local) as integer) * 60
        + cast(extract(minute from read_local) as integer) as read_minute,
        try_cast(substr(updated_clock, 1, 2) as integer) * 60
        + try_cast(substr(updated_clock, 4, 2) as integer) as updated_minute
    from {{ ref('stg_waiting_time_reading') }}
    qualify row_number() over (
        partition by source_id, office_id, read_local
        order by snapshot_sha256 asc, record_number asc
    ) = 1
),

aged as (
    select
        source_id,
        office_id,
        office_name,
        ags,
        read_local,
        waiting_persons,
        waiting_time_min,
        coalesce(
            case
                when updated_minute > read_minute then read_minute - updated_minute + 1440
                else read_minute - updated_minute
            end > {{ var('waiting_display_stale_min') }},
            false
        ) as is_stale
    from readings
)

select
    source_id,
    office_id,
    cast(read_local as date) as date,
    max(office_name) as office_name,
    max(ags) as ags,
    count(*) as readings,
    count(case when is_stale then 1 end) as stale_readings,
    min(read_local) as first_read_local,
    max(read_local) as last_read_local,
    avg(case when not is_stale then waiting_time_min end) as mean_waiting_time_min,
    {{ quantile('case when not is_stale then waiting_time_min end', 0.5) }} as median_waiting_time_min,
    max(case when not is_stale then waiting_time_min end) as max_waiting_time_min,
    avg(case when not is_stale then waiting_persons end) as mean_waiting_persons,
    max(case when not is_stale then waiting_persons end) as max_waiting_persons
from aged
group by source_id, office_id, cast(read_local as date)
