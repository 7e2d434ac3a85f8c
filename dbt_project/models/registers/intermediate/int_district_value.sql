-- One row per figure of a part of a city: a source's files may tell the same figure several times (a table of years, a
-- table of ages). The one with a value speaks; that they differ is told, not hidden.
with

figures as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        subject,
        ags,
        district_key,
        district_name,
        sex,
        age_from,
        age_to,
        case
            when age_from is null and age_to is null then 'total'
            when age_to is null then concat(cast(age_from as varchar), '+')
            else concat(cast(coalesce(age_from, 0) as varchar), '-', cast(age_to as varchar))
        end as age_group,
        period,
        value,
        case
            when value is not null then 'measured'
            else coalesce(mark_status, 'missing')
        end as value_status
    from {{ ref('stg_district_value') }}
),

compared as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        subject,
        ags,
        district_key,
        district_name,
        sex,
        age_from,
        age_to,
        age_group,
        period,
        value,
        value_status,
        coalesce(
            min(value) over (
                partition by source_id, subject, ags, district_name, sex, age_group, period
            ) <> max(value) over (
                partition by source_id, subject, ags, district_name, sex, age_group, period
            ),
            false
        ) as is_contradicted
    from figures
)

select
    source_id,
    subject,
    ags,
    case when district_key is not null then concat(ags, '-', district_key) end as area_id,
    district_name,
    district_key is null as is_sum,
    sex,
    age_from,
    age_to,
    age_group,
    period,
    cast(substr(period, 1, 4) as integer) as year,
    value,
    value_status,
    is_contradicted
from compared
qualify row_number() over (
    partition by source_id, subject, ags, district_name, sex, age_group, period
    order by
        case when value is null then 1 else 0 end asc,
        value desc nulls last,
        snapshot_sha256 asc,
        record_number asc
) = 1
