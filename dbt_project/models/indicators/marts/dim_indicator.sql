select
    indicators.indicator_id,
    indicators.field_of_action,
    fields.sort_order as field_sort_order,
    fields.title_de as field_title_de,
    fields.title_en as field_title_en,
    indicators.title_de,
    indicators.title_en,
    indicators.description_de,
    indicators.description_en,
    indicators.formula,
    indicators.numerator_measure,
    indicators.denominator_measure,
    indicators.scale,
    indicators.unit,
    indicators.direction,
    indicators.sdg,
    indicators.level,
    indicators.data_source,
    indicators.method_note
from {{ ref('indicator') }} as indicators
inner join {{ ref('field_of_action') }} as fields on indicators.field_of_action = fields.field_of_action
