-- Today's areas and, with valid_to, those that were: each has a row, so a key means the same wherever it stands.
with

municipalities as (
    select
        ags as area_id,
        'municipality' as level,
        name as name_de,
        name as name_en,
        kreis_ags as parent_area_id
    from {{ ref('dim_municipality') }}
),

today as (
    select
        area_id,
        level,
        name_de,
        name_en,
        parent_area_id
    from {{ ref('stg_region_area') }}
    where level in ('region', 'kreis')
    union all
    select
        area_id,
        level,
        name_de,
        name_en,
        parent_area_id
    from municipalities
    union all
    select
        concat(districts.ags, '-', districts.district_key) as area_id,
        'district' as level,
        districts.name as name_de,
        districts.name as name_en,
        districts.ags as parent_area_id
    from {{ ref('district') }} as districts
    inner join municipalities on districts.ags = municipalities.area_id
),

-- A new name is no new territory.
territory_changes as (
    select
        effective_date,
        former_area_id,
        former_name,
        area_id,
        persons_share
    from {{ ref('int_area_change') }}
    where kind <> 'renaming'
),

former as (
    select
        changes.former_area_id as area_id,
        changes.former_name as name,
        changes.area_id as next_area_id,
        cast(changes.effective_date - interval 1 day as date) as valid_to
    from territory_changes as changes
    left join today on changes.former_area_id = today.area_id
    where today.area_id is null
    qualify row_number() over (
        partition by changes.former_area_id
        order by changes.effective_date desc, changes.persons_share desc, changes.area_id asc
    ) = 1
),

begun as (
    select
        former.area_id,
        max(changes.effective_date) as valid_from
    from former
    inner join territory_changes as changes
        on
            former.area_id = changes.area_id
            and former.valid_to >= changes.effective_date
    group by former.area_id
)

select
    today.area_id,
    today.level,
    today.name_de,
    today.name_en,
    today.parent_area_id,
    since.valid_from,
    cast(null as date) as valid_to
from today
left join {{ ref('int_area_since') }} as since on today.area_id = since.area_id
union all
select
    former.area_id,
    case length(former.area_id) when 5 then 'kreis' else 'municipality' end as level,
    former.name as name_de,
    former.name as name_en,
    -- The Kreis in its key; where that is no more, the one its successor lies in.
    case
        when length(former.area_id) = 5 then regions.area_id
        else coalesce(kreise.area_id, heirs.parent_area_id)
    end as parent_area_id,
    begun.valid_from,
    former.valid_to
from former
left join begun on former.area_id = begun.area_id
left join today as kreise on substr(former.area_id, 1, 5) = kreise.area_id
left join today as heirs on former.next_area_id = heirs.area_id
left join today as regions on regions.level = 'region'
