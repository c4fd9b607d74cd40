"""The catalogue of Caseroll's messages: it has them all."""

from __future__ import annotations

import pytest

from importers.language.catalogue import OTHERS
from importers.language.message import read_messages
from scripts.texts import add_messages, untranslated_messages


@pytest.mark.parametrize("code", OTHERS)
def test_each_message_is_translated(code: str) -> None:
    """Each message that the code makes has a translation.

    If one has none: run `make texts`, and translate what is blank in `messages.po`. A message that
    is put together of parts is written there by hand, with a name in braces for each value.
    """
    missing = [f"{each.place}: {each.code} {each.template}" for each in untranslated_messages(code)]
    blank = [each.text for each in read_messages(code) if not each.is_translated]

    assert (missing, blank) == ([], []), "run `make texts`, then translate what is blank"


@pytest.mark.parametrize("code", OTHERS)
def test_new_messages(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make texts` adds what is missing, without a translation, under its code."""
    from scripts import texts
    from scripts.server_messages import FoundMessage

    found = [
        FoundMessage("m:1", "SEAT_TAKEN", "seat {seat} is taken."),
        FoundMessage("m:2", "REQUIRED", "is required."),
    ]
    monkeypatch.setattr(texts, "found_messages", lambda: found)

    catalogue = add_messages(code)

    assert catalogue.get("seat {seat} is taken.", context="SEAT_TAKEN").string is None
    assert untranslated_messages(code) == found[:1]
