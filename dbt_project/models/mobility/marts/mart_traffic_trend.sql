-- An area's total runs over the sites that have enough days to compare, each with its own days: both years have the
-- same sites and, site by site, the same days.
with

sites as (
    select
        trends.site_id,
        municipalities.ags,
        municipalities.kreis_ags,
        trends.mode,
        trends.year,
        trends.compared_days,
        trends.count,
        trends.former_count,
        trends.compared_days >= {{ var('traffic_trend_min_days') }} as is_comparable
    from {{ ref('int_traffic_trend') }} as trends
    inner join {{ ref('dim_counting_site') }} as sites on trends.site_id = sites.site_id
    left join {{ ref('dim_municipality') }} as municipalities on sites.ags = municipalities.ags
),

places as (
    select
        'site' as level,
        site_id as place_id,
        mode,
        year,
        compared_days,
        count,
        former_count,
        is_comparable
    from sites
    union all
    select
        areas.level,
        areas.area_id as place_id,
        sites.mode,
        sites.year,
        case when sites.is_comparable then sites.compared_days else 0 end as compared_days,
        case when sites.is_comparable then sites.count end as count,
        case when sites.is_comparable then sites.former_count end as former_count,
        sites.is_comparable
    from sites
    inner join {{ ref('dim_area') }} as areas
        on
            areas.area_id = sites.ags
            or areas.area_id = sites.kreis_ags
            or (areas.level = 'region' and sites.ags is not null)
),

totals as (
    select
        level,
        place_id,
        mode,
        year,
        sum(compared_days) as compared_days,
        sum(count) as count,
        sum(former_count) as former_count,
        count(case when is_comparable then 1 end) as sites
    from places
    group by level, place_id, mode, year
)

select
    level,
    place_id,
    mode,
    cast(year as integer) as year,
    cast(year - 1 as integer) as former_year,
    cast(sites as integer) as sites,
    cast(compared_days as bigint) as compared_days,
    cast(count as bigint) as count,
    cast(former_count as bigint) as former_count,
    case when sites > 0 and former_count > 0 then count / cast(former_count as double) - 1 end as change_share,
    year = {{ iso_year(as_of_date()) }} as is_running,
    case
        when sites = 0 and level = 'site' then 'too_few_compared_days'
        when sites = 0 then 'no_site_to_compare'
        when former_count = 0 then 'nothing_counted_before'
    end as reason
from totals
