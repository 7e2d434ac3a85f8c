{%- for findings in ['int_counting_finding', 'int_parking_finding', 'int_air_quality_finding'] %}
{%- if not loop.first %}
union all
{% endif -%}
select
    finding_id,
    source_id,
    site_id,
    channel_id,
    mode,
    direction,
    first_date,
    last_date,
    code,
    amount,
    reference_amount,
    {# Those of counts may be taken over from the former release, made printable already. -#}
    {% if loop.first %}detail{% else %}{{ printable('detail', 500) }} as detail{% endif %}
from {{ ref(findings) }}
{%- endfor %}
