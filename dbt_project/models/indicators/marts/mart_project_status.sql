-- Projects as their municipalities tell them, and what the clock and the indicators say beside that.
with

effects as (
    select
        project_id,
        count(*) as effects,
        count(case when is_measured then 1 end) as measured,
        count(case when change = 'improved' then 1 end) as improved,
        count(case when change = 'worsened' then 1 end) as worsened
    from {{ ref('int_project_effect') }}
    group by project_id
),

goals as (
    select
        effects.project_id,
        count(distinct goals.goal_id) as goals,
        count(distinct case when goals.status in ('on_course', 'reached') then goals.goal_id end) as goals_on_course
    from {{ ref('int_project_effect') }} as effects
    inner join {{ ref('mart_goal_progress') }} as goals
        on
            effects.area_id = goals.area_id
            and effects.indicator_id = goals.indicator_id
    group by effects.project_id
)

select
    projects.project_id,
    projects.field_of_action,
    projects.area_ids,
    projects.title,
    projects.status,
    projects.start_date,
    projects.end_date,
    projects.budget_eur,
    projects.indicator_ids,
    projects.outcome,
    projects.source_id,
    projects.told_times,
    case
        when projects.status in ('completed', 'stopped') then null
        when projects.end_date is not null then {{ days_between(as_of_date(), 'projects.end_date') }}
    end as days_left,
    case
        when projects.status in ('planned', 'running') and projects.end_date < {{ as_of_date() }} then 'overdue'
        when projects.status = 'planned' and projects.start_date < {{ as_of_date() }} then 'late_to_start'
        when projects.status = 'completed' and projects.outcome is null then 'without_outcome'
        else 'as_told'
    end as assessment,
    cast(coalesce(effects.effects, 0) as integer) as effects,
    cast(coalesce(effects.measured, 0) as integer) as effects_measured,
    cast(coalesce(effects.improved, 0) as integer) as effects_improved,
    cast(coalesce(effects.worsened, 0) as integer) as effects_worsened,
    cast(coalesce(goals.goals, 0) as integer) as goals,
    cast(coalesce(goals.goals_on_course, 0) as integer) as goals_on_course
from {{ ref('int_project') }} as projects
left join effects on projects.project_id = effects.project_id
left join goals on projects.project_id = goals.project_id
