with

school_holiday_range as (
    select
        min(start_date) as first_date,
        max(end_date) as last_date
    from {{ ref('school_holiday_nrw') }}
),

marked as (
    select
        dates.date,
        public_holidays.name_de as public_holiday_name_de,
        public_holidays.date is not null as is_public_holiday,
        case
            when dates.date between school_holiday_range.first_date and school_holiday_range.last_date
                then school_holidays.start_date is not null
        end as is_school_holiday,
        school_holidays.name_de as school_holiday_name_de,
        {{ iso_weekday('dates.date') }} as weekday
    from {{ ref('int_date') }} as dates
    cross join school_holiday_range
    left join {{ ref('public_holiday_nrw') }} as public_holidays on dates.date = public_holidays.date
    left join {{ ref('school_holiday_nrw') }} as school_holidays
        on dates.date between school_holidays.start_date and school_holidays.end_date
)

select
    date,
    case
        when is_public_holiday or weekday = 7 then 'sunday_or_public_holiday'
        when weekday = 6 then 'saturday'
        when is_school_holiday then 'holiday_weekday'
        when not is_school_holiday then 'school_day'
    end as day_type,
    is_public_holiday,
    public_holiday_name_de,
    is_school_holiday,
    school_holiday_name_de,
    cast(extract(year from date) as integer) as year,
    cast(date_trunc('month', date) as date) as month,
    {{ iso_year('date') }} as iso_year,
    {{ iso_week('date') }} as iso_week,
    weekday,
    {{ hours_between(local_to_instant('date'), local_to_instant('date + interval 1 day')) }} as hours_in_day
from marked
