-- What a publisher's mark means stands in the seed value_mark; a number beside a mark that nobody knows is shown, but
-- not as reliable. Units are resolved by int_statistic_unit. A cell may be told in several units, by number and by
-- share; a line that is repeated counts once.
with

marked as (
    select
        statistics.source_id,
        statistics.snapshot_sha256,
        statistics.record_number,
        statistics.table_code,
        statistics.area_variable_code,
        statistics.area_id,
        statistics.level,
        statistics.attribute_codes,
        statistics.attribute_labels,
        statistics.value_variable_code,
        statistics.value_variable_label,
        statistics.time_code,
        statistics.period,
        statistics.period_start_date,
        statistics.period_end_date,
        statistics.value_mark,
        statistics.value_unit,
        case
            when marks.mark is not null and (statistics.value is null or marks.keeps_value) then marks.value_status
            when statistics.value is null then 'missing'
            when statistics.value_mark is null then 'measured'
            else 'unreliable'
        end as value_status,
        coalesce(statistics.value, marks.value) as resolved_value
    from {{ ref('int_statistic_area') }} as statistics
    left join {{ ref('value_mark') }} as marks on statistics.value_mark = marks.mark
)

select
    marked.source_id,
    marked.table_code,
    marked.area_variable_code,
    marked.area_id,
    marked.level,
    marked.attribute_codes,
    marked.attribute_labels,
    marked.value_variable_code,
    marked.value_variable_label,
    marked.time_code,
    marked.period,
    marked.period_start_date,
    marked.period_end_date,
    marked.resolved_value * coalesce(units.factor, 1) as value,
    coalesce(units.unit, '') as unit,
    marked.value_status,
    marked.value_mark
from marked
left join {{ ref('int_statistic_unit') }} as units on marked.value_unit = units.published_unit
qualify row_number() over (
    partition by
        marked.source_id,
        marked.table_code,
        marked.area_id,
        marked.value_variable_code,
        marked.attribute_codes,
        marked.period,
        coalesce(units.unit, '')
    order by
        case when marked.resolved_value is null then 1 else 0 end asc,
        marked.snapshot_sha256 asc,
        marked.record_number asc
) = 1
