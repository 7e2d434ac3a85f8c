-- What one head of each sector takes in a month: its year's consumption, spread by its standard load profile over the
-- days of the calendar year. The last two days that are no holidays (24 and 31 December) are Saturdays by the BDEW's
-- rule, unless Sundays. The hour that spring leaves out is taken away, the one that autumn repeats counts twice.
with

years as (
    select distinct year
    from {{ ref('int_estimate_month') }}
),

days as (
    select
        dates.month,
        dates.year,
        cast(extract(month from dates.date) as integer) as month_number,
        case
            when dates.is_public_holiday or dates.weekday = 7 then 'sunday_or_public_holiday'
            when dates.weekday = 6 then 'saturday'
            when extract(month from dates.date) = 12 and extract(day from dates.date) in (24, 31) then 'saturday'
            else 'weekday'
        end as day_type,
        -- Seasons of the profiles of 1999: winter from 1 November to 20 March, summer from 15 May to 14 September.
        case
            when extract(month from dates.date) * 100 + extract(day from dates.date) between 515 and 914 then 'summer'
            when extract(month from dates.date) * 100 + extract(day from dates.date) between 321 and 1031
                then 'transition'
            else 'winter'
        end as season,
        {{ days_between("cast(date_trunc('year', dates.date) as date)", 'dates.date') }} + 1 as day_of_year,
        dates.hours_in_day
    from {{ ref('dim_date') }} as dates
    inner join years on dates.year = years.year
),

-- One source speaks of a whole day of a profile.
profiles as (
    select
        values_told.profile,
        values_told.month,
        values_told.season,
        values_told.day_type,
        values_told.interval_start_minute,
        values_told.interval_minutes,
        values_told.value
    from {{ ref('stg_load_profile_value') }} as values_told
    inner join {{ ref('stg_source_catalogue') }} as catalogue on values_told.source_id = catalogue.source_id
    qualify dense_rank() over (
        partition by values_told.profile, values_told.month, values_told.season, values_told.day_type
        order by catalogue.priority asc, values_told.source_id asc, values_told.snapshot_sha256 asc
    ) = 1
),

-- An ordinary day, and its hour from two to three, which clock changes take away or repeat. Where a part of the day is
-- not told, nothing is known of it.
profile_days as (
    select
        profile,
        month,
        season,
        day_type,
        case when sum(interval_minutes) = 1440 then sum(cast(value as decimal(18, 6))) end as energy,
        sum(case when interval_start_minute between 120 and 179 then cast(value as decimal(18, 6)) else 0 end)
            as changed_energy
    from profiles
    group by profile, month, season, day_type
),

-- The BDEW's function of dynamic profiles: less in summer, more in winter, about 1 over the year.
taken as (
    select
        sectors.sector,
        days.month,
        days.year,
        cast(
            (profile_days.energy + (days.hours_in_day - 24) * profile_days.changed_energy)
            * case
                when sectors.is_dynamic
                    then
                        -3.92e-10 * pow(days.day_of_year, 4)
                        + 3.20e-7 * pow(days.day_of_year, 3)
                        - 7.02e-5 * pow(days.day_of_year, 2)
                        + 2.10e-3 * days.day_of_year
                        + 1.24
                else 1
            end as decimal(18, 6)
        ) as energy
    from days
    cross join {{ ref('demand_sector') }} as sectors
    left join profile_days
        on
            sectors.profile = profile_days.profile
            and coalesce(profile_days.month, days.month_number) = days.month_number
            and coalesce(profile_days.season, days.season) = days.season
            and profile_days.day_type in (days.day_type, 'every_day')
),

months as (
    select
        sector,
        month,
        year,
        case when count(energy) = count(*) then sum(energy) end as energy
    from taken
    group by sector, month, year
),

shares as (
    select
        sector,
        month,
        case
            when count(energy) over (partition by sector, year) = count(*) over (partition by sector, year)
                then cast(energy as double) / sum(cast(energy as double)) over (partition by sector, year)
        end as year_share
    from months
)

select
    shares.sector,
    shares.month,
    shares.year_share,
    cast(sectors.kwh_per_head_year * shares.year_share as decimal(18, 6)) as kwh_per_head
from shares
inner join {{ ref('demand_sector') }} as sectors on shares.sector = sectors.sector
