-- Groups of days that averages are told of. The groups of the yearly counting reports of the Bundesanstalt für
-- Straßenwesen are working days, and „alle Sonntage und Feiertage“ (Fahrtzweckgruppe S, „Verkehrsentwicklung auf
-- Bundesfernstraßen“). Working days are Monday to Friday here, as in its figures DTV_…_W_MobisFr (data description of
-- 27 October 2015), Saturdays stand apart; but school holidays are in, for counts are older than the list of them.
select
    date,
    year,
    month,
    iso_year,
    iso_week,
    weekday,
    hours_in_day,
    is_public_holiday,
    case
        when is_public_holiday or weekday = 7 then 'sunday_or_public_holiday'
        when weekday = 6 then 'saturday'
        else 'working_day'
    end as day_group,
    case
        when is_school_holiday is not null and not is_school_holiday and not is_public_holiday and weekday < 6 then true
        else false
    end as is_school_day
from {{ ref('dim_date') }}
