-- 66 municipalities (Gemeindeverzeichnis): 1 + 17 + 11 + 24 + 13; fewer or more means a broken register.
select count(*) as municipalities
from {{ ref('dim_municipality') }}
having count(*) <> 66
