select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.school_id,
    staged.name,
    staged.short_name,
    staged.school_type_code,
    staged.legal_form_code,
    staged.ags,
    staged.postal_code,
    staged.place,
    staged.operating_status_code,
    staged.operating_since_date,
    staged.longitude,
    staged.latitude
from {{ staged('school') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
