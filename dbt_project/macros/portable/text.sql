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
    {%- for mark in ["\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e"] -%}
        {%- set shown.text = "replace(" ~ shown.text ~ ", '" ~ mark ~ "', '\\u')" -%}
    {%- endfor -%}
    case
        when substr({{ text_expression }}, 1, 1) in ('=', '+', '-', '@') then concat('''', {{ shown.text }})
        else {{ shown.text }}
    end
{%- endmacro %}
