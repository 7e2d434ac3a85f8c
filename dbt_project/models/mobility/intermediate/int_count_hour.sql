-- What was reported per site, mode, direction and hour: every hour of the site's months, up to the day of as_of where
-- the last month still runs. `both` is the sum channel where it has a value in the hour, else the parts, never the two
-- together. An hour is measured as far as its least measured channel; a channel it waits for that has no line is not
-- measured at all. Ghosts count in the sum of parts alone, where no sum channel tells what they hold.
--
-- A merged reading of autumn holds both passes of the repeated hour: the first pass gets the larger half, the second
-- the rest, the sum stays. `marks` adds up: 1 status other than blank or 0, 2 merged, 4 scaled, 8 flagged, 16 dropped,
-- 32 direction turned round and not declared.
{%- set parts = ['in', 'out', 'unknown', 'other'] -%}
{%- set slots = ['sum'] + parts %}
with

versions as (
    select
        source_id,
        site_id,
        channel_id,
        mode,
        channel_role,
        case
            when channel_role in ('sum', 'ghost') then channel_role
            when direction in ('in', 'out', 'unknown') then direction
            else 'other'
        end as slot,
        valid_from,
        valid_to,
        is_doubted,
        first_value_at,
        last_value_date,
        retired_at
    from {{ ref('int_channel_version') }}
),

shared_slots as (
    select
        site_id,
        mode,
        slot
    from versions
    group by site_id, mode, slot
    having count(distinct concat(source_id, '/', channel_id)) > 1
),

channel_hours as (
    select
        hours.site_id,
        versions.mode,
        hours.hour_at,
        versions.slot,
        shared_slots.slot is not null as is_shared,
        hours.count,
        case
            when corrections.action = 'scale' then cast(round(hours.count * corrections.factor) as bigint)
            else hours.count
        end as count_corrected,
        case when corrections.action = 'drop' then 0 else hours.intervals_measured end as intervals_measured,
        hours.intervals_expected,
        case when hours.has_status then 1 else 0 end
        + case when hours.is_merged then 2 else 0 end
        + case corrections.action when 'scale' then 4 when 'flag' then 8 when 'drop' then 16 else 0 end
        + case when versions.is_doubted and versions.channel_role = 'part' then 32 else 0 end as marks
    from {{ ref('int_channel_hour') }} as hours
    inner join versions
        on
            hours.source_id = versions.source_id
            and hours.site_id = versions.site_id
            and hours.channel_id = versions.channel_id
            and hours.date >= versions.valid_from
            and hours.date <= coalesce(versions.valid_to, cast('9999-12-31' as date))
    left join shared_slots
        on
            versions.site_id = shared_slots.site_id
            and versions.mode = shared_slots.mode
            and versions.slot = shared_slots.slot
    left join {{ ref('int_silent_source') }} as silent
        on
            hours.source_id = silent.source_id
            and hours.site_id = silent.site_id
            and hours.mode = silent.mode
            and hours.date = silent.date
    left join {{ ref('int_corrected_channel') }} as corrections
        on
            hours.source_id = corrections.source_id
            and hours.site_id = corrections.site_id
            and hours.channel_id = corrections.channel_id
            and hours.hour_at >= corrections.first_at
            and hours.hour_at < corrections.until_at
    where
        silent.site_id is null
        and hours.hour_at >= versions.first_value_at
        and hours.hour_at <= coalesce(versions.retired_at, hours.hour_at)
        and date_trunc('month', hours.date) <= date_trunc('month', versions.last_value_date)
),

-- Most slots have one channel, and nothing to add up.
slot_hours as (
    select
        site_id,
        mode,
        slot,
        hour_at,
        intervals_expected,
        count,
        count_corrected as corrected,
        intervals_measured as measured,
        1 as channels,
        marks
    from channel_hours
    where not is_shared
    union all
    select
        site_id,
        mode,
        slot,
        hour_at,
        max(intervals_expected) as intervals_expected,
        cast(sum(count) as bigint) as count,
        cast(sum(count_corrected) as bigint) as corrected,
        min(intervals_measured) as measured,
        count(*) as channels,
        bit_or(marks) as marks
    from channel_hours
    where is_shared
    group by site_id, mode, slot, hour_at
),

directions as (
    select distinct
        site_id,
        mode,
        direction
    from {{ ref('int_channel_version') }}
    where
        channel_role = 'part'
        and direction in ('in', 'out', 'unknown')
        and not tells_whole_days
        and first_value_date is not null
    union
    select
        site_id,
        mode,
        'both' as direction
    from {{ ref('int_channel_version') }}
    where
        channel_role <> 'ghost'
        and not tells_whole_days
        and first_value_date is not null
),

modes as (
    select distinct
        site_id,
        mode
    from directions
),

spine as (
    select
        windows.site_id,
        modes.mode,
        hours.hour_at,
        hours.hour_local,
        hours.date,
        hours.hour_of_week,
        hours.season,
        windows.intervals_expected
    from {{ ref('int_site_window') }} as windows
    inner join modes on windows.site_id = modes.site_id
    inner join {{ ref('int_hour') }} as hours on hours.month between windows.first_month and windows.last_month
    where hours.hour_at < greatest({{ as_of_day() }}, windows.last_hour_at + interval 1 hour)
),

-- Beside each other by joins, of which those of slots that no channel fills cost nothing. Of channels that an hour
-- waits for and that have no line nothing is measured.
slots_of_hours as (
    select
        {%- for slot in slots %}
            {{ slot }}_hours.count as {{ slot }}_count,
            {{ slot }}_hours.corrected as {{ slot }}_corrected,
            {{ slot }}_hours.marks as {{ slot }}_marks,
            case
                when coalesce({{ slot }}_hours.channels, 0) >= coalesce(composition.{{ slot }}_channels, 0)
                    then {{ slot }}_hours.measured
                else 0
            end as {{ slot }}_measured,
        {%- endfor %}
        spine.site_id,
        spine.mode,
        spine.hour_at,
        spine.hour_local,
        spine.date,
        spine.hour_of_week,
        spine.season,
        coalesce(
            greatest(
                sum_hours.intervals_expected,
                in_hours.intervals_expected,
                out_hours.intervals_expected,
                unknown_hours.intervals_expected,
                other_hours.intervals_expected,
                ghost_hours.intervals_expected
            ),
            spine.intervals_expected
        ) as intervals_expected,
        ghost_hours.count as ghost_count,
        ghost_hours.corrected as ghost_corrected
    from spine
    left join {{ ref('int_site_composition') }} as composition
        on
            spine.site_id = composition.site_id
            and spine.mode = composition.mode
            and spine.date >= composition.first_date
            and spine.date <= composition.last_date
    {%- for slot in slots + ['ghost'] %}
        left join slot_hours as {{ slot }}_hours
            on
                spine.site_id = {{ slot }}_hours.site_id
                and spine.mode = {{ slot }}_hours.mode
                and spine.hour_at = {{ slot }}_hours.hour_at
                and {{ slot }}_hours.slot = '{{ slot }}'
    {%- endfor %}
),

both_hours as (
    select
        {%- for direction in ['in', 'out', 'unknown'] %}
            {{ direction }}_count,
            {{ direction }}_corrected,
            {{ direction }}_measured,
            {{ direction }}_marks,
        {%- endfor %}
        site_id,
        mode,
        hour_at,
        hour_local,
        date,
        hour_of_week,
        season,
        intervals_expected,
        case
            when sum_count is not null then sum_count
            when coalesce(in_count, out_count, unknown_count, other_count, ghost_count) is not null
                then
                    coalesce(in_count, 0) + coalesce(out_count, 0) + coalesce(unknown_count, 0)
                    + coalesce(other_count, 0) + coalesce(ghost_count, 0)
        end as both_count,
        case
            when sum_count is not null then sum_corrected
            when coalesce(in_count, out_count, unknown_count, other_count, ghost_count) is not null
                then
                    coalesce(in_corrected, 0) + coalesce(out_corrected, 0) + coalesce(unknown_corrected, 0)
                    + coalesce(other_corrected, 0) + coalesce(ghost_corrected, 0)
        end as both_corrected,
        case
            when sum_count is not null then sum_measured
            else coalesce(least(in_measured, out_measured, unknown_measured, other_measured), sum_measured)
        end as both_measured,
        -- Added up, the directions are right, whichever of them is which.
        case
            when sum_count is not null then sum_marks
            else
                (coalesce(in_marks, 0) | coalesce(out_marks, 0) | coalesce(unknown_marks, 0) | coalesce(other_marks, 0))
                & 31
        end as both_marks
    from slots_of_hours
),

second_passes as (
    select
        {%- for direction in ['both', 'in', 'out', 'unknown'] %}
            case when {{ direction }}_marks & 2 > 0 then {{ direction }}_count end as {{ direction }}_count,
            case when {{ direction }}_marks & 2 > 0 then {{ direction }}_corrected end as {{ direction }}_corrected,
            case when {{ direction }}_marks & 2 > 0 then {{ direction }}_measured end as {{ direction }}_measured,
            case when {{ direction }}_marks & 2 > 0 then {{ direction }}_marks end as {{ direction }}_marks,
        {%- endfor %}
        site_id,
        mode,
        hour_at + interval 1 hour as hour_at,
        intervals_expected
    from both_hours
    where
        (coalesce(both_marks, 0) | coalesce(in_marks, 0) | coalesce(out_marks, 0) | coalesce(unknown_marks, 0))
        & 2 > 0
),

filled as (
    select
        {%- for column in ['count', 'corrected', 'measured', 'marks'] %}
            case directions.direction
                when 'both' then hours.both_{{ column }}
                when 'in' then hours.in_{{ column }}
                when 'out' then hours.out_{{ column }}
                else hours.unknown_{{ column }}
            end as first_{{ column }},
            case directions.direction
                when 'both' then second_passes.both_{{ column }}
                when 'in' then second_passes.in_{{ column }}
                when 'out' then second_passes.out_{{ column }}
                else second_passes.unknown_{{ column }}
            end as second_{{ column }},
        {%- endfor %}
        hours.site_id,
        hours.mode,
        directions.direction,
        hours.hour_at,
        hours.hour_local,
        hours.date,
        hours.hour_of_week,
        hours.season,
        coalesce(second_passes.intervals_expected, hours.intervals_expected) as intervals_expected
    from both_hours as hours
    inner join directions
        on
            hours.site_id = directions.site_id
            and hours.mode = directions.mode
    left join second_passes
        on
            hours.site_id = second_passes.site_id
            and hours.mode = second_passes.mode
            and hours.hour_at = second_passes.hour_at
),

split as (
    select
        {%- for column in ['count', 'corrected'] %}
            case
                when first_marks & 2 > 0 then first_{{ column }} - cast(floor(first_{{ column }} / 2.0) as bigint)
                when second_{{ column }} is not null
                    then cast(floor(second_{{ column }} / 2.0) as bigint) + coalesce(first_{{ column }}, 0)
                else first_{{ column }}
            end as {{ column }},
        {%- endfor %}
        site_id,
        mode,
        direction,
        hour_at,
        hour_local,
        date,
        hour_of_week,
        season,
        intervals_expected,
        coalesce(second_measured, first_measured, 0) as intervals_measured,
        coalesce(first_marks, 0) | coalesce(second_marks, 0) as marks
    from filled
)

select
    site_id,
    mode,
    direction,
    hour_at,
    hour_local,
    date,
    hour_of_week,
    season,
    cast(count as bigint) as count,
    cast(corrected as bigint) as count_corrected,
    cast(intervals_expected as integer) as intervals_expected,
    cast(intervals_measured as integer) as intervals_measured,
    cast(marks as integer) as marks,
    coalesce(count is not null and intervals_measured >= intervals_expected and marks & 25 = 0, false) as is_sound
from split
