"""The console's texts: all of them can be translated, and are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from api.console.language import FOLDER, Language
from importers.language.catalogue import OTHERS
from scripts.texts import path_of, texts

TEMPLATES = FOLDER.parent / "templates"
# Names, which are the same in every language, and what stands beside figures.
SAME = {"Caseroll", "CSV", "Excel", "SHA-256"}


def messages(code: str) -> Iterator[Message]:
    """Yield the messages of a language's catalogue."""
    with path_of(code).open("rb") as file:
        yield from (each for each in read_po(file, locale=code) if each.id)


def forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    """Return the forms of a text, of which one without a count has one."""
    return [text] if isinstance(text, str) else list(text)


def in_pairs(message: Message) -> Iterator[tuple[str, str]]:
    """Yield each form of a translation with the form of the text that it stands for."""
    texts = forms(message.id)
    for index, form in enumerate(forms(message.string)):
        yield texts[min(index, len(texts) - 1)], form


def placeholders(text: str) -> set[str]:
    """Return what stands in a text for values, and its markup."""
    return set(re.findall(r"%\(\w+\)s|\{\w+\}|</?\w+>", text))


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalogue_has_each_text(code: str) -> None:
    """It has the texts of code and templates, and no other: `make texts` brings it up to date."""
    wanted = {forms(text)[0] for _, text in texts()}

    assert {forms(each.id)[0] for each in messages(code)} == wanted


@pytest.mark.parametrize("code", OTHERS)
def test_each_text_is_translated(code: str) -> None:
    """None is missing, in none of its forms."""
    missing = [each.id for each in messages(code) if not all(forms(each.string))]

    assert missing == []


@pytest.mark.parametrize("code", OTHERS)
def test_translations_hold_the_same(code: str) -> None:
    """A translation has the placeholders and the markup of its text, in each form."""
    others = [
        text
        for each in messages(code)
        for text, form in in_pairs(each)
        if placeholders(form) != placeholders(text)
    ]

    assert others == []


@pytest.mark.parametrize("code", OTHERS)
def test_translations_end_alike(code: str) -> None:
    """A sentence stays a sentence, a question a question, and what goes on goes on."""
    others = [
        text
        for each in messages(code)
        for text, form in in_pairs(each)
        if re.findall("[.?…:]$", text) != re.findall("[.?…:]$", form)
    ]

    assert others == []


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_templates_say_nothing_untranslated(path: Path) -> None:
    """Each word between tags, and in what a screen reader says, is in the catalogue."""
    assert untranslated(path.read_text("utf-8")) == set()


def untranslated(template: str) -> set[str]:
    """Return the words of a template that are not in its texts."""
    left = re.sub(r"\{%-?\s*trans\b.*?endtrans\s*-?%\}", "", template, flags=re.DOTALL)
    left = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->", "", left, flags=re.DOTALL)
    spoken = re.findall(r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"', left)
    # Macros write attributes, and blocks write addresses, outside of tags.
    shown = re.sub(r'<[^>]*>|[\w-]+="[^"]*"|\bautofocus\b|/\S*|&\w+;', "\n", left).splitlines()
    words = {each.strip(" ,.·:()") for each in [*spoken, *shown]}
    return {each for each in words if re.search(r"[^\W\d_]", each)} - SAME


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ('<p title="{{ _("A") }}">{{ _("B") }}: {% trans %}C{% endtrans %} · CSV</p>', set()),
        ("<p>{{ count }} rows</p>", {"rows"}),
        ('<a href="x" aria-label="Next">→</a>', {"Next"}),
    ],
)
def test_untranslated(template: str, words: set[str]) -> None:
    """Words between tags and in labels are found; expressions and attributes are not words."""
    assert untranslated(template) == words


def test_counts() -> None:
    """A count has the form of its language, and is written as that writes figures."""
    spanish = Language("es")
    one, many = "%(n)s created", "%(n)s created"

    assert [spanish.plural(one, many, count) for count in (1, 2, 12_000)] == [
        "1 alta",
        "2 altas",
        "12.000 altas",
    ]
    assert Language("en").plural(one, many, 12_000) == "12,000 created"
