-- Installed capacity as one source sums it beside another, at the end of a year: the register's sums per municipality
-- beside those that others made of it, Germany's beside the market's. What the market tells of a year stands when it
-- begins, as its operators must tell it in the last week of the year before (Regulation (EU) 543/2013, Art. 14 (1) a).
with

register as (
    select
        source_id,
        is_whole
    from {{ ref('int_energy_export') }}
    where is_latest
    qualify row_number() over (order by source_id asc) = 1
),

references_made as (
    select
        source_id,
        ags as area_id,
        technology,
        year,
        cast(capacity_kw as decimal(18, 3)) as capacity_kw
    from {{ ref('stg_energy_reference_capacity') }}
    qualify row_number() over (
        partition by source_id, ags, technology, year
        order by snapshot_sha256 asc, record_number asc
    ) = 1
),

-- Of several publishers of the market the one with the lowest priority number speaks.
market as (
    select
        told.source_id,
        technologies.technology,
        cast(extract(year from {{ instant_to_local('told.start_at') }}) as integer) - 1 as year,
        cast(1000 * told.value as decimal(18, 3)) as capacity_kw
    from {{ ref('int_market_value') }} as told
    inner join {{ ref('technology_series') }} as technologies on told.series = technologies.capacity_series
    where
        told.region = 'DE'
        and told.value > 0
    qualify row_number() over (
        partition by technologies.technology, told.start_at
        order by told.priority asc, told.source_id asc
    ) = 1
),

germany as (
    select
        source_id,
        technology,
        year,
        capacity_kw
    from references_made
    where area_id = 'DG000000'
),

years as (
    select
        technology,
        year
    from market
    union
    select
        technology,
        year
    from germany
),

-- Only where the export was read whole are its units the nation's.
whole as (
    select
        register.source_id,
        years.technology,
        years.year,
        cast(sum(events.gross_capacity_kw) as decimal(18, 3)) as capacity_kw
    from register
    cross join years
    inner join {{ ref('int_energy_unit_event') }} as events
        on
            years.technology = events.technology
            and extract(year from events.month) <= years.year
    where register.is_whole
    group by register.source_id, years.technology, years.year
),

-- Each is compared with those of a lower place: the market, what others made of the register, the register itself.
national as (
    select
        1 as place,
        source_id,
        technology,
        year,
        capacity_kw
    from market
    union all
    select
        2 as place,
        source_id,
        technology,
        year,
        capacity_kw
    from germany
    union all
    select
        3 as place,
        source_id,
        technology,
        year,
        capacity_kw
    from whole
),

pairs as (
    select
        others.source_id as reference_source_id,
        coalesce(register.source_id, 'none') as source_id,
        'municipality' as area_level,
        others.area_id,
        others.technology,
        others.year,
        capacities.gross_capacity_kw,
        others.capacity_kw as reference_kw
    from references_made as others
    inner join {{ ref('dim_municipality') }} as municipalities on others.area_id = municipalities.ags
    left join register on true
    left join {{ ref('mart_energy_capacity') }} as capacities
        on
            others.area_id = capacities.ags
            and others.technology = capacities.technology
            and extract(year from capacities.month) = others.year
            and extract(month from capacities.month) = 12
    union all
    select
        others.source_id as reference_source_id,
        sums.source_id,
        'nation' as area_level,
        'DE' as area_id,
        others.technology,
        others.year,
        sums.capacity_kw as gross_capacity_kw,
        others.capacity_kw as reference_kw
    from national as sums
    inner join national as others
        on
            sums.technology = others.technology
            and sums.year = others.year
            and sums.place > others.place
),

compared as (
    select
        reference_source_id,
        source_id,
        area_level,
        area_id,
        technology,
        year,
        gross_capacity_kw,
        reference_kw,
        gross_capacity_kw - reference_kw as deviation_kw,
        case
            when reference_kw > 0 then cast(gross_capacity_kw - reference_kw as double) / reference_kw
            when gross_capacity_kw = 0 then 0.0
        end as deviation_share
    from pairs
)

select
    reference_source_id,
    source_id,
    area_level,
    area_id,
    case when area_level = 'municipality' then area_id end as ags,
    technology,
    year,
    gross_capacity_kw,
    reference_kw,
    cast(deviation_kw as decimal(18, 3)) as deviation_kw,
    deviation_share,
    -- Where others have none and we have some, there is no share; it deviates all the same.
    case
        when gross_capacity_kw is null then null
        when deviation_share is null then true
        else abs(deviation_share) > {{ var('energy_deviation_share') }}
    end as is_deviating
from compared
