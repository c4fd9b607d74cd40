"""Messages of the server in another language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.console import server_text
from api.console.server_text import translate_error

TEXTS = [
    ("NOT_FOUND", "no case has the Tag ID '{text}'.", "ningún caso tiene la etiqueta '{text}'."),
    (
        "NOT_FOUND",
        "no case has the Tag ID '{text}'; did you mean '{suggestion}'?",
        "ningún caso tiene la etiqueta '{text}'; ¿quizás '{suggestion}'?",
    ),
    ("TOO_LARGE", "{size:,} bytes are too many.", "{size} bytes son demasiados."),
]


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A catalogue with a few messages."""
    monkeypatch.setattr(server_text, "read_messages", lambda _: TEXTS)
    server_text._templates.cache_clear()
    yield
    server_text._templates.cache_clear()


@pytest.mark.parametrize(
    ("code", "message", "translation"),
    [
        ("NOT_FOUND", "no case has the Tag ID '42'.", "ningún caso tiene la etiqueta '42'."),
        (
            "NOT_FOUND",
            "Case Id: no case has the Tag ID 'trv-1'; did you mean 'trv-001'?",
            "Case Id: ningún caso tiene la etiqueta 'trv-1'; ¿quizás 'trv-001'?",
        ),
        ("TOO_LARGE", "7,000 bytes are too many.", "7,000 bytes son demasiados."),
        ("TOO_LARGE", "no case has the Tag ID '42'.", "no case has the Tag ID '42'."),
        ("OF_A_PLUGIN", "Seat: taken.", "Seat: taken."),
        ("NOT_FOUND", "Case Id: no case has the Tag ID 'a: {b}'.",
         "Case Id: ningún caso tiene la etiqueta 'a: {b}'."),
    ],
)  # fmt: skip
def test_translate(code: str, message: str, translation: str) -> None:
    """A message is found by its code, behind the label of its column; others stay English."""
    error = {"code": code, "message": message}

    assert translate_error("es", error) == translation
    assert translate_error("en", error) == message
