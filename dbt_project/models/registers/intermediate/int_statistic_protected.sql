-- Values as they may be shown, those published and those added up. Of counts of persons the cells that would tell fewer
-- than min_persons are suppressed, as a publisher's mark would have done.
with

statistics as (
    select
        source_id,
        table_code,
        area_id,
        level,
        attribute_codes,
        value_variable_code,
        period,
        territory_date,
        value,
        unit,
        value_status,
        cast(null as varchar) as reason,
        carried_by,
        is_count_of_persons,
        is_cell_key,
        true as is_published
    from {{ ref('int_statistic_measure') }}
    union all
    select
        source_id,
        table_code,
        area_id,
        level,
        attribute_codes,
        value_variable_code,
        period,
        territory_date,
        value,
        unit,
        value_status,
        reason,
        carried_by,
        is_count_of_persons,
        is_cell_key,
        false as is_published
    from {{ ref('int_statistic_total') }}
),

judged as (
    select
        statistics.source_id,
        statistics.table_code,
        statistics.area_id,
        statistics.level,
        statistics.attribute_codes,
        statistics.value_variable_code,
        statistics.period,
        statistics.territory_date,
        statistics.value,
        statistics.unit,
        statistics.value_status,
        statistics.reason,
        statistics.carried_by,
        statistics.is_count_of_persons,
        statistics.is_cell_key,
        statistics.is_published,
        -- What nobody judged is not shown.
        statistics.value is not null
        and statistics.is_count_of_persons
        and not coalesce(shown.is_shown, false) as is_suppressed
    from statistics
    left join {{ ref('int_person_cell_shown') }} as shown
        on
            statistics.source_id = shown.source_id
            and statistics.table_code = shown.table_code
            and statistics.value_variable_code = shown.value_variable_code
            and statistics.period = shown.period
            and statistics.area_id = shown.area_id
            and statistics.attribute_codes = shown.attribute_codes
)

select
    source_id,
    table_code,
    area_id,
    level,
    attribute_codes,
    value_variable_code,
    period,
    territory_date,
    case when not is_suppressed then value end as value,
    unit,
    case when is_suppressed then 'suppressed' else value_status end as value_status,
    case when is_suppressed then 'disclosure_control' else reason end as reason,
    carried_by,
    is_count_of_persons,
    is_cell_key,
    is_published
from judged
