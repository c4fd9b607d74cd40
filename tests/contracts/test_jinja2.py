"""What the console's environment needs of Jinja beyond its public names."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from api.console.page_environment import PageEnvironment


def render(template: str, **values: object) -> str:
    return PageEnvironment(autoescape=True).from_string(template).render(**values)


def test_values_are_compiled_to_our_function() -> None:
    """Each value of a template is a call of `as_html`, and none of `escape`."""
    source = PageEnvironment(autoescape=True).compile(
        "{{ a }}{% if b %}{{ b|upper }}{% endif %}", raw=True
    )

    assert source.count("environment.as_html(") == 2
    assert "escape(" not in source


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ text }}", "&lt;b&gt; &amp; &#39;&#34;"),
        ("{{ markup }}", "<b>"),
        ("{{ number }} {{ none }}", "7 None"),
        (
            "{% macro m(x) %}<i>{{ x }}</i>{% endmacro %}{{ m(text) }}",
            "<i>&lt;b&gt; &amp; &#39;&#34;</i>",
        ),
        ("{% set x %}<i>{{ text }}</i>{% endset %}{{ x }}", "<i>&lt;b&gt; &amp; &#39;&#34;</i>"),
        ("{{ text|safe }}", "<b> & '\""),
        ("{{ markup ~ text }}", "<b>&lt;b&gt; &amp; &#39;&#34;"),
        ("{% autoescape false %}{{ text }}{% endautoescape %}", "<b> & '\""),
        ("{{ html }}", "<hr>"),
    ],
)
def test_values_are_escaped(template: str, expected: str) -> None:
    """Texts are escaped, once; markup is not."""

    class Html:
        def __html__(self) -> str:
            return "<hr>"

    values = {"text": "<b> & '\"", "markup": Markup("<b>"), "number": 7, "none": None}

    assert render(template, html=Html(), **values) == expected


def test_fields_come_before_methods() -> None:
    """Of a dict, `item.name` is the value of the key, else what every dict has."""
    item = {"count": 2}

    assert render("{{ item.count }} {{ item.items()|list }}", item=item) == (
        "2 [(&#39;count&#39;, 2)]"
    )
