-- Where several grids tell of a cell, that of the source with the lowest priority number counts.
with

cells as (
    select
        cells.source_id,
        cells.snapshot_sha256,
        cells.cell_id,
        cells.population
    from {{ ref('stg_population_cell') }} as cells
    left join {{ ref('stg_source_catalogue') }} as catalogue on cells.source_id = catalogue.source_id
    qualify row_number() over (
        partition by cells.cell_id
        order by catalogue.priority asc nulls last, cells.source_id asc, cells.snapshot_sha256 asc
    ) = 1
),

located as (
    select
        source_id,
        snapshot_sha256,
        entity_id as cell_id,
        min(ags) as ags
    from {{ ref('stg_located_point') }}
    where entity = 'population_cell'
    group by source_id, snapshot_sha256, entity_id
)

select
    cells.source_id,
    cells.snapshot_sha256,
    cells.cell_id,
    cells.population,
    located.ags
from cells
inner join located
    on
        cells.source_id = located.source_id
        and cells.snapshot_sha256 = located.snapshot_sha256
        and cells.cell_id = located.cell_id
where located.ags is not null
