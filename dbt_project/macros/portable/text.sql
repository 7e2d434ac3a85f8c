{# Text from outside, made fit to be read. #}

{# A text on one line that does no harm where it is shown: control characters and marks that turn the direction of
   writing become escapes, it is cut after so many characters, and an apostrophe leads what a spreadsheet would take for
   a formula. #}
{% macro printable(text_expression, limit_characters) -%}
    {{ return(adapter.dispatch('printable')(text_expression, limit_characters)) }}
{%- endmacro %}

{% macro default__printable(text_expression, limit_characters) -%}
    {%- set shown = namespace(text="substr(" ~ text_expression ~ ", 1, " ~ limit_characters ~ ")") -%}
    {%- for code in range(1, 32) | list + range(127, 160) | list -%}
        {%- set shown.text = "replace(" ~ shown.text ~ ", chr(" ~ code ~ "), '" ~ "\\x%02x" % code ~ "')" -%}
    {%- endfor -%}
    {#- Left-to-right and right-to-left marks, line and paragraph separators, embeddings, overrides, isolates. -#}
    {%- for code in [8206, 8207] + range(8232, 8239) | list + range(8294, 8298) | list -%}
        {%- set shown.text = "replace(" ~ shown.text ~ ", '" ~ "%c" % code ~ "', '" ~ "\\u%04x" % code ~ "')" -%}
    {%- endfor %}
    case
        when substr({{ text_expression }}, 1, 1) in ('=', '+', '-', '@') then concat('''', {{ shown.text }})
        else {{ shown.text }}
    end
{%- endmacro %}

{# Cells of a row as one text, which is another one where a cell is another or null. #}
{% macro cells_as_text(expressions) -%}
    {%- set cells = [] -%}
    {%- for expression in expressions -%}
        {%- do cells.append("coalesce(replace(cast(" ~ expression ~ " as varchar), '|', '||'), '|-')") -%}
    {%- endfor -%}
    concat_ws('|', {{ cells | join(', ') }})
{%- endmacro %}
