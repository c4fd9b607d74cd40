"""Brings the catalogues up to date with the texts of the console, and with Caseroll's messages.

New texts come in without a translation. Unused ones of the console go. Messages that are put
together of parts stay in their catalogue, where they are written by hand.

Run it as `python -m scripts.texts`; `make texts` does.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from api.console.language import FOLDER
from api.schema.importing.import_types import NOT_OFFERED
from importers import builtin
from importers.language import message
from importers.language.catalogue import OTHERS, catalogue_path
from importers.language.message import Messages, read_messages
from importers.sdk.plugin import Plugin
from importers.testkit.translations import texts_of
from importers.undo.undo_import import UndoImport
from scripts.server_messages import GAP, found_messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scripts.server_messages import FoundMessage

CONSOLE = FOLDER.parent
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "text": None, "plural": (1, 2)}
_OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
_NAME = re.compile(r"\{(\w+)(:,)?\}")
_LONG_WORD = 15
# Values of names that stand for words.
_SPECIMENS = {"noun": "case", "what": "cases", "place": "cases"}


def texts() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Yield the file and the text of each message in the console's code and templates."""
    for file, _, text, _, _ in extract_from_dir(CONSOLE, _METHODS, _OPTIONS, _KEYWORDS):
        yield file, text


def update(code: str) -> Catalog:
    """Return the console's catalogue of a language with the texts that there are now."""
    old = _read(path_of(code), code)
    new = Catalog(locale=code, project="Caseroll", version="", fuzzy=False)
    for _, text in texts():
        known = old.get(text if isinstance(text, str) else text[0])
        new.add(text, known.string if known and known.id == text else None)
    return new


def untranslated_messages(code: str) -> list[FoundMessage]:
    """Return the messages in the code that a language has no translation of."""
    messages = Messages(code, label=str)
    wholes: dict[str, list[str]] = {}
    for entry in read_messages(code):
        wholes.setdefault(entry.context, []).extend(entry.texts)
    words = [word for word in wholes["WORD"] if len(word) >= _LONG_WORD]
    found = {(each.code, each.template): each for each in found_messages()}
    return [
        each
        for each in found.values()
        if not messages.translate(each.code, _specimen(each.template), {})
        and not _is_part(each.template, wholes.get(each.code, ()), words)
    ]


def _specimen(template: str) -> str:
    """Make a message of a template."""
    return _NAME.sub(lambda name: "7,000" if name[2] else _SPECIMENS.get(name[1], "7"), template)


def _is_part(template: str, wholes: Iterable[str], words: Iterable[str]) -> bool:
    """Tell whether the code has a part of a catalogue's text in one place, and the rest elsewhere.

    The rest comes before a part that begins in lower case, behind one without an end, and where
    the template has names.
    """
    for word in words:
        template = template.replace(word, GAP)
    parts = map(re.escape, _NAME.sub(GAP, template).split(GAP))
    before = "" if template[0].isupper() else ".*"
    pattern = re.compile(f"{before}{'.*'.join(parts)}.*", re.DOTALL)
    return any(pattern.fullmatch(f"{whole}.") for whole in wholes)


def builtin_texts() -> set[str]:
    """Return what the plugins that come with Caseroll say of themselves."""
    names = [f"{builtin.__name__}.{each.name}" for each in iter_modules(builtin.__path__)]
    found = {UndoImport.label, NOT_OFFERED}
    for name in names:
        for kind in vars(import_module(name)).values():
            if isinstance(kind, type) and kind.__module__ == name and issubclass(kind, Plugin):
                found |= set(texts_of(kind()))
    return found - {""}


def update_builtin(code: str) -> Catalog:
    """Return the catalogue of our plugins with the texts that there are now."""
    old = _read(builtin_path(code), code)
    new = Catalog(locale=code)
    for text in sorted(builtin_texts()):
        known = old.get(text)
        new.add(text, known.string if known else None)
    return new


def builtin_path(code: str) -> Path:
    return catalogue_path(Path(builtin.__path__[0]), code, builtin.__name__.replace(".", "_"))


def add_messages(code: str) -> Catalog:
    """Return the catalogue of Caseroll's messages with those that it lacks."""
    catalogue = _read(catalogue_path(message.FOLDER, code, message.NAME), code)
    for each in untranslated_messages(code):
        if GAP not in each.template:
            catalogue.add(each.template, None, context=each.code)
    return catalogue


def _read(path: Path, code: str) -> Catalog:
    if not path.exists():
        return Catalog(locale=code)
    with path.open("rb") as file:
        return read_po(file, locale=code)


def path_of(code: str) -> Path:
    return FOLDER / code / "LC_MESSAGES/caseroll.po"


def main() -> None:
    for code in OTHERS:
        _write(path_of(code), update(code))
        _write(builtin_path(code), update_builtin(code))
        _write(catalogue_path(message.FOLDER, code, message.NAME), add_messages(code))


def _write(path: Path, catalogue: Catalog) -> None:
    with path.open("wb") as file:
        write_po(file, catalogue, width=100, sort_output=True, omit_header=True)


if __name__ == "__main__":
    main()
