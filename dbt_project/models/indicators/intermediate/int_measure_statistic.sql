-- What the seed statistic_measure takes from statistical tables, on today's territory: classes of one table add up,
-- tables are alternatives. Totals that no publisher tells are made with all other measures (int_measure_area).
-- A class that is not told, or not as a number, leaves the sum without one. A zero where there can be none is a blank.
with

periods as (
    select distinct
        source_id,
        table_code,
        period,
        period_end_date
    from {{ ref('mart_statistic') }}
),

declared as (
    select
        measure_id,
        table_code,
        value_variable_code,
        coalesce(attribute_codes, '') as attribute_codes,
        unit,
        is_additive,
        is_zero_plausible,
        count(*) over (partition by measure_id, table_code) as classes
    from {{ ref('statistic_measure') }}
),

told as (
    select
        declared.measure_id,
        declared.table_code,
        declared.classes,
        declared.is_additive,
        statistics.source_id,
        statistics.area_id,
        statistics.period,
        periods.period_end_date,
        statistics.value = 0 and not declared.is_zero_plausible as is_implausible,
        statistics.value,
        statistics.value_status
    from {{ ref('mart_statistic_today') }} as statistics
    inner join declared
        on
            statistics.table_code = declared.table_code
            and statistics.value_variable_code = declared.value_variable_code
            and statistics.attribute_codes = declared.attribute_codes
            and statistics.unit = declared.unit
    inner join periods
        on
            statistics.source_id = periods.source_id
            and statistics.table_code = periods.table_code
            and statistics.period = periods.period
    where statistics.territory_rule <> 'total'
),

summed as (
    select
        measure_id,
        table_code,
        source_id,
        area_id,
        period,
        period_end_date as period_date,
        is_additive,
        count(*) < max(classes) as is_incomplete,
        coalesce(max(cast(is_implausible as integer)), 0) = 1 as is_implausible,
        case when count(value) = count(*) then cast(sum(cast(value as decimal(28, 6))) as double) end as value,
        max({{ status_rank('value_status') }}) as status_rank
    from told
    group by measure_id, table_code, source_id, area_id, period, period_end_date, is_additive
)

select
    measure_id,
    area_id,
    period,
    period_date,
    case when not is_incomplete and not is_implausible then value end as value,
    case when is_incomplete or is_implausible then 'missing' else {{ status_of_rank('status_rank') }} end
        as value_status,
    case
        when is_incomplete then concat('table ', table_code, ' does not tell every class')
        when is_implausible then concat('table ', table_code, ' tells 0, which cannot be')
        when status_rank > 3 then concat('table ', table_code, ' has a mark in place of a number')
    end as reason,
    source_id,
    is_additive,
    false as is_lasting
from summed
where period_date is not null
