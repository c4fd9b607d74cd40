"""Messages of the server in another language."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from pathlib import Path

import pytest

from importers.language.catalogue import OTHERS
from importers.language.message import read_messages
from importers.language.translator import own_translators

ROOT = Path(__file__).parents[3]
SHORTEST = 4


@pytest.mark.parametrize(
    ("code", "message", "translation"),
    [
        (
            "NOT_FOUND",
            "Case Id: no case has the Tag ID or ID 'trv-1'; did you mean 'trv-001'?",
            "Case Id: ningún caso tiene el Tag ID o ID 'trv-1'; ¿quiso decir 'trv-001'?",
        ),
        (
            "NOT_FOUND",
            "User Id: no user has the Tag ID or ID 'a: {b}'.",
            "User Id: ningún usuario tiene el Tag ID o ID 'a: {b}'.",
        ),
        (
            "TOO_MANY_ROWS",
            "The file has more than 1,000 blank lines. Remove them.",
            "El archivo tiene más de 1.000 líneas en blanco. Quítelas.",
        ),
        (
            "REMOVES_MANY",
            "12,000 of the 31,500 assignments would be gone: "
            "more than the 20 % that may be removed at once.",
            "Se quitarían 12.000 de las 31.500 asignaciones: "
            "más del 20 % que se puede quitar de una vez.",
        ),
        (
            "CASE_CLOSED",
            "Case Id: the case 'c-2' is closed; reopen it first (user 'jack-001').",
            "Case Id: el caso 'c-2' está cerrado; ábralo de nuevo primero (usuario 'jack-001').",
        ),
        (
            "CHANGED_SINCE",
            "The assignment has been changed since, by row 4 of the import 'May' at "
            "2026-11-29 23:45 UTC: The user is not on the case any more.",
            "Cambio posterior de asignación, por la fila 4 de la importación 'May', el "
            "2026-11-29 23:45 UTC: El usuario ya no está en el caso.",
        ),
        (
            "CHANGED_SINCE",
            "This is not as it was planned: Case Id: the case is closed; reopen it first.",
            "Esto no está como se planeó: Case Id: el caso está cerrado; ábralo de nuevo primero.",
        ),
        (
            "CHANGED_SINCE",
            "This is not as it was planned: Seat: is taken.",
            "Esto no está como se planeó: Seat: is taken.",
        ),
        (
            "EMAIL_TAKEN",
            "Username: a user has this e-mail address already, with no given name and the family "
            "name 'O'Neill and Co'; to change that, use a file of type modify-users.",
            "Username: un usuario ya tiene esta dirección de correo: sin nombre, apellidos "
            "'O'Neill and Co'; para cambiarlo, use un archivo del tipo modify-users.",
        ),
        (
            "MISSING_COLUMN",
            "The column 'user_id' is missing, and *Assign users to cases* needs it. "
            "Add it to the header row.",
            "Falta la columna 'user_id', y *Asignar usuarios a casos* la necesita. "
            "Añádala a la fila del encabezado.",
        ),
        ("NOT_FOUND", "There is no such import.", "Esa importación no existe."),
        ("MAILS", "1 user would get a mail.", "1 usuario con un correo, si se aplica."),
        ("MAILS", "2 users would get a mail.", "2 usuarios con un correo, si se aplica."),
        (
            "NOT_A_TABLE",
            "The file 'may.csv' seems to be a PDF document. "
            "Only CSV text and workbooks (.xlsx, .ods) can be imported.",
            "El archivo 'may.csv' parece ser un documento PDF. "
            "Solo se importan textos CSV y libros (.xlsx, .ods).",
        ),
        ("REQUIRED", "Case Id: is required.", "Case Id: es obligatorio."),
        ("REQUIRED", "Nothing of the kind.", "Nothing of the kind."),
        ("OF_A_PLUGIN", "Seat: is required.", "Seat: is required."),
    ],
)
def test_translate(code: str, message: str, translation: str) -> None:
    """A message is found by its code, behind the label of its column; others stay English."""
    error = {"code": code, "message": message}

    assert own_translators()["es"].error(error) == translation
    assert own_translators()["en"].error(error) == message


def test_remarks() -> None:
    """What is said of a row that passed is translated part by part; a plugin's words stay."""
    remark = "repeats row 7; has a seat; was not assigned"

    spanish = own_translators()["es"].remark(remark)

    assert spanish == "repite la fila 7; has a seat; no estaba asignado"
    assert own_translators()["en"].remark(remark) == remark


@pytest.mark.parametrize("language", OTHERS)
def test_the_server_says_so(language: str) -> None:
    """Each English message of a catalogue is put together of texts of the code."""
    said = "\n".join(texts_in_code()).replace("*", "")
    unknown = [
        text
        for entry in read_messages(language)
        for text in entry.texts
        if not all(is_put_together(part, said) for part in re.split(r"\{[^}]*\}|\*", text))
        and entry.context not in ("WORD", "REASON")  # Python says some reasons
    ]

    assert unknown == []


@pytest.mark.parametrize("language", OTHERS)
def test_the_same_names(language: str) -> None:
    """A translation says all that its message says, and nothing else."""
    for entry in read_messages(language):
        for translation in entry.translations:
            names = [set(re.findall(r"\{(\w+)", each)) for each in (entry.texts[-1], translation)]

            assert names[0] == names[1], entry.text


def is_put_together(text: str, said: str) -> bool:
    """Tell whether a text is made of pieces of what is said, none but its ends very short."""
    place = 0
    while place < len(text):
        ends = range(place, len(text) + 1)
        # The first end up to which the piece is not said; what is said up to there is.
        end = bisect_left(ends, True, key=lambda stop: text[place:stop] not in said) + place - 1
        if end - place < SHORTEST and place > 0 and end < len(text):
            return False
        if end == place:
            return False
        place = end
    return True


def texts_in_code() -> set[str]:
    """Return all texts of the code."""
    found = set()
    for package in ("api", "importers", "models"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return found


@pytest.mark.parametrize(("count", "said"), [("1", "1 fila está"), ("2,500", "2.500 filas están")])
def test_forms(count: str, said: str) -> None:
    """A message about a count has the form that the language has for it."""
    rows = "row is hidden, by a filter for instance, and was" if count == "1" else ""
    rows = rows or "rows are hidden, by a filter for instance, and were"
    message = f"{count} {rows} read as well; the first is row 7."

    translated = own_translators()["es"].error({"code": "HIDDEN_ROWS", "message": message})

    assert translated.startswith(f"{said} oculta")
