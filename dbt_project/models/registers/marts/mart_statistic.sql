-- As published, each value on the territory of its day. Of what is suppressed here the publisher's mark is not told.
select
    protected.source_id,
    protected.table_code,
    protected.area_id,
    protected.value_variable_code,
    protected.attribute_codes,
    protected.period,
    protected.value,
    protected.unit,
    protected.value_status,
    case when coalesce(protected.reason, '') <> 'disclosure_control' then published.value_mark end as value_mark,
    published.value_variable_label,
    published.attribute_labels,
    published.time_code,
    published.period_start_date,
    published.period_end_date,
    protected.reason,
    protected.is_count_of_persons
from {{ ref('int_statistic_protected') }} as protected
inner join {{ ref('int_statistic_value') }} as published
    on
        protected.source_id = published.source_id
        and protected.table_code = published.table_code
        and protected.area_id = published.area_id
        and protected.value_variable_code = published.value_variable_code
        and protected.attribute_codes = published.attribute_codes
        and protected.period = published.period
        and protected.unit = published.unit
where protected.is_published
