-- Meetings up to the day of as_of and papers dated by then, month by month from the first one a source tells of. A
-- month without any is a measured zero; what no source tells of a council is null.
with

meetings as (
    select
        ags,
        cast(date_trunc('month', {{ instant_to_local('start_at') }}) as date) as month,
        case when is_cancelled then 0 else 1 end as held,
        case when is_cancelled then 1 else 0 end as cancelled
    from {{ ref('stg_council_meeting') }}
    where
        not is_deleted
        and cast({{ instant_to_local('start_at') }} as date) <= {{ as_of_date() }}
    qualify row_number() over (
        partition by ags, meeting_id
        order by modified_at desc nulls last, source_id asc, record_number desc
    ) = 1
),

papers as (
    select
        ags,
        cast(date_trunc('month', paper_date) as date) as month
    from {{ ref('stg_council_paper') }}
    where
        not is_deleted
        and paper_date <= {{ as_of_date() }}
    qualify row_number() over (
        partition by ags, paper_id
        order by modified_at desc nulls last, source_id asc, record_number desc
    ) = 1
),

meetings_by_month as (
    select
        ags,
        month,
        sum(held) as meetings,
        sum(cancelled) as meetings_cancelled
    from meetings
    group by
        ags,
        month
),

papers_by_month as (
    select
        ags,
        month,
        count(*) as papers
    from papers
    group by
        ags,
        month
),

told as (
    select
        ags,
        min(month) as first_month,
        min(case when of_meetings = 1 then month end) as first_meeting_month,
        min(case when of_papers = 1 then month end) as first_paper_month
    from (
        select
            ags,
            month,
            1 as of_meetings,
            0 as of_papers
        from meetings
        union all
        select
            ags,
            month,
            0 as of_meetings,
            1 as of_papers
        from papers
    ) as either
    group by ags
),

spine as (
    select
        told.ags,
        dates.date as month,
        -- Of the time before the first one nothing is known.
        coalesce(dates.date >= told.first_meeting_month, false) as has_meetings,
        coalesce(dates.date >= told.first_paper_month, false) as has_papers
    from told
    inner join {{ ref('dim_municipality') }} as municipalities on told.ags = municipalities.ags
    inner join {{ ref('dim_date') }} as dates
        on
            dates.date = dates.month
            and dates.date between told.first_month and {{ as_of_month() }}
)

select
    spine.ags,
    spine.month,
    cast(case when spine.has_meetings then coalesce(meetings_by_month.meetings, 0) end as bigint) as meetings,
    cast(
        case when spine.has_meetings then coalesce(meetings_by_month.meetings_cancelled, 0) end as bigint
    ) as meetings_cancelled,
    cast(case when spine.has_papers then coalesce(papers_by_month.papers, 0) end as bigint) as papers
from spine
left join meetings_by_month
    on
        spine.ags = meetings_by_month.ags
        and spine.month = meetings_by_month.month
left join papers_by_month
    on
        spine.ags = papers_by_month.ags
        and spine.month = papers_by_month.month
