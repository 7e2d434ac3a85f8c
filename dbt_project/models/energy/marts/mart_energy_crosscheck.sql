-- Our sums beside those that others made of the same register, at the end of the year they tell.
with

others as (
    select
        source_id,
        ags,
        technology,
        year,
        cast(capacity_kw as decimal(18, 3)) as reference_kw
    from {{ ref('stg_energy_reference_capacity') }}
    qualify row_number() over (
        partition by source_id, ags, technology, year
        order by snapshot_sha256 asc, record_number asc
    ) = 1
),

compared as (
    select
        others.source_id as reference_source_id,
        others.ags,
        others.technology,
        others.year,
        capacities.gross_capacity_kw,
        others.reference_kw,
        capacities.gross_capacity_kw - others.reference_kw as deviation_kw,
        case
            when others.reference_kw > 0
                then cast(capacities.gross_capacity_kw - others.reference_kw as double) / others.reference_kw
            when capacities.gross_capacity_kw = 0 then 0.0
        end as deviation_share
    from others
    inner join {{ ref('dim_municipality') }} as municipalities on others.ags = municipalities.ags
    left join {{ ref('mart_energy_capacity') }} as capacities
        on
            others.ags = capacities.ags
            and others.technology = capacities.technology
            and extract(year from capacities.month) = others.year
            and extract(month from capacities.month) = 12
)

select
    reference_source_id,
    ags,
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
