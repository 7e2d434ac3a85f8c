-- Nothing is lost and nothing doubled: what the channels that speak report is what the hours hold, merged readings of
-- autumn and hours beyond as_of included. Sites that are taken over were looked at when they were computed.
with

reported as (
    select
        versions.site_id,
        versions.mode,
        hours.hour_at,
        sum(case when versions.channel_role = 'sum' then hours.count end) as sum_count,
        sum(case when versions.channel_role <> 'sum' then hours.count end) as parts_count
    from {{ ref('int_channel_hour') }} as hours
    inner join {{ ref('int_channel_version') }} as versions
        on
            hours.source_id = versions.source_id
            and hours.site_id = versions.site_id
            and hours.channel_id = versions.channel_id
            and hours.date >= versions.valid_from
            and hours.date <= coalesce(versions.valid_to, cast('9999-12-31' as date))
    left join {{ ref('int_silent_source') }} as silent
        on
            hours.source_id = silent.source_id
            and hours.site_id = silent.site_id
            and hours.mode = silent.mode
            and hours.date = silent.date
    where silent.site_id is null
    group by versions.site_id, versions.mode, hours.hour_at
),

totals as (
    select
        site_id,
        mode,
        sum(coalesce(sum_count, parts_count)) as count
    from reported
    group by site_id, mode
),

released as (
    select
        hours.site_id,
        hours.mode,
        sum(hours.count) as count
    from {{ ref('fct_count_hour') }} as hours
    inner join {{ ref('int_site_batch') }} as batches on hours.site_id = batches.site_id
    where
        hours.direction = 'both'
        and batches.batch_number is not null
    group by hours.site_id, hours.mode
)

select
    released.site_id,
    released.mode,
    totals.count as reported_count,
    released.count as released_count
from released
left join totals
    on
        released.site_id = totals.site_id
        and released.mode = totals.mode
where totals.count is null or totals.count <> released.count
