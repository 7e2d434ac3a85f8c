-- What a publisher's mark means stands in the seed value_mark; a value beside a mark is shown, but not as reliable. A
-- unit that is a number is a factor.
with

marked as (
    select
        statistics.source_id,
        statistics.table_code,
        statistics.area_variable_code,
        statistics.area_id,
        statistics.level,
        statistics.attribute_codes,
        statistics.value_variable_code,
        statistics.period,
        coalesce(statistics.value, marks.value) as value,
        try_cast(statistics.value_unit as bigint) as factor,
        statistics.value_unit,
        case
            when statistics.value is not null and statistics.value_mark is null then 'measured'
            when statistics.value is not null then 'unreliable'
            when marks.mark is not null then marks.value_status
            else 'missing'
        end as value_status
    from {{ ref('int_statistic_area') }} as statistics
    left join {{ ref('value_mark') }} as marks on statistics.value_mark = marks.mark
)

select
    source_id,
    table_code,
    area_variable_code,
    area_id,
    level,
    attribute_codes,
    value_variable_code,
    period,
    case when factor is null then value else value * factor end as value,
    case when factor is null then value_unit else 'Anzahl' end as unit,
    value_status
from marked
