with

answers as (
    select
        source_id,
        survey,
        ags,
        district_name,
        question,
        answer,
        unit,
        period,
        value,
        case
            when value is not null then 'measured'
            else coalesce(mark_status, 'missing')
        end as value_status
    from {{ ref('stg_survey_answer') }}
    qualify row_number() over (
        partition by source_id, survey, ags, district_name, question, answer, period
        order by case when value is null then 1 else 0 end asc, snapshot_sha256 asc, record_number asc
    ) = 1
)

select
    source_id,
    survey,
    ags,
    district_name,
    question,
    answer,
    period,
    value,
    unit,
    value_status
from answers
