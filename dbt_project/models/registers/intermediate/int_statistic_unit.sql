-- Units as published, resolved: a factor in front (`1000`, `Tsd. EUR`, `1000 qm`), behind (`EUR 1000`) or alone goes
-- into the number, the rest is the unit, in German as the German tables write it. A year in a unit (`2010=100`) is no
-- factor, as no blank follows it. Which words are factors and which units are the same stands in seeds.
with

published as (
    select distinct value_unit as published_unit
    from {{ ref('int_statistic_area') }}
    where value_unit is not null
),

split as (
    select
        published.published_unit,
        factors.factor,
        case
            when factors.word is null then published.published_unit
            when published.published_unit = factors.word then 'Anzahl'
            when published.published_unit like concat(factors.word, ' %')
                then trim(substr(published.published_unit, length(factors.word) + 1))
            else trim(substr(published.published_unit, 1, length(published.published_unit) - length(factors.word)))
        end as unit
    from published
    left join {{ ref('unit_factor') }} as factors
        on
            published.published_unit = factors.word
            or published.published_unit like concat(factors.word, ' %')
            or published.published_unit like concat('% ', factors.word)
    -- `1000 EUR` fits `1000` alone; of several words the longest one is meant.
    qualify row_number() over (
        partition by published.published_unit
        order by length(factors.word) desc nulls last, factors.word asc
    ) = 1
)

select
    split.published_unit,
    coalesce(split.factor, 1) as factor,
    coalesce(synonyms.unit, split.unit) as unit
from split
left join {{ ref('unit_synonym') }} as synonyms on split.unit = synonyms.published
