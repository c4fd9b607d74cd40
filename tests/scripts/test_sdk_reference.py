"""The reference of the SDK is complete, current, and shows what works."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import importers.testing
from scripts import docstring, sdk_reference

PAGE = Path(__file__).parents[2] / "docs/sdk-reference.md"
NAMES = [*importers.__all__, *importers.testing.__all__]
CONSTANTS = {"SDK_VERSION", "Change"}


def test_it_is_current() -> None:
    """The page is what the docstrings say now; `make reference` writes it."""
    assert PAGE.read_text() == sdk_reference.page()


def test_every_name_is_in_it() -> None:
    """Each public name has its place under one heading."""
    listed = [name for names in sdk_reference.GROUPS.values() for name in names]
    headings = re.findall(r"^### `(\w+)`$", PAGE.read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(NAMES)
    assert headings == listed


def test_every_link_has_its_heading() -> None:
    """Every name that is linked has a heading to go to."""
    headings = re.findall(r"^#+ (.*)$", PAGE.read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}

    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE.read_text())) <= anchors


def documented() -> dict[str, docstring.Docstring]:
    """Return the docstrings of all names and their members."""
    found = {}
    for name in NAMES:
        found[name] = sdk_reference.doc_of(name)
        thing = sdk_reference.find(name)
        for member in sdk_reference.members(thing) if inspect.isclass(thing) else ():
            found[f"{name}.{member.name}"] = member.doc
    return found


@pytest.mark.parametrize("name", sorted(set(NAMES) - CONSTANTS))
def test_every_name_has_an_example(name: str) -> None:
    """A class or function is shown at work."""
    assert sdk_reference.doc_of(name).examples


@pytest.mark.parametrize("name", [name for name, doc in documented().items() if doc.examples])
def test_examples_run(name: str) -> None:
    """Every example does what it says, with the public names imported."""
    names: dict[str, Any] = {name: sdk_reference.find(name) for name in NAMES}
    exec("from __future__ import annotations\nfrom dataclasses import dataclass", names)
    test = doctest.DocTest(documented()[name].examples, names, name, None, None, None)
    told: list[str] = []

    assert doctest.DocTestRunner().run(test, out=told.append).failed == 0, "".join(told)


def test_a_docstring() -> None:
    """Arguments and errors become lists, what is returned a paragraph, examples lose prompts."""
    text = """Do it.

    At once,
    please.

    Args:
        first: the first,
            which is long.
        *others: those.

    Returns:
        what was
        done.

    Raises:
        ValueError: it can't be done.

    Example:
        >>> def two():
        ...     return 2
        >>> two()
        2
        >>> two(1)
        Traceback (most recent call last):
        ...
        TypeError: two() takes 0 positional arguments but 1 was given
    """

    assert list(docstring.markdown(docstring.parse(text))) == [
        "Do it.\n\nAt once,\nplease.",
        "Arguments:\n\n- `first`: the first, which is long.\n- `*others`: those.",
        "Returns what was done.",
        "Raises:\n\n- `ValueError`: it can't be done.",
        "```python\ndef two():\n    return 2\n\n\ntwo()\n# 2\ntwo(1)\n"
        "# TypeError: two() takes 0 positional arguments but 1 was given\n```",
    ]
