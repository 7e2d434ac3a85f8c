-- Consecutive days of a code are one finding; of codes that come month by month or year by year, consecutive months and
-- years are.
with

numbered as (
    select
        days.source_id,
        days.site_id,
        days.mode,
        days.direction,
        days.date,
        days.code,
        days.amount,
        days.reference_amount,
        case codes.grouped_by
            when 'day' then {{ days_between("cast('2000-01-01' as date)", 'days.date') }}
            when 'month' then cast(extract(year from days.date) * 12 + extract(month from days.date) as integer)
            else cast(extract(year from days.date) as integer)
        end as period_number
    from {{ ref('int_count_day_finding') }} as days
    inner join {{ ref('counting_finding_code') }} as codes on days.code = codes.code
),

islands as (
    select
        source_id,
        site_id,
        mode,
        direction,
        date,
        code,
        amount,
        reference_amount,
        period_number - dense_rank() over (
            partition by source_id, site_id, mode, direction, code
            order by period_number asc
        ) as island
    from numbered
),

days as (
    select
        source_id,
        site_id,
        mode,
        direction,
        code,
        min(date) as first_date,
        max(date) as last_date,
        count(distinct date) as days,
        sum(amount) as amount,
        sum(reference_amount) as reference_amount
    from islands
    group by source_id, site_id, mode, direction, code, island
),

site_sources as (
    select
        told.source_id,
        told.site_id,
        min(told.valid_from) as first_date,
        max(told.last_date) as last_date,
        min(catalogue.priority) as priority
    from {{ ref('int_channel_version') }} as told
    left join {{ ref('stg_source_catalogue') }} as catalogue on told.source_id = catalogue.source_id
    group by told.source_id, told.site_id
),

-- Of hours the source that speaks of the site then is told: of several the one of the lowest priority number.
speaking as (
    select
        days.site_id,
        days.mode,
        days.direction,
        days.code,
        days.first_date,
        site_sources.source_id
    from days
    inner join site_sources on days.site_id = site_sources.site_id
    where days.source_id is null
    qualify row_number() over (
        partition by days.site_id, days.mode, days.direction, days.code, days.first_date
        order by
            case when days.first_date between site_sources.first_date and site_sources.last_date then 0 else 1 end asc,
            coalesce(site_sources.priority, 100) asc,
            site_sources.source_id asc
    ) = 1
),

findings as (
    select
        coalesce(days.source_id, speaking.source_id) as source_id,
        days.site_id,
        cast(null as varchar) as channel_id,
        days.mode,
        days.direction,
        days.first_date,
        days.last_date,
        days.code,
        cast(null as varchar) as declaration,
        cast(days.amount as double) as amount,
        cast(days.reference_amount as double) as reference_amount,
        concat(
            case days.code
                when 'sum_disagrees' then 'counted by the sum channel, and by its parts'
                when 'other_mode_in_sum' then 'counted by channels of another mode, of the sum channel'
                when 'two_sources' then 'counted by the silent source, and by the one that speaks'
                else 'hours'
            end,
            ', on ', cast(days.days as varchar), case when days.days = 1 then ' day' else ' days' end
        ) as detail
    from days
    left join speaking
        on
            days.site_id = speaking.site_id
            and days.mode = speaking.mode
            and days.direction = speaking.direction
            and days.code = speaking.code
            and days.first_date = speaking.first_date
    union all
    select
        source_id,
        site_id,
        channel_id,
        mode,
        direction,
        first_date,
        last_date,
        code,
        cast(null as varchar) as declaration,
        amount,
        reference_amount,
        detail
    from {{ ref('int_channel_finding') }}
    union all
    select
        source_id,
        site_id,
        channel_id,
        cast(null as varchar) as mode,
        cast(null as varchar) as direction,
        first_date,
        last_date,
        code,
        declaration,
        amount,
        reference_amount,
        detail
    from {{ ref('int_declaration_finding') }}
)

select
    concat(
        source_id, '/', site_id, '/', coalesce(channel_id, '-'), '/', coalesce(mode, '-'), '/',
        coalesce(direction, '-'), '/', code, '/', cast(first_date as varchar),
        case when declaration is not null then concat('/', declaration) else '' end
    ) as finding_id,
    source_id,
    site_id,
    channel_id,
    mode,
    direction,
    first_date,
    last_date,
    code,
    amount,
    reference_amount,
    {{ printable('detail', 500) }} as detail
from findings
