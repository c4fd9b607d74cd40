"""Templates of the console render what Jinja itself would render of them."""

from __future__ import annotations

import pytest
from jinja2 import Environment
from markupsafe import Markup

from api.console.page_environment import PageEnvironment
from api.console.rendering import _environment
from api.console.shown_text import show_text

_VALUES = {
    "texts": ["<b>", "a&b", "case_id", "42", 'it\'s "so"', "", "ß"],
    "markup": Markup("<i>x</i>"),
    "row": {"items": ["<", "b"], "name": "<name>"},
    "double": lambda text, times=2: text * times,
}


@pytest.mark.parametrize(
    "template",
    [
        "{% for text in texts %}<p title='{{ text }}'>{{ text }}{{ markup }}</p>{% endfor %}",
        "{% for text in texts %}{% for other in row['items'] %}{{ other }}{% endfor %}{% endfor %}",
        "{% for text in [] %}{{ text }}{% else %}{{ row.name }}{% endfor %}",
        "{% for text in texts if text %}{{ loop.index }}{{ double(text, times=3) }}{% endfor %}",
        "{% macro cell(x) %}<td>{{ x }}</td>{% endmacro %}{{ cell(row.name) }}{{ cell(markup) }}",
        "{% macro a() %}<b>{{ caller() }}</b>{% endmacro %}{% call a() %}{{ row }}{% endcall %}",
        "{{ _('Some <text>') }}{{ double(_('a')) }}{{ _('a')|length }}",
        "{{ texts[0]|shown }}{{ 3 }}{{ none }}{{ row.name }}",
        "{% block all %}{% for text in texts %}{{ text }}{% endfor %}{{ row }}{% endblock %}",
    ],
)
def test_same_as_jinja(template: str) -> None:
    """Loops, calls, macros and texts come out as Jinja writes them, and as well escaped."""
    texts = [environment.from_string(template).render(_VALUES) for environment in _environments()]

    assert texts[0] == texts[1]


def _environments() -> list[Environment]:
    made = [Environment(autoescape=True), PageEnvironment(autoescape=True)]
    for environment in made:
        environment.globals["_"] = Markup
        environment.filters["shown"] = show_text
    return made


def test_translated_when_compiled() -> None:
    """A text without parameters stands in the compiled template."""
    assert "Importaciones" in _environment("es").compile("<p>{{ _('Imports') }}</p>", raw=True)


def test_no_function_asks_for_the_context() -> None:
    """Calls are compiled to plain calls, which would not pass Jinja's context."""
    functions = _environment("en").globals.values()

    assert [each for each in functions if hasattr(each, "jinja_pass_arg")] == []
