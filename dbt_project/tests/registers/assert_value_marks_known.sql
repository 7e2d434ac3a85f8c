{{ config(severity = 'warn') }}
-- A mark the seed does not know is shown as missing or unreliable; whoever reads this adds it to value_mark.
select
    statistics.source_id,
    statistics.table_code,
    statistics.value_mark,
    count(*) as occurrences
from {{ ref('int_statistic_area') }} as statistics
left join {{ ref('value_mark') }} as marks on statistics.value_mark = marks.mark
where
    statistics.value_mark is not null
    and marks.mark is null
group by statistics.source_id, statistics.table_code, statistics.value_mark
