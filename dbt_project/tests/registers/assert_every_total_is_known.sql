-- A class that is called a total, in a table of persons, must be known as one: else what is hidden among its parts is
-- the total less the others. Whoever reads this adds its code to the variable total_codes.
with

person_tables as (
    select distinct
        source_id,
        table_code
    from {{ ref('int_person_cell') }}
),

classified as (
    select
        statistics.source_id,
        statistics.table_code,
        statistics.attribute_codes,
        lower(concat(statistics.attribute_labels, ';')) as labels,
        {{ class_codes('statistics.attribute_codes') }} as class_codes
    from {{ ref('int_statistic_value') }} as statistics
    inner join person_tables
        on
            statistics.source_id = person_tables.source_id
            and statistics.table_code = person_tables.table_code
),

counted as (
    select
        source_id,
        table_code,
        attribute_codes,
        labels,
        (length(class_codes) - length(replace(class_codes, '=;', ''))) / 2 as known_totals,
        (length(labels) - length(replace(labels, '=insgesamt;', ''))) / 11
        + (length(labels) - length(replace(labels, '=total;', ''))) / 7 as called_totals
    from classified
)

select
    source_id,
    table_code,
    attribute_codes,
    max(labels) as labels
from counted
where called_totals > known_totals
group by source_id, table_code, attribute_codes
