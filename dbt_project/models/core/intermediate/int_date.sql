-- Bounds: the seed public_holiday_nrw covers 1990 to 2035.
select series.series_date as date
from {{ date_series('1990-01-01', '2035-12-31') }} as series
