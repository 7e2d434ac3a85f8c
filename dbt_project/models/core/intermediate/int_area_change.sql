-- The declared changes that hold in this home: invented ones in the sample region alone.
with

home as (
    select coalesce(max(cast(synthetic as integer)), 0) = 1 as is_synthetic
    from {{ ref('stg_source_catalogue') }}
)

select
    changes.effective_date,
    changes.kind,
    changes.former_area_id,
    changes.former_name,
    changes.area_id,
    changes.name,
    changes.persons_share,
    changes.area_share,
    changes.legal_source
from {{ ref('area_change') }} as changes
inner join home on changes.is_synthetic = home.is_synthetic
