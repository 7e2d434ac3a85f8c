-- Every municipality and month from 1990-01 to the month of as_of. is_known: a register that knows a municipality knows
-- of every technology there, none is a zero; of a municipality of which it holds no unit at all nothing is said.
with

known as (
    select distinct ags
    from {{ ref('dim_energy_unit') }}
)

select
    municipalities.ags,
    dates.date as month,
    known.ags is not null as is_known
from {{ ref('dim_municipality') }} as municipalities
inner join {{ ref('dim_date') }} as dates
    on dates.date between cast('1990-01-01' as date) and {{ as_of_month() }}
left join known on municipalities.ags = known.ags
where dates.date = dates.month
