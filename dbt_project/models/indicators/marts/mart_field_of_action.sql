-- Per area and field of action: how much of it is measured, how fresh, and how its goals and projects stand. Fresh is a
-- number whose period ended at most indicator_fresh_days before as_of: official statistics of a year come one to two
-- years after it.
with

areas as (
    select
        area_id,
        level
    from {{ ref('dim_area') }}
    where
        level in ('municipality', 'kreis', 'region')
        and valid_to is null
),

indicators as (
    select
        areas.area_id,
        catalogue.field_of_action,
        count(*) as indicators,
        count(latest.indicator_id) as indicators_measured,
        count(
            case
                when {{ days_between('latest.period_date', as_of_date()) }} <= {{ var('indicator_fresh_days') }} then 1
            end
        ) as indicators_fresh,
        max(latest.period_date) as latest_date
    from areas
    cross join {{ ref('indicator') }} as catalogue
    left join {{ ref('int_indicator_latest') }} as latest
        on
            areas.area_id = latest.area_id
            and catalogue.indicator_id = latest.indicator_id
    group by areas.area_id, catalogue.field_of_action
),

goals as (
    select
        area_id,
        field_of_action,
        count(*) as goals,
        count(case when status = 'reached' then 1 end) as goals_reached,
        count(case when status = 'on_course' then 1 end) as goals_on_course,
        count(case when status = 'behind' then 1 end) as goals_behind,
        count(case when status = 'not_measurable' then 1 end) as goals_not_measurable
    from {{ ref('mart_goal_progress') }}
    group by area_id, field_of_action
),

projects as (
    select
        areas.area_id,
        projects.field_of_action,
        count(*) as projects,
        count(case when projects.status = 'running' then 1 end) as projects_running,
        count(case when projects.status = 'completed' then 1 end) as projects_completed
    from {{ ref('int_project') }} as projects
    inner join {{ ref('stg_project_area') }} as areas
        on
            projects.source_id = areas.source_id
            and projects.snapshot_sha256 = areas.snapshot_sha256
            and projects.project_id = areas.project_id
    group by areas.area_id, projects.field_of_action
)

select
    areas.area_id,
    fields.field_of_action,
    cast(coalesce(indicators.indicators, 0) as integer) as indicators,
    cast(coalesce(indicators.indicators_measured, 0) as integer) as indicators_measured,
    cast(coalesce(indicators.indicators_fresh, 0) as integer) as indicators_fresh,
    indicators.latest_date,
    cast(coalesce(goals.goals, 0) as integer) as goals,
    cast(coalesce(goals.goals_reached, 0) as integer) as goals_reached,
    cast(coalesce(goals.goals_on_course, 0) as integer) as goals_on_course,
    cast(coalesce(goals.goals_behind, 0) as integer) as goals_behind,
    cast(coalesce(goals.goals_not_measurable, 0) as integer) as goals_not_measurable,
    cast(coalesce(projects.projects, 0) as integer) as projects,
    cast(coalesce(projects.projects_running, 0) as integer) as projects_running,
    cast(coalesce(projects.projects_completed, 0) as integer) as projects_completed
from areas
cross join {{ ref('field_of_action') }} as fields
left join indicators
    on
        areas.area_id = indicators.area_id
        and fields.field_of_action = indicators.field_of_action
left join goals
    on
        areas.area_id = goals.area_id
        and fields.field_of_action = goals.field_of_action
left join projects
    on
        areas.area_id = projects.area_id
        and fields.field_of_action = projects.field_of_action
