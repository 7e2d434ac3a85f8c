-- How a project's indicators changed in its areas: the latest number against the last one before the project began.
-- That they changed does not say that the project changed them.
with

wanted as (
    select
        projects.project_id,
        projects.start_date,
        areas.area_id,
        indicators.indicator_id,
        catalogue.direction
    from {{ ref('int_project') }} as projects
    inner join {{ ref('stg_project_area') }} as areas
        on
            projects.source_id = areas.source_id
            and projects.snapshot_sha256 = areas.snapshot_sha256
            and projects.project_id = areas.project_id
    inner join {{ ref('stg_project_indicator') }} as indicators
        on
            projects.source_id = indicators.source_id
            and projects.snapshot_sha256 = indicators.snapshot_sha256
            and projects.project_id = indicators.project_id
    left join {{ ref('indicator') }} as catalogue on indicators.indicator_id = catalogue.indicator_id
),

before as (
    select
        wanted.project_id,
        wanted.area_id,
        wanted.indicator_id,
        told.value,
        told.period_date
    from wanted
    inner join {{ ref('int_indicator_value') }} as told
        on
            wanted.indicator_id = told.indicator_id
            and wanted.area_id = told.area_id
    where
        told.value is not null
        and told.period_date < wanted.start_date
    qualify row_number() over (
        partition by wanted.project_id, wanted.area_id, wanted.indicator_id
        order by told.period_date desc, told.period desc
    ) = 1
)

select
    wanted.project_id,
    wanted.area_id,
    wanted.indicator_id,
    wanted.direction,
    before.value as value_before,
    latest.value as latest_value,
    latest.value is not null as is_measured,
    case
        when before.value is null or latest.value is null or latest.period_date <= before.period_date then 'unknown'
        when latest.value = before.value then 'unchanged'
        when wanted.direction = 'neutral' or wanted.direction is null then 'changed'
        when (wanted.direction = 'more') = (latest.value > before.value) then 'improved'
        else 'worsened'
    end as change
from wanted
left join before
    on
        wanted.project_id = before.project_id
        and wanted.area_id = before.area_id
        and wanted.indicator_id = before.indicator_id
left join {{ ref('int_indicator_latest') }} as latest
    on
        wanted.area_id = latest.area_id
        and wanted.indicator_id = latest.indicator_id
