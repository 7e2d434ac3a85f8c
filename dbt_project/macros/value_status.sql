{# Of several values the least certain one says how certain what is made of them is: the status as a number to take the
   greatest of, and back. #}
{% macro status_rank(status_expression) -%}
    case {{ status_expression }}
        when 'measured' then 0
        when 'corrected' then 1
        when 'imputed' then 2
        when 'estimated' then 3
        when 'unreliable' then 4
        when 'missing' then 5
        when 'suppressed' then 6
    end
{%- endmacro %}

{% macro status_of_rank(rank_expression) -%}
    case {{ rank_expression }}
        when 0 then 'measured'
        when 1 then 'corrected'
        when 2 then 'imputed'
        when 3 then 'estimated'
        when 4 then 'unreliable'
        when 5 then 'missing'
        when 6 then 'suppressed'
    end
{%- endmacro %}
