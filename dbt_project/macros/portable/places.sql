{# Where things lie and what they are called, without geometry types. #}

{# Great-circle distance in metres (haversine, mean radius of the earth) between two places in degrees; null where one
   of them is not known, which `least` would pass over. #}
{% macro metres_between(latitude_a, longitude_a, latitude_b, longitude_b) -%}
    {{ return(adapter.dispatch('metres_between')(latitude_a, longitude_a, latitude_b, longitude_b)) }}
{%- endmacro %}

{% macro default__metres_between(latitude_a, longitude_a, latitude_b, longitude_b) -%}
    case when {{ latitude_a }} + {{ longitude_a }} + {{ latitude_b }} + {{ longitude_b }} is not null then
        2 * 6371008.8 * asin(least(1.0, sqrt(
            pow(sin(radians({{ latitude_b }} - {{ latitude_a }}) / 2), 2)
            + cos(radians({{ latitude_a }})) * cos(radians({{ latitude_b }}))
            * pow(sin(radians({{ longitude_b }} - {{ longitude_a }}) / 2), 2)
        )))
    end
{%- endmacro %}

{# A stop's name as far as it tells stops of one municipality apart: small letters and digits, without the
   municipality's name in front, streets and stations in their short spelling. #}
{% macro stop_name_key(name, municipality_name) -%}
    {{ return(adapter.dispatch('stop_name_key')(name, municipality_name)) }}
{%- endmacro %}

{% macro default__stop_name_key(name, municipality_name) -%}
    {%- set spelt = namespace(text="lower(trim(" ~ name ~ "))") -%}
    {%- set place = "lower(trim(split_part(" ~ municipality_name ~ ", ',', 1)))" -%}
    {%- set begins = "substr(" ~ spelt.text ~ ", 1, length(" ~ place ~ ")) = " ~ place -%}
    {%- set parted = "substr(" ~ spelt.text ~ ", length(" ~ place ~ ") + 1, 1) in (',', ' ', '-', '/')" -%}
    {%- set rest = "substr(" ~ spelt.text ~ ", length(" ~ place ~ ") + 2)" -%}
    {%- set spelt.text = "case when " ~ place ~ " <> '' and " ~ begins ~ " and " ~ parted ~ " and trim(" ~ rest
        ~ ") <> '' then " ~ rest ~ " else " ~ spelt.text ~ " end" -%}
    {%- for long, short in [
        ("hauptbahnhof", "hbf"), ("bahnhof", "bf"), ("straße", "str"), ("strasse", "str"), ("platz", "pl"), ("sankt", "st")
    ] -%}
        {%- set spelt.text = "replace(" ~ spelt.text ~ ", '" ~ long ~ "', '" ~ short ~ "')" -%}
    {%- endfor -%}
    {{ strip_marks(spelt.text) }}
{%- endmacro %}

{# Letters and digits alone. #}
{% macro strip_marks(text_expression) -%}
    {{ return(adapter.dispatch('strip_marks')(text_expression)) }}
{%- endmacro %}

{% macro duckdb__strip_marks(text_expression) -%}
    regexp_replace({{ text_expression }}, '[^\p{L}\p{N}]', '', 'g')
{%- endmacro %}

{# The DHID of a stop as a whole, country:Kreis:stop, from an id that begins with it; empty where none does. Ids of
   areas and platforms go on after it, and some feeds mark them with `_G`. Identifier according to
   https://www.delfi.de/de/strategie-technik/dhid . #}
{% macro dhid(id_expression) -%}
    {{ return(adapter.dispatch('dhid')(id_expression)) }}
{%- endmacro %}

{% macro default__dhid(id_expression) -%}
    regexp_extract(coalesce({{ id_expression }}, ''), '^([a-z][a-z]:[0-9]{5}:[^:_]+)', 1)
{%- endmacro %}
