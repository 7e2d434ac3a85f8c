-- sqlfluff:exclude_rules:RF04,ST06,LT02
{# Statistical disclosure control of counts of persons (issue 7, part 4).

   Primary: a count above zero and below `min_persons` is hidden. Complementary: so is what else it takes that no hidden
   count can be computed from the rows, columns and parent totals that stay. The method is the hypercube of the
   statistical offices (Repsilber, GHMITER): hidden cells are the corners of a cuboid on which persons can be moved to and
   fro while every total stays, so that whoever knows all that is shown cannot tell how many were moved.

   In each dimension a small cell has ways to move:
   - a category: it goes up, another one goes down;
   - an area: the lowest area in it goes up, a lowest area outside it goes down, and with them those between each and the
     nearest area that holds both;
   - a total of a dimension: one of its parts goes with it.
   All combinations are hidden. No count may fall below zero on the way, so what goes down holds so many that the small
   count could as well be `min_persons`; where nothing does, at least one person can go one way or the other. Of the ways
   the one is taken that hides fewest persons. Where there is none, and where categories overlap (add up to more than their
   total), the whole table is hidden.

   `cells`: relation with one row per cell; `cube`: columns that tell tables apart; `area`: area_id; `classes`: columns of
   categories, '' or null being the total; `value`: the count, null where unknown. Returns a query of the cells to hide:
   cube_key (as the macro of that name), area_id, class_1, class_2 … and is_primary. #}
{% macro suppressed_cells(cells, cube, area, classes, value) %}
{%- set k = var('min_persons') -%}
{%- set names = [] -%}
{%- for class in classes %}{% do names.append('class_' ~ loop.index) %}{% endfor -%}
{%- set coordinates = ['area_id'] + names -%}
{%- set few = 'between 1 and ' ~ var('suppression_ways') -%}
with

given as (
    select
        {{ cube_key(cube) }} as cube_key,
        {{ area }} as area_id,
        {% for class in classes -%}
        coalesce({{ class }}, '') as class_{{ loop.index }},
        {% endfor -%}
        cast({{ value }} as double) as value
    from {{ cells }}
),

small as (
    select
        row_number() over (
            order by cube_key asc{% for name in coordinates %}, {{ name }} asc{% endfor %}
        ) as small_id,
        cube_key,
        {{ coordinates | join(', ') }},
        {{ k }} - value as room
    from given
    where value > 0 and value < {{ k }}
),

-- Tables without a small count stay as they are.
cells as (
    select
        given.cube_key,
        given.{{ coordinates | join(', given.') }},
        given.value
    from given
    inner join (select distinct cube_key from small) as touched on given.cube_key = touched.cube_key
),

{{ _ways_of_areas(names, few) }}

{% for name in names -%}
{{ _ways_of_categories(name, coordinates, few) }}

{% endfor -%}

corners as (
    select
        small.small_id,
        small.cube_key,
        small.room,
        step_area.far as far_area,
        step_area.area_id,
        {% for name in names -%}
        step_{{ name }}.far as far_{{ name }},
        step_{{ name }}.code as {{ name }},
        {% endfor -%}
        step_area.direction{% for name in names %} * step_{{ name }}.direction{% endfor %} as direction,
        step_area.is_lowest{% for name in names %} and step_{{ name }}.is_lowest{% endfor %} as is_lowest
    from small
    inner join step_area on small.small_id = step_area.small_id
    {% for name in names -%}
    inner join step_{{ name }} on small.small_id = step_{{ name }}.small_id
    {% endfor -%}
),

chosen as (
    select
        corners.small_id,
        corners.far_area
        {%- for name in names %},
        corners.far_{{ name }}
        {%- endfor %}
    from corners
    left join cells on {{ _same('corners', 'cells', ['cube_key'] + coordinates) }}
    group by
        corners.small_id,
        corners.far_area
        {%- for name in names %},
        corners.far_{{ name }}
        {%- endfor %}
    having
        -- The lowest cells say what can be moved: those above hold no fewer. Of one that is not known nobody can say it.
        count(case when corners.is_lowest then 1 end) = count(case when corners.is_lowest then cells.value end)
        and (
            {{ _least_of('down') }} >= 1
            or {{ _least_of('up') }} >= 1
        )
    qualify row_number() over (
        partition by corners.small_id
        order by
            case when {{ _least_of('down') }} >= max(corners.room) then 0 else 1 end asc,
            sum(case when cells.value > 0 and cells.value < {{ k }} then 0 else cells.value end) asc,
            corners.far_area asc
            {%- for name in names %},
            corners.far_{{ name }} asc
            {%- endfor %}
    ) = 1
),

hidden as (
    select distinct
        corners.cube_key,
        corners.{{ coordinates | join(', corners.') }}
    from corners
    inner join chosen
        on {{ _same('corners', 'chosen', ['small_id', 'far_area']) }}
        {%- for name in names %}
            and corners.far_{{ name }} = chosen.far_{{ name }}
        {%- endfor %}
),

whole as (
    select small.cube_key
    from small
    left join hidden on {{ _same('small', 'hidden', ['cube_key'] + coordinates) }}
    where hidden.cube_key is null
    {%- for name in names %}
    union
    select cube_key
    from cells
    group by
        cube_key{% for other in coordinates if other != name %}, {{ other }}{% endfor %}
    having sum(case when {{ name }} <> '' then value end) > max(case when {{ name }} = '' then value end) + 0.5
    {%- endfor %}
)

select
    cells.cube_key,
    cells.{{ coordinates | join(', cells.') }},
    cells.value > 0 and cells.value < {{ k }} as is_primary
from cells
left join hidden on {{ _same('cells', 'hidden', ['cube_key'] + coordinates) }}
left join (select distinct cube_key from whole) as wholes on cells.cube_key = wholes.cube_key
where
    cells.value is not null
    and (hidden.cube_key is not null or wholes.cube_key is not null)
{% endmacro %}

{# The key of a table among others, from the columns that tell them apart. #}
{% macro cube_key(columns) -%}
    concat_ws('|', {{ columns | join(', ') }})
{%- endmacro %}

{# Classifying attributes (VARIABLE=CODE;…) in which the codes of totals are blank, as other tables have them. #}
{% macro class_codes(codes) -%}
    {%- set blank = namespace(codes="concat(" ~ codes ~ ", ';')") -%}
    {%- for code in var('total_codes') -%}
        {%- set blank.codes = "replace(" ~ blank.codes ~ ", '=" ~ code ~ ";', '=;')" -%}
    {%- endfor -%}
    {{ blank.codes }}
{%- endmacro %}

{# CTEs up to step_area: per small cell and way the areas that change and whether up (1) or down (-1). #}
{% macro _ways_of_areas(names, few) %}
places as (
    select distinct
        cube_key,
        area_id
    from cells
),

-- Which areas of the table lie in which others of it, themselves included.
lineage as (
    select
        places.cube_key,
        places.area_id,
        ancestors.ancestor_id
    from places
    inner join {{ ref('int_area_ancestor') }} as ancestors on places.area_id = ancestors.area_id
    inner join places as above
        on
            places.cube_key = above.cube_key
            and ancestors.ancestor_id = above.area_id
),

leaves as (
    select
        cube_key,
        ancestor_id as area_id
    from lineage
    group by cube_key, ancestor_id
    having count(*) = 1
),

near_area as (
    select
        small.small_id,
        small.cube_key,
        leaves.area_id as near
    from small
    inner join lineage
        on
            small.cube_key = lineage.cube_key
            and small.area_id = lineage.ancestor_id
    inner join leaves on {{ _same('lineage', 'leaves', ['cube_key', 'area_id']) }}
    inner join cells on {{ _same('leaves', 'cells', ['cube_key', 'area_id']) }}
        {%- for name in names %}
            and small.{{ name }} = cells.{{ name }}
        {%- endfor %}
    where cells.value is not null
    qualify row_number() over (partition by small.small_id order by cells.value desc, leaves.area_id asc) = 1
),

outside as (
    select
        small.small_id,
        leaves.cube_key,
        leaves.area_id
    from small
    inner join leaves on small.cube_key = leaves.cube_key
    left join lineage
        on
            leaves.cube_key = lineage.cube_key
            and leaves.area_id = lineage.area_id
            and small.area_id = lineage.ancestor_id
    where lineage.area_id is null
),

far_area as (
    select
        near_area.small_id,
        near_area.cube_key,
        near_area.near,
        outside.area_id as far,
        cells.value,
        case when cells.value >= small.room then 0 else 1 end as is_poor,
        count(near_line.ancestor_id) as shared
    from near_area
    inner join small on near_area.small_id = small.small_id
    inner join outside on near_area.small_id = outside.small_id
    inner join cells on {{ _same('outside', 'cells', ['cube_key', 'area_id']) }}
        {%- for name in names %}
            and small.{{ name }} = cells.{{ name }}
        {%- endfor %}
    inner join lineage as far_line on {{ _same('cells', 'far_line', ['cube_key', 'area_id']) }}
    left join lineage as near_line
        on
            near_area.cube_key = near_line.cube_key
            and near_area.near = near_line.area_id
            and far_line.ancestor_id = near_line.ancestor_id
    where cells.value is not null
    group by near_area.small_id, near_area.cube_key, near_area.near, outside.area_id, cells.value, small.room
),

-- Areas of the same parent that hold just enough, and those that hold most.
way_area as (
    select
        small_id,
        cube_key,
        near,
        far
    from far_area
    qualify
        row_number() over (partition by small_id order by is_poor asc, shared desc, value asc, far asc) {{ few }}
        or row_number() over (partition by small_id order by value desc, far asc) {{ few }}
    union all
    select
        near_area.small_id,
        near_area.cube_key,
        near_area.near,
        '' as far
    from near_area
    left join outside on near_area.small_id = outside.small_id
    where outside.small_id is null
),

{% for side, other, direction in [('near', 'far', 1), ('far', 'near', -1)] -%}
step_{{ side }} as (
    select
        way_area.small_id,
        way_area.far,
        lineage.ancestor_id as area_id,
        {{ direction }} as direction,
        lineage.ancestor_id = way_area.{{ side }} as is_lowest
    from way_area
    inner join lineage
        on
            way_area.cube_key = lineage.cube_key
            and way_area.{{ side }} = lineage.area_id
    left join lineage as shared
        on
            way_area.cube_key = shared.cube_key
            and way_area.{{ other }} = shared.area_id
            and lineage.ancestor_id = shared.ancestor_id
    where shared.area_id is null
),

{% endfor -%}

step_area as (
    select
        small_id,
        far,
        area_id,
        direction,
        is_lowest
    from step_near
    union all
    select
        small_id,
        far,
        area_id,
        direction,
        is_lowest
    from step_far
),
{% endmacro %}

{# CTEs up to step_<name>: per small cell and way the categories of a dimension that change, up or down. #}
{% macro _ways_of_categories(name, coordinates, few) %}
{%- set others = coordinates | reject('equalto', name) | list -%}
neighbour_{{ name }} as (
    select
        small.small_id,
        small.{{ name }} = '' as is_total,
        cells.{{ name }} as far,
        cells.value,
        case when cells.value >= small.room then 0 else 1 end as is_poor
    from small
    inner join cells on {{ _same('small', 'cells', ['cube_key'] + others) }}
    where
        cells.{{ name }} <> ''
        and cells.{{ name }} <> small.{{ name }}
        and cells.value is not null
),

way_{{ name }} as (
    select
        small_id,
        is_total,
        far
    from neighbour_{{ name }}
    qualify
        row_number() over (partition by small_id order by value desc, far asc) {{ few }}
        or row_number() over (partition by small_id order by value asc, far asc) {{ few }}
    union all
    -- A dimension that the table has not.
    select
        small.small_id,
        true as is_total,
        '' as far
    from small
    left join (
        select cube_key
        from cells
        group by cube_key
        having max({{ name }}) <> ''
    ) as divided on small.cube_key = divided.cube_key
    where divided.cube_key is null
),

step_{{ name }} as (
    select
        way_{{ name }}.small_id,
        way_{{ name }}.far,
        small.{{ name }} as code,
        1 as direction,
        not way_{{ name }}.is_total or way_{{ name }}.far = '' as is_lowest
    from way_{{ name }}
    inner join small on way_{{ name }}.small_id = small.small_id
    union all
    select
        small_id,
        far,
        far as code,
        case when is_total then 1 else -1 end as direction,
        true as is_lowest
    from way_{{ name }}
    where far <> ''
),
{% endmacro %}

{# The fewest persons in the corners of a way that go down, or up, with the small cell; many where there are none. #}
{% macro _least_of(direction) -%}
    coalesce(
        min(
            case
                when corners.is_lowest and corners.direction {{ '<' if direction == 'down' else '>' }} 0
                    then cells.value
            end
        ),
        1000000000
    )
{%- endmacro %}

{# The condition that two relations agree in columns. #}
{% macro _same(one, other, columns) -%}
    {%- for column in columns %}{{ one }}.{{ column }} = {{ other }}.{{ column }}{{ ' and ' if not loop.last }}{% endfor -%}
{%- endmacro %}
