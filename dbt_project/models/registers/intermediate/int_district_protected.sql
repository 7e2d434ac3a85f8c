-- Figures of districts as they may be shown. A count below min_persons is hidden with its whole column (its age group
-- of that period, in all districts and sexes), so that no sum over districts or sexes tells it; and a second column
-- with it, of those with enough people the one with the fewest, so that the total less the other age groups does not
-- either; where none has enough, the total. Where age groups overlap, or the total itself is small, all of the table is
-- hidden.
with

figures as (
    select
        source_id,
        subject,
        ags,
        area_id,
        district_name,
        is_sum,
        sex,
        age_from,
        age_to,
        age_group,
        period,
        year,
        value,
        value_status,
        is_contradicted
    from {{ ref('int_district_value') }}
),

age_columns as (
    select
        source_id,
        subject,
        ags,
        period,
        age_group,
        min(coalesce(age_from, 0)) as first_age,
        max(coalesce(age_to, 999)) as last_age,
        max(case when value > 0 and value < {{ var('min_persons') }} then 1 else 0 end) as is_small,
        sum(value) as people
    from figures
    group by source_id, subject, ags, period, age_group
),

overlapping as (
    select distinct
        one.source_id,
        one.subject,
        one.ags,
        one.period
    from age_columns as one
    inner join age_columns as another
        on
            one.source_id = another.source_id
            and one.subject = another.subject
            and one.ags = another.ags
            and one.period = another.period
            and one.age_group < another.age_group
            and one.first_age <= another.last_age
            and one.last_age >= another.first_age
    where one.age_group <> 'total' and another.age_group <> 'total'
),

age_tables as (
    select
        source_id,
        subject,
        ags,
        period,
        max(case when age_group = 'total' then is_small else 0 end) as is_total_small,
        sum(case when age_group <> 'total' then is_small else 0 end) as small_columns
    from age_columns
    group by source_id, subject, ags, period
),

ranked as (
    select
        age_columns.source_id,
        age_columns.subject,
        age_columns.ags,
        age_columns.period,
        age_columns.age_group,
        age_columns.is_small,
        age_tables.is_total_small,
        age_tables.small_columns,
        overlapping.source_id is not null as has_overlap,
        max(
            case
                when
                    age_columns.age_group <> 'total'
                    and age_columns.is_small = 0
                    and age_columns.people >= {{ var('min_persons') }}
                    then 1
                else 0
            end
        ) over (
            partition by age_columns.source_id, age_columns.subject, age_columns.ags, age_columns.period
        ) as has_other,
        row_number() over (
            partition by age_columns.source_id, age_columns.subject, age_columns.ags, age_columns.period
            order by
                case when age_columns.age_group = 'total' or age_columns.is_small = 1 then 1 else 0 end asc,
                case when coalesce(age_columns.people, 0) < {{ var('min_persons') }} then 1 else 0 end asc,
                age_columns.people asc nulls last,
                age_columns.age_group asc
        ) as place
    from age_columns
    inner join age_tables
        on
            age_columns.source_id = age_tables.source_id
            and age_columns.subject = age_tables.subject
            and age_columns.ags = age_tables.ags
            and age_columns.period = age_tables.period
    left join overlapping
        on
            age_columns.source_id = overlapping.source_id
            and age_columns.subject = overlapping.subject
            and age_columns.ags = overlapping.ags
            and age_columns.period = overlapping.period
),

hidden as (
    select
        source_id,
        subject,
        ags,
        period,
        age_group
    from ranked
    where
        is_small = 1
        or is_total_small = 1
        or (small_columns > 0 and has_overlap and age_group <> 'total')
        or (small_columns = 1 and has_other = 1 and place = 1 and age_group <> 'total')
        or (small_columns = 1 and has_other = 0 and age_group = 'total')
)

select
    figures.source_id,
    figures.subject,
    figures.ags,
    figures.area_id,
    figures.district_name,
    figures.is_sum,
    figures.sex,
    figures.age_from,
    figures.age_to,
    figures.age_group,
    figures.period,
    figures.year,
    case when hidden.source_id is null then figures.value end as value,
    case
        when hidden.source_id is not null and figures.value is not null then 'suppressed'
        else figures.value_status
    end as value_status,
    case
        when hidden.source_id is not null and figures.value is not null then 'disclosure_control'
        when figures.value_status = 'suppressed' then 'by_publisher'
    end as reason,
    figures.is_contradicted
from figures
left join hidden
    on
        figures.source_id = hidden.source_id
        and figures.subject = hidden.subject
        and figures.ags = hidden.ags
        and figures.period = hidden.period
        and figures.age_group = hidden.age_group
