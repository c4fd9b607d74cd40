"""Errors that columns of several forms have in common."""

from __future__ import annotations

from importers.sdk.errors import RowError, shorten


def wrong_form(code: str, fault: str, text: str, meant: str | None = None) -> RowError:
    """Return the error of a cell that has another form, with what was meant if that is certain."""
    hint = "; did you mean '{suggestion}'?" if meant else "."
    return RowError(None, code, fault + hint, meant, text=shorten(text))


def stands_for_nothing(code: str, text: str) -> RowError:
    """Return the error of a cell with a word that programs write for nothing."""
    template = "'{text}' stands for nothing; write nothing for nothing."
    return RowError(None, code, template, text=shorten(text))
