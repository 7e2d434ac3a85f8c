-- What became of the declarations in the sources' YAML: corrections that are applied, corrections whose guard has
-- failed, and declarations that no file bears out.
with

channels as (
    select
        source_id,
        site_id,
        channel_id
    from {{ ref('int_channel_version') }}
    group by source_id, site_id, channel_id
),

unmatched as (
    select
        declared.source_id,
        declared.site_id,
        declared.channel_id,
        declared.declaration,
        declared.first_date,
        coalesce(declared.last_date, declared.first_date) as last_date
    from {{ ref('stg_count_topology') }} as declared
    left join channels
        on
            declared.source_id = channels.source_id
            and declared.site_id = channels.site_id
            and declared.channel_id = channels.channel_id
    where channels.site_id is null
    union all
    select
        source_id,
        site_id,
        channel_id,
        declaration,
        cast({{ instant_to_local('first_at') }} as date) as first_date,
        cast({{ instant_to_local('until_at - interval 1 second') }} as date) as last_date
    from {{ ref('int_count_correction') }}
    where found_count is null
)

select
    source_id,
    site_id,
    channel_id,
    cast({{ instant_to_local('first_at') }} as date) as first_date,
    cast({{ instant_to_local('until_at - interval 1 second') }} as date) as last_date,
    case
        when is_in_force then concat('declared_', action)
        else 'correction_outdated'
    end as code,
    declaration,
    cast(found_count as double) as amount,
    cast(expected_count as double) as reference_amount,
    case
        when is_in_force
            then
                concat(
                    declaration, ' of ', source_id, ', by ', provider, ': ', reason,
                    case when factor is not null then concat(' (times ', cast(factor as varchar), ')') else '' end
                )
        else
            concat(
                declaration, ' of ', source_id, ' (', action, '): the files say ', cast(found_count as varchar),
                ', it was written for ', cast(expected_count as varchar), '; look at the values, then remove it from ',
                'data/sources/', source_id, '.yml or write it anew'
            )
    end as detail
from {{ ref('int_count_correction') }}
where found_count is not null
union all
select
    source_id,
    site_id,
    channel_id,
    first_date,
    last_date,
    'declaration_unmatched' as code,
    declaration,
    cast(null as double) as amount,
    cast(null as double) as reference_amount,
    concat(
        declaration, ' of ', source_id, ': no file has site ', site_id,
        case when channel_id is not null then concat(', channel ', channel_id) else '' end,
        ' then; look for the number, or say inputs where the input has no such files'
    ) as detail
from unmatched
