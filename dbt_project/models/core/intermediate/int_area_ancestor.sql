-- sqlfluff:indentation:template_blocks_indent:False
-- Every area with all it lies in, itself included: five levels at most, district to region.
{%- set levels = 5 %}
with

step_0 as (
    select
        area_id,
        area_id as ancestor_id
    from {{ ref('dim_area') }}
),

{% for level in range(1, levels) -%}
step_{{ level }} as (
    select
        below.area_id,
        areas.parent_area_id as ancestor_id
    from step_{{ level - 1 }} as below
    inner join {{ ref('dim_area') }} as areas on below.ancestor_id = areas.area_id
    where areas.parent_area_id is not null
){{ ',' if not loop.last }}

{% endfor -%}

{% for level in range(levels) -%}
select
    area_id,
    ancestor_id,
    {{ level }} as steps
from step_{{ level }}
{{ 'union all' if not loop.last }}
{% endfor %}
