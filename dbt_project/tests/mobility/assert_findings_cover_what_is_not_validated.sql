-- Every day of a site on which a validated count differs from the reported one lies in a finding that says why.
with

differing as (
    select distinct
        site_id,
        cast(hour_local as date) as date
    from {{ ref('fct_count_hour') }}
    where
        count is not null
        and (count_validated is null or count_validated <> count)
)

select
    differing.site_id,
    differing.date
from differing
left join {{ ref('mart_counting_finding') }} as findings
    on
        differing.site_id = findings.site_id
        and differing.date >= findings.first_date
        and differing.date <= findings.last_date
        -- Only what is told of hours, or declared, says why.
        and findings.code not in (
            'two_sources', 'ghost_channel', 'vanished_channel', 'channels_changed', 'new_channel', 'label_spelling',
            'label_changed', 'meaning_changed', 'site_renamed', 'other_mode_in_sum', 'sum_disagrees'
        )
where findings.site_id is null
