"""Brings the catalogues of the console's texts up to date with its templates and code.

New texts come in without a translation, and unused ones go. Messages of the server are in
`server.po`, which is written by hand: the code does not have them in one piece.

Run it as `python -m scripts.texts`; `make texts` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from api.console.language import FOLDER
from importers.language.catalogue import OTHERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONSOLE = FOLDER.parent
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "text": None, "plural": (1, 2)}
_OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true"}}


def texts() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Yield the file and the text of each message in the console's code and templates."""
    for file, _, message, _, _ in extract_from_dir(CONSOLE, _METHODS, _OPTIONS, _KEYWORDS):
        yield file, message


def update(code: str) -> Catalog:
    """Return a language's catalogue with the texts that there are now."""
    path = path_of(code)
    old = Catalog(locale=code)
    if path.exists():
        with path.open("rb") as file:
            old = read_po(file, locale=code)
    new = Catalog(locale=code, project="Caseroll", version="", fuzzy=False)
    for _, message in texts():
        known = old.get(message if isinstance(message, str) else message[0])
        new.add(message, known.string if known and known.id == message else None)
    return new


def path_of(code: str) -> Path:
    return FOLDER / code / "LC_MESSAGES/caseroll.po"


def main() -> None:
    for code in OTHERS:
        catalogue = update(code)
        with path_of(code).open("wb") as file:
            write_po(file, catalogue, width=100, sort_output=True, omit_header=True)


if __name__ == "__main__":
    main()
