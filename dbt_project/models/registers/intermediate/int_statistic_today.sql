-- Every value on today's territory. The rule: a value is of the territory of its day. A territory that went whole into
-- one of today's areas brings its value; where several did, they are added up; one that was divided brings the declared
-- share (of inhabitants or of km2, as statistic_variable says), which is an estimate. What cannot be added up, and what
-- a part is lacking of, is missing with its reason. What a publisher reckoned back to today's territory speaks for
-- itself.
--
-- Made of protected values alone: it tells nothing that they do not tell.
with

carried as (
    select
        statistics.source_id,
        statistics.table_code,
        statistics.attribute_codes,
        statistics.value_variable_code,
        statistics.period,
        statistics.territory_date,
        succession.area_id,
        succession.from_area_id,
        statistics.value,
        statistics.unit,
        statistics.value_status,
        statistics.reason,
        statistics.carried_by,
        statistics.is_count_of_persons,
        statistics.is_cell_key,
        statistics.is_published,
        case statistics.carried_by when 'area' then succession.area_share else succession.persons_share end as share,
        coalesce(succession.created_date > statistics.territory_date, false) as is_reckoned_back
    from {{ ref('int_statistic_protected') }} as statistics
    inner join {{ ref('int_area_succession') }} as succession
        on
            statistics.area_id = succession.from_area_id
            and coalesce(statistics.territory_date >= succession.valid_from, succession.valid_from is null)
            and coalesce(statistics.territory_date <= succession.valid_to, succession.valid_to is null)
),

speaking as (
    select
        carried.source_id,
        carried.table_code,
        carried.attribute_codes,
        carried.value_variable_code,
        carried.period,
        carried.territory_date,
        carried.area_id,
        carried.from_area_id,
        carried.value,
        carried.unit,
        carried.value_status,
        carried.reason,
        carried.carried_by,
        carried.is_count_of_persons,
        carried.is_cell_key,
        carried.is_published,
        carried.share,
        carried.is_reckoned_back,
        max(case when carried.is_reckoned_back then 1 else 0 end) over (
            partition by
                carried.source_id,
                carried.table_code,
                carried.attribute_codes,
                carried.value_variable_code,
                carried.period,
                carried.unit,
                carried.area_id
        ) as has_reckoned_back
    from carried
),

-- How many territories of a day make up one of today's areas.
expected as (
    select
        days.territory_date,
        succession.area_id,
        count(*) as parts
    from (select distinct territory_date from {{ ref('int_statistic_protected') }}) as days
    inner join {{ ref('int_area_succession') }} as succession
        on
            coalesce(days.territory_date >= succession.valid_from, succession.valid_from is null)
            and coalesce(days.territory_date <= succession.valid_to, succession.valid_to is null)
    where not coalesce(succession.created_date > days.territory_date, false)
    group by days.territory_date, succession.area_id
),

summed as (
    select
        speaking.source_id,
        speaking.table_code,
        speaking.area_id,
        speaking.attribute_codes,
        speaking.value_variable_code,
        speaking.period,
        speaking.territory_date,
        speaking.unit,
        max(speaking.carried_by) as carried_by,
        max(speaking.from_area_id) as from_area_id,
        max(speaking.value_status) as one_status,
        max(speaking.reason) as one_reason,
        max(speaking.value) as one_value,
        min(case when speaking.is_published then 1 else 0 end) = 1 as is_published,
        max(case when speaking.is_count_of_persons then 1 else 0 end) = 1 as is_count_of_persons,
        max(case when speaking.is_cell_key then 1 else 0 end) = 1 as is_cell_key,
        max(speaking.has_reckoned_back) = 1 as is_reckoned_back,
        min(speaking.share) as least_share,
        count(*) as told_parts,
        count(speaking.value) as known_parts,
        max(case when speaking.value_status = 'suppressed' then 1 else 0 end) = 1 as has_suppressed,
        max(case when speaking.value_status = 'unreliable' then 1 else 0 end) = 1 as has_unreliable,
        cast(sum(cast(speaking.value * speaking.share as decimal(28, 6))) as double) as value
    from speaking
    where speaking.is_reckoned_back or speaking.has_reckoned_back = 0
    group by
        speaking.source_id,
        speaking.table_code,
        speaking.area_id,
        speaking.attribute_codes,
        speaking.value_variable_code,
        speaking.period,
        speaking.unit,
        speaking.territory_date
),

ruled as (
    select
        summed.source_id,
        summed.table_code,
        summed.area_id,
        summed.attribute_codes,
        summed.value_variable_code,
        summed.period,
        summed.territory_date,
        summed.unit,
        summed.one_value,
        summed.one_status,
        summed.one_reason,
        summed.value,
        summed.is_published,
        summed.is_count_of_persons,
        summed.has_unreliable,
        case
            when summed.is_reckoned_back then 'reckoned_back'
            when summed.least_share < 1 then 'divided'
            when coalesce(expected.parts, 1) > 1 then 'merged'
            when summed.from_area_id <> summed.area_id then 'new_key'
            when summed.is_published then 'published'
            else 'total'
        end as territory_rule,
        case
            when summed.carried_by = 'none' then 'not_additive'
            when summed.is_cell_key then 'cell_key_not_summed'
            when summed.told_parts < coalesce(expected.parts, 1) then 'part_missing'
            when summed.has_suppressed then 'part_suppressed'
            when summed.known_parts < summed.told_parts then 'part_missing'
        end as obstacle
    from summed
    left join expected
        on
            summed.area_id = expected.area_id
            and summed.territory_date = expected.territory_date
),

carried_over as (
    select
        source_id,
        table_code,
        area_id,
        attribute_codes,
        value_variable_code,
        period,
        territory_date,
        unit,
        is_published,
        is_count_of_persons,
        territory_rule,
        case
            when territory_rule not in ('divided', 'merged') then one_value
            when obstacle is null then value
        end as value,
        case
            when territory_rule not in ('divided', 'merged') then one_status
            when obstacle = 'part_suppressed' then 'suppressed'
            when obstacle is not null then 'missing'
            when has_unreliable then 'unreliable'
            when territory_rule = 'divided' then 'estimated'
            else 'measured'
        end as value_status,
        case
            when territory_rule not in ('divided', 'merged') then one_reason
            else obstacle
        end as reason
    from ruled
),

-- A Kreis whose border moved keeps its key: for earlier days the sum of today's municipalities alone is of its extent.
borders as (
    select
        moved.kreis_id,
        max(moved.effective_date) as border_date
    from (
        select
            substr(former_area_id, 1, 5) as kreis_id,
            effective_date
        from {{ ref('int_area_change') }}
        where length(former_area_id) = 8 and substr(former_area_id, 1, 5) <> substr(area_id, 1, 5)
        union all
        select
            substr(area_id, 1, 5) as kreis_id,
            effective_date
        from {{ ref('int_area_change') }}
        where length(former_area_id) = 8 and substr(former_area_id, 1, 5) <> substr(area_id, 1, 5)
    ) as moved
    group by moved.kreis_id
),

municipalities as (
    select
        area_id,
        parent_area_id,
        count(*) over (partition by parent_area_id) as siblings
    from {{ ref('dim_area') }}
    where level = 'municipality' and valid_to is null
),

kreise_again as (
    select
        carried_over.source_id,
        carried_over.table_code,
        borders.kreis_id,
        carried_over.attribute_codes,
        carried_over.value_variable_code,
        carried_over.period,
        carried_over.unit,
        case
            when
                count(carried_over.value) = max(municipalities.siblings)
                and min(case when carried_over.value_status in ('measured', 'estimated') then 1 else 0 end) = 1
                and min(variables.carried_by) <> 'none'
                then cast(sum(cast(carried_over.value as decimal(28, 6))) as double)
        end as value,
        max(case when carried_over.value_status = 'estimated' then 1 else 0 end) = 1 as is_estimated
    from carried_over
    inner join municipalities on carried_over.area_id = municipalities.area_id
    inner join borders
        on
            municipalities.parent_area_id = borders.kreis_id
            and carried_over.territory_date < borders.border_date
    inner join {{ ref('statistic_variable') }} as variables
        on carried_over.value_variable_code = variables.value_variable_code
    left join {{ ref('cell_key_table') }} as cell_key on carried_over.table_code like cell_key.table_pattern
    where cell_key.table_pattern is null
    group by
        carried_over.source_id,
        carried_over.table_code,
        borders.kreis_id,
        carried_over.attribute_codes,
        carried_over.value_variable_code,
        carried_over.period,
        carried_over.unit
),

bordered as (
    select
        carried_over.source_id,
        carried_over.table_code,
        carried_over.area_id,
        carried_over.attribute_codes,
        carried_over.value_variable_code,
        carried_over.period,
        carried_over.unit,
        carried_over.is_count_of_persons,
        case
            when borders.kreis_id is null then carried_over.territory_rule
            else 'border_moved'
        end as territory_rule,
        case
            when borders.kreis_id is null then carried_over.value
            else kreise_again.value
        end as value,
        case
            when borders.kreis_id is null then carried_over.value_status
            when kreise_again.value is null then 'missing'
            when kreise_again.is_estimated then 'estimated'
            else 'measured'
        end as value_status,
        case
            when borders.kreis_id is null then carried_over.reason
            when kreise_again.value is null then 'border_moved'
        end as reason
    from carried_over
    left join borders
        on
            carried_over.area_id = borders.kreis_id
            and carried_over.territory_date < borders.border_date
    left join kreise_again
        on
            borders.kreis_id = kreise_again.kreis_id
            and carried_over.source_id = kreise_again.source_id
            and carried_over.table_code = kreise_again.table_code
            and carried_over.attribute_codes = kreise_again.attribute_codes
            and carried_over.value_variable_code = kreise_again.value_variable_code
            and carried_over.period = kreise_again.period
            and carried_over.unit = kreise_again.unit
),

-- A share of a count may be a small one, though it tells nothing new.
judged as (
    select
        bordered.source_id,
        bordered.table_code,
        bordered.area_id,
        bordered.attribute_codes,
        bordered.value_variable_code,
        bordered.period,
        bordered.value,
        bordered.unit,
        bordered.value_status,
        bordered.reason,
        bordered.territory_rule,
        bordered.is_count_of_persons,
        coalesce(
            bordered.is_count_of_persons
            and bordered.value > 0
            and bordered.value < {{ var('min_persons') }}
            and bordered.territory_rule in ('merged', 'divided', 'border_moved'),
            false
        ) as is_small
    from bordered
)

select
    source_id,
    table_code,
    area_id,
    attribute_codes,
    value_variable_code,
    period,
    case when not is_small then value end as value,
    unit,
    case when is_small then 'suppressed' else value_status end as value_status,
    case when is_small then 'disclosure_control' else reason end as reason,
    territory_rule,
    is_count_of_persons
from judged
