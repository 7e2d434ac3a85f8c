-- Of what is told twice a value goes before a blank, else the first line speaks. What lies after as_of is a target.
with

speaking as (
    select
        ags,
        source_id,
        coalesce(dataset, '') as dataset,
        series,
        period,
        period_start_date,
        value,
        coalesce(unit, '') as unit,
        institution
    from {{ ref('stg_municipal_series_value') }}
    where ags is not null
    qualify row_number() over (
        partition by ags, source_id, dataset, series, period, unit
        order by case when value is null then 1 else 0 end asc, snapshot_sha256 asc, record_number asc
    ) = 1
)

select
    ags,
    source_id,
    dataset,
    series,
    period,
    unit,
    period_start_date,
    value,
    case
        when value is null then 'missing'
        when period_start_date > {{ as_of_date() }} or series like '%(Zielwert)%' then 'estimated'
        else 'measured'
    end as value_status,
    period_start_date > {{ as_of_date() }} or series like '%(Zielwert)%' as is_target,
    institution
from speaking
