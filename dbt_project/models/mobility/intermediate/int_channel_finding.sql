-- What changes in the channels of a site from file to file, and channels that say nothing.
with

versions as (
    select
        versions.source_id,
        versions.site_id,
        versions.channel_id,
        versions.version_number,
        versions.valid_from,
        versions.valid_to,
        versions.last_date,
        versions.channel_label,
        versions.channel_role,
        versions.mode,
        versions.direction,
        versions.declaration,
        versions.told_role,
        versions.told_mode,
        versions.told_direction,
        versions.former_label,
        versions.former_role,
        versions.former_mode,
        versions.former_direction,
        versions.is_turned,
        versions.is_doubted,
        versions.last_value_date,
        min(versions.valid_from) over (partition by versions.source_id, versions.site_id) as site_first_date,
        max(versions.last_date) over (partition by versions.source_id, versions.site_id) as site_last_date,
        max(versions.last_value_date) over (partition by versions.source_id, versions.site_id) as site_last_value_date
    from {{ ref('int_channel_version') }} as versions
),

column_counts as (
    select
        source_id,
        site_id,
        date,
        count(distinct channel_id) as channels
    from {{ ref('int_channel_day') }}
    group by source_id, site_id, date
),

column_changes as (
    select
        source_id,
        site_id,
        date,
        channels,
        lag(channels) over (partition by source_id, site_id order by date asc) as former_channels
    from column_counts
),

ghosts as (
    select
        versions.source_id,
        versions.site_id,
        versions.channel_id,
        min(versions.mode) as mode,
        min(versions.direction) as direction,
        min(versions.channel_label) as channel_label,
        min(days.date) as first_date,
        max(days.date) as last_date,
        coalesce(sum(days.count), 0) as count
    from versions
    inner join {{ ref('int_channel_day') }} as days
        on
            versions.source_id = days.source_id
            and versions.site_id = days.site_id
            and versions.channel_id = days.channel_id
            and versions.valid_from <= days.date
            and days.date <= coalesce(versions.valid_to, cast('9999-12-31' as date))
    where versions.channel_role = 'ghost'
    group by versions.source_id, versions.site_id, versions.channel_id
),

site_sums as (
    select
        ghosts.source_id,
        ghosts.site_id,
        ghosts.channel_id,
        sum(days.count) as count
    from ghosts
    inner join {{ ref('int_channel_day') }} as ghost_days
        on
            ghosts.source_id = ghost_days.source_id
            and ghosts.site_id = ghost_days.site_id
            and ghosts.channel_id = ghost_days.channel_id
            and ghost_days.count > 0
    inner join {{ ref('int_channel_day') }} as days
        on
            ghost_days.source_id = days.source_id
            and ghost_days.site_id = days.site_id
            and ghost_days.date = days.date
            and days.channel_role = 'sum'
    group by ghosts.source_id, ghosts.site_id, ghosts.channel_id
)

select
    source_id,
    site_id,
    channel_id,
    mode,
    direction,
    valid_from as first_date,
    valid_from as last_date,
    case
        when told_role <> former_role or told_mode <> former_mode or told_direction <> former_direction
            then 'meaning_changed'
        when told_role = 'sum' then 'site_renamed'
        when levenshtein(former_label, channel_label) <= 2 then 'label_spelling'
        else 'label_changed'
    end as code,
    cast(null as double) as amount,
    cast(null as double) as reference_amount,
    concat(
        former_label, ' (', former_role, ', ', former_mode, ', ', former_direction, ') → ',
        channel_label, ' (', told_role, ', ', told_mode, ', ', told_direction, ')'
    ) as detail
from versions
where
    channel_role <> 'ghost'
    and not is_turned
    and (
        former_label <> channel_label
        or told_role <> former_role
        or told_mode <> former_mode
        or told_direction <> former_direction
    )
union all
select
    source_id,
    site_id,
    channel_id,
    mode,
    direction,
    valid_from as first_date,
    coalesce(valid_to, last_date) as last_date,
    'direction_swapped' as code,
    cast(null as double) as amount,
    cast(null as double) as reference_amount,
    case
        when is_doubted
            then
                concat(
                    'labelled ', channel_label, ', before ', coalesce(former_label, channel_label),
                    ': declare in topology which direction it is; till then it is not validated'
                )
        else
            concat(
                'labelled ', channel_label, ', before ', coalesce(former_label, channel_label),
                ': declared or settled, taken for ', direction
            )
    end as detail
from versions
where
    channel_role = 'part'
    and (is_turned or is_doubted)
union all
select
    source_id,
    site_id,
    channel_id,
    mode,
    direction,
    valid_from as first_date,
    valid_from as last_date,
    'new_channel' as code,
    cast(null as double) as amount,
    cast(null as double) as reference_amount,
    concat('labelled ', channel_label) as detail
from versions
where
    version_number = 1
    and channel_role <> 'ghost'
    and valid_from > site_first_date
union all
select
    source_id,
    site_id,
    channel_id,
    mode,
    direction,
    last_value_date as first_date,
    site_last_date as last_date,
    'vanished_channel' as code,
    cast(null as double) as amount,
    cast(null as double) as reference_amount,
    concat(
        'labelled ', channel_label, ', last value on ', cast(last_value_date as varchar),
        case when last_date < site_last_date then ', no longer a column' else ', a column without values since' end
    ) as detail
from versions
where
    valid_to is null
    and channel_role <> 'ghost'
    and date_trunc('month', last_value_date) < date_trunc('month', site_last_value_date)
union all
select
    source_id,
    site_id,
    cast(null as varchar) as channel_id,
    cast(null as varchar) as mode,
    cast(null as varchar) as direction,
    date as first_date,
    date as last_date,
    'channels_changed' as code,
    cast(channels as double) as amount,
    cast(former_channels as double) as reference_amount,
    'channels from this day on, and before' as detail
from column_changes
where channels <> former_channels
union all
select
    ghosts.source_id,
    ghosts.site_id,
    ghosts.channel_id,
    ghosts.mode,
    ghosts.direction,
    ghosts.first_date,
    ghosts.last_date,
    'ghost_channel' as code,
    cast(ghosts.count as double) as amount,
    cast(site_sums.count as double) as reference_amount,
    concat(
        'labelled ', ghosts.channel_label, ': counted in all that time, of the sum channel on the days with a count'
    ) as detail
from ghosts
left join site_sums
    on
        ghosts.source_id = site_sums.source_id
        and ghosts.site_id = site_sums.site_id
        and ghosts.channel_id = site_sums.channel_id
