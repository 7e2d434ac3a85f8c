-- The municipalities most like each: nearest by inhabitants and by inhabitants per square kilometre, both as logarithms
-- (a town twice as large is as far from one as that from one half its size) over their spread in the region.
with

measured as (
    select
        ags,
        ln(population) as size,
        ln(population / area_km2) as density
    from {{ ref('dim_municipality') }}
    where
        population > 0
        and area_km2 > 0
),

spread as (
    select
        stddev_pop(size) as size,
        stddev_pop(density) as density
    from measured
)

select
    own.ags,
    other.ags as similar_ags,
    cast(
        sqrt(pow((own.size - other.size) / spread.size, 2) + pow((own.density - other.density) / spread.density, 2))
        as double
    ) as distance
from measured as own
cross join spread
inner join measured as other on own.ags <> other.ags
where
    spread.size > 0
    and spread.density > 0
qualify row_number() over (
    partition by own.ags
    order by
        round(
            pow((own.size - other.size) / spread.size, 2) + pow((own.density - other.density) / spread.density, 2), 9
        ) asc,
        other.ags asc
) <= {{ var('similar_municipalities') }}
