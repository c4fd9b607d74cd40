"""Untrusted text does nothing to a terminal."""

from __future__ import annotations

import json
import re

from api.cli.printable import printable, printable_json

NASTY = "\x1b]0;title\x07\x1b[2J\x9b31m\u202egpj.\r\nError: all is lost\ttrv"
TAMED = "\ufffd]0;title\ufffd\ufffd[2J\ufffd31m\ufffdgpj.  Error: all is lost trv"


def test_text_of_others_does_nothing_to_a_terminal() -> None:
    """Escape sequences, line ends and marks that turn text round are shown, not obeyed."""
    assert printable(NASTY) == TAMED
    assert (
        printable("José, 中文, \u0639\u0631\u0628\u064a, 👩\u200d🚀")
        == "José, 中文, \u0639\u0631\u0628\u064a, 👩\u200d🚀"
    )


def test_hostile_json() -> None:
    """JSON for programs says the same text, with nothing in it for a terminal."""
    text = printable_json({"name": NASTY})

    assert json.loads(text) == {"name": NASTY}
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
