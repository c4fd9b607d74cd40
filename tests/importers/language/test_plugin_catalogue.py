"""Catalogues that plugins bring: found beside their modules, checked, and used."""

from __future__ import annotations

import re
import sys
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from importers import CaseRef, Importer, Remove, Row, RowError, UserRef
from importers.language.catalogue import catalogue_path
from importers.language.plugin_catalogue import catalogue_name, catalogues_of
from importers.language.translator import Translator, translators
from importers.plugins.registry import load
from importers.sdk.errors import ConfigError, ErrorDetail
from importers.testing import check_conformance, check_importer

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/writing-an-importer.md").read_text(encoding="utf-8")
[FROM_THE_GUIDE] = re.findall(r"```po\n(.*?)```", GUIDE, re.DOTALL)
MATTER = 'msgid "Tag ID of the matter."\nmsgstr "Tag ID del asunto."\n'
PERSON = 'msgid "Mail."\nmsgstr "Correo."\n'
OF_THE_CLASS = (
    'msgid "Seats"\nmsgstr "Asientos"\n\nmsgid "Give seats."\nmsgstr "Da asientos."\n\n'
    f"{MATTER}\n{PERSON}"
)
TAKEN = 'msgid "seat {seat} is taken."\nmsgstr "el asiento {seat} está ocupado."\n'


class Seats(Importer):
    """Give seats."""

    label = "Seats"
    matter = CaseRef(required=True, help="Tag ID of the matter.", example="trv-001")
    person = UserRef(required=True, by="email", help="Mail.", example="jack@example.org")

    def change(self, row: Row) -> Remove:
        if row.matter.tag_id == "trv-002":
            raise RowError("matter", "SEAT_TAKEN", "seat {seat} is taken.", seat=12)
        return Remove(case=row.matter, user=row.person)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the module of the importer."""
    module = ModuleType("acme.seats.importer")
    module.__spec__ = ModuleSpec("acme.seats.importer", None)
    module.__file__ = str(tmp_path / "importer.py")
    vars(module)["Seats"] = Seats
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(Seats, "__module__", module.__name__)
    return tmp_path


def write(package: Path, text: str, language: str = "es") -> None:
    """Write a catalogue of the package."""
    path = catalogue_path(package, language, "acme_seats")
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


def spanish() -> Translator:
    return translators([Seats])["es"]


def error(template: str, **params: Any) -> dict[str, Any]:
    """Describe an error as the engine stores it, at a column."""
    detail = ErrorDetail.of("OF_A_PLUGIN", f"Seat: {template}", column="seat", **params)
    return detail.as_dict()


def test_names(package: Path) -> None:
    """A catalogue is named after the package, or after a module that is in none."""

    class Alone(Importer):
        __module__ = "acme_alone"

    assert catalogue_name(Seats) == "acme_seats"
    assert catalogue_name(Alone) == "acme_alone"


def test_without_a_catalogue(package: Path) -> None:
    """A plugin without one stays English, but for what the SDK says."""
    assert catalogues_of(Seats) == {}
    assert spanish().text("Seats", Seats) == "Seats"
    assert spanish().error(error("seat {seat} is taken.", seat=12)) == "Seat: seat 12 is taken."


def test_the_guide(package: Path) -> None:
    """The catalogue of the guide says what the guide says of it."""
    write(package, FROM_THE_GUIDE)
    seat = "seat {seat} is taken; choose one behind row {row:,}."
    one, more = "one seat is left for the group.", "{count} seats are left for the group."

    assert spanish().text("Seating plan", Seats) == "Plano de asientos"
    assert spanish().error(error(seat, seat=12, row=4_000)) == (
        "Seat: el asiento 12 está ocupado; elija uno detrás de la fila 4.000."
    )
    assert [
        spanish().error(error(one if count == 1 else more, count=count)) for count in (1, 3)
    ] == ["Seat: queda un asiento para el grupo.", "Seat: quedan 3 asientos para el grupo."]


def test_braces(package: Path) -> None:
    """Braces that are doubled in a template are braces in the message."""
    write(package, 'msgid "write {{x}}, not {text}."\nmsgstr "escriba {{x}}, no {text}."\n')

    assert spanish().error(error("write {{x}}, not {text}.", text="x")) == (
        "Seat: escriba {x}, no x."
    )


def test_what_it_is_about(package: Path) -> None:
    """A row with several changes says in each message what that is about."""
    write(package, TAKEN)
    taken = error("seat {seat} is taken (case 'trv-001').", seat=12)

    assert spanish().error(taken) == "Seat: el asiento 12 está ocupado (caso 'trv-001')."


def test_two_packages(package: Path) -> None:
    """The same label in two packages is translated by the package of each."""

    class Others(Importer):
        """Give seats."""

    write(package, 'msgid "Give seats."\nmsgstr "Da asientos."\n')

    assert spanish().text("Give seats.", Seats) == "Da asientos."
    assert translators([Seats])["en"].text("Give seats.", Seats) == "Give seats."
    assert translators([Seats])["es"].text("Give seats.", Others) == "Give seats."


def test_values_that_look_like_text(package: Path) -> None:
    """What stands for a name is known, not guessed, whatever is in it."""
    write(
        package,
        'msgid "{one} and {two} differ."\nmsgstr "{two} no es {one}."\n\n'
        'msgid "{all} differ."\nmsgstr "Difieren: {all}."\n',
    )
    template = "{one} and {two} differ."

    assert spanish().error(error(template, one="a and b", two="c and d")) == (
        "Seat: c and d no es a and b."
    )
    assert spanish().error(error("{all} differ.", all="a and b")) == "Seat: Difieren: a and b."
    assert spanish().error(error(template, one="{two}", two="}")) == "Seat: } no es {two}."
    assert spanish().error(error("a and b differ.")) == "Seat: a and b differ."


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('msgid "{a} is"\nmsgstr "{b} es"\n', "the name {a} is in one of the two alone"),
        ('msgid "{a} is"\nmsgstr "es"\n', "the name {a} is in one of the two alone"),
        ('msgid "a is"\nmsgstr "{b es"\n', "is no template: expected '}' before end of string"),
        ('msgid "{a!r} is"\nmsgstr "{a}"\n', "which is no template: in braces stands a name"),
        ('msgid "{a:05} is"\nmsgstr "{a}"\n', "which is no template: in braces stands a name"),
        ('msgid "{a}"\nmsgstr "{a.real}"\n', "is no template: in braces stands a name"),
        ('msgid "a"\nnonsense\n', "can't be read"),
        ('msgid "a"\nmsgstr "\udcff"\n', "can't be read"),
    ],
)
def test_wrong_catalogues(package: Path, text: str, problem: str) -> None:
    """A wrong catalogue makes its plugin broken, with a sentence that says what is wrong."""
    path = catalogue_path(package, "es", "acme_seats")
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    plugins = package / "plugins.toml"
    plugins.write_text("[importers.seats]\n")
    point = EntryPoint("seats", "acme.seats.importer:Seats", "caseroll.importers")

    with pytest.raises(ConfigError, match=re.escape(problem)):
        catalogues_of(Seats)
    [status] = load(plugins, found=[point]).plugins
    assert (status.state, problem in str(status.reason)) == ("broken", True)
    with pytest.raises(AssertionError, match=re.escape(problem)):
        check_conformance(Seats, rows=10)


def test_a_good_catalogue(package: Path) -> None:
    """A plugin with a whole catalogue is conformant, and the registry translates it."""
    write(package, OF_THE_CLASS + TAKEN)
    plugins = package / "plugins.toml"
    plugins.write_text("[importers.seats]\n")
    point = EntryPoint("seats", "acme.seats.importer:Seats", "caseroll.importers")

    check_conformance(Seats, rows=100)
    assert load(plugins, found=[point]).translators["es"].text("Seats", Seats) == "Asientos"


def test_missing_texts(package: Path) -> None:
    """The conformance kit writes what a catalogue lacks as lines to be copied into it."""
    write(package, OF_THE_CLASS.removesuffix(PERSON))

    with pytest.raises(AssertionError, match=re.escape('es: msgid "Mail."\n    msgstr ""')):
        check_conformance(Seats, rows=100)


def test_missing_messages(package: Path) -> None:
    """A test of a file says which messages of its rows have no translation."""
    file = "matter,person\ntrv-002,jack@example.org\nnone,jack@example.org\n"
    expected = [
        {"row": 2, "errors": [{"code": "SEAT_TAKEN"}]},
        {"row": 3, "errors": [{"code": "NOT_FOUND"}]},
    ]
    check_importer(Seats, file, expected)
    write(package, OF_THE_CLASS)

    with pytest.raises(AssertionError, match=r'es: msgid "Matter: seat 12 is taken\."\n'):
        check_importer(Seats, file, expected)


def test_messages_that_are_there(package: Path) -> None:
    """Messages of the SDK need no translation of the plugin's."""
    write(package, OF_THE_CLASS + TAKEN)
    file = "matter,person\ntrv-002,jack@example.org\nnone,jack@example.org\n"

    check_importer(
        Seats,
        file,
        [
            {"row": 2, "errors": [{"code": "SEAT_TAKEN"}]},
            {"row": 3, "errors": [{"code": "NOT_FOUND"}]},
        ],
    )
