-- The one place that maps statistical keys to areas: ARS (12 digits: Land, Regierungsbezirk, Kreis, Verband, Gemeinde)
-- to AGS by leaving out the four digits of the Verband; AGS and Kreis keys as they are; keys of other lengths are no
-- areas of the region.
with

keyed as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        table_code,
        area_variable_code,
        coalesce(attribute_codes, '') as attribute_codes,
        attribute_labels,
        value_variable_code,
        value_variable_label,
        time_code,
        period,
        period_start_date,
        period_end_date,
        value,
        value_mark,
        value_unit,
        case length(area_code)
            when 12 then concat(substr(area_code, 1, 5), substr(area_code, 10, 3))
            when 8 then area_code
            when 5 then area_code
        end as area_id
    from {{ ref('stg_statistic_value') }}
)

select
    keyed.source_id,
    keyed.snapshot_sha256,
    keyed.record_number,
    keyed.table_code,
    keyed.area_variable_code,
    keyed.area_id,
    areas.level,
    keyed.attribute_codes,
    keyed.attribute_labels,
    keyed.value_variable_code,
    keyed.value_variable_label,
    keyed.time_code,
    keyed.period,
    keyed.period_start_date,
    keyed.period_end_date,
    keyed.value,
    nullif(trim(keyed.value_mark), '') as value_mark,
    trim(keyed.value_unit) as value_unit
from keyed
inner join {{ ref('dim_area') }} as areas on keyed.area_id = areas.area_id
