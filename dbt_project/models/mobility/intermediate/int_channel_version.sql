-- What a channel means from one local date to the next: what the files say, where the source's `topology` declares
-- nothing else. A version ends the day before the next begins; the last one is open.
--
-- A channel lives from its first value to its last one where others of its role, mode and direction count on, as they
-- do after a change of devices, else to the end of that month: outside it is not waited for. Ghosts are channels that
-- are filled for moments only, or never, beside one that counts: no hour waits for them. A direction that turns
-- round in the labels (in to out or out to in) is followed, for the label is what the publisher says, but it is
-- believed only once `topology` declares what holds.
with

days as (
    select
        days.source_id,
        days.site_id,
        days.channel_id,
        days.date,
        days.channel_label,
        days.channel_role as told_role,
        days.mode as told_mode,
        days.direction as told_direction,
        coalesce(declared.channel_role, days.channel_role) as channel_role,
        coalesce(declared.mode, days.mode) as mode,
        coalesce(declared.direction, days.direction) as direction,
        declared.declaration,
        declared.channel_role as declared_role,
        declared.direction as declared_direction,
        days.first_value_at,
        days.last_value_at,
        days.intervals_measured,
        days.intervals_expected,
        days.intervals_per_hour
    from {{ ref('int_channel_day') }} as days
    left join {{ ref('stg_count_topology') }} as declared
        on
            days.source_id = declared.source_id
            and days.site_id = declared.site_id
            and days.channel_id = declared.channel_id
            and days.date >= declared.first_date
            and days.date <= coalesce(declared.last_date, cast('9999-12-31' as date))
    -- Where a day is labelled in two ways, the fuller label speaks.
    qualify row_number() over (
        partition by days.source_id, days.site_id, days.channel_id, days.date
        order by
            days.intervals_measured desc,
            days.channel_role asc,
            days.mode asc,
            days.direction asc,
            days.channel_label asc
    ) = 1
),

meanings as (
    select
        source_id,
        site_id,
        channel_id,
        date,
        channel_label,
        told_role,
        told_mode,
        told_direction,
        channel_role,
        mode,
        direction,
        declaration,
        declared_role,
        declared_direction,
        intervals_measured,
        intervals_expected,
        concat_ws(
            '/', told_role, told_mode, told_direction, channel_role, mode, direction, declaration, channel_label
        ) as meaning
    from days
),

changes as (
    select
        source_id,
        site_id,
        channel_id,
        date,
        channel_label,
        told_role,
        told_mode,
        told_direction,
        channel_role,
        mode,
        direction,
        declaration,
        declared_role,
        declared_direction,
        intervals_measured,
        intervals_expected,
        case
            when meaning = lag(meaning) over (partition by source_id, site_id, channel_id order by date asc)
                then 0
            else 1
        end as is_change
    from meanings
),

numbered as (
    select
        source_id,
        site_id,
        channel_id,
        date,
        channel_label,
        told_role,
        told_mode,
        told_direction,
        channel_role,
        mode,
        direction,
        declaration,
        declared_role,
        declared_direction,
        intervals_measured,
        intervals_expected,
        sum(is_change) over (
            partition by source_id, site_id, channel_id
            order by date asc
            rows between unbounded preceding and current row
        ) as version_number
    from changes
),

versions as (
    select
        source_id,
        site_id,
        channel_id,
        version_number,
        min(date) as first_date,
        max(date) as last_date,
        min(channel_label) as channel_label,
        min(told_role) as told_role,
        min(told_mode) as told_mode,
        min(told_direction) as told_direction,
        min(channel_role) as channel_role,
        min(mode) as mode,
        min(direction) as direction,
        min(declaration) as declaration,
        min(declared_role) as declared_role,
        min(declared_direction) as declared_direction
    from numbered
    group by source_id, site_id, channel_id, version_number
),

lives as (
    select
        source_id,
        site_id,
        channel_id,
        min(case when intervals_measured > 0 then date end) as first_value_date,
        max(case when intervals_measured > 0 then date end) as last_value_date,
        min(first_value_at) as first_value_at,
        max(last_value_at) as last_value_at,
        max(intervals_per_hour) is null as tells_whole_days,
        sum(intervals_measured) / cast(sum(intervals_expected) as double) as filled_share,
        max(sum(intervals_measured) / cast(sum(intervals_expected) as double)) over (
            partition by site_id
        ) as most_filled_share
    from days
    group by source_id, site_id, channel_id
),

turned as (
    select
        source_id,
        site_id,
        channel_id,
        version_number,
        lag(channel_label) over (
            partition by source_id, site_id, channel_id
            order by version_number asc
        ) as former_label,
        lag(told_role) over (
            partition by source_id, site_id, channel_id
            order by version_number asc
        ) as former_role,
        lag(told_mode) over (
            partition by source_id, site_id, channel_id
            order by version_number asc
        ) as former_mode,
        lag(told_direction) over (
            partition by source_id, site_id, channel_id
            order by version_number asc
        ) as former_direction,
        lead(first_date) over (
            partition by source_id, site_id, channel_id
            order by version_number asc
        ) as next_date,
        -- The side it was labelled with before, and the one it was taken for first: 1 in, 0 out.
        max(
            case told_direction
                when 'in' then version_number * 2 + 1
                when 'out' then version_number * 2
            end
        ) over (
            partition by source_id, site_id, channel_id
            order by version_number asc
            rows between unbounded preceding and 1 preceding
        ) % 2 as former_side,
        min(
            case direction
                when 'in' then version_number * 2 + 1
                when 'out' then version_number * 2
            end
        ) over (partition by source_id, site_id, channel_id) % 2 as first_side
    from versions
),

meant as (
    select
        versions.source_id,
        versions.site_id,
        versions.channel_id,
        cast(versions.version_number as integer) as version_number,
        versions.first_date as valid_from,
        cast(turned.next_date - interval 1 day as date) as valid_to,
        versions.last_date,
        versions.channel_label,
        case
            when versions.declared_role is not null then versions.declared_role
            when
                lives.filled_share < {{ var('ghost_filled_share') }}
                and lives.most_filled_share >= {{ var('living_filled_share') }}
                then 'ghost'
            else versions.channel_role
        end as channel_role,
        versions.mode,
        versions.direction,
        versions.declaration,
        versions.told_role,
        versions.told_mode,
        versions.told_direction,
        turned.former_label,
        turned.former_role,
        turned.former_mode,
        turned.former_direction,
        coalesce(
            (versions.told_direction = 'in' and turned.former_side = 0)
            or (versions.told_direction = 'out' and turned.former_side = 1),
            false
        ) as is_turned,
        coalesce(
            versions.declared_direction is null
            and (
                (versions.direction = 'in' and turned.first_side = 0)
                or (versions.direction = 'out' and turned.first_side = 1)
            ),
            false
        ) as is_doubted,
        lives.first_value_date,
        lives.last_value_date,
        lives.first_value_at,
        lives.last_value_at,
        lives.tells_whole_days,
        cast(lives.filled_share as double) as filled_share
    from versions
    inner join turned
        on
            versions.source_id = turned.source_id
            and versions.site_id = turned.site_id
            and versions.channel_id = turned.channel_id
            and versions.version_number = turned.version_number
    inner join lives
        on
            versions.source_id = lives.source_id
            and versions.site_id = lives.site_id
            and versions.channel_id = lives.channel_id
)

select
    source_id,
    site_id,
    channel_id,
    version_number,
    valid_from,
    valid_to,
    last_date,
    channel_label,
    channel_role,
    mode,
    direction,
    declaration,
    told_role,
    told_mode,
    told_direction,
    former_label,
    former_role,
    former_mode,
    former_direction,
    is_turned,
    is_doubted,
    first_value_date,
    last_value_date,
    first_value_at,
    last_value_at,
    tells_whole_days,
    filled_share,
    -- Null where the channel is waited for to the end of the month of its last value.
    case
        when max(last_value_at) over (partition by site_id, mode, channel_role, direction) > last_value_at
            then last_value_at
    end as retired_at
from meant
