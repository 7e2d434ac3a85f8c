-- How many channels an hour of a site and mode waits for, from one local date to the next: those that live then and
-- are no ghosts, the sum channels apart from the parts, these by direction. The days on which a channel begins and is
-- replaced are left out: it lives for a part of them.
with

channels as (
    select
        source_id,
        site_id,
        channel_id,
        mode,
        case
            when channel_role = 'sum' then 'sum'
            when direction in ('in', 'out', 'unknown') then direction
            else 'other'
        end as slot,
        greatest(valid_from, cast(first_value_date + interval 1 day as date)) as first_date,
        least(
            coalesce(valid_to, cast('9999-12-31' as date)),
            case
                when retired_at is not null then cast(last_value_date - interval 1 day as date)
                else cast(date_trunc('month', last_value_date) + interval 1 month - interval 1 day as date)
            end
        ) as last_date
    from {{ ref('int_channel_version') }}
    where
        channel_role <> 'ghost'
        and not tells_whole_days
        and first_value_date is not null
),

living as (
    select
        source_id,
        site_id,
        channel_id,
        mode,
        slot,
        first_date,
        last_date
    from channels
    where first_date <= last_date
),

bounds as (
    select
        site_id,
        mode,
        first_date as date
    from living
    union
    select
        site_id,
        mode,
        cast(last_date + interval 1 day as date) as date
    from living
),

segments as (
    select
        site_id,
        mode,
        date as first_date,
        lead(date) over (partition by site_id, mode order by date asc) as next_date
    from bounds
)

select
    segments.site_id,
    segments.mode,
    segments.first_date,
    cast(segments.next_date - interval 1 day as date) as last_date,
    cast(count(distinct case when living.slot = 'sum' then living.channel_id end) as integer) as sum_channels,
    cast(count(distinct case when living.slot = 'in' then living.channel_id end) as integer) as in_channels,
    cast(count(distinct case when living.slot = 'out' then living.channel_id end) as integer) as out_channels,
    cast(count(distinct case when living.slot = 'unknown' then living.channel_id end) as integer) as unknown_channels,
    cast(count(distinct case when living.slot = 'other' then living.channel_id end) as integer) as other_channels
from segments
inner join living
    on
        segments.site_id = living.site_id
        and segments.mode = living.mode
        and segments.first_date >= living.first_date
        and segments.first_date <= living.last_date
where segments.next_date is not null
group by segments.site_id, segments.mode, segments.first_date, segments.next_date
