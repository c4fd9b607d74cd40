"""Messages of the server in another language."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from api.console.language import LANGUAGES, read_messages
from api.console.server_text import translate_error

ROOT = Path(__file__).parents[3]
OTHERS = [code for code in LANGUAGES if code != "en"]


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
            "El archivo tiene más de 1,000 líneas en blanco. Quítelas.",
        ),
        ("REQUIRED", "Case Id: is required.", "Case Id: es obligatorio."),
        ("REQUIRED", "Nothing of the kind.", "Nothing of the kind."),
        ("OF_A_PLUGIN", "Seat: is required.", "Seat: is required."),
    ],
)
def test_translate(code: str, message: str, translation: str) -> None:
    """A message is found by its code, behind the label of its column; others stay English."""
    error = {"code": code, "message": message}

    assert translate_error("es", error) == translation
    assert translate_error("en", error) == message


@pytest.mark.parametrize("language", OTHERS)
def test_the_server_says_so(language: str) -> None:
    """Each English message of a catalogue is made of what the code says."""
    texts = texts_in_code()
    said = " ".join(texts) + "".join(texts)
    # The longest part alone: others may be put together of pieces, as these are.
    pieced = {"those have letters", "is not known to", "contains the control character"}
    parts = {
        max((each.strip() for each in re.split(r"\{[^}]*\}|[;.:?,'*(]", text)), key=len)
        for context, text, _ in read_messages(language)
        if context != "WORD"
    }
    unknown = {part for part in parts if part not in said} - pieced

    assert unknown == set()


@pytest.mark.parametrize("language", OTHERS)
def test_the_same_names(language: str) -> None:
    """A translation says all that its message says, and nothing else."""
    for _, text, translation in read_messages(language):
        names = [set(re.findall(r"\{(\w+)", each)) for each in (text, translation)]

        assert names[0] == names[1], text


def texts_in_code() -> list[str]:
    """Return all texts of the code, and those of its texts that are put together."""
    found = []
    for package in ("api", "importers", "models"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
    return found
